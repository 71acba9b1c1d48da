from __future__ import annotations

import csv
from pathlib import Path

import pytest

from src.database.metadata_db import MetadataDatabase
from src.errors import ExportError
from src.events import JobDone, Progress
from src.export.tag_folders import as_text, export_tag_folders, folder_names
from src.records import ExportSelection, Tag
from tests.conftest import add_media_with, unit_vectors


@pytest.fixture
def tagged(metadata: MetadataDatabase) -> MetadataDatabase:
    add_media_with(metadata, unit_vectors(3))
    for number, tags in enumerate(
        ([Tag("red", 0.9, "auto"), Tag("a/b", 1.0, "human")], [], [Tag("red", 0.4, "auto")])
    ):
        metadata.add_tags(f"a.jpg-{number:05}", tags, "vocabulary")
    for crop_path in metadata.crop_paths():
        path = metadata.paths.root / crop_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(crop_path.encode())
    return metadata


def files_in(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_each_tag_has_a_folder_with_its_crops(tagged: MetadataDatabase, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "dataset"
    events = list(export_tag_folders(tagged, folder))
    assert [event.done for event in events if isinstance(event, Progress)] == [1, 2, 3]
    assert events[-1] == JobDone(segments=3, written=folder)
    assert files_in(folder) == {
        "labels.csv",
        "red/a.jpg-00000.jpg",
        "red/a.jpg-00002.jpg",
        "a_b/a.jpg-00000.jpg",
    }
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {(row["file"], row["tag"], row["confidence"], row["source"]) for row in rows} == {
        ("red/a.jpg-00000.jpg", "red", "0.9000", "auto"),
        ("a_b/a.jpg-00000.jpg", "a/b", "1.0000", "human"),
        ("red/a.jpg-00002.jpg", "red", "0.4000", "auto"),
    }
    assert {row["media_path"] for row in rows} == {str(Path("/photos/a.jpg"))}


def test_unsure_tags_can_be_left_out(tagged: MetadataDatabase, tmp_path: Path) -> None:
    list(export_tag_folders(tagged, tmp_path / "dataset", ExportSelection(min_confidence=0.5)))
    assert "red/a.jpg-00002.jpg" not in files_in(tmp_path / "dataset")


def test_nothing_is_written_over(tagged: MetadataDatabase, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ExportError, match="something here already"):
        list(export_tag_folders(tagged, tmp_path))


def test_an_export_is_whole_or_absent(tagged: MetadataDatabase, tmp_path: Path) -> None:
    cancelled = export_tag_folders(tagged, tmp_path / "cancelled")
    next(cancelled)
    cancelled.close()  # type: ignore[attr-defined]
    (tagged.paths.root / "extracted_segments" / "a.jpg-00002.jpg").unlink()
    with pytest.raises(ExportError, match="can't be written"):
        list(export_tag_folders(tagged, tmp_path / "broken"))
    assert [path.name for path in tmp_path.iterdir()] == ["library"]


def test_a_library_without_tags_has_nothing_to_export(
    metadata: MetadataDatabase, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match="no segment has a tag"):
        list(export_tag_folders(metadata, tmp_path / "dataset"))


def test_folder_names_are_safe_and_different() -> None:
    names = folder_names({"../x", "CON", "a/b", "a\\b", "Red", "red", "鳥", "...", "nul.txt"})
    assert len({name.lower() for name in names.values()}) == 9
    for name in names.values():
        assert name and "/" not in name and "\\" not in name and not name.startswith(".")
    assert names["CON"] == "CON_" and names["鳥"] == "鳥"


def test_a_formula_is_only_text() -> None:
    assert as_text("=1+1") == "'=1+1" and as_text("red") == "red"
