"""Crops that nobody needs are gone in the end, whatever comes between."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.library import MediaLibrary
from src.library_files import SafeFolder
from src.processing import pending_deletes
from src.processing.pending_deletes import (
    remove_left_crops,
    remove_unused_crops,
    write_down_crops,
)
from tests.conftest import add_media_with, unit_vectors


def add_media_and_crops(metadata: MetadataDatabase, name: str) -> tuple[int, list[Path]]:
    media_id = add_media_with(metadata, unit_vectors(2), name)
    crops: list[Path] = []
    for number in range(2):  # only names of the program's own form are ever removed
        crop_name = hashlib.sha1(f"{name} {number}".encode()).hexdigest()[:24]
        crop_path = f"extracted_segments/ab/0123456789abcdef/{crop_name}.jpg"
        metadata.set_crop_path(f"{name}-{number:05}", crop_path)
        crops.append(metadata.paths.root / crop_path)
    for crop in crops:
        crop.parent.mkdir(parents=True, exist_ok=True)
        crop.write_bytes(b"crop")
    return media_id, crops


class KilledError(BaseException):
    """What ends the program between two steps."""


@pytest.mark.parametrize("end", [KilledError(), OSError(30, "Read-only file system")])
def test_what_is_removed_is_gone_after_the_next_job_where_it_could_not_be_at_once(
    paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    with MediaLibrary(paths) as library:
        first, crops = add_media_and_crops(library.metadata, "a.jpg")
        second, more = add_media_and_crops(library.metadata, "b.jpg")

        def fails(*_: object) -> bool:
            raise end

        with monkeypatch.context() as patch:
            patch.setattr(SafeFolder, "remove", fails)
            if isinstance(end, OSError):
                library.remove([first])
            else:
                with pytest.raises(KilledError):
                    library.remove([first])
        assert library.metadata.media(first) is None and all(crop.exists() for crop in crops)
        library.remove([second])  # what it writes down must not take the place of the first
        assert not any(crop.exists() for crop in more)
        remove_left_crops(library.metadata)
        assert not any(crop.exists() for crop in crops)
        assert library.metadata.info(pending_deletes._LEFT) is None


def test_what_is_written_down_meanwhile_stays_so(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, crops = add_media_and_crops(metadata, "a.jpg")
    names = [crop.relative_to(metadata.paths.root).as_posix() for crop in crops]
    for media in metadata.all_media():
        metadata.remove_media(media.id)
    write_down_crops(metadata, names[:1])
    remove = SafeFolder.remove

    def slowly(files: SafeFolder, name: str) -> bool:
        write_down_crops(metadata, names[1:])  # by another thread
        return remove(files, name)

    with monkeypatch.context() as patch:
        patch.setattr(SafeFolder, "remove", slowly)
        remove_unused_crops(metadata, names[:1])
    assert [crop.exists() for crop in crops] == [False, True]
    remove_left_crops(metadata)
    assert not crops[1].exists() and metadata.info(pending_deletes._LEFT) is None


def test_a_crop_that_is_in_use_again_stays(metadata: MetadataDatabase) -> None:
    _, crops = add_media_and_crops(metadata, "a.jpg")
    write_down_crops(metadata, metadata.crop_paths())
    remove_left_crops(metadata)
    assert all(crop.exists() for crop in crops)
    assert metadata.info(pending_deletes._LEFT) is None


def test_no_other_thread_stores_a_crop_between_the_look_and_the_removal(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit writes a crop's name down, stores its row with it, and then needs the file."""
    _, (crop, _) = add_media_and_crops(metadata, "a.jpg")
    write_down_crops(metadata, [f"extracted_segments/ab/0123456789abcdef/{'0' * 24}.jpg"])
    was_free = list[bool]()

    def removes(*_: object) -> None:
        def try_to_store() -> None:
            lock = metadata.connection._write_lock
            was_free.append(lock.acquire(blocking=False))

        other = threading.Thread(target=try_to_store)
        other.start()
        other.join()

    monkeypatch.setattr(pending_deletes, "remove_crops", removes)
    remove_left_crops(metadata)
    assert was_free == [False] and crop.exists()
