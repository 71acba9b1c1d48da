"""A real file system that turns read-only under a job, as Linux does with a disk that fails.

It is ext4 on a loop device, which only root can make; without it these tests are skipped.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.config import LibraryPaths
from src.errors import DatabaseError
from src.events import FrameStored
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.settings import Settings
from tests.processing.test_full_disk import LoadedOnce

SETTINGS = Settings(duplicate_distance=-1)


def ran(*command: str | Path) -> str:
    """Run a command of the system; a test that may not is skipped."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as exc:
        pytest.skip(f"no file system can be made to fail here: {exc}")
    return done.stdout.strip()


class FailingDisk:
    """A small ext4 file system."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.image = folder, folder.with_suffix(".img")
        folder.mkdir()
        with self.image.open("wb") as stream:
            stream.truncate(60 << 20)
        ran("mkfs.ext4", "-q", "-F", self.image)
        self.mount()

    def mount(self) -> None:
        ran("mount", "-o", "loop,errors=remount-ro", self.image, self.folder)

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", self.folder], check=False, capture_output=True)

    def fail(self) -> None:
        device = Path(ran("findmnt", "-no", "SOURCE", self.folder)).name
        trigger = Path(f"/sys/fs/ext4/{device}/trigger_fs_error")
        try:
            trigger.write_text("1")
        except OSError as exc:
            pytest.skip(f"no file system can be made to fail here: {exc}")
        with pytest.raises(OSError):
            (self.folder / "more").touch()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FailingDisk]:
    if sys.platform != "linux":
        pytest.skip("Linux alone has loop devices")
    disk = FailingDisk(tmp_path / "disk")
    yield disk
    disk.unmount()


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    random = np.random.default_rng(4)
    paths = [tmp_path / f"{number}.png" for number in range(6)]
    for path in paths:
        Image.fromarray(random.integers(0, 255, (60, 80, 3), np.uint8)).save(path)
    return paths


def test_a_disk_that_turns_read_only_stops_the_job_with_a_sentence(
    disk: FailingDisk, photos: list[Path], clip: ClipEncoder
) -> None:
    paths, stored = LibraryPaths(disk.folder / "library"), 0
    library = MediaLibrary(paths, LoadedOnce(clip), SETTINGS)
    with pytest.raises(DatabaseError, match="see that the disk"), library:
        for event in library.add(photos):
            stored += isinstance(event, FrameStored)
            if stored == 3:
                disk.fail()
                assert len(library.search("a red circle").hits) == 3
    assert library._lock is not None and library._lock._stream.closed
    with MediaLibrary(paths, LoadedOnce(clip), SETTINGS, read_only=True) as reader:
        assert reader.metadata.counts()["frames"] == 3
