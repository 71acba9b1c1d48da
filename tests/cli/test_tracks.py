"""The command that lists the tracks of videos."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from main import main
from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from tests.tracks.test_link_job import FRAMES, THINGS, add_video


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library with a video of two things that is not linked yet."""
    root = tmp_path / "library"
    metadata = MetadataDatabase(LibraryPaths(root))
    add_video(metadata)
    metadata.close()
    return root


def test_tracks_are_linked_and_listed(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--library", str(library), "tracks"]) == 0
    shown = capsys.readouterr()
    assert "/videos/a.mp4  2 tracks" in shown.out
    assert shown.out.count(f"0:00.0–0:05.0  {FRAMES} frames") == len(THINGS)
    assert "2 tracks in 1 video" in shown.err


def test_a_track_is_one_object_for_scripts(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--library", str(library), "tracks", "--json", "/videos"]) == 0
    tracks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["begin_s"], each["end_s"]) for each in tracks] == [(0.0, 5.0)] * 2
    for track in tracks:
        ids = [each["segment_id"] for each in track["segments"]]
        assert len(ids) == FRAMES and track["best_segment_id"] in ids
        assert track["origin"] == "linked"


def test_a_path_that_is_not_in_the_library_is_named(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--library", str(library), "tracks", "/elsewhere"]) == 1
    assert "/elsewhere: nothing of the library is there" in capsys.readouterr().err
