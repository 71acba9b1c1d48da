"""A line of work that is done in order, and glances between, of which only the newest counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class Threads(Protocol):
    """What runs work in threads: MainThread."""

    def own_thread(self, name: str) -> Executor: ...

    def run_in(
        self,
        threads: Executor,
        work: Callable[[], Result],
        then: Callable[[Result], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        fails: str = "",
    ) -> None: ...


class WorkLine:
    """One thread; what is asked of it is done in the order in which it was asked.

    A glance is work that changes nothing, such as what a click under the pointer would do. It
    waits for what was asked before it, and is dropped when a newer one comes, or other work.
    """

    def __init__(self, main_thread: Threads, name: str) -> None:
        self._main_thread = main_thread
        self._thread = main_thread.own_thread(name)
        self._waiting = 0
        self._asked = 0  # of the work, so that a glance from before it is not shown
        # the glance that waits, and what had been asked before it; the thread takes it out
        self._wish: tuple[int, Callable[[], object], Callable[[object], None]] | None = None
        self._wish_lock = threading.Lock()
        self._glances = False

    @property
    def is_busy(self) -> bool:
        """Whether work other than glances is still to be done."""
        return self._waiting > 0

    def run(
        self,
        work: Callable[[], Result],
        then: Callable[[Result], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        fails: str = "",
    ) -> None:
        """Do work after what was asked before; see MainThread.run.

        Args:
            failed: called in place of the window's error handler, which it can raise to.
        """
        self.drop_glance()
        self._waiting += 1

        def done(result: Result) -> None:
            self._waiting -= 1
            if then is not None:
                then(result)

        def not_done(exc: Exception) -> None:
            self._waiting -= 1
            if failed is None:
                raise exc
            failed(exc)

        self._main_thread.run_in(self._thread, work, done, not_done, fails)

    def glance(self, work: Callable[[], Result], then: Callable[[Result], None]) -> None:
        """Do work that only shows something; another glance takes the place of one that waits."""
        with self._wish_lock:
            self._wish = self._asked, work, then  # type: ignore[assignment]
        self._next_glance()

    def drop_glance(self) -> None:
        """Forget the glance that waits, and do not show the one that is being made."""
        self._asked += 1
        with self._wish_lock:
            self._wish = None

    def _next_glance(self) -> None:
        if self._glances or self._wish is None:
            return
        self._glances = True
        asked = self._asked

        def work() -> Callable[[], None] | None:
            with self._wish_lock:
                wish = self._wish
                if wish is None or wish[0] != asked:  # dropped, or to be made after other work
                    return None
                self._wish = None
            _, look, then = wish
            found = look()
            return lambda: then(found)

        def seen(show: Callable[[], None] | None) -> None:
            self._glances = False
            if show is not None and asked == self._asked:
                show()
            self._next_glance()

        def failed(exc: Exception) -> None:
            self._glances = False
            self._next_glance()
            raise exc

        self._main_thread.run_in(self._thread, work, seen, failed)
