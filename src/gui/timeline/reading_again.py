"""Reads the video of the timeline again when it changes: at once, or when it is looked at."""

from __future__ import annotations

from typing import Any

from src.events import Event, FrameStored
from src.gui.core.job_state import JobState
from src.gui.core.session import Session
from src.gui.timeline.timeline_model import TimelineModel
from src.gui.timeline.timeline_reader import TimelineReader

_AGAIN_MS = 1000  # while frames come in, what is there is read so often


class ReadingAgain:
    """Listens to what changes in the library."""

    def __init__(
        self, panel: Any, session: Session, model: TimelineModel, reader: TimelineReader
    ) -> None:
        """Begin to listen.

        Args:
            panel: the widget; while it is not seen nothing is read.
        """
        self._panel, self._model, self._reader = panel, model, reader
        self._stale = self._waits = False
        session.signals.content_changed.append(self._changed)
        session.signals.job_event.append(self._heard)
        session.signals.job_ended.append(lambda *_: self._changed())

    def catch_up(self) -> None:
        """Read what has changed while the panel was not seen."""
        if self._stale:
            self._stale = False
            self._reader.read()

    def _changed(self) -> None:
        if self._panel.winfo_viewable():
            self._reader.read()
        else:
            self._stale = True

    def _heard(self, _job: JobState, event: Event) -> None:
        """Show frames of this video that come in, now and then."""
        timeline = self._model.timeline
        if timeline is None or not isinstance(event, FrameStored) or self._waits:
            return
        if event.path == timeline.media.path:
            self._waits = True
            self._panel.after(_AGAIN_MS, self._read_again)

    def _read_again(self) -> None:
        self._waits = False
        self._changed()
