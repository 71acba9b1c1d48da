"""A dataset that is dropped or chosen is offered to be imported, without a window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from src.dataset_events import AnnotationSkipped, LabelsImported, LabelUnmatched
from src.events import FileDone, FileFailed, FrameStored, JobDone, Progress
from src.gui.app import import_controller as module
from src.gui.app.import_controller import ImportController
from src.gui.core.job_state import JobState
from tests.gui.app.test_import_controller import Session, Shown, Strip


class Asked:
    """The questions and errors that were shown."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.choices: dict[str, Callable[[], object]] = {}

    def ask(self, _: object, title: str, _sentence: str, yes: str, then: Any, other: Any) -> None:
        self.titles.append(title)
        self.choices = {yes: then, other[0]: other[1]}

    def show_error(self, _: object, title: str, *_more: object) -> None:
        self.titles.append(title)


class DatasetSession(Session):
    """Knows what is at a path, and lists the imports that it starts."""

    kind: str | None = "COCO"

    def __init__(self) -> None:
        super().__init__()
        self.library = SimpleNamespace(
            dataset_kind=lambda _: self.kind, import_dataset=lambda path: iter([path])
        )

    def start(self, kind: str, job: Callable[[], Any], name: str) -> None:
        self.started.append((kind, name, *job()))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()
    monkeypatch.setattr(module, "ask", asked.ask)
    monkeypatch.setattr(module, "show_error", asked.show_error)
    return asked


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    shown = Shown()
    monkeypatch.setattr(module, "show_failures", shown)
    return shown


@pytest.fixture
def session() -> DatasetSession:
    return DatasetSession()


@pytest.fixture
def controller(
    session: DatasetSession, asked: Asked, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> ImportController:
    monkeypatch.setattr(module, "JobStrip", Strip)
    root: Any = SimpleNamespace(after=lambda _ms, do, *given: do(*given))
    nothing: Any = None
    a_session: Any = session
    return ImportController(root, nothing, a_session, nothing, lambda: ())


def test_of_a_dataset_that_is_dropped_it_is_asked_what_is_meant(
    controller: ImportController, session: DatasetSession, asked: Asked, tmp_path: Path
) -> None:
    controller.add_dropped([tmp_path], False)
    assert asked.titles == ["Import this dataset?"] and not session.started
    asked.choices["Import dataset"]()
    asked.choices["Add its images only"]()
    assert session.started == [("import", f"Importing {tmp_path.name}", tmp_path), [tmp_path]]


def test_what_is_no_dataset_is_added_at_once(
    controller: ImportController, session: DatasetSession, asked: Asked, tmp_path: Path
) -> None:
    controller.add_dropped([Path("a.jpg")], False)  # it is not even looked at
    session.kind = None
    controller.add_dropped([tmp_path], False)
    controller.add_dropped([tmp_path, tmp_path], False)
    assert session.started == [[Path("a.jpg")], [tmp_path], [tmp_path, tmp_path]]
    assert not asked.titles


def test_a_folder_that_is_chosen_to_be_imported_has_to_be_a_dataset(
    controller: ImportController,
    session: DatasetSession,
    asked: Asked,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ask_in_last_folder", lambda *_: [tmp_path])
    controller.choose_dataset()
    assert session.started == [("import", f"Importing {tmp_path.name}", tmp_path)]
    session.kind = None
    controller.choose_dataset()
    assert asked.titles == ["This folder holds no dataset"] and len(session.started) == 1


def test_what_came_in_is_said_and_what_did_not_is_listed(
    controller: ImportController, session: DatasetSession, shown: Shown, tmp_path: Path
) -> None:
    image, broken = tmp_path / "a.jpg", tmp_path / "b.jpg"
    controller.import_dataset(tmp_path)
    job = session.run(
        "import",
        AnnotationSkipped(image, "a polygon has no three points"),
        FrameStored(image, 0, None, 3, 1.0),
        FileDone(image, 1, 3),
        LabelUnmatched(image, 0, "dog", "its mask is empty"),
        Progress("import", 1, 2),
        FileFailed(broken, "can't be read"),
        LabelsImported("batch", 2, 1, 0, 1, 1, 3, 1),
        JobDone(1, 1, 3),
    )
    strip: Any = controller.strip
    assert strip.outcome == (job, 2)
    assert job.outcome == "1 image, 3 segments, 2 labels added, 1 already there, 2 left out"
    controller.show_failed()
    ((what, names, retry),) = shown.all
    assert (what, names) == ("imported whole", [str(image), str(broken)])
    assert controller._failed["import"][image] == (
        "a polygon has no three points; dog: its mask is empty"
    )
    retry()
    assert session.started == 2 * [("import", f"Importing {tmp_path.name}", tmp_path)]
    assert not controller._failed["import"]


def test_an_import_of_which_nothing_is_left_out_is_said_as_well(
    controller: ImportController, session: DatasetSession
) -> None:
    controller.import_dataset(Path("dataset"))
    job = session.run("import", LabelsImported("batch", 2, 0, 1, 0), JobDone())
    strip: Any = controller.strip
    assert strip.outcome == (job, 0)
    assert job.outcome == "2 labels added, 1 that you took off before"
    stopped = JobState(kind="import")
    stopped.take(FileDone(Path("a.jpg"), 1, 3))
    assert stopped.outcome == "Stopped. 1 file done, 0 segments added"
