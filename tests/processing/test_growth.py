"""What a file costs does not grow with the library, and what is used does not with the session.

The long variant of the latter: python -m tests.benchmarks.soak --images 3000 --videos 0 --batch 1
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.config import LibraryPaths
from src.events import FileStarted
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.models.model_manager import ModelManager
from src.settings import Settings
from tests.benchmarks.soak import children, media
from tests.conftest import add_media_with, unit_vectors
from tests.processing.test_full_disk import LoadedOnce
from tests.processing.test_ingest import shared_models  # noqa: F401 (a fixture)

STORED = 500
DEADLINE_S = 60


def steps(library: MediaLibrary, folder: Path) -> int:
    """Take six files in; returns SQLite's steps for four of them: not those that a job costs."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    connection = library.metadata.connection
    assert connection._writer is not None
    for each in (connection._writer, connection.read()):
        each.set_progress_handler(count, 1)
    at: dict[int, int] = {}
    for event in library.add([folder]):
        if isinstance(event, FileStarted):
            at[event.file_number] = counted
    return at[6] - at[2]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    for number in range(6):
        plain = np.full((48, 64, 3), 40 * number, np.uint8)
        Image.fromarray(plain).save(folder / f"{number}.png")
    return folder


def used() -> tuple[int, int, int]:
    """Count this process's handles, threads and children."""
    return len(os.listdir("/proc/self/fd")), threading.active_count(), len(children())


def test_a_file_costs_sqlite_no_more_in_a_larger_library(
    tmp_path: Path,
    files: Path,
    shared_models: ModelManager,  # noqa: F811
) -> None:
    settings = Settings(points_per_side=4)
    costs = []
    for stored in (1, STORED):
        paths = LibraryPaths(tmp_path / str(stored))
        with MediaLibrary(paths, shared_models, settings) as library:
            add_media_with(library.metadata, unit_vectors(stored), model=library.clip.name)
            for _ in library.index.catch_up():
                pass
            costs.append(steps(library, files))
    few, many = costs
    assert many < 1.1 * few


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("jobs", [12, pytest.param(400, marks=pytest.mark.slow)])
def test_jobs_and_searches_leave_no_handle_thread_or_process(
    tmp_path: Path, clip: ClipEncoder, jobs: int
) -> None:
    paths = LibraryPaths(tmp_path / "library")
    with MediaLibrary(paths, LoadedOnce(clip), Settings()) as library:
        for number, path in enumerate(media(tmp_path, jobs, 0)):
            for _ in library.add([path]):
                pass
            assert len(library.search("a red circle", n_results=999).hits) > number
            if number == 2:
                early = used()
        end = time.monotonic() + DEADLINE_S
        # what a job has begun may need a moment to end, and what others left in this process, too
        while any(late > at_first for at_first, late in zip(early, used(), strict=True)):
            assert time.monotonic() < end, (early, used(), threading.enumerate())
            time.sleep(0.05)
