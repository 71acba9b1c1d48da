"""A stand-in for the window's threads whose work waits until a test has it done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any


class HeldThreads:
    """Keeps what is asked for, in order; `work` does some of it, and answers at once."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.errors: list[Exception] = []

    def own_thread(self, name: str) -> Executor:
        return _NoThread()

    def run_in(
        self,
        threads: Executor,
        work: Callable[[], Any],
        then: Callable[[Any], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        fails: str = "",
    ) -> None:
        self.run(work, then, failed, fails)

    def run(
        self,
        work: Callable[[], Any],
        then: Callable[[Any], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        fails: str = "",
    ) -> None:
        def doing() -> None:
            try:
                result = work()
            except Exception as exc:
                self._answer(partial(failed or self.errors.append, exc))
            else:
                if then is not None:
                    self._answer(lambda: then(result))

        self.waiting.append(doing)

    def _answer(self, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as exc:  # as MainThread does
            self.errors.append(exc)

    def work(self, count: int = 1000) -> None:
        """Do what waits, and what that asks for, up to a number of pieces."""
        while self.waiting and count:
            count -= 1
            self.waiting.pop(0)()


class _NoThread(Executor):
    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        raise AssertionError("HeldThreads does the work")
