"""What people labelled in an export comes onto the same segments of another library, and off."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import main
from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.dataset_events import LabelsImported, LabelUnmatched
from src.dataset_import import DatasetImport
from src.datasets import registry
from src.datasets.annotations import AnnotatedImage, Annotation
from src.datasets.boxes import box_iou
from src.datasets.protocols import Skipped
from src.errors import DatasetReadError, QueryError
from src.events import Event
from src.models.mask_rle import encode_rle
from src.options import NoOptions
from src.records import Tag
from src.settings import Settings
from tests.conftest import add_frame_of_qualities, add_media_with, small_mask, unit_vectors
from tests.datasets.exporting import export_dataset

HUMAN, AUTO = "human", "auto"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[MetadataDatabase]:
    """A second library, which holds the same media until a test makes it another."""
    database = MetadataDatabase(LibraryPaths(tmp_path / "other"))
    yield database
    database.close()


def add_crops(metadata: MetadataDatabase) -> None:
    for crop_path in metadata.crop_paths():
        metadata.paths.crop(crop_path).write_bytes(crop_path.encode())


@pytest.fixture
def exported(metadata: MetadataDatabase, tmp_path: Path) -> Path:
    """An export with three tags of people and two of a model."""
    add_media_with(metadata, unit_vectors(10))
    metadata.add_tags("a.jpg-00000", [Tag("red", 0.9, AUTO), Tag("=1", 1.0, HUMAN)], "human")
    metadata.add_tags("a.jpg-00001", [Tag("a dog", 1.0, HUMAN)], "human")
    metadata.add_tags("a.jpg-00009", [Tag("red", 0.6, AUTO), Tag("a dog", 1.0, HUMAN)], "human")
    add_crops(metadata)
    list(export_dataset(metadata, tmp_path / "dataset"))
    return tmp_path / "dataset"


def plain_name(text: str) -> str:
    if len(text) > 20:
        raise QueryError("a tag has at most 20 characters")
    return " ".join(text.split())


def import_labels(metadata: MetadataDatabase, dataset: Path) -> Iterator[Event]:
    """Import a dataset that brings no media: no model is needed for that."""

    def none(*_: object) -> Any:
        raise AssertionError("a model is asked for")

    return DatasetImport(metadata, none, Settings(), plain_name, none).run(dataset)


def taken_in(metadata: MetadataDatabase, dataset: Path) -> tuple[LabelsImported, list[Event]]:
    events = list(import_labels(metadata, dataset))
    (done,) = [event for event in events if isinstance(event, LabelsImported)]
    return done, [event for event in events if isinstance(event, LabelUnmatched)]


def tags_in(metadata: MetadataDatabase) -> dict[str, dict[str, str]]:
    tags = metadata.tags_of(metadata.segment_ids())
    return {segment: {tag.name: tag.source for tag in some} for segment, some in tags.items()}


def test_tags_of_people_come_back_and_one_undo_takes_them(
    exported: Path, other: MetadataDatabase
) -> None:
    add_media_with(other, unit_vectors(10))
    done, unmatched = taken_in(other, exported)
    assert (done.added, done.known, done.overruled, done.unmatched) == (3, 0, 0, 0)
    assert not unmatched
    assert tags_in(other) == {
        "a.jpg-00000": {"=1": "imported"},
        "a.jpg-00001": {"a dog": "imported"},
        "a.jpg-00009": {"a dog": "imported"},
    }
    again, _ = taken_in(other, exported)
    assert (again.added, again.known) == (0, 3)
    assert other.undo(again.batch) == 0
    assert other.undo(done.batch) == 3 and not tags_in(other)
    assert taken_in(other, exported)[0].added == 3  # what was taken back can be had again


def test_no_word_of_a_person_here_is_overwritten(exported: Path, other: MetadataDatabase) -> None:
    add_media_with(other, unit_vectors(10))
    other.add_tags("a.jpg-00000", [Tag("=1", 1.0, HUMAN)], "human")
    other.add_tags("a.jpg-00001", [Tag("A Dog", 0.9, AUTO)], "vocabulary")
    other.remove_tag("a.jpg-00001", "A Dog")
    other.add_tags("a.jpg-00009", [Tag("a dog", 0.3, AUTO), Tag("cat", 1.0, HUMAN)], "human")
    before = other.decisions_of(["a.jpg-00000", "a.jpg-00001"])
    done, _ = taken_in(other, exported)
    assert (done.added, done.known, done.overruled) == (1, 1, 1)
    assert other.decisions_of(["a.jpg-00000", "a.jpg-00001"]) == before
    assert tags_in(other) == {
        "a.jpg-00000": {"=1": HUMAN},
        "a.jpg-00009": {"A Dog": "imported", "cat": HUMAN},
    }
    other.undo(done.batch)
    assert tags_in(other)["a.jpg-00009"] == {"A Dog": AUTO, "cat": HUMAN}


def renamed(dataset: Path, **columns: str) -> None:
    """Write other values into all lines of labels.csv."""
    path = dataset / "labels.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, **columns} for row in rows)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/photos/a.jpg", None),
        ("/elsewhere/2024/photos/a.jpg", None),
        (r"D:\photos\a.jpg", None),
        ("/other/a.jpg", "the library has no such media file"),
        ("/photos/b.jpg", "the library has no such media file"),
    ],
)
def test_what_was_cut_otherwise_is_met_by_its_place(
    exported: Path, other: MetadataDatabase, path: str, reason: str | None
) -> None:
    add_media_with(other, unit_vectors(10))
    renamed(exported, segment_id="0123456789abcdef", media_path=path)
    done, unmatched = taken_in(other, exported)
    if reason is None:
        assert done.added == 3
        assert tags_in(other)["a.jpg-00001"] == {"a dog": "imported"}
    else:
        assert (done.added, done.unmatched) == (0, 3) and not tags_in(other)
        assert {event.reason for event in unmatched if isinstance(event, LabelUnmatched)} == {
            reason
        }


def test_of_several_files_of_one_name_none_is_guessed(
    exported: Path, other: MetadataDatabase
) -> None:
    for folder in ("/x/photos", "/y/photos"):
        other.add_media(Path(folder) / "a.jpg", "image", 10, 10)
    done, unmatched = taken_in(other, exported)
    assert done.unmatched == 3 and not done.added
    assert all("2 media files of the library" in str(event) for event in unmatched)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"x": "50"}, "no segment of this frame is the same thing"),
        ({"frame_index": "7"}, "the library has not sampled this frame"),
        ({"kind": "frame"}, "the whole frame is not in the library"),
        ({"tag": "much too long for a tag"}, "a tag has at most 20 characters"),
    ],
)
def test_what_matches_nothing_is_said(
    exported: Path, other: MetadataDatabase, columns: dict[str, str], reason: str
) -> None:
    add_media_with(other, unit_vectors(10))
    renamed(exported, segment_id="0123456789abcdef", **columns)
    done, unmatched = taken_in(other, exported)
    assert done.unmatched == 3 and not done.added and not tags_in(other)
    assert all(isinstance(e, LabelUnmatched) and e.reason == reason for e in unmatched)


def test_a_whole_frame_is_met(other: MetadataDatabase, exported: Path) -> None:
    add_frame_of_qualities(other, [None, 0.9])
    renamed(exported, segment_id="0123456789abcdef", kind="frame")
    assert taken_in(other, exported)[0].added == 2  # both names, on the one frame
    assert tags_in(other) == {"a.jpg-00000": {"=1": "imported", "a dog": "imported"}}


class Masks:
    """An importer whose annotations have masks."""

    key, label, summary = "masks", "Masks", "Masks in a text file."
    options: type[NoOptions] = NoOptions

    def __init__(self, mask_rle: bytes) -> None:
        self.mask_rle = mask_rle

    def detect(self, path: Path) -> bool:
        return path.suffix == ".masks"

    def read(self, path: Path, options: NoOptions, skipped: Skipped) -> Iterator[AnnotatedImage]:
        found = Annotation("red", (0, 0, 100, 100), self.mask_rle)
        yield AnnotatedImage(Path("/photos/a.jpg"), (found,))


def test_a_mask_says_more_than_a_box(
    tmp_path: Path, other: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_media_with(other, unit_vectors(30))
    wide = np.zeros((100, 101), bool)
    for mask_rle, added in ((small_mask(20), 1), (encode_rle(wide)["counts"], 0), (b"?", 0)):
        monkeypatch.setattr(registry, "_importers", {"masks": Masks(mask_rle)})
        assert taken_in(other, tmp_path / "a.masks")[0].added == added
    assert tags_in(other) == {"a.jpg-00020": {"red": "imported"}}


def test_a_spreadsheet_may_have_saved_the_table(exported: Path, other: MetadataDatabase) -> None:
    add_media_with(other, unit_vectors(10))
    table = exported / "labels.csv"
    table.write_text(table.read_text("utf-8").replace(",", ";"), encoding="utf-8-sig")
    assert taken_in(other, exported)[0].added == 3


@pytest.mark.parametrize("damage", ["cut off", "no number", "another table", "a link"])
def test_of_a_damaged_dataset_nothing_is_taken(
    exported: Path, other: MetadataDatabase, damage: str, tmp_path: Path
) -> None:
    add_media_with(other, unit_vectors(10))
    table = exported / "labels.csv"
    if damage == "cut off":
        table.write_text(table.read_text("utf-8")[:-8], encoding="utf-8")
    elif damage == "no number":
        renamed(exported, x="left")
    elif damage == "another table":
        table.write_text("file,tag\n", encoding="utf-8")
    else:
        table.rename(tmp_path / "elsewhere.csv")
        table.symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(DatasetReadError, match=r"dataset: .+"):
        taken_in(other, exported)
    assert not tags_in(other)


def test_an_import_that_is_cancelled_has_changed_nothing(
    exported: Path, other: MetadataDatabase
) -> None:
    add_media_with(other, unit_vectors(10))
    job = import_labels(other, exported)
    next(job), next(job)
    job.close()  # type: ignore[attr-defined]
    assert not tags_in(other)


def test_boxes_are_compared() -> None:
    assert box_iou((0, 0, 4, 4), (0, 0, 4, 4)) == 1
    assert box_iou((0, 0, 4, 4), (2, 0, 4, 4)) == pytest.approx(8 / 24)
    assert box_iou((0, 0, 4, 4), (4, 0, 4, 4)) == box_iou((0, 0, 0, 4), (0, 0, 4, 4)) == 0


def test_the_command_imports_and_takes_back(
    exported: Path, other: MetadataDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    add_media_with(other, unit_vectors(2))
    other.close()

    def said(*words: str) -> tuple[int, str, str]:
        code = main.main(["--library", str(other.paths.root), "import", *words])
        return (code, *capsys.readouterr())

    code, out, err = said(str(exported))
    assert code == 0
    assert out == "2 labels added, 0 there already, 0 taken off here before, 1 left out\n"
    assert "left out  photos/a.jpg: a dog: no segment of this frame is the same thing" in err
    batch = err.split("--undo ")[1].split("`")[0]
    assert said("--undo", batch)[:2] == (0, "2 labels taken back\n")
    assert said("--undo", batch)[:2] == (0, "0 changes taken back\n")
    code, _, err = said(str(exported / "red"))
    assert code == 1 and "no dataset that can be imported" in err
    with pytest.raises(SystemExit):
        said()
