"""What could not be taken in or cut again, without a window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from src.events import (
    Event,
    FileDone,
    FileFailed,
    FileKnown,
    JobDone,
    JobStarted,
    MissingMediaFound,
    PassedOver,
    Progress,
    ReadHere,
)
from src.gui.app import import_controller as module
from src.gui.app.import_controller import ImportController
from src.gui.core.job_state import JobState
from src.gui.core.session import Listeners
from src.worker import JobEnded

GONE, BROKEN = Path("/photos/gone.jpg"), Path("/photos/broken.jpg")


class Strip:
    """Remembers the outcome that it shows."""

    def __init__(self, *_: object) -> None:
        self.outcome: tuple[JobState, int] | None = None
        self.grid = self.show = lambda *_, **__: None

        self.stopped = 0
        self.is_over = False

    def grid_remove(self) -> None:
        self.outcome, self.stopped = None, 0

    def show_outcome(self, job: JobState, failed: int, stopped: int = 0) -> None:
        self.outcome, self.stopped = (job, failed), stopped


class Session:
    """Jobs that end when they are told to."""

    is_open = True

    def __init__(self) -> None:
        self.signals = Listeners()
        self.jobs: list[JobState] = []
        self.started: list[object] = []
        self.left: list[int] = []  # media files that a person stopped
        self.library = SimpleNamespace(
            segment_again=lambda: iter(()), stopped=lambda: list(self.left)
        )
        self.main_thread = SimpleNamespace(run=lambda work, then: then(work()))

    @property
    def all_jobs(self) -> list[JobState]:
        return self.jobs

    def add(self, paths: list[Path], name: str) -> None:
        self.started.append(list(paths))

    def go_on(self, name: str) -> None:
        self.started.append("go on")

    def start(self, kind: str, job: Callable[[], object], name: str) -> None:
        assert job is self.library.segment_again
        self.started.append(kind)

    def run(self, kind: str, *events: Event, cancelling: bool = False) -> JobState:
        """Have a job say this and end."""
        job = JobState(kind=kind, cancelling=cancelling)
        self.jobs.append(job)
        for event in events:
            job.take(event)
            for heard in self.signals.job_event:
                heard(job, event)
        self.jobs.remove(job)
        for ended in self.signals.job_ended:
            ended(job, JobEnded())
        return job


class Shown:
    """The dialogs with failures that were opened: title, what failed, and what tries again."""

    def __init__(self) -> None:
        self.all: list[tuple[str, list[str], Callable[[], object]]] = []
        self.others = ""

    def __call__(
        self,
        _overlay: object,
        failures: Any,
        retry: Callable[[], object],
        what: str = "added",
        others: str = "",
    ) -> None:
        self.others = others
        self.all.append((what, [name for name, _ in failures], retry))


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    shown = Shown()
    monkeypatch.setattr(module, "show_failures", shown)
    return shown


@pytest.fixture
def import_controller(
    session: Session, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> ImportController:
    monkeypatch.setattr(module, "JobStrip", Strip)
    root: Any = SimpleNamespace(after=lambda *_: None)
    nothing: Any = None
    a_session: Any = session
    return ImportController(root, nothing, a_session, nothing, lambda: ())


def test_what_could_not_be_segmented_again_stays_to_be_read_and_is_segmented_by_retry(
    session: Session, import_controller: ImportController, shown: Shown
) -> None:
    job = session.run("segment", JobStarted(2), FileFailed(GONE, "can't be read"))
    strip: Any = import_controller.strip
    assert strip.outcome == (job, 1)
    import_controller.show_failed()
    ((what, names, retry),) = shown.all
    assert (what, names) == ("segmented again", [str(GONE)])
    retry()
    assert session.started == ["segment"]
    session.run("segment", JobStarted(1))
    shown.all.clear()
    import_controller.show_failed()
    assert not shown.all


def test_what_could_not_be_added_and_what_not_be_segmented_are_told_apart(
    session: Session, import_controller: ImportController, shown: Shown
) -> None:
    session.run("add", JobStarted(1), FileFailed(BROKEN, "no photo"))
    last = session.run("segment", JobStarted(2), FileFailed(GONE, "can't be read"))
    strip: Any = import_controller.strip
    assert strip.outcome == (last, 2)
    import_controller.show_failed()
    assert {what: names for what, names, _ in shown.all} == {
        "added": [str(BROKEN)],
        "segmented again": [str(GONE)],
    }
    next(retry for what, _, retry in shown.all if what == "added")()
    assert session.started == [[BROKEN]]
    shown.all.clear()
    import_controller.show_failed()
    assert [what for what, *_ in shown.all] == ["segmented again"]
    import_controller.dismiss()
    shown.all.clear()
    import_controller.show_failed()
    assert not shown.all


def test_the_strip_says_what_is_left_of_a_stopped_add_until_it_goes_on_or_is_removed(
    session: Session, import_controller: ImportController
) -> None:
    strip: Any = import_controller.strip
    session.left = [3, 4]
    job = session.run("add", JobStarted(4), FileFailed(BROKEN, "no photo"), cancelling=True)
    assert strip.outcome == (job, 1) and strip.stopped == 2
    session.left = [4]
    for changed in session.signals.content_changed:
        changed()
    assert strip.stopped == 1
    import_controller.go_on()
    assert session.started == ["go on"]
    session.left = []
    session.run("add", JobStarted(1), cancelling=True)
    assert strip.outcome is None


def test_what_was_passed_over_is_shown_and_added_again_when_asked_for(
    session: Session, import_controller: ImportController
) -> None:
    strip: Any = import_controller.strip
    session.run("add", JobStarted(1), JobDone(1, 1, 1))
    assert strip.outcome is None  # nothing is left to say
    passed_over = PassedOver(thumbnails=12, removed=(GONE, BROKEN))
    job = session.run("add", JobStarted(1), JobDone(1, 1, 1, passed_over=passed_over))
    assert strip.outcome == (job, 0)
    assert job.question == "2 files that you removed are in this folder. Add them again?"
    assert job.passed_over == "Passed over: 12 thumbnails of another program."
    import_controller.add_removed()
    assert session.started == [[GONE, BROKEN]]
    import_controller.dismiss()
    session.run("export", JobStarted(1), JobDone())  # it does not bring it back
    assert strip.outcome is None


@pytest.mark.parametrize(
    ("gone", "away", "title"),
    [
        (2, 0, "Remove 2 missing files from the library?"),
        (1, 3, "Remove 1 missing file from the library?"),
        (0, 3, "These files can't be reached now"),
    ],
)
def test_all_missing_files_are_removed_after_a_question(
    session: Session,
    import_controller: ImportController,
    monkeypatch: pytest.MonkeyPatch,
    gone: int,
    away: int,
    title: str,
) -> None:
    asked: list[tuple[str, str]] = []
    removed: list[int] = []

    def ask(_: object, title: str, sentence: str, _yes: str, then: Callable[[], object]) -> None:
        asked.append((title, sentence))
        then()

    def show_error(_: object, title: str, sentence: str) -> None:
        asked.append((title, sentence))

    monkeypatch.setattr(module, "ask", ask)
    monkeypatch.setattr(module, "show_error", show_error)
    found = MissingMediaFound(tuple(range(gone)), away)
    a_session: Any = session
    a_session.main_thread = SimpleNamespace(run=lambda work, then: then(work()))
    a_session.change = lambda work, fails: work()
    a_session.jobs_of = lambda kind: []
    a_session.start = lambda kind, job, name: session.run(kind, *job())
    a_session.library = SimpleNamespace(
        upkeep=SimpleNamespace(look_for_missing=lambda: [Progress("missing", 5, 5), found]),
        remove=removed.extend,
    )
    import_controller.ask_to_remove_missing()
    ((said, sentence),) = asked
    assert said == title and removed == list(range(gone))
    assert ("3 files on a drive that is not connected" in sentence) == bool(gone and away)


def test_a_file_that_is_there_already_is_said(
    session: Session, import_controller: ImportController
) -> None:
    strip: Any = import_controller.strip
    session.run("add", JobStarted(1), FileDone(GONE, 1, 3))
    assert strip.outcome is None  # its cards say so
    job = session.run("add", JobStarted(1), FileKnown(GONE, "already in the library"))
    assert strip.outcome == (job, 0)
    job.done = JobDone(1)
    assert job.outcome == "1 file is already in the library"


def test_that_a_video_was_read_here_in_place_of_a_cluster_stays_to_be_read(
    session: Session, import_controller: ImportController
) -> None:
    strip: Any = import_controller.strip
    here = ReadHere(GONE, "its keyframes lie too far apart")
    job = session.run("add", JobStarted(1), here, FileDone(GONE, 1, 3))
    assert strip.outcome == (job, 0) and job.read_here == [here]


def test_a_job_that_nobody_asked_for_is_shown_once_it_takes_long(
    session: Session, import_controller: ImportController
) -> None:
    now, shown = [0.0], []
    strip: Any = import_controller.strip
    strip.is_over, strip.show = False, lambda job, waiting: shown.append(job)
    job = JobState(kind="backup", clock=lambda: now[0])
    session.jobs.append(job)
    for at, is_over in ((0.0, False), (1.9, False), (2.1, True), (2.2, False)):
        now[0], strip.is_over = at, is_over
        job.take(Progress("backup", 1, 9))
        import_controller._show()
    assert shown == [job]  # not at once, and not in place of what is there to be read


def test_the_others_are_said_to_be_added_only_once_they_are(
    session: Session, import_controller: ImportController, shown: Shown
) -> None:
    job = session.run("add", JobStarted(2), FileFailed(GONE, "can't be read"), JobDone(2))
    import_controller.show_failed()
    assert shown.others == "All other files were added."
    session.jobs.append(job)
    import_controller.show_failed()
    assert shown.others == "The other files are still being added."
    session.jobs.remove(job)
    job.done = None
    import_controller.show_failed()
    assert shown.others == "Adding was stopped before the end."
