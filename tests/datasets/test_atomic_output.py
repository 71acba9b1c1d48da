"""Where an export may go, and what it leaves there when it does not come to its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.config import APPLICATION_FOLDER, LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.datasets import staging
from src.errors import ExportError
from src.library_files import MARKER, SafeFolder
from src.records import Tag
from src.search.filters import EVERYTHING
from tests.cli.nobody import NOBODY, as_nobody, needs_root
from tests.conftest import add_media_with, unit_vectors
from tests.datasets.exporting import export_dataset

DATASET = {"labels.csv", "manifest.json", "red", "blue"}


@pytest.fixture
def tagged(metadata: MetadataDatabase) -> MetadataDatabase:
    add_media_with(metadata, unit_vectors(2))
    for number, name in enumerate(("red", "blue")):
        metadata.add_tags(f"a.jpg-{number:05}", [Tag(name, 1.0, "human")], "human")
    for segment in metadata.segments_where(EVERYTHING):
        segment.crop_path.write_bytes(b"crop")
    return metadata


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that everyone may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def names(folder: Path) -> set[str]:
    return {child.name for child in folder.iterdir()}


def refusal(metadata: MetadataDatabase, folder: Path) -> str:
    with pytest.raises(ExportError) as said:
        list(export_dataset(metadata, folder))
    assert "\n" not in str(said.value) and str(folder) in str(said.value)
    return str(said.value)


def test_an_empty_folder_stays_the_folder_it_is(tagged: MetadataDatabase, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    before = folder.stat().st_ino
    list(export_dataset(tagged, folder))
    assert names(folder) == DATASET and folder.stat().st_ino == before
    assert "this folder is not empty" in refusal(tagged, folder)


def test_where_the_shell_is_the_dataset_is_seen(
    tagged: MetadataDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    list(export_dataset(tagged, Path(".")))
    assert set(os.listdir(".")) == DATASET


def test_a_link_to_an_empty_folder_is_followed_and_one_to_nowhere_kept(
    tagged: MetadataDatabase, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for name, target in (("link", "empty"), ("astray", "nowhere")):
        (tmp_path / name).symlink_to(tmp_path / target, target_is_directory=True)
    list(export_dataset(tagged, tmp_path / "link"))
    assert (tmp_path / "link").is_symlink() and names(tmp_path / "empty") == DATASET
    assert "this folder is not empty" in refusal(tagged, tmp_path / "astray")
    assert not (tmp_path / "nowhere").exists()


def test_a_name_that_is_too_long_is_said(tagged: MetadataDatabase, tmp_path: Path) -> None:
    assert "name too long" in refusal(tagged, tmp_path / ("x" * 300))


@needs_root
def test_a_folder_in_one_that_may_not_be_written_takes_a_dataset(open_to_all: Path) -> None:
    with_library, mount = open_to_all / "with", open_to_all / "media"
    for folder in (with_library, mount, mount / "stick", mount / "closed"):
        folder.mkdir()
    os.chown(with_library, NOBODY, NOBODY)
    os.chown(mount / "stick", NOBODY, NOBODY)
    (mount / "closed").chmod(0o700)
    with as_nobody():
        metadata = MetadataDatabase(LibraryPaths(with_library / "library"))
        add_media_with(metadata, unit_vectors(2))
        for number, name in enumerate(("red", "blue")):
            metadata.add_tags(f"a.jpg-{number:05}", [Tag(name, 1.0, "human")], "human")
        for segment in metadata.segments_where(EVERYTHING):
            segment.crop_path.write_bytes(b"crop")
        list(export_dataset(metadata, mount / "stick"))
        assert names(mount / "stick") == DATASET
        for where in ("closed", "closed/inside", "new"):
            assert "Permission denied" in refusal(metadata, mount / where)
        metadata.close()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_what_goes_wrong_while_it_is_moved_up_is_moved_back(
    tagged: MetadataDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    folder, rename, parts = tmp_path / "empty", SafeFolder.rename, []
    folder.mkdir()

    def fails(files: SafeFolder, source: str, target: str) -> None:
        if "/" not in target:
            parts.append(target)
            if len(parts) == number + 1:
                raise OSError(5, "Input/output error")
        rename(files, source, target)

    monkeypatch.setattr(SafeFolder, "rename", fails)
    assert "Input/output error" in refusal(tagged, folder)
    assert names(folder) == set()


def test_what_comes_into_an_empty_folder_meanwhile_stays(
    tagged: MetadataDatabase, tmp_path: Path
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    export = export_dataset(tagged, folder)
    next(export)
    (folder / "labels.csv").write_text("mine")
    with pytest.raises(ExportError, match="has come into the folder meanwhile"):
        list(export)
    assert names(folder) == {"labels.csv"} and (folder / "labels.csv").read_text() == "mine"


KILLED = """
import os, signal, sys
from pathlib import Path
from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from tests.datasets.exporting import export_dataset
from src.library_files import SafeFolder
rename, left = SafeFolder.rename, int(sys.argv[3])
def killed(files, source, target):
    global left
    if "/" not in target:
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
    rename(files, source, target)
SafeFolder.rename = killed
metadata = MetadataDatabase(LibraryPaths(Path(sys.argv[1])), read_only=True)
list(export_dataset(metadata, Path(sys.argv[2])))
"""


def kill_while_moving(metadata: MetadataDatabase, folder: Path, moved: int) -> None:
    command = [sys.executable, "-c", KILLED, str(metadata.paths.root), str(folder), str(moved)]
    ended = subprocess.run(command, cwd=APPLICATION_FOLDER, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert len(names(folder)) == moved + 1 and "labels.csv" not in names(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such kill")
@pytest.mark.parametrize("moved", [0, 1, 2])
def test_what_a_kill_leaves_half_moved_goes_with_the_next_export(
    tagged: MetadataDatabase, tmp_path: Path, moved: int
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    kill_while_moving(tagged, folder, moved)
    list(export_dataset(tagged, folder))
    assert names(folder) == DATASET


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such kill")
@pytest.mark.parametrize("mine", ["mine.txt", "red/mine.jpg", "mine/labels.csv", "red/link"])
def test_what_somebody_put_to_a_half_moved_dataset_stays(
    tagged: MetadataDatabase, tmp_path: Path, mine: str
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    kill_while_moving(tagged, folder, 2)
    (folder / mine).parent.mkdir(exist_ok=True)
    (folder / mine).write_text("mine")
    assert "this folder is not empty" in refusal(tagged, folder)
    assert (folder / mine).read_text() == "mine"
    assert {"red", "blue"} <= names(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="links there need rights of their own")
@pytest.mark.parametrize("part", ["dataset", "unfinished", "folder of a tag", "parent"])
def test_parts_that_are_replaced_by_links_meanwhile_lead_nowhere(
    tagged: MetadataDatabase, tmp_path: Path, part: str
) -> None:
    outside, parent = tmp_path / "outside", tmp_path / "parent"
    for folder in (outside, parent):
        folder.mkdir()
    for name in ("labels.csv", "red", "blue"):
        (outside / name).mkdir() if name != "labels.csv" else (outside / name).write_text("mine")
    export = export_dataset(tagged, parent / "first")
    folders: list[Path] = []
    while not folders:  # files are written beside what comes next
        next(export)
        (unfinished,) = parent.glob(".export-*")
        folders = [path for path in (unfinished / "dataset").iterdir() if path.is_dir()]
    place = {
        "dataset": unfinished / "dataset",
        "unfinished": unfinished,
        "folder of a tag": folders[0],
        "parent": parent,
    }[part]
    place.rename(tmp_path / "taken away")
    place.symlink_to(outside, target_is_directory=True)
    try:
        list(export)
    except ExportError:
        assert part != "parent"
    assert {path.name for path in outside.rglob("*")} == DATASET - {"manifest.json"}
    assert (outside / "labels.csv").read_text() == "mine"
    if part == "parent":  # the folder that was asked for, wherever it is now
        assert names(tmp_path / "taken away" / "first") == DATASET


KILLED_EARLY = """
import os, signal, sys
from pathlib import Path
from src.datasets.atomic_output import atomic_dataset
from src.library_files import SafeFolder
def killed(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "before the lock":
    import src.datasets.staging
    src.datasets.staging.LibraryLock = killed
else:
    SafeFolder.mark = killed
with atomic_dataset(Path(sys.argv[1])):
    pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such kill")
@pytest.mark.parametrize("when", ["before the lock", "before the marker"])
def test_what_is_killed_while_its_folder_is_made_leaves_nothing_for_long(
    tagged: MetadataDatabase, tmp_path: Path, when: str
) -> None:
    place = tmp_path / "place"
    (place / ".export-mine.unfinished").mkdir(parents=True)
    full = place / ".export-0123abcd.unfinished"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    command = [sys.executable, "-c", KILLED_EARLY, str(place / "d"), when]
    ended = subprocess.run(command, cwd=APPLICATION_FOLDER, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert len(names(place)) == 3
    list(export_dataset(tagged, place / "d"))
    assert names(place) == {"d", ".export-mine.unfinished", full.name}


def test_a_folder_that_is_taken_away_before_it_is_locked_is_made_anew(
    tagged: MetadataDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export beside it may have seen it between the two."""
    make_folder, made = SafeFolder.make_folder, []

    def taken(self: SafeFolder, name: str) -> None:
        make_folder(self, name)
        if name.endswith(".unfinished"):
            made.append(name)
            if len(made) < 3:
                staging.clear_killed(self)
                assert self.entry(name) is None

    monkeypatch.setattr(SafeFolder, "make_folder", taken)
    list(export_dataset(tagged, tmp_path / "d"))
    assert len(made) == 3 and names(tmp_path / "d") == DATASET
    assert list(tmp_path.glob(".export-*")) == []


def test_of_two_exports_to_one_name_at_once_the_first_to_end_stays(
    tagged: MetadataDatabase, tmp_path: Path
) -> None:
    folder = tmp_path / "d"
    first, second = (export_dataset(tagged, folder) for _ in range(2))
    next(first), next(second)
    assert len(list(tmp_path.glob(".export-*"))) == 2
    list(first)
    written = {path: path.stat().st_ino for path in folder.rglob("*.*")}
    with pytest.raises(ExportError, match="nothing was kept"):
        list(second)
    assert names(folder) == DATASET
    assert {path: path.stat().st_ino for path in folder.rglob("*.*")} == written
    assert list(tmp_path.glob(".export-*")) == []


def test_a_second_export_into_an_empty_folder_is_refused_while_one_writes_there(
    tagged: MetadataDatabase, tmp_path: Path
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    first = export_dataset(tagged, folder)
    next(first)
    assert "another export is writing into this folder" in refusal(tagged, folder)
    list(first)
    assert names(folder) == DATASET


def test_of_two_updates_at_once_the_last_to_end_stays(
    tagged: MetadataDatabase, tmp_path: Path
) -> None:
    list(export_dataset(tagged, tmp_path / "d"))
    before = {path: path.read_bytes() for path in (tmp_path / "d").rglob("*.*")}
    first, second = (export_dataset(tagged, tmp_path / "d", update=True) for _ in range(2))
    next(first), next(second)
    list(first), list(second)
    assert {path: path.read_bytes() for path in (tmp_path / "d").rglob("*.*")} == before
    assert list(tmp_path.glob(".export-*")) == []


def test_the_marker_of_a_staging_folder_goes_last(
    tagged: MetadataDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill while an old dataset is removed leaves what the next export knows for ours."""
    list(export_dataset(tagged, tmp_path / "d"))
    remove_folder, removed = SafeFolder.remove_folder, []

    def remove(self: SafeFolder, name: str) -> None:
        removed.append(name)
        if name.endswith(".unfinished"):
            left = {entry.name.rpartition("/")[2] for entry in self.entries(name)}
            assert left == {"lock", MARKER}
        remove_folder(self, name)

    monkeypatch.setattr(SafeFolder, "remove_folder", remove)
    list(export_dataset(tagged, tmp_path / "d", update=True))
    assert any(name.endswith("/old") for name in removed)
    assert [path.name for path in tmp_path.glob(".*.unfinished")] == []
