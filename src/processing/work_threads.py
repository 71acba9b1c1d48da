"""Threads for work that is done before its turn has come, and the memory that it may take."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from src.stopping import stopped_by, wanted

Item = TypeVar("Item")
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


def taken_ahead(items: Iterable[Item], most: int) -> Generator[Item]:
    """Yield items, so many of which are made ahead: where making one has work begun."""
    waiting = deque[Item]()
    for item in items:
        waiting.append(item)
        if len(waiting) > most:
            yield waiting.popleft()
    yield from waiting


class WorkThreads:
    """A few threads with room for so many pixels; close them to stop, and none is left.

    Most of the work on a picture is done by OpenCV, torch and numpy, which let other threads run
    meanwhile, or in the processes that decode. It ends on the way once they are closed, or nobody
    waits for what the thread does that has made them.
    """

    def __init__(
        self, count: int, most_pixels: int, prepare_thread: Callable[[], None] | None = None
    ) -> None:
        """Start none yet: they come with the work.

        Args:
            count: how many there are.
            most_pixels: of the pictures in memory at the same time; a larger one is there alone.
            prepare_thread: called in each of them at first.
        """
        self.count = count
        self.most_pixels = most_pixels
        self._pool = ThreadPoolExecutor(count, "ahead", prepare_thread)
        self._room = threading.Condition()
        self._pixels = 0
        self._is_closed = False
        self._job_is_wanted = wanted()

    def submit(
        self,
        work: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Future[Result]:
        """Have work done in one of them, what was submitted first before the rest."""

        def stoppable() -> Result:
            with stopped_by(self._go_on):
                return work(*args, **kwargs)

        return self._pool.submit(stoppable)

    @contextmanager
    def room_for(self, pixels: int) -> Iterator[None]:
        """Wait for room for a picture, and take it for as long as the block runs.

        Raises:
            CancelledError: the threads are closed.
        """
        with self._room:
            self._room.wait_for(lambda: self._is_closed or self._has_room(pixels))
            if self._is_closed:
                raise CancelledError
            self._pixels += pixels
        try:
            yield
        finally:
            with self._room:
                self._pixels -= pixels
                self._room.notify_all()

    def close(self) -> None:
        """Drop what is waiting, and wait for what is being done."""
        with self._room:
            self._is_closed = True
            self._room.notify_all()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _go_on(self) -> bool:
        return not self._is_closed and self._job_is_wanted()

    def _has_room(self, pixels: int) -> bool:
        return self._pixels == 0 or self._pixels + pixels <= self.most_pixels
