"""Images of a dataset, made behind the window one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from src.export_records import ExportSample
from src.gui.core.session import Session

Make = Callable[[Callable[[], bool]], Iterator[ExportSample]]


class SampleReader:
    """Collects them as they come, until nobody wants more.

    Attributes:
        samples: those that there are by now.
        is_done: whether there are no more to come.
        on_more: called when there is another one, and at the end.
    """

    def __init__(self, session: Session, make: Make, is_wanted: Callable[[], bool]) -> None:
        """Begin.

        Args:
            make: makes them; gets what it may ask whether they are wanted still.
        """
        self.samples: list[ExportSample] = []
        self.is_done = False
        self.on_more: Callable[[], object] = lambda: None
        self._is_wanted, self._stopped = is_wanted, False
        main_thread = session.main_thread

        def wanted() -> bool:
            return not self._stopped and is_wanted() and not session.is_closing

        def work() -> None:
            for sample in make(wanted):
                if not wanted():
                    return
                main_thread.post(partial(self._add, sample))

        main_thread.run(work, lambda _: self._end(), self._failed, "Couldn't show the images")

    def stop(self) -> None:
        """Make no more."""
        self._stopped = True

    def _add(self, sample: ExportSample) -> None:
        if not self._stopped and self._is_wanted():
            self.samples.append(sample)
            self.on_more()

    def _failed(self, exc: Exception) -> None:
        self._end()
        raise exc  # to the window's error handler

    def _end(self) -> None:
        self.is_done = True
        if not self._stopped and self._is_wanted():
            self.on_more()
