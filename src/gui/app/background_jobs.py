"""Jobs that a library needs and nobody asks for: when they begin, and what they wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from src.events import Event, IndexAway
from src.gui.core.job_state import JobState
from src.gui.core.session import Session
from src.job_kinds import ADD, BACKUP, EMBED, INDEX, MEASURE, SCAN, TRACK, JobKind
from src.worker import JobEnded

# Until a Chroma server is asked again that did not answer.
TRY_AGAIN_S = 60.0


class BackgroundJobs:
    """Starts them when the library opens and when media have come in, each once at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._gave_way: JobState | None = None  # to an add
        session.signals.opened.append(self._opened)
        session.signals.models_ready.append(self._models_ready)
        session.signals.job_event.append(self._job_event)
        session.signals.job_ended.append(self._job_ended)
        session.signals.content_changed.append(self.embed_edited)
        session.signals.index_moved.append(self._tell_index)

    def _opened(self) -> None:
        if self._session.read_only:  # the program that writes does them
            return
        library = self._session.library
        self._start_if(lambda: library.upkeep.backup_waits, BACKUP, library.upkeep.back_up)
        self._start_if(library.has_unmeasured_frames, MEASURE, library.look_at_frames)
        self._link_videos()

    def _models_ready(self) -> None:
        if self._session.read_only:
            return
        self._start(SCAN, self._session.library.upkeep.prepare_search)
        self.embed_edited()
        self._tell_index()

    def _job_event(self, job: JobState, event: Event) -> None:
        """Leave the cores to what a person waits for; try a server again that did not answer."""
        if job.kind == INDEX.key:
            self._session.index_away = event if isinstance(event, IndexAway) else None
            if isinstance(event, IndexAway):
                self._session.main_thread.after(TRY_AGAIN_S, self._tell_index)
        if job in self._session.jobs:
            for telling in self._session.jobs_of(INDEX.key):
                if not telling.cancelling:
                    self._gave_way = telling
                    self._session.cancel(telling)

    def _job_ended(self, job: JobState, ended: JobEnded) -> None:
        """Tell the index what came in, once nothing else comes; not where a person stopped it."""
        if job.kind == EMBED.key and ended.error is None and not job.cancelling:
            self.embed_edited()  # a mask may have been changed meanwhile
        if job.about.queue == ADD.queue or job is self._gave_way:
            self._tell_index()
        if job.about.queue == ADD.queue or job.kind == EMBED.key:
            self._link_videos()

    def _link_videos(self) -> None:
        """Link the segments of videos that came, or are cut otherwise now."""
        tracks = self._session.library.tracks
        self._start_if(tracks.has_unlinked, TRACK, tracks.link)

    def embed_edited(self) -> None:
        """Embed what a person has edited and no search finds yet."""
        session = self._session
        if session.models_ready and not session.read_only:
            library = session.library
            self._start_if(lambda: library.upkeep.embedding_waits, EMBED, library.reembed)

    def _tell_index(self) -> None:
        session = self._session
        if session.models_ready and not session.jobs and not session.is_closing:
            upkeep = session.library.upkeep
            self._start_if(lambda: upkeep.index_waits, INDEX, upkeep.tell_index)

    def _start_if(
        self, is_needed: Callable[[], bool], kind: JobKind, job: Callable[[], Iterator[Event]]
    ) -> None:
        """Look behind the window whether there is anything to do, and do it."""

        def start(needed: bool) -> None:
            if needed:
                self._start(kind, job)

        self._session.main_thread.run(is_needed, start)

    def _start(self, kind: JobKind, job: Callable[[], Iterator[Event]]) -> None:
        if not self._session.jobs_of(kind.key) and not self._session.is_closing:
            self._session.start(kind.key, job, kind.title)
