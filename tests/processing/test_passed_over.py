"""What a walk through folders leaves where it is, and how that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.events import PassedOver
from src.library_files import MARKER
from src.ownership import LABELS, LABELS_COLUMNS, claim
from src.processing.media_finder import Tally, find_media
from src.settings import Settings
from tests.processing.test_media_finder import make


def walked(
    *paths: Path, folders: tuple[str, ...] = Settings.passed_over_folders
) -> tuple[list[str], PassedOver]:
    """Walk and give the names of what was found, and what was not."""
    tally = Tally(folders)
    return [path.name for path in find_media(paths, passed_over=tally)], tally.passed_over


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("@eaDir/1.jpg", "thumbnails"),
        ("Cat.LRDATA/a/b", "thumbnails"),
        ("Photos Library.photoslibrary/resources/derivatives", "thumbnails"),
        ("Old.photolibrary/Thumbnails", "thumbnails"),
        (".thumbnails/normal", "thumbnails"),
        ("CaptureOne/Cache/Thumbnails", "thumbnails"),
        ("#recycle", "deleted"),
        ("$RECYCLE.BIN/S-1-5", "deleted"),
        ("$Recycle.Bin/S-1-5", "deleted"),
        (".dtrash/files", "deleted"),
        (".Trash-1000/files", "deleted"),
        ("__MACOSX", "left_out"),
        ("lost+found", "left_out"),
        ("node_modules/icons", "left_out"),
        (".cache/deep/down", "hidden"),
    ],
)
def test_folders_of_other_programs_are_passed_over_and_counted(
    tmp_path: Path, folder: str, kind: str
) -> None:
    make(tmp_path, f"{folder}/1.jpg", f"{folder}/2.mp4", f"{folder}/notes.txt", "mine/3.jpg")
    assert walked(tmp_path) == (["3.jpg"], PassedOver(**{kind: 2}))


@pytest.mark.parametrize("kind", ["originals/0", "Masters/2014"])
def test_the_originals_of_a_photo_library_are_read(tmp_path: Path, kind: str) -> None:
    make(tmp_path, f"Mine.photoslibrary/{kind}/1.jpg", "Mine.photoslibrary/resources/1.jpg")
    assert walked(tmp_path) == (["1.jpg"], PassedOver(thumbnails=1))


def test_a_folder_that_is_named_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    make(tmp_path, "@eaDir/1.jpg", ".hidden/2.jpg", "dataset/red/3.jpg")
    (tmp_path / "dataset" / LABELS).write_text(",".join(LABELS_COLUMNS) + "\n", newline="\r\n")
    names = [tmp_path / name for name in ("@eaDir", ".hidden", "dataset")]
    found, passed_over = walked(*names)
    assert found == ["1.jpg", "2.jpg", "3.jpg"] and passed_over.exports == 0


def test_the_settings_name_the_folders(tmp_path: Path) -> None:
    make(tmp_path, "@eaDir/1.jpg", "Proofs/2.jpg", "2020/raw/3.jpg", "2021/raw/4.jpg")
    found, passed_over = walked(tmp_path, folders=("proofs", "*/RAW", "!2021/raw"))
    assert found == ["4.jpg", "1.jpg"] and passed_over == PassedOver(left_out=2)
    saved = tmp_path / "settings.json"
    Settings(passed_over_folders=("proofs",)).save(saved)
    assert Settings.load(saved) == Settings(passed_over_folders=("proofs",))
    with pytest.raises(ValueError, match="passed_over_folders"):
        Settings(passed_over_folders="proofs")  # type: ignore[arg-type]


def test_exported_datasets_are_passed_over_wherever_they_lie(tmp_path: Path) -> None:
    make(tmp_path, "a/dataset/red/1.jpg", "a/dataset/blue/2.jpg", "b/red/3.jpg", "4.jpg")
    header = ",".join(LABELS_COLUMNS) + "\r\n"
    (tmp_path / "a" / "dataset" / LABELS).write_bytes(header.encode() + b"red/1.jpg,red\r\n")
    (tmp_path / "b" / LABELS).write_text("image,label\n3.jpg,red\n")  # somebody else's
    make(tmp_path, "c/red/5.jpg")  # saved by a spreadsheet since
    quoted = "\ufeff" + ";".join(f'"{column}"' for column in LABELS_COLUMNS)
    (tmp_path / "c" / LABELS).write_text(f"{quoted}\n", encoding="utf-8")
    found, passed_over = walked(tmp_path)
    assert found == ["4.jpg", "3.jpg"] and passed_over == PassedOver(
        exports=3, not_read={".csv": 1}
    )


def test_other_libraries_are_passed_over_and_photos_beside_them_are_not(tmp_path: Path) -> None:
    claim(tmp_path / "photos")
    make(tmp_path, "photos/1.jpg", "photos/extracted_segments/ab/2.jpg", "photos/datasets/3.jpg")
    (tmp_path / "photos" / "metadata.db").write_bytes(b"SQLite format 3\0")
    old = tmp_path / "old"  # of an earlier version, which had no markers
    make(tmp_path, "old/extracted_segments/ab/4.jpg", "old/5.jpg")
    (old / "metadata.db").write_bytes(b"SQLite format 3\0")
    make(tmp_path, "books/metadata.db", "books/datasets/6.jpg")  # another program's
    found, passed_over = walked(tmp_path)
    assert sorted(found) == ["1.jpg", "5.jpg", "6.jpg"]
    assert passed_over.libraries == 3
    assert (tmp_path / "photos" / "extracted_segments" / MARKER).is_file()


def test_the_library_itself_is_left_out_without_a_word(tmp_path: Path) -> None:
    paths = LibraryPaths(tmp_path)
    paths.create()
    make(tmp_path, "extracted_segments/ab/1.jpg", "2.jpg")
    tally = Tally()
    own = paths.extracted_segments, paths.chroma_db, paths.datasets
    assert find_media([tmp_path], own, passed_over=tally) == [tmp_path / "2.jpg"]
    assert str(tally.passed_over) == ""


def test_what_was_passed_over_is_said_in_one_line() -> None:
    assert str(PassedOver()) == ""
    assert (
        str(PassedOver(thumbnails=12, not_read={".svg": 3}))
        == "12 thumbnails of another program, 3 files of a kind not read (.svg)"
    )
    every = PassedOver(
        1, 1, 1, 1, 1, 1, {".svg": 1, ".txt": 1200, "": 1}, (Path("a.jpg"), Path("b.jpg"))
    )
    assert str(every) == (
        "1 thumbnail of another program, 1 deleted file in a bin, "
        "1 file in folders that the settings leave out, 1 hidden file, "
        "1 file of exported datasets, 1 file of another library, "
        "1,202 files of kinds not read (.txt, no ending, .svg), 2 that you removed"
    )
    many = PassedOver(not_read={f".{letter}": 1 for letter in "abcdefg"})
    assert str(many) == "7 files of kinds not read (.a, .b, .c, .d, .e, …)"
