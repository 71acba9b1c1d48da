"""Jobs that nobody asks for: when they begin, and what they give way to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from src.events import Event, IndexAway, JobStarted, Progress
from src.gui.app.background_jobs import BackgroundJobs
from src.gui.core.job_state import JobState
from src.gui.core.session import Session
from tests.gui.core.test_session import MainThread


class Upkeep:
    """Needs everything done, and remembers what was."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.backup_waits = self.index_waits = self.embedding_waits = True
        self.unlinked = True
        self.goes_on = threading.Event()

    def back_up(self) -> Iterator[Event]:
        yield Progress("backup", 1, 1)
        self.done.append("backup")

    def prepare_search(self) -> Iterator[Event]:
        yield Progress("scan", 1, 1)
        self.done.append("scan")

    def has_unlinked(self) -> bool:
        return self.unlinked

    def link(self) -> Iterator[Event]:
        yield Progress("track", 1, 1)
        self.done.append("track")
        self.unlinked = False

    def reembed(self) -> Iterator[Event]:
        yield Progress("embed", 1, 1)
        self.done.append("embed")
        self.embedding_waits = False

    def tell_index(self) -> Iterator[Event]:
        yield Progress("index", 1, 2)
        self.goes_on.wait(30)
        yield Progress("index", 2, 2)
        self.done.append("index")
        self.index_waits = False


@pytest.fixture
def main_thread() -> MainThread:
    return MainThread()


@pytest.fixture
def upkeep() -> Upkeep:
    return Upkeep()


@pytest.fixture
def session(main_thread: MainThread, upkeep: Upkeep) -> Iterator[Session]:
    thread: Any = main_thread
    session = Session(thread, lambda _: pytest.fail("no library is opened"), pytest.fail)
    library: Any = SimpleNamespace(
        upkeep=upkeep,
        has_unmeasured_frames=lambda: False,
        look_at_frames=lambda: iter(()),
        reembed=upkeep.reembed,
        tracks=upkeep,
    )
    session._library = library
    BackgroundJobs(session)
    yield session
    upkeep.goes_on.set()
    for worker in session._workers.values():
        worker.stop()


def say(listeners: list[Callable[[], None]]) -> None:
    for listener in listeners:
        listener()


def test_they_begin_when_a_library_opens_and_its_models_are_there(
    session: Session, main_thread: MainThread, upkeep: Upkeep
) -> None:
    say(session.signals.opened)
    main_thread.turn_until(lambda: sorted(upkeep.done) == ["backup", "track"])
    session.models_ready = True
    upkeep.goes_on.set()
    say(session.signals.models_ready)
    main_thread.turn_until(lambda: not session.is_busy)
    assert sorted(upkeep.done) == ["backup", "embed", "index", "scan", "track"]


def telling_the_index(session: Session, main_thread: MainThread) -> JobState:
    """Wait until the index is being told."""
    session.models_ready = True
    say(session.signals.models_ready)
    (telling,) = session.jobs_of("index")
    main_thread.turn_until(lambda: telling.doing is not None)
    return telling


def test_the_index_is_told_after_an_add_and_not_beside_it(
    session: Session, main_thread: MainThread, upkeep: Upkeep
) -> None:
    telling = telling_the_index(session, main_thread)
    ends = threading.Event()

    def add() -> Iterator[Event]:
        yield JobStarted(1)
        ends.wait(30)

    session.start("add", add, "adding")
    main_thread.turn_until(lambda: telling.cancelling)
    upkeep.goes_on.set()
    main_thread.turn_until(lambda: not session.jobs_of("index"))
    assert "index" not in upkeep.done and session.jobs
    ends.set()
    main_thread.turn_until(lambda: not session.is_busy)
    assert upkeep.done[-1] == "index"


def test_what_a_person_has_stopped_does_not_begin_again_at_once(
    session: Session, main_thread: MainThread, upkeep: Upkeep
) -> None:
    telling = telling_the_index(session, main_thread)
    session.cancel(telling)
    upkeep.goes_on.set()
    main_thread.turn_until(lambda: not session.is_busy)
    assert "index" not in upkeep.done


def test_what_keeps_the_index_from_now_on_is_told_at_once(
    session: Session, main_thread: MainThread, upkeep: Upkeep
) -> None:
    session.models_ready, upkeep.embedding_waits = True, False
    session.index_away = IndexAway("http://a:8000 can't be reached")
    upkeep.goes_on.set()
    session.tell_index_moved()
    assert session.index_away is None
    main_thread.turn_until(lambda: upkeep.done == ["index"] and not session.is_busy)


def test_segments_whose_masks_were_changed_are_embedded_once_there_are_any(
    session: Session, main_thread: MainThread, upkeep: Upkeep
) -> None:
    session.models_ready, upkeep.embedding_waits = True, False
    say(session.signals.content_changed)
    main_thread.turn_until(lambda: not session.is_busy)
    assert "embed" not in upkeep.done
    upkeep.embedding_waits = True
    say(session.signals.content_changed)
    main_thread.turn_until(lambda: upkeep.done == ["embed", "track"] and not session.is_busy)


def test_videos_are_linked_once_they_have_come_in(
    session: Session, main_thread: MainThread, upkeep: Upkeep
) -> None:
    session.start("add", lambda: iter([JobStarted(1)]), "adding")
    main_thread.turn_until(lambda: upkeep.done == ["track"] and not session.is_busy)
