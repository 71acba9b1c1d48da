"""The command that lists the folders of media, and follows one that has moved."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from main import main
from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase


@pytest.fixture
def photos(paths: LibraryPaths, tmp_path: Path) -> Path:
    """Two folders of three photos that a library knows, whatever is in them."""
    folder = tmp_path / "photos"
    (folder / "2020").mkdir(parents=True)
    with closing(MetadataDatabase(paths)) as metadata:
        for name in ("a.jpg", "b.jpg", "2020/c.jpg"):
            (folder / name).write_text(name)
            metadata.add_media(folder / name, "image", len(name), 1)
    return folder


def said(capsys: pytest.CaptureFixture[str], paths: LibraryPaths, *words: object) -> list[str]:
    capsys.readouterr()
    code = main(["--library", str(paths.root), "roots", *map(str, words)])
    out, err = capsys.readouterr()
    return [*out.splitlines(), *err.splitlines(), f"code {code}"]


def test_roots_are_listed_and_followed(
    paths: LibraryPaths, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, paths) == [f"{photos}  3 files", "code 0"]
    there = photos.rename(photos.with_name("moved"))
    hint = "(not there now; `roots --move OLD NEW` follows it)"
    assert said(capsys, paths) == [f"{photos}  3 files  {hint}", "code 0"]
    (there / "b.jpg").unlink()
    line, note, code = said(capsys, paths, "--move", photos, there)
    assert line == f"missing  {there / 'b.jpg'}" and code == "code 0"
    assert note.startswith(f"3 media files of {photos} now in {there}; 1 of them is not there")
    listed, _ = said(capsys, paths, "--json")
    assert json.loads(listed) == {"root": str(there), "files": 3, "missing": False}
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.media_by_path(there / "2020" / "c.jpg") is not None


def test_what_is_wrong_is_said_and_changes_nothing(
    paths: LibraryPaths, photos: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for old, new, why in (
        (tmp_path / "empty", photos, "no file of the library is in this folder"),
        (photos, tmp_path / "nowhere", "there is no such folder"),
        (photos, tmp_path / "empty", "none of the 3 files"),
    ):
        line, code = said(capsys, paths, "--move", old, new)
        assert why in line and "nothing was changed" in line and code == "code 1"
    assert said(capsys, paths) == [f"{photos}  3 files", "code 0"]
