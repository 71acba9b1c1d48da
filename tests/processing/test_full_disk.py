"""A disk that is full or can't be written to, and a drive that goes while it is read.

The disk is a small tmpfs, which only root can mount; without it these tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.config import LibraryPaths
from src.database.backup import backups
from src.database.metadata_db import MetadataDatabase
from src.errors import DatabaseError, ExportError, MediaLibraryError
from src.events import FileDone, FileFailed, FrameStored, JobDone, ProblemFound
from src.library import MediaLibrary
from src.library_files import SafeFolder
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.model_manager import ModelManager
from src.processing.thumbnails import CACHE_FROM_BYTES, thumbnail
from src.records import Tag
from src.search.filters import EVERYTHING
from src.search.recipe import Recipe
from src.settings import Settings
from tests.conftest import MakeVideo
from tests.remembered_videos import LOSSLESS

SETTINGS = Settings(points_per_side=4, duplicate_distance=-1)


class LoadedOnce(ModelManager):
    """Models that all libraries of these tests share, without SAM: whole frames only."""

    def __init__(self, clip: ClipEncoder) -> None:
        super().__init__(device="cpu")
        self.shared = clip

    def load_clip(self, checkpoint_path: Path | str | None = None) -> ClipEncoder:
        return self.shared

    def load_sam(self, *_: object, **__: object) -> MaskGenerator:
        from src.errors import ModelNotLoadedError

        raise ModelNotLoadedError("whole frames are enough here")


@pytest.fixture
def shared_models(clip: ClipEncoder) -> ModelManager:
    return LoadedOnce(clip)


class Disk:
    """A small file system of its own; `fill` takes all that is left of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._mount("-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder))
        self.ballast = folder / "ballast"

    def _mount(self, *arguments: str) -> None:
        result = subprocess.run(["mount", *arguments], capture_output=True, text=True)
        if result.returncode:
            pytest.skip(f"no file system can be mounted here: {result.stderr.strip()}")

    @contextmanager
    def mounted_at(self, place: Path) -> Iterator[None]:
        """Have the same file system at another place as well."""
        place.mkdir(parents=True)
        self._mount("--bind", str(self.folder), str(place))
        try:
            yield
        finally:
            subprocess.run(["umount", str(place)], check=True)

    def fill(self, leave: int = 0) -> None:
        with self.ballast.open("wb", buffering=0) as stream:
            try:
                while True:
                    stream.write(bytes(4096))
            except OSError:
                pass  # that was the last of it
            stream.truncate(max(0, stream.tell() - leave))

    def free(self) -> None:
        self.ballast.unlink()

    def read_only(self, yes: bool) -> None:
        self._mount("-o", f"remount,{'ro' if yes else 'rw'}", str(self.folder))

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a file system, on Linux")
    disk = Disk(tmp_path / "disk")
    yield disk
    if os.path.ismount(disk.folder):
        disk.unmount()


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(4)
    paths = []
    for number in range(12):
        paths.append(folder / f"{number:02}.png")
        noise = random.integers(0, 255, (300, 400, 3), np.uint8)  # it does not compress
        Image.fromarray(noise).save(paths[-1])
    return paths


def take_in(library: MediaLibrary, *paths: Path) -> int:
    return sum(isinstance(event, FrameStored) for event in library.add(paths))


def sound(library: MediaLibrary, files: int) -> None:
    assert [e for e in library.verify() if isinstance(e, ProblemFound)] == []
    assert library.metadata.counts()["frames"] == files
    assert len(library.search("a red circle", n_results=99).hits) == files


@pytest.mark.parametrize("leave", [0, 40_000, 150_000, 400_000])
def test_a_full_disk_stops_the_job_with_a_sentence_and_it_goes_on_later(
    disk: Disk, photos: list[Path], shared_models: ModelManager, leave: int
) -> None:
    paths = LibraryPaths(disk.folder / "library")
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        assert take_in(library, *photos[:2]) == 2
        disk.fill(leave)
        acknowledged = 2
        with pytest.raises(DatabaseError, match=r"room"):
            for event in library.add(photos):
                acknowledged += isinstance(event, FrameStored)
        assert library.metadata.counts()["frames"] == acknowledged
        assert len(library.search("a red circle", n_results=99).hits) == acknowledged
        disk.free()
        assert take_in(library) + take_in(library, *photos) == 12 - acknowledged
        sound(library, 12)


def test_a_full_disk_costs_no_picture(disk: Disk, photos: list[Path]) -> None:
    disk.fill()
    library = LibraryPaths(disk.folder)
    cache = library.thumbnails
    assert photos[0].stat().st_size >= CACHE_FROM_BYTES
    assert thumbnail(photos[0], library, 10**9).shape == (300, 400, 3)
    disk.free()
    disk.fill()
    assert thumbnail(photos[1], library, 10**9).shape == (300, 400, 3)
    assert not [path for path in cache.rglob("*") if path.is_file()]
    disk.free()
    assert thumbnail(photos[1], library, 10**9).shape == (300, 400, 3)
    assert len(list(cache.rglob("*.jpg"))) == 1


def test_a_disk_that_fills_where_the_index_is_written_costs_no_answer(
    disk: Disk, photos: list[Path], shared_models: ModelManager, tmp_path: Path
) -> None:
    paths = LibraryPaths(tmp_path / "library")
    with disk.mounted_at(paths.chroma_db):
        paths.create()
        disk.fill()
        with MediaLibrary(paths, shared_models, SETTINGS) as library:
            assert take_in(library, *photos) == 12  # the index is no part of the promise
            assert library.index.failure is not None
            assert len(library.search("a red circle", n_results=99).hits) == 12
            disk.free()
            problems = [e for e in library.verify(repair=True) if isinstance(e, ProblemFound)]
            assert problems and all(problem.mended for problem in problems)
            sound(library, 12)


def test_a_full_disk_leaves_no_half_backup_settings_or_tag(
    disk: Disk, photos: list[Path], shared_models: ModelManager
) -> None:
    paths = LibraryPaths(disk.folder / "library")
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        take_in(library, *photos)
        segments = [segment.id for segment in library.metadata.segments_where(EVERYTHING)]
        SETTINGS.save(paths.settings)
        disk.fill()
        with pytest.raises(DatabaseError, match="settings can't be saved"):
            Settings(batch_size=7).save(paths.settings)
        assert Settings.load(paths.settings) == SETTINGS
        given = 0
        with pytest.raises(DatabaseError, match="nothing was written"):
            for number in range(100_000):
                library.add_tag(segments[0], f"tag {number}")
                given += 1
        assert len(library.metadata.tags_of(segments[:1]).get(segments[0], ())) >= given
        with pytest.raises(ExportError):
            list(library.export(disk.folder / "dataset", Recipe()))
        assert not (disk.folder / "dataset").exists()
        assert library.browse.thumbnail(photos[0]).size
        disk.free()
        disk.fill(leave=150_000)  # room to open, none for a backup
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        assert backups(paths.metadata_db) == []
        assert not list((paths.root / "backups").glob("metadata*"))
        assert library.metadata.counts()["frames"] == 12
    disk.free()
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        assert len(backups(paths.metadata_db)) == 1
        library.add_tag(segments[0], "mine")
        sound(library, 12)


def test_a_library_is_searched_where_nothing_can_be_written(
    disk: Disk, photos: list[Path], shared_models: ModelManager
) -> None:
    paths = LibraryPaths(disk.folder / "library")
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        take_in(library, *photos[:3])
    disk.read_only(True)
    with pytest.raises(DatabaseError, match="can be written to"):
        MediaLibrary(paths, shared_models, SETTINGS)
    with MediaLibrary(paths, shared_models, SETTINGS, read_only=True) as library:
        assert len(library.search("a red circle").hits) == 3
        with pytest.raises(MediaLibraryError, match="reading only"):
            take_in(library, *photos)
    disk.read_only(False)
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        assert take_in(library, *photos) == 9
        sound(library, 12)


def test_a_disk_that_can_not_be_written_to_any_more_stops_the_job(
    disk: Disk, photos: list[Path], shared_models: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel turns a failing disk read-only under the files that are open."""
    paths = LibraryPaths(disk.folder / "library")

    def fails(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        take_in(library, *photos[:2])
        with monkeypatch.context() as patch, pytest.raises(DatabaseError, match="Read-only"):
            patch.setattr(SafeFolder, "write", fails)
            take_in(library, *photos)
        take_in(library, *photos)
        sound(library, 12)


def test_a_drive_that_goes_leaves_its_files_waiting(
    photos: list[Path], shared_models: ModelManager, tmp_path: Path, make_video: MakeVideo
) -> None:
    drive, away = photos[0].parent, tmp_path / "unplugged"
    shutil.move(make_video("film.mp4", 4, *LOSSLESS), drive / "film.mp4")
    paths = LibraryPaths(tmp_path / "library")
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        failed: list[FileFailed] = []
        for event in library.add([drive]):
            if isinstance(event, FileDone) and event.path == photos[3]:
                drive.rename(away)
            if isinstance(event, FileFailed):
                failed.append(event)
        assert len(failed) == 9 and all(
            "will be added when it can" in event.reason for event in failed
        )
        assert library.unfinished() == 9
        assert library.metadata.all_media("failed") == []
        drive.mkdir()  # the place where it was mounted is empty
        list(library.add([]))
        assert library.unfinished() == 9
        drive.rmdir()
        away.rename(drive)
        events = list(library.add([]))
        assert isinstance(events[-1], JobDone) and events[-1].failed == ()
        assert library.unfinished() == 0
        sound(library, 12 + 4)


def test_a_name_that_was_wrong_from_the_start_does_not_wait(
    shared_models: ModelManager, tmp_path: Path
) -> None:
    with MediaLibrary(LibraryPaths(tmp_path / "library"), shared_models, SETTINGS) as library:
        list(library.add([tmp_path / "no such folder" / "photo.jpg"]))
        assert library.unfinished() == 0


def test_a_second_process_may_look_and_not_touch(
    photos: list[Path], shared_models: ModelManager, tmp_path: Path
) -> None:
    paths = LibraryPaths(tmp_path / "library")
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        take_in(library, *photos[:3])
        with MediaLibrary(paths, shared_models, SETTINGS, read_only=True) as reader:
            assert len(reader.search("a red circle").hits) == 3
            take_in(library, *photos[3:5])
            assert len(reader.search("a red circle").hits) == 5
            with pytest.raises(DatabaseError, match="reading only"):
                reader.add_tag(reader.search("a red circle")[0].segment.id, "mine")
        with closing(MetadataDatabase(paths, read_only=True)) as metadata:
            metadata.counts()
        library.metadata.add_tags(
            library.search("a red circle")[0].segment.id, [Tag("mine", 1.0, "human")], "human"
        )
