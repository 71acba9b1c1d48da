from __future__ import annotations

import errno
import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from src.processing.media_finder import content_hash, find_media


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a folder from everybody; root, who runs some tests, may read them all."""
    scandir = os.scandir

    def refusing(path: Any = ".") -> Any:
        if os.fspath(path) == str(folder):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)


def test_folders_are_walked_in_the_order_of_names(tmp_path: Path) -> None:
    make(tmp_path, "b/2.JPG", "b/1.png", "a/x.mp4", "notes.txt", ".hidden/y.jpg", "b/.z.jpg")
    found = [path.relative_to(tmp_path).as_posix() for path in find_media([tmp_path])]
    assert found == ["a/x.mp4", "b/1.png", "b/2.JPG"]


def test_a_file_that_is_named_counts_whatever_its_suffix(tmp_path: Path) -> None:
    make(tmp_path, "photo", "notes.txt")
    named = [tmp_path / "notes.txt", tmp_path / "photo", tmp_path / "photo"]
    assert find_media(named) == [tmp_path / "notes.txt", tmp_path / "photo"]


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert len(find_media([tmp_path])) == 1


def test_folders_left_out_are_not_entered(tmp_path: Path) -> None:
    make(tmp_path, "extracted_segments/1.jpg", "2.jpg")
    found = find_media([tmp_path], leave_out=[tmp_path / "extracted_segments"])
    assert found == [tmp_path / "2.jpg"]


def test_the_hash_is_of_the_content(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg")
    assert content_hash(tmp_path / "a.jpg") == hashlib.blake2b(b"a.jpg", digest_size=20).hexdigest()


def test_a_folder_that_may_not_be_read_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "open/1.jpg", "secret/2.jpg")
    may_not_be_read(tmp_path / "secret", monkeypatch)
    told: list[OSError] = []
    assert find_media([tmp_path], unread=told.append) == [tmp_path / "open" / "1.jpg"]
    assert [error.filename for error in told] == [str(tmp_path / "secret")]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no path so long")
def test_folders_deeper_than_python_recurses_are_walked_to_what_can_be_reached(
    tmp_path: Path,
) -> None:
    inside = os.open(tmp_path, os.O_RDONLY)
    unread: list[OSError] = []
    for depth in range(2400):  # the last ones' paths are longer than the system takes
        os.mkdir("d", dir_fd=inside)
        deeper = os.open("d", os.O_RDONLY, dir_fd=inside)
        os.close(inside)
        inside = deeper
        if depth == 1500:
            os.close(os.open("deep.png", os.O_CREAT | os.O_WRONLY, dir_fd=inside))
    os.close(inside)
    found = find_media([tmp_path], (), unread.append)
    assert [path.name for path in found] == ["deep.png"] and found[0].exists()
    assert [error.errno for error in unread] == [errno.ENAMETOOLONG]
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)  # shutil recurses, too
