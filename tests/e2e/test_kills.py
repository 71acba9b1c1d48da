"""The program killed and interrupted while it works, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from src.config import APPLICATION_FOLDER, LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.database.stopped import stopped_media
from src.settings import Settings
from tests.e2e.killing import assert_same_rows
from tests.remembered_videos import draw_video
from tests.warm_start import CUT_ALREADY, WarmStart

SETTINGS = Settings(points_per_side=6, duplicate_distance=-1)
DEADLINE_S = 120
FRAMES = 6  # of two photos and a video


Ingest = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def start(warm_program: WarmStart, tmp_path_factory: pytest.TempPathFactory) -> Ingest:
    """Start an ingest: start(library, [media]).

    One that is let run to its end need not cut what another of these has cut. What other tests
    have is not for them: on another number of threads a mask may differ by a pixel.
    """
    cut_already = tmp_path_factory.mktemp("cut here")

    def start(
        library: Path, media: Sequence[Path], to_the_end: bool = False
    ) -> subprocess.Popen[str]:
        library.mkdir(exist_ok=True)
        SETTINGS.save(library / "settings.json")
        command = [sys.executable, "main.py", "--library", library, "ingest", "--json"]
        return warm_program.popen(
            [*command, *media],
            cwd=APPLICATION_FOLDER,
            env=os.environ | ({CUT_ALREADY: str(cut_already)} if to_the_end else {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return start


def run_until(process: subprocess.Popen[str], frames: int) -> int:
    """Read events until so many frames are stored, or the end; returns how many were."""
    assert process.stdout is not None
    stored = 0
    for line in process.stdout:
        stored += json.loads(line)["event"] == "FrameStored"
        if stored == frames:
            break
    return stored


def content(library: Path) -> dict[str, list[tuple[object, ...]]]:
    db = sqlite3.connect(LibraryPaths(library).metadata_db)
    try:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {
            query: db.execute(query).fetchall()
            for query in (
                "SELECT content_hash, kind, status, error FROM media_files ORDER BY 1",
                "SELECT frame_index, timestamp_s FROM frames ORDER BY 1, 2",
                "SELECT id, kind, x, y, w, h, area, mask, crop_path FROM segments ORDER BY 1",
                "SELECT segment_id, vector FROM embeddings ORDER BY 1",
            )
        }
    finally:
        db.close()


def assert_same(library: Path, other: Path) -> None:
    ours, theirs = content(library), content(other)
    for query, rows in theirs.items():
        assert_same_rows(ours[query], rows)
    assert crops(library) == crops(other)


def crops(library: Path) -> set[str]:
    root = LibraryPaths(library).extracted_segments
    return {path.name for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def media(scene_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    video = draw_video(tmp_path_factory.mktemp("media") / "video.mp4", 4)
    return [scene_files[0], video, scene_files[1]]


@pytest.fixture(scope="module")
def undisturbed(start: Ingest, media: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("undisturbed") / "library"
    process = start(library, media, to_the_end=True)
    process.communicate(timeout=DEADLINE_S)
    assert content(library)
    return library


def test_killed_three_times_it_ends_as_if_nothing_had_been(
    start: Ingest, media: list[Path], undisturbed: Path, tmp_path: Path
) -> None:
    library = tmp_path / "killed"
    frames = 0
    for _ in range(3):
        process = start(library, media)
        frames += run_until(process, 1)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=DEADLINE_S)
    frames += run_until(process := start(library, [], to_the_end=True), 99)
    process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0
    # every kill may cost the frame at hand, which was stored and not yet said
    assert FRAMES - 3 <= frames <= FRAMES
    assert_same(library, undisturbed)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_stops_in_one_line_and_goes_on(
    start: Ingest, media: list[Path], undisturbed: Path, tmp_path: Path, how: signal.Signals
) -> None:
    library = tmp_path / "interrupted"
    process = start(library, media)
    stored = run_until(process, 2)
    process.send_signal(how)
    assert process.stdout is not None
    stored += sum(json.loads(line)["event"] == "FrameStored" for line in process.stdout)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert "The next ingest continues" in err and "Traceback" not in err
    database = MetadataDatabase(LibraryPaths(library))
    waits = bool(stopped_media(database))
    database.close()
    assert waits is (how is signal.SIGINT)  # what a person stops waits for them
    process = start(library, [], to_the_end=True)
    assert run_until(process, 99) >= FRAMES - stored - 1
    process.communicate(timeout=DEADLINE_S)
    assert_same(library, undisturbed)
