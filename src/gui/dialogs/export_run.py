"""The job that writes a dataset, as the export dialog follows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from src.dataset_events import DatasetWritten
from src.events import Event
from src.gui.core.job_state import JobState
from src.gui.core.session import Session
from src.search.recipe import Recipe
from src.worker import JobEnded

_SHOW_EVERY_MS = 40  # how far an export has come


class ExportRun:
    """Starts it, hears of it, and stops it; one at a time."""

    def __init__(
        self,
        root: Any,
        session: Session,
        on_progress: Callable[[JobState], object],
        on_end: Callable[[JobState, JobEnded], object],
    ) -> None:
        """Listen to the session's jobs, until `leave`.

        Args:
            root: a widget that outlives the job's events.
            on_progress: hears now and then how far it is.
            on_end: hears that it has ended, one way or another.
        """
        self._root, self._session = root, session
        self._on_progress, self._on_end = on_progress, on_end
        self.job: JobState | None = None
        self.report: DatasetWritten | None = None  # of the last one
        self._show_waits = False
        session.signals.job_event.append(self._heard)
        session.signals.job_ended.append(self._ended)

    def start(self, folder: Path, recipe: Recipe, title: str) -> None:
        """Write a dataset into a folder."""
        library = self._session.library
        self.report = None
        self.job = self._session.start(
            "export", lambda: library.export(folder, recipe, title), "Writing"
        )

    def stop(self) -> bool:
        """Ask it to stop; returns whether it runs."""
        if self.job is None:
            return False
        self._session.cancel(self.job)
        return True

    def leave(self) -> None:
        """Stop it, and hear of nothing any more: the dialog is gone."""
        if self.job is not None:
            self.job.in_place = False
        self.stop()
        self._session.signals.job_event.remove(self._heard)
        self._session.signals.job_ended.remove(self._ended)

    def _heard(self, job: JobState, event: Event) -> None:
        if job is not self.job:
            return
        if isinstance(event, DatasetWritten):
            self.report = event
        if not self._show_waits:  # an event comes for each crop
            self._show_waits = True
            self._root.after(_SHOW_EVERY_MS, self._show)

    def _show(self) -> None:
        self._show_waits = False
        if self.job is not None and self.job.doing is not None:
            self._on_progress(self.job)

    def _ended(self, job: JobState, ended: JobEnded) -> None:
        if job is self.job:
            self.job = None
            self._on_end(job, ended)
