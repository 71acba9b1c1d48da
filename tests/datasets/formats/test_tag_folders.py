from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from src.config import APPLICATION_FOLDER
from src.database.metadata_db import MetadataDatabase
from src.datasets.file_names import folder_names
from src.datasets.formats.spreadsheet_text import from_cell, to_cell
from src.errors import ExportError
from src.events import JobDone, Progress
from src.records import Tag
from src.search.filter_text import parse_filter
from src.search.leaves import segment_filter
from src.search.recipe import Recipe, classes_of
from tests.conftest import add_frame_of_qualities, add_media_with, unit_vectors
from tests.datasets.exporting import export_dataset, preview_dataset


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
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    return files - {"manifest.json"}


def test_each_tag_has_a_folder_with_its_crops(tagged: MetadataDatabase, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "dataset"
    events = list(export_dataset(tagged, folder))
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
    assert {row["media_path"] for row in rows} == {"photos/a.jpg"}


def test_unsure_tags_can_be_left_out(tagged: MetadataDatabase, tmp_path: Path) -> None:
    list(export_dataset(tagged, tmp_path / "dataset", Recipe(min_confidence=0.5)))
    assert "red/a.jpg-00002.jpg" not in files_in(tmp_path / "dataset")


def test_worse_masks_can_be_left_out_and_are_counted(
    metadata: MetadataDatabase, tmp_path: Path
) -> None:
    add_frame_of_qualities(metadata, [None, 0.5, 0.9])
    for segment_id in metadata.segment_ids():
        metadata.add_tags(segment_id, [Tag("red", 0.9, "auto")], "vocabulary")
    for crop_path in metadata.crop_paths():
        path = metadata.paths.root / crop_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"crop")
    selection = Recipe(limits=segment_filter(min_predicted_iou=0.6))
    preview = preview_dataset(metadata, selection)
    assert (preview.written, preview.left_out, preview.bytes) == ({"red": 2}, {"red": 1}, 8)
    list(export_dataset(metadata, tmp_path / "dataset", selection))
    assert files_in(tmp_path / "dataset") == {
        "labels.csv",
        "red/a.jpg-00000.jpg",
        "red/a.jpg-00002.jpg",
    }


def test_a_filter_chooses_the_segments_and_labels_their_tags(
    tagged: MetadataDatabase, tmp_path: Path
) -> None:
    where = parse_filter("tag:red>=0.5")
    preview = preview_dataset(tagged, Recipe(where))
    assert (preview.written, preview.left_out) == ({"red": 1, "a/b": 1}, {})
    only = Recipe(where, classes=classes_of("red"))
    assert preview_dataset(tagged, only).written == {"red": 1}
    list(export_dataset(tagged, tmp_path / "dataset", only))
    assert files_in(tmp_path / "dataset") == {"labels.csv", "red/a.jpg-00000.jpg"}
    nothing = Recipe(parse_filter("tag:cat"))
    with pytest.raises(ExportError, match="no segment has a tag"):
        list(export_dataset(tagged, tmp_path / "none", nothing))


def test_nothing_is_written_over(tagged: MetadataDatabase, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ExportError, match="this folder is not empty"):
        list(export_dataset(tagged, tmp_path))


def test_an_export_is_whole_or_absent(tagged: MetadataDatabase, tmp_path: Path) -> None:
    cancelled = export_dataset(tagged, tmp_path / "cancelled")
    next(cancelled)
    cancelled.close()  # type: ignore[attr-defined]
    (tagged.paths.root / "extracted_segments" / "a.jpg-00002.jpg").unlink()
    with pytest.raises(ExportError):
        list(export_dataset(tagged, tmp_path / "broken"))
    assert [path.name for path in tmp_path.iterdir()] == ["library"]


@pytest.mark.parametrize("damage", ["missing", "a folder", "a pipe"])
def test_a_crop_that_can_not_be_read_is_named_and_how_it_is_mended(
    tagged: MetadataDatabase, tmp_path: Path, damage: str
) -> None:
    crop = tagged.paths.extracted_segments / "a.jpg-00002.jpg"
    crop.unlink()
    if damage == "a folder":
        crop.mkdir()
    elif damage == "a pipe":
        os.mkfifo(crop)
    with pytest.raises(ExportError) as said:
        list(export_dataset(tagged, tmp_path / "broken"))
    for part in (str(crop), "`verify --repair` makes it again", "Nothing was written"):
        assert part in str(said.value)
    assert "broken" not in str(said.value)
    assert [path.name for path in tmp_path.iterdir()] == ["library"]


def test_what_is_removed_while_it_is_exported_is_left_out(
    tagged: MetadataDatabase, tmp_path: Path
) -> None:
    add_media_with(tagged, unit_vectors(1), "gone.jpg")
    tagged.add_tags("gone.jpg-00000", [Tag("gone", 1.0, "human")], "human")
    (tagged.paths.extracted_segments / "gone.jpg-00000.jpg").write_bytes(b"crop")
    export = export_dataset(tagged, tmp_path / "dataset")
    next(export)
    media = tagged.media_by_path(Path("/photos/gone.jpg"))
    assert media is not None
    for crop_path in tagged.remove_media(media.id):
        tagged.paths.crop(crop_path).unlink()
    assert list(export)[-1] == JobDone(segments=3, written=tmp_path / "dataset")
    assert {path.name for path in (tmp_path / "dataset").iterdir()} == {
        "labels.csv",
        "manifest.json",
        "red",
        "a_b",
    }
    assert "gone" not in (tmp_path / "dataset" / "labels.csv").read_text(encoding="utf-8")


def test_an_export_of_which_all_is_removed_meanwhile_writes_nothing(
    tagged: MetadataDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def removed_meanwhile(tags: set[str]) -> dict[str, str]:
        for crop_path in tagged.remove_media(1):
            tagged.paths.crop(crop_path).unlink()
        return folder_names(tags)

    monkeypatch.setattr("src.datasets.formats.tag_folders.folder_names", removed_meanwhile)
    with pytest.raises(ExportError, match="no segment has a tag"):
        list(export_dataset(tagged, tmp_path / "dataset"))
    assert [path.name for path in tmp_path.iterdir()] == ["library"]


def test_a_library_without_tags_has_nothing_to_export(
    metadata: MetadataDatabase, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match="no segment has a tag"):
        list(export_dataset(metadata, tmp_path / "dataset"))


FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
HOSTILE_TAGS = (
    *(
        "../x",
        "..",
        ".",
        "",
        " ",
        "...",
        "/etc/passwd",
        "C:\\x",
        "a/b",
        "a\\b",
        "a:b",
        "x.",
        "x ",
        "x",
    ),
    *("CON", "con", "nul.txt", "COM1", "COM¹", "lpt9", "Red", "red", "RED", "straße", "STRASSE"),
    *("鳥", "\u00e9", "e\u0301", "\ud55c", "\u1112\u1161\u11ab", "\U00010330" * 80),
    *("a\0b", "new\nline", "\u202egpj", "-rf", "--", "~", "$HOME", "%TEMP%", "labels.csv"),
    *("a" * 300, "a" * 299 + "b", "a" * 79 + " b"),
)


def on_any_system(name: str) -> str:
    """What a system takes for the same name: whatever its case, or how its accents are made."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def test_folder_names_are_safe_and_different() -> None:
    names = folder_names(set(HOSTILE_TAGS))
    assert len({on_any_system(name) for name in names.values()}) == len(set(HOSTILE_TAGS))
    for name in names.values():
        assert name == name.strip(" .") and not set(name) & set('/\\:*?"<>|\0\n$%~.')
        assert not name.startswith("-")
        assert 0 < len(name.encode()) <= 255
        assert re.fullmatch("con|nul|com[1¹]|lpt9", name, re.IGNORECASE) is None
    assert names["CON"] == "CON_" and names["鳥"] == "鳥"


def test_a_name_keeps_the_marks_of_its_letters() -> None:
    words = {"का", "की", "हिन्दी", "ภาษาไทย", "น้ำ", "தமிழ்", "वर्षा ऋतु", "שָׁלוֹם", "Café"}
    composed = {unicodedata.normalize("NFC", word) for word in words}
    assert folder_names(composed) == {word: word for word in composed}
    (name,) = folder_names({"Cafe\u0301"}).values()
    assert name == "Caf\u00e9"
    assert folder_names({"का/../की"}) == {"का/../की": "का_की"}


def test_a_name_is_not_made_of_what_nobody_sees() -> None:
    tags = {"\u0301", "\u2764\ufe0f", "\u3164", "a\ufe0f", "a", "_\u0301x", "a\u034fb", "ab"}
    names = folder_names(tags)
    assert len({on_any_system(name) for name in names.values()}) == len(tags)
    for name in names.values():
        assert re.fullmatch(r"(tag|a|ab|x)(_\d)?", name), name


def test_an_export_stays_in_its_folder(metadata: MetadataDatabase, tmp_path: Path) -> None:
    add_media_with(metadata, unit_vectors(1))
    (crop_path,) = metadata.crop_paths()
    crop = metadata.paths.root / crop_path
    crop.parent.mkdir(parents=True, exist_ok=True)
    crop.write_bytes(b"crop")
    tags = [Tag(name, 1.0, "human") for name in (*HOSTILE_TAGS, "=1+1", "@x", "+x")]
    tags = [tag for tag in tags if "\0" not in tag.name]  # such a row is taken for damaged
    metadata.add_tags("a.jpg-00000", tags, "human")
    before = files_in(tmp_path)
    folder = tmp_path / "data set"
    list(export_dataset(metadata, folder))
    written = files_in(tmp_path) - before
    stored = len(metadata.tags_of(["a.jpg-00000"])["a.jpg-00000"])
    assert len([name for name in written if name.endswith(".jpg")]) == stored
    assert all(name.startswith("data set/") for name in written if "metadata.db" not in name)
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert len(rows) == stored + 1
    for row in rows:
        assert not [cell for cell in row if cell.startswith(FORMULA)]
    assert not list(tmp_path.glob(".*")), "what was temporary is gone"


def test_what_comes_while_it_is_written_is_not_written_over(
    tagged: MetadataDatabase, tmp_path: Path
) -> None:
    folder = tmp_path / "dataset"
    export = export_dataset(tagged, folder)
    next(export)
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(ExportError, match="can't be written"):
        list(export)
    assert files_in(folder) == {"mine.txt"}


def test_a_formula_is_only_text() -> None:
    assert to_cell("=1+1") == "'=1+1" and to_cell("red") == "red"
    for start in FORMULA:
        assert to_cell(f"{start}1") == f"'{start}1"
    for text in ("=1", "'=1", "''=1", "''", "'s", "red"):
        assert from_cell(to_cell(text)) == text
    assert from_cell("'s") == "'s", "as older versions wrote it"


EXPORT = """
import sys
from pathlib import Path
from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from tests.datasets.exporting import export_dataset, preview_dataset
metadata = MetadataDatabase(LibraryPaths(Path(sys.argv[1])), read_only=True)
export = export_dataset(metadata, Path(sys.argv[2]))
next(export)
print("half-way", flush=True)
sys.stdin.read()
"""


def unfinished(folder: Path) -> list[Path]:
    return list(folder.glob(".*.unfinished"))


def test_what_a_killed_export_left_goes_with_the_next_one_and_a_living_one_stays(
    tagged: MetadataDatabase, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    exporter = subprocess.Popen(
        [sys.executable, "-c", EXPORT, str(tagged.paths.root), str(place / "killed")],
        cwd=APPLICATION_FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert exporter.stdin is not None and exporter.stdout is not None
    with exporter:
        assert exporter.stdout.readline() == b"half-way\n"
        (theirs,) = unfinished(place)
        held = files_in(theirs)
        list(export_dataset(tagged, place / "beside"))
        assert unfinished(place) == [theirs] and held <= files_in(theirs)
        exporter.kill()
        exporter.wait()
        assert unfinished(place) == [theirs]
        list(export_dataset(tagged, place / "next"))
    assert sorted(path.name for path in place.iterdir()) == ["beside", "next"]


def test_what_only_looks_like_an_unfinished_export_is_left_alone(
    tagged: MetadataDatabase, tmp_path: Path
) -> None:
    place, mine = tmp_path / "place", tmp_path / "mine"
    mine.mkdir()
    (mine / "lock").write_text("mine")
    place.mkdir()
    (place / ".export-link.unfinished").symlink_to(mine, target_is_directory=True)
    (place / ".export-file.unfinished").write_text("mine")
    (place / ".export-without.unfinished").mkdir()
    linked = place / ".export-lock.unfinished"
    linked.mkdir()
    (linked / "lock").symlink_to(mine / "lock")
    list(export_dataset(tagged, place / "dataset"))
    assert (mine / "lock").read_text() == "mine"
    assert len(unfinished(place)) == 4
