"""A folder of media that is elsewhere now: its rows follow, and later jobs agree with them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.errors import DatabaseError
from src.events import FileDone, FileKnown, FilePassedOver
from src.library import MediaLibrary
from src.models.model_manager import ModelManager
from src.records import MovedRoot
from tests.processing.test_ingest import SETTINGS, SharedModels, add, content, of_kind
from tests.processing.test_ingest import shared_models as shared_models


@pytest.fixture
def photos(tmp_path: Path, scene_files: list[Path]) -> Path:
    folder = tmp_path / "photos"
    (folder / "2020").mkdir(parents=True)
    for path, name in zip(scene_files, ("a.png", "b.png", "2020/c.png"), strict=False):
        shutil.copy(path, folder / name)
    return folder


@pytest.fixture
def library(
    tmp_path: Path, paths: LibraryPaths, shared_models: ModelManager, photos: Path
) -> Iterator[MediaLibrary]:
    clip_only = SharedModels(shared_models.load_clip(), None)
    with MediaLibrary(paths, clip_only, SETTINGS) as library:
        add(library, photos)
        yield library


def names(library: MediaLibrary, folder: Path) -> set[str]:
    return {path.path.relative_to(folder).as_posix() for path in library.metadata.all_media()}


def test_rows_follow_a_folder_and_later_jobs_agree(
    library: MediaLibrary, photos: Path, tmp_path: Path
) -> None:
    (removed,) = library.media_under(photos / "b.png")
    library.remove([removed.id])
    list(library.tell_index())
    before, there = content(library), tmp_path / "disk" / "photos"
    there.parent.mkdir()
    shutil.copytree(photos, there)  # with other times, as a copy to another machine has them
    for path in there.rglob("*.png"):
        os.utime(path, (1e9, 1e9))
    shutil.rmtree(photos)
    assert library.roots() == {photos: 2}
    assert library.move_root(photos, there) == MovedRoot(2, ())
    assert library.roots() == {there: 2}
    assert names(library, there) == {"a.png", "2020/c.png"}
    assert library.missing_media() == ([], [])
    assert content(library) == before and list(library.verify()) == []
    events = add(library, there)
    assert len(of_kind(events, FileKnown)) == 2  # nothing is read again
    assert not of_kind(events, FileDone) and not of_kind(events, FilePassedOver)
    assert content(library) == before
    assert library.metadata.removed.paths() == {there / "b.png"}  # it stays away there as well
    # files that move one by one are found by a walk, and have the root that is there
    (there / "new").mkdir()
    (there / "a.png").rename(there / "new" / "a.png")
    add(library, there)
    assert names(library, there) == {"new/a.png", "2020/c.png"}
    assert library.roots() == {there: 2}


def test_files_that_did_not_come_along_are_named(
    library: MediaLibrary, photos: Path, tmp_path: Path
) -> None:
    there = Path(shutil.copytree(photos, tmp_path / "there"))
    (there / "a.png").unlink()
    (there / "b.png").write_bytes(b"another picture")
    moved = library.move_root(photos, there)
    assert moved == MovedRoot(3, (there / "a.png", there / "b.png"))


def test_a_folder_moves_into_itself(library: MediaLibrary, photos: Path) -> None:
    below = photos / "2020" / "2020"
    below.mkdir()
    shutil.copy(photos / "2020" / "c.png", below)
    (photos / "2020" / "2020" / "c.png").touch()
    add(library, photos)
    assert library.move_root(photos / "2020", below).files == 1
    assert names(library, photos) == {"a.png", "b.png", "2020/2020/c.png"}


def test_what_can_not_be_meant_is_refused(
    library: MediaLibrary, photos: Path, tmp_path: Path
) -> None:
    before = library.metadata.all_media()
    (tmp_path / "empty").mkdir()
    for old, new, why in (
        (tmp_path / "elsewhere", photos, "no file of the library is in this folder"),
        (photos, tmp_path / "no folder", "there is no such folder"),
        (photos, photos / "a.png", "there is no such folder"),
        (photos, tmp_path / "empty", "none of the 3 files"),
    ):
        with pytest.raises(DatabaseError, match=why):
            library.move_root(old, new)
    assert library.metadata.all_media() == before


def test_another_file_of_the_library_keeps_its_place(
    library: MediaLibrary, photos: Path, tmp_path: Path, scene_files: list[Path]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    Path(shutil.copy(scene_files[3], other / "c.png"))
    add(library, other)
    shutil.copy(photos / "2020" / "c.png", other / "c.png")  # which it does not know yet
    before = library.metadata.all_media()
    with pytest.raises(DatabaseError, match="another file of the library"):
        library.move_root(photos / "2020", other)
    assert library.metadata.all_media() == before
