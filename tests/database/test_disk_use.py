"""The size on disk is right, and costs no look at every crop."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.database import disk_use
from src.database.disk_use import DiskUse

OLD_S = time.time() - 3600
FOLDERS, CROPS, SIZE = 40, 25, 100


def add_crop(folder: Path, name: str, size: int = SIZE) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jpg").write_bytes(bytes(size))


@pytest.fixture
def folders(paths: LibraryPaths) -> list[Path]:
    """Folders with crops that nobody has touched for an hour."""
    made = [paths.extracted_segments / f"{number:02x}" / "digest" for number in range(FOLDERS)]
    for folder in made:
        for number in range(CROPS):
            add_crop(folder, str(number))
    for parent, _, _ in os.walk(paths.extracted_segments):
        os.utime(parent, (OLD_S, OLD_S))
    return made


@pytest.fixture
def looked_into(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that are looked into."""
    seen: list[Path] = []
    scandir = os.scandir

    def seeing(path: str | Path) -> object:
        seen.append(Path(path))
        return scandir(path)

    monkeypatch.setattr(disk_use.os, "scandir", seeing)
    return seen


def test_only_folders_that_changed_are_looked_into(
    paths: LibraryPaths, folders: list[Path], looked_into: list[Path]
) -> None:
    use = DiskUse(paths)
    assert use.bytes() == FOLDERS * CROPS * SIZE
    looked_into.clear()
    assert use.bytes() == FOLDERS * CROPS * SIZE
    assert not [path for path in looked_into if path.is_relative_to(paths.extracted_segments)]
    add_crop(folders[3], "more", 7)
    assert use.bytes() == FOLDERS * CROPS * SIZE + 7
    crops = [path for path in looked_into if path.is_relative_to(paths.extracted_segments)]
    assert crops == [folders[3]]
    (folders[3] / "more.jpg").unlink()
    (folders[4] / "0.jpg").unlink()
    assert use.bytes() == FOLDERS * CROPS * SIZE - SIZE


def test_a_folder_that_comes_and_one_that_goes_are_noticed(
    paths: LibraryPaths, folders: list[Path]
) -> None:
    use = DiskUse(paths)
    before = use.bytes()
    add_crop(paths.extracted_segments / "ff" / "new", "0")
    assert use.bytes() == before + SIZE
    for crop in folders[0].iterdir():
        crop.unlink()
    folders[0].rmdir()
    assert use.bytes() == before + SIZE - CROPS * SIZE


def test_a_crop_that_comes_within_the_same_moment_is_counted(paths: LibraryPaths) -> None:
    use, folder = DiskUse(paths), paths.extracted_segments / "00" / "digest"
    add_crop(folder, "0")
    stamp = os.stat(folder).st_mtime_ns
    assert use.bytes() == SIZE
    add_crop(folder, "1")
    os.utime(folder, ns=(stamp, stamp))  # as a file system that counts in whole seconds has it
    assert use.bytes() == 2 * SIZE


def test_all_is_looked_at_again_after_a_while(
    paths: LibraryPaths, folders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    use = DiskUse(paths)
    before = use.bytes()
    add_crop(folders[0], "more")
    os.utime(folders[0], (OLD_S, OLD_S))  # as where folders have no time of their own
    assert use.bytes() == before
    now = time.monotonic() + disk_use.KNOWN_FOR_S
    monkeypatch.setattr(disk_use.time, "monotonic", lambda: now)
    assert use.bytes() == before + SIZE


def test_the_database_backups_and_index_count_and_a_library_out_of_reach_is_no_error(
    paths: LibraryPaths,
) -> None:
    assert DiskUse(paths).bytes() == 0
    paths.root.mkdir(parents=True)
    for name in ("metadata.db", "metadata.db-wal", "chroma_db/index.bin", "backups/day.db"):
        (paths.root / name).parent.mkdir(exist_ok=True)
        (paths.root / name).write_bytes(bytes(10))
    (paths.root / "datasets").mkdir()
    (paths.root / "datasets" / "labels.csv").write_bytes(bytes(10))
    assert DiskUse(paths).bytes() == 40


@pytest.mark.skipif(os.name != "posix", reason="makes a link")
def test_a_link_leads_nowhere(paths: LibraryPaths, folders: list[Path], tmp_path: Path) -> None:
    use = DiskUse(paths)
    before = use.bytes()
    add_crop(tmp_path / "elsewhere", "0", 1 << 20)
    link = folders[0] / "link"
    link.symlink_to(tmp_path / "elsewhere")
    (folders[0] / "file.jpg").symlink_to(tmp_path / "elsewhere" / "0.jpg")
    assert use.bytes() < before + 1000
