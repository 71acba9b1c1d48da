"""An empty window over a library, for the tests of one dialog; its jobs run when they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.events import Event
from src.gui.core.job_state import JobState
from src.gui.core.session import Listeners
from src.gui.theme.theme import DARK, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.overlay import Overlay
from src.library import MediaLibrary
from src.worker import JobEnded
from tests.direct_thread import DirectThread


class Jobs:
    """Runs a job at once, as the session would in another thread."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self.waiting: list[tuple[JobState, Callable[[], Iterator[Event]]]] = []

    def start(self, kind: str, job: Callable[[], Iterator[Event]], name: str) -> JobState:
        state = JobState(name, kind=kind)
        self.waiting.append((state, job))
        return state

    def run(self) -> None:
        state, job = self.waiting.pop()
        for event in job():
            state.take(event)
            for heard in tuple(self._listeners.job_event):
                heard(state, event)
        for ended in tuple(self._listeners.job_ended):
            ended(state, JobEnded(None))


@dataclass(frozen=True)
class EmptyWindow:
    overlay: Overlay
    session: Any


@contextmanager
def empty_window(metadata: MetadataDatabase) -> Iterator[EmptyWindow]:
    """Open a window over a library, which is closed in `metadata`; at the end dialogs close."""
    root: Any = ctk.CTk()
    root.geometry("960x600")
    theme = Theme(DARK, 1.0)
    theme.find_fonts(root)
    root.update()
    with MediaLibrary(LibraryPaths(metadata.paths.root)) as library:
        listeners = Listeners()
        jobs = Jobs(listeners)
        session: Any = SimpleNamespace(
            read_only=False,
            only_to_write=lambda *_: None,
            library=library,
            signals=listeners,
            main_thread=DirectThread(),
            is_closing=False,
            start=jobs.start,
            jobs=jobs,
            cancel=lambda job: None,
        )
        overlay = Overlay(root, theme)
        yield EmptyWindow(overlay, session)
        while overlay.is_open:
            overlay.close()
        root.update()
        root.destroy()
