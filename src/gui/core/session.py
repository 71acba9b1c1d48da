"""The window's side of the engine: one open library, its jobs, and questions to it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from src.errors import ClusterError, DatabaseError, LibraryLockedError, MediaLibraryError
from src.events import Event, IndexAway
from src.gui.core.job_state import JobState
from src.gui.core.main_thread import MainThread
from src.gui.core.missing_media import MissingMedia
from src.job_kinds import job_kind, job_kinds
from src.stopping import StoppedError, stopped_by
from src.worker import JobEnded, Worker

if TYPE_CHECKING:
    from src.library import MediaLibrary

log = logging.getLogger(__name__)

OnProgress = Callable[[int, int], None]
REPORT_EVERY_S = 0.2
READ_ONLY = "The library is open to read only here: nothing in it can be changed."


class Control(Protocol):
    """What a person uses to change something."""

    def forbid(self, why: str) -> None: ...


@dataclass
class Listeners:
    """Callbacks by event; all are called in the window's thread."""

    recovering: list[OnProgress] = field(default_factory=list)  # done, of how much
    opened: list[Callable[[], None]] = field(default_factory=list)
    not_opened: list[Callable[[], None]] = field(default_factory=list)
    models_ready: list[Callable[[], None]] = field(default_factory=list)
    models_failed: list[Callable[[], None]] = field(default_factory=list)
    job_event: list[Callable[[JobState, Event], None]] = field(default_factory=list)
    job_ended: list[Callable[[JobState, JobEnded], None]] = field(default_factory=list)
    content_changed: list[Callable[[], None]] = field(default_factory=list)
    missing_changed: list[Callable[[], None]] = field(default_factory=list)
    saved_searches_changed: list[Callable[[], None]] = field(default_factory=list)
    index_moved: list[Callable[[], None]] = field(default_factory=list)


class Session:
    """Opens the library behind the window, runs its jobs and answers its questions.

    Each queue of jobs has a worker: a dataset can be written, a model fetched, and the library
    be read by another model while media come in.
    """

    def __init__(
        self,
        main_thread: MainThread,
        open_library: Callable[[OnProgress], MediaLibrary],
        on_error: Callable[[Exception], None],
        read_only: bool = False,
    ) -> None:
        """Prepare to open a library; see `open`.

        Args:
            open_library: calls its argument during the recovery of a damaged library.
            read_only: the library is opened for reading only, as long as the window is there.
        """
        self.main_thread, self.read_only = main_thread, read_only
        self.signals = Listeners()
        self.models_ready = False
        self.not_opened: Exception | None = None  # why there is no library to work with
        self.index_away: IndexAway | None = None  # while its Chroma server can't be told
        self._library: MediaLibrary | None = None
        self._made: MediaLibrary | None = None  # the same, before the window is notified
        self._opening = threading.Lock()
        self._reported_at = 0.0  # of a recovery, on the monotonic clock
        self._closing = False
        self._open_library, self._on_error = open_library, on_error
        self._workers = {queue: Worker() for queue in {kind.queue for kind in job_kinds()}}
        self._jobs: dict[tuple[Worker, int], JobState] = {}
        self.missing = MissingMedia(
            main_thread,
            lambda: self.library,
            lambda: self._tell_each(self.signals.missing_changed),
            lambda: self._tell_each(self.signals.content_changed),
        )
        for worker in self._workers.values():
            main_thread.poll(partial(self._take_event, worker))

    # -- the library

    @property
    def library(self) -> MediaLibrary:
        assert self._library is not None, "nothing asks before the library is open"
        return self._library

    @property
    def is_closing(self) -> bool:
        """Whether the window closes: long work is not waited for any more."""
        return self._closing

    @property
    def is_open(self) -> bool:
        return self._library is not None

    def only_to_write(self, *controls: Control) -> None:
        """Switch off what changes the library, where it is open for reading only."""
        if self.read_only:
            for control in controls:
                control.forbid(READ_ONLY)

    def _refuse_to_write(self) -> None:
        """Stand behind all that is switched off: what was forgotten ends with a sentence.

        Raises:
            DatabaseError: the library is open for reading only.
        """
        if self.read_only:
            raise DatabaseError(READ_ONLY)

    def open(self) -> None:
        """Open the library, then load the models, both behind the window; again to try again."""

        def opening() -> MediaLibrary | None:
            with self._opening:  # a close meanwhile waits, and finds it
                self._made = None if self._closing else self._open_library(self._recovers)
                return self._made

        self.main_thread.run(opening, self._opened, self._not_opened)

    def _recovers(self, done: int, total: int) -> None:
        """Report to the window's thread how far a recovery is, a few times a second."""

        def report() -> None:
            self._tell_each(self.signals.recovering, done, total)

        now = time.monotonic()
        if now - self._reported_at >= REPORT_EVERY_S:
            self._reported_at = now
            self.main_thread.post(report)

    def _not_opened(self, exc: Exception) -> None:
        held = isinstance(exc, LibraryLockedError)
        log.log(logging.INFO if held else logging.ERROR, "the library can't be opened: %s", exc)
        self.not_opened = exc
        self._tell_each(self.signals.not_opened)

    def _opened(self, library: MediaLibrary | None) -> None:
        if library is not None:
            self._library, self.not_opened = library, None
            self._tell_each(self.signals.opened)
            self.load_models()

    def load_models(self) -> None:
        """Load the models behind the window; again, when there was none to load before."""
        self.main_thread.run(self.library.load_models, lambda _: self._loaded(), self._not_loaded)

    def _loaded(self) -> None:
        self.models_ready = True
        self._tell_each(self.signals.models_ready)

    def _not_loaded(self, exc: Exception) -> None:
        self._tell_each(self.signals.models_failed)
        self._on_error(exc)

    # -- jobs

    def add(self, paths: Sequence[Path], name: str = "") -> None:
        """Add files and folders; several adds queue."""
        self.start("add", lambda: self.library.add(paths), name, paths)

    def go_on(self, name: str = "") -> None:
        """Continue what a person has stopped."""
        self.start("add", lambda: self.library.go_on(), name)

    def _adding(self, add: JobState, job: Callable[[], Iterator[Event]]) -> Iterator[Event]:
        """Run an add; where a person stops it, the rest waits until they continue.

        So it does where the cluster is gone, and the adds behind it would need that as well.
        """
        if not add.cancelling:
            events = job()
            try:
                with stopped_by(lambda: not add.cancelling):
                    for event in events:
                        yield event
                        if add.cancelling:
                            break
            except StoppedError:
                if not add.cancelling:
                    raise
            except ClusterError:
                self.cancel(add)
                self._leave_for_later(add)
                raise
            finally:
                if isinstance(events, Generator):
                    events.close()
        if add.cancelling:
            self._leave_for_later(add)

    def _leave_for_later(self, add: JobState) -> None:
        self._keep_for_later(add)
        self.library.stop_adding()

    def _keep_for_later(self, add: JobState) -> None:
        """Record in the library what an add that is interrupted still had to add."""
        if not add.files:
            self.library.keep_for_later(add.asked_for)

    def start(
        self,
        kind: str,
        job: Callable[[], Iterator[Event]],
        name: str,
        asked_for: Sequence[Path] = (),
    ) -> JobState:
        """Run a job beside those of other kinds, after those of its own.

        Args:
            kind: its key; see src/job_kinds.py.
            asked_for: the files and folders that an add is to take in.

        Raises:
            DatabaseError: it would change the library, which is open for reading only.
        """
        if job_kind(kind).writes:
            self._refuse_to_write()
        state = JobState(name, kind=kind, asked_for=asked_for)
        worker = self._workers[state.about.queue]
        run = partial(self._adding, state, job) if state.about.can_continue else job
        self._jobs[worker, worker.submit(run)] = state
        return state

    @property
    def jobs(self) -> list[JobState]:
        """Jobs that add media, the running one first."""
        queue = job_kind("add").queue
        return [state for state in self._jobs.values() if state.about.queue == queue]

    def jobs_of(self, *kinds: str) -> list[JobState]:
        """Return the jobs of these kinds, in the order in which they came."""
        return [state for state in self._jobs.values() if state.kind in kinds]

    @property
    def all_jobs(self) -> list[JobState]:
        return list(self._jobs.values())

    @property
    def is_busy(self) -> bool:
        return bool(self._jobs)

    def cancel(self, job: JobState) -> None:
        """Stop a job at its next event; what it has done stays.

        Adds that wait are stopped with one that runs. Each of them sees to it itself: it has to
        write down what it leaves.
        """
        # the last first, or one of them might start meanwhile
        for (worker, number), state in reversed(list(self._jobs.items())):
            if state is job or (state.kind == job.kind and job.about.can_continue):
                state.cancelling = True
                if not state.about.can_continue:
                    worker.cancel(number)

    def stop(self, then: Callable[[], None]) -> None:
        """Stop the jobs at their next event, then call `then` in the window's thread."""

        self._closing = True

        def stopping() -> None:
            for worker in self._workers.values():
                worker.stop()
            adds = self.jobs_of("add")
            try:
                for add in adds:
                    self._keep_for_later(add)
                if any(add.cancelling for add in adds):
                    self.library.stop_adding()
            except MediaLibraryError as exc:  # the window closes all the same
                log.error("what was to be added is not written down: %s", exc)

        self.main_thread.run(stopping, lambda _: then())

    def close_library(self) -> None:
        """Close the library, once all work on it has ended."""
        with self._opening:
            if self._made is not None:
                self._made.close()

    def _take_event(self, worker: Worker) -> bool:
        """Pass one event on; returns whether there was one."""
        if worker.events.empty():
            return False
        number, event = worker.events.get_nowait()
        state = self._jobs[worker, number]
        if isinstance(event, JobEnded):
            del self._jobs[worker, number]
            self._tell_each(self.signals.job_ended, state, event)
            if event.error is not None and not (state.in_place and state.about.said_in_place):
                self._on_error(event.error)
        else:
            state.take(event)
            self._tell_each(self.signals.job_event, state, event)
        return True

    def _tell_each(self, listeners: Sequence[Callable[..., None]], *what: object) -> None:
        """Notify all listeners: one that fails must not keep the others from being called."""
        for listener in tuple(listeners):
            try:
                listener(*what)
            except Exception as exc:
                log.exception("a listener failed")
                self._on_error(exc)

    # -- small changes

    def keep(self, **settings: object) -> None:
        """Save how the window is used; what can't be saved is lost at the next start.

        So is all of it where the library is open for reading only.
        """
        library = self.library
        changed = replace(library.settings, **settings)  # type: ignore[arg-type]
        if changed == library.settings:
            return
        library.settings = changed
        if self.read_only:
            return

        def failed(exc: Exception) -> None:
            log.warning("%s", exc)

        self.main_thread.run(lambda: library.settings.save(library.paths.settings), None, failed)

    def change(
        self,
        work: Callable[[], object],
        then: Callable[[], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        fails: str = "",
    ) -> None:
        """Change the library in another thread, then notify the listeners of content_changed.

        Args:
            failed: called with the exception in place of the window's error handler.
            fails: what to say where it fails: "Couldn't add the tag".
        """
        self._change(self.signals.content_changed, work, then, failed, fails)

    def tell_index_moved(self) -> None:
        """Say that something else keeps the search index now."""
        self.index_away = None
        self._tell_each(self.signals.index_moved)

    def tell_content_changed(self) -> None:
        """Notify the listeners of content_changed of what was not changed by `change`."""
        self._tell_each(self.signals.content_changed)

    def tell_stored_elsewhere(self) -> None:
        """Have all that is shown read again: another program has changed the library."""
        self._tell_each(self.signals.content_changed)
        self._tell_each(self.signals.saved_searches_changed)

    def change_saved_searches(
        self,
        work: Callable[[], object],
        then: Callable[[], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        fails: str = "",
    ) -> None:
        """Save or forget searches, as `change` does, and notify who lists them."""
        self._change(self.signals.saved_searches_changed, work, then, failed, fails)

    def _change(
        self,
        listeners: Sequence[Callable[[], None]],
        work: Callable[[], object],
        then: Callable[[], None] | None,
        failed: Callable[[Exception], None] | None,
        fails: str,
    ) -> None:
        self._refuse_to_write()

        def changed(_: object) -> None:
            if then is not None:
                then()
            self._tell_each(listeners)

        self.main_thread.run(work, changed, failed, fails)
