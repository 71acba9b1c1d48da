"""A stand-in for the window's threads in which work waits until a test lets it be done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.direct_thread import DirectThread


class WaitingThread(DirectThread):
    """Each call of `step` does the oldest work, and hands on its result."""

    def __init__(self) -> None:
        self.waiting: deque[Callable[[], None]] = deque()

    def run(
        self,
        work: Callable[[], Any],
        then: Callable[[Any], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        fails: str = "",
        is_search: bool = False,
    ) -> None:
        self.waiting.append(partial(super().run, work, then, failed))

    def step(self) -> None:
        self.waiting.popleft()()

    def finish(self) -> None:
        while self.waiting:
            self.step()
