"""Work in another thread of which only the newest counts, such as drawing what is seen now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from src.gui.core.main_thread import MainThread

# What is done in another thread, and what takes its result in the window's.
Job = tuple[Callable[[], Any], Callable[[Any], None]]


class LatestWork:
    """Runs one job at a time; what is asked for meanwhile is begun once, when that has ended."""

    def __init__(self, main_thread: MainThread, begin: Callable[[], Job | None]) -> None:
        """Prepare it.

        Args:
            begin: makes the job of this moment; None where there is nothing to do.
        """
        self._main_thread, self._begin = main_thread, begin
        self._runs = self._again = False

    def ask(self) -> None:
        """Begin a job, or have another one begun after the one that runs."""
        if self._runs:
            self._again = True
            return
        job = self._begin()
        if job is None:
            return
        work, then = job
        self._runs = True

        def done(result: Any) -> None:
            self._runs = False
            then(result)
            self._go_on()

        def failed(exc: Exception) -> None:
            self._runs = False
            self._go_on()
            raise exc

        self._main_thread.run(work, done, failed)

    def _go_on(self) -> None:
        if self._again:
            self._again = False
            self.ask()
