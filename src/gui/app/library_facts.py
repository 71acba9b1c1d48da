"""The library's numbers in the sidebar, kept up to date."""

from __future__ import annotations

import tkinter

from src.events import Event, FileDone, FileFailed, FrameStored
from src.gui.app.sidebar import Sidebar
from src.gui.core.job_state import JobState
from src.gui.core.session import Session
from src.records import LibraryStats

# Counting reads every folder of crops, so it is not done after each frame.
EVERY_MS = 2000


class LibraryFacts:
    """Counts in another thread, when something has changed."""

    def __init__(self, root: tkinter.Misc, session: Session, sidebar: Sidebar) -> None:
        self._root, self._session, self._sidebar = root, session, sidebar
        self._waits = self._counts = self._again = False
        session.signals.opened.append(self.refresh)
        session.signals.content_changed.append(self.refresh)
        session.signals.job_event.append(self._heard)
        session.signals.job_ended.append(lambda job, ended: self.refresh())

    def refresh(self) -> None:
        """Count again; one count at a time, however slow the disk is."""
        if self._counts:
            self._again = True
        elif self._session.is_open:
            library, self._counts = self._session.library, True
            self._session.main_thread.run(
                lambda: library.stats(name_models=False), self._show, self._failed
            )

    def _heard(self, job: JobState, event: Event) -> None:
        """Count again soon; many events make one count."""
        if isinstance(event, FrameStored | FileDone | FileFailed) and not self._waits:
            self._waits = True
            self._root.after(EVERY_MS, self._refresh_waiting)

    def _refresh_waiting(self) -> None:
        self._waits = False
        self.refresh()

    def _show(self, stats: LibraryStats) -> None:
        self._sidebar.show_stats(stats)
        self._counts = False
        if self._again:
            self._again = False
            self.refresh()

    def _failed(self, exc: Exception) -> None:
        self._counts = self._again = False
        raise exc  # to the window's error handler
