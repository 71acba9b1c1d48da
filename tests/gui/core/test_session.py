"""Jobs of a session: who is told what went wrong, without a window."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from src.errors import ClusterError, DatabaseError, ExportError
from src.events import Event, JobStarted, Progress
from src.gui.core.session import READ_ONLY, Session
from src.job_kinds import job_kinds

Job = Callable[[], Iterator[Event]]


class MainThread:
    """Asks the pollers when it is told to."""

    def __init__(self) -> None:
        self.pollers: list[Callable[[], bool]] = []
        self.poll = self.pollers.append

    def run(self, work: Callable[[], None], then: Callable[[None], None]) -> None:
        then(work())  # type: ignore[func-returns-value]

    def turn_until(self, condition: Callable[[], object]) -> None:
        until = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < until
            for poller in self.pollers:
                poller()


@pytest.fixture
def errors() -> list[Exception]:
    return []


@pytest.fixture
def main_thread() -> MainThread:
    return MainThread()


@pytest.fixture
def session(main_thread: MainThread, errors: list[Exception]) -> Iterator[Session]:
    thread: Any = main_thread
    session = Session(thread, lambda _: pytest.fail("no library is opened"), errors.append)
    yield session
    for worker in session._workers.values():
        worker.stop()


def failing() -> Iterator[Event]:
    raise ExportError("the disk is full")
    yield


@pytest.mark.parametrize("dialog_is_there", [True, False])
def test_a_failed_export_is_said_once(
    session: Session, main_thread: MainThread, errors: list[Exception], dialog_is_there: bool
) -> None:
    in_dialog: list[object] = []
    session.signals.job_ended.append(lambda _, ended: in_dialog.append(ended.error))
    session.start("export", failing, "Writing").in_place = dialog_is_there
    main_thread.turn_until(lambda: not session.is_busy)
    assert [str(error) for error in in_dialog] == ["the disk is full"]
    assert [str(error) for error in errors] == ([] if dialog_is_there else ["the disk is full"])


def test_a_listener_that_fails_keeps_no_other_from_hearing(
    session: Session, main_thread: MainThread, errors: list[Exception]
) -> None:
    heard: list[str] = []

    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    session.signals.job_event += [breaks, lambda *_: heard.append("event")]
    session.signals.job_ended += [breaks, lambda *_: heard.append("ended")]
    session.start("add", lambda: iter([Progress("on", 0, 1)]), "add")
    main_thread.turn_until(lambda: not session.is_busy)
    assert heard == ["event", "ended"]
    assert [type(error) for error in errors] == [ZeroDivisionError] * 2


def saying(job_id: str, said: list[str], goes_on: threading.Event) -> Job:
    def job() -> Iterator[Event]:
        said.append(job_id)
        while True:
            yield Progress(job_id, 0, 0)
            goes_on.wait(30)

    return job


class Library:
    """Remembers what is left of adds."""

    def __init__(self) -> None:
        self.kept: list[Path] = []
        self.stopped = False

    def keep_for_later(self, paths: Sequence[Path]) -> None:
        assert not self.stopped or paths
        self.kept += paths

    def stop_adding(self) -> None:
        self.stopped = True


def test_a_cancelled_add_takes_those_that_wait_with_it(
    session: Session, main_thread: MainThread, errors: list[Exception]
) -> None:
    library: Any = Library()
    session._library = library
    said: list[str] = []
    goes_on = threading.Event()
    first, *_ = [
        session.start("add", saying(name, said, goes_on), name, [Path(name)])
        for name in ("first", "second")
    ]
    other = session.start("export", saying("export", said, goes_on), "export")
    third = session.start("add", saying("third", said, goes_on), "third", [Path("third")])
    main_thread.turn_until(lambda: first.doing and other.doing)
    first.files = 3  # it has written down what it adds
    session.cancel(first)
    assert third.cancelling and not other.cancelling
    goes_on.set()
    main_thread.turn_until(lambda: not session.jobs)
    assert sorted(said) == ["export", "first"] and session.is_busy and not errors
    assert library.stopped and library.kept == [Path("second"), Path("third")]


@pytest.mark.parametrize("cancelled", [False, True])
def test_what_waits_to_be_added_when_the_window_closes_is_written_down(
    session: Session, main_thread: MainThread, errors: list[Exception], cancelled: bool
) -> None:
    library: Any = Library()
    session._library = library
    goes_on = threading.Event()
    first = session.start("add", saying("first", [], goes_on), "first", [Path("first")])
    session.start("add", saying("second", [], goes_on), "second", [Path("second")])
    main_thread.turn_until(lambda: first.doing)
    first.files = 3
    if cancelled:
        session.cancel(first)
    goes_on.set()
    stopped: list[bool] = []
    session.stop(lambda: stopped.append(True))
    main_thread.turn_until(lambda: stopped)
    assert Path("second") in library.kept and Path("first") not in library.kept
    assert library.stopped is cancelled and not errors


def test_adds_behind_one_whose_cluster_is_gone_wait_with_it(
    session: Session, main_thread: MainThread, errors: list[Exception]
) -> None:
    done: list[str] = []
    library: Any = SimpleNamespace(
        keep_for_later=lambda paths: done.append(f"kept {[*paths]}"),
        stop_adding=lambda: done.append("stopped"),
        add=lambda paths: without_cluster(paths, done),
    )
    session._library = library
    ended: list[bool] = []
    session.signals.job_ended.append(lambda job, _: ended.append(job.cancelling))
    behind = threading.Event()

    def without_cluster(paths: Sequence[Path], done: list[str]) -> Iterator[Event]:
        done.append(f"tried {[*paths]}")
        yield JobStarted(1)
        behind.wait(30)
        raise ClusterError("it does not answer")

    first, second = Path("/a"), Path("/b")
    session.add([first])
    session.add([second])
    job = session.jobs[0]
    main_thread.turn_until(lambda: job.files)
    behind.set()
    main_thread.turn_until(lambda: not session.is_busy)
    assert done == [
        f"tried {[first]}",
        "stopped",  # it had written down its files
        f"kept {[second]}",
        "stopped",
    ]
    assert ended == [True, True] and [type(error) for error in errors] == [ClusterError]


def test_cancelled_segmenting_leaves_an_add_that_waits(
    session: Session, main_thread: MainThread
) -> None:
    said: list[str] = []
    goes_on = threading.Event()
    cutting = session.start("segment", saying("segment", said, goes_on), "segment")
    add = session.start("add", saying("add", said, goes_on), "add")
    main_thread.turn_until(lambda: cutting.doing)
    session.cancel(cutting)
    goes_on.set()
    main_thread.turn_until(lambda: add.doing)
    assert said == ["segment", "add"]


def test_how_far_a_recovery_is_comes_to_the_window_now_and_then(
    errors: list[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([10.0, 10.1, 10.5])
    monkeypatch.setattr("src.gui.core.session.time.monotonic", lambda: next(clock))
    thread: Any = MainThread()
    thread.post = lambda call: call()
    thread.run = lambda work, then, failed: work()
    made: Any = object()

    def open_library(on_progress: Callable[[int, int], None]) -> Any:
        for done in (1, 2, 3):
            on_progress(done, 3)
        return made

    session = Session(thread, open_library, errors.append)
    told: list[tuple[int, int]] = []
    session.signals.recovering.append(lambda done, total: told.append((done, total)))
    monkeypatch.setattr("src.gui.core.session.REPORT_EVERY_S", 0.2)
    session.open()
    for worker in set(session._workers.values()):
        worker.stop()
    assert told == [(1, 3), (3, 3)] and not errors


def test_a_session_that_only_reads_begins_nothing_that_writes(
    session: Session, main_thread: MainThread
) -> None:
    session.read_only = True
    done: list[str] = []
    for kind in (kind for kind in job_kinds() if kind.writes):
        with pytest.raises(DatabaseError, match="open to read only"):
            session.start(kind.key, lambda: iter(()), "")
    for change in (session.change, session.change_saved_searches):
        with pytest.raises(DatabaseError, match="open to read only"):
            change(lambda: done.append("changed"))
    assert not done and not session.all_jobs
    session.start("export", lambda: iter(()), "")
    main_thread.turn_until(lambda: not session.all_jobs)


def test_what_writes_is_switched_off_where_the_library_is_only_read(session: Session) -> None:
    forbidden: list[str] = []
    control: Any = SimpleNamespace(forbid=forbidden.append)
    session.only_to_write(control)
    assert not forbidden
    session.read_only = True
    session.only_to_write(control, control)
    assert forbidden == [READ_ONLY] * 2
