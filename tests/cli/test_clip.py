"""`clip`, and `export` of a range of a video."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.video_clips.encoder import VideoEncoder
from tests.cli.test_export import Run
from tests.datasets.tracked_video import add_tracked_video
from tests.video_clips.numbered_video import frames_of, grey_of


@pytest.fixture
def run(paths: LibraryPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    metadata = MetadataDatabase(paths)
    add_tracked_video(metadata, tmp_path / "media")
    metadata.close()
    return Run(paths.root, capsys)


def test_a_clip_is_saved_and_never_over_a_file(run: Run, tmp_path: Path) -> None:
    video, out = tmp_path / "media" / "film.mp4", tmp_path / "out.mp4"
    code, said = run("clip", video, "--from", "0:00.4", "--to", "1.2", out)
    assert code == 0 and f"20 frames in {out}" in said
    frames = frames_of(out)
    assert len(frames) == 20 and abs(frames[0].mean() - grey_of(10)) < 2
    code, said = run("clip", video, "--from", "0", "--to", "0.2", "--masks", out)
    assert code == 1 and "there is a file of this name already" in said
    assert len(frames_of(out)) == 20
    code, said = run("clip", video, "--from", "0", "--to", "0.2", "--masks", "--overwrite", out)
    assert code == 0 and len(frames_of(out)) == 5
    assert frames_of(out)[0].std() > 10


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--from", "0"), 2, "--to"),
        (("--from", "x", "--to", "1"), 2, "no time in a video"),
        (("--from", "1", "--to", "0.5"), 1, "choose a range"),
        (("--from", "0", "--to", "1", "--track", "77"), 1, "nothing of the track 77"),
        (("--from", "0", "--to", "1", "--track", "1", "--label", "dog"), 2, "not allowed with"),
    ],
)
def test_what_can_not_be_is_said(
    run: Run, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    got, text = run("clip", tmp_path / "media" / "film.mp4", *words, tmp_path / "out.mp4")
    assert (got, said in text) == (code, True), text
    assert not (tmp_path / "out.mp4").exists()


def test_a_clip_of_a_photo_or_of_nothing_known_is_refused(run: Run, tmp_path: Path) -> None:
    words = ("--from", "0", "--to", "1", tmp_path / "out.mp4")
    code, said = run("clip", tmp_path / "media" / "photo.png", *words)
    assert code == 1 and "no such video" in said
    code, said = run("clip", tmp_path / "other.mp4", *words)
    assert code == 1 and "not in the library; add it first" in said


def test_a_range_of_a_video_is_exported(run: Run, tmp_path: Path) -> None:
    video = tmp_path / "media" / "film.mp4"
    words = ("--format", "mot", "--file", video, "--from", "0:00.4", "--to", "1.2")
    code, said = run("export", tmp_path / "d", *words)
    assert code == 0 and "5 images in" in said
    assert len(list((tmp_path / "d" / "film" / "img1").iterdir())) == 5
    code, said = run("export", tmp_path / "e", "--format", "coco", "--file", video, "--from", "1")
    assert code == 0
    images = json.loads((tmp_path / "e" / "annotations" / "instances.json").read_text())["images"]
    assert [each["timestamp_s"] for each in images] == [1.0, 1.2, 1.4, 1.6, 1.8]
    words = ("--file", video, "--where", "tag:dog", "--dry-run")
    code, said = run("export", tmp_path / "f", "--format", "coco", *words)
    assert code == 0 and "9 annotations on 9 images" in said


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--from", "1"), 2, "name the video"),
        (("--file", "no.mp4"), 1, "not in the library"),
        (("--file", "no.mp4", "--from", "2", "--to", "1"), 2, "ends after it begins"),
    ],
)
def test_a_range_that_is_none_is_said(
    run: Run, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    got, text = run("export", tmp_path / "d", *words)
    assert (got, said in text) == (code, True), text


def test_ctrl_c_ends_a_clip_and_leaves_nothing(
    paths: LibraryPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = MetadataDatabase(paths)
    add_tracked_video(metadata, tmp_path / "media")
    metadata.close()
    run, out = Run(paths.root, capsys), tmp_path / "out"
    out.mkdir()
    real = VideoEncoder.write

    def stopped(self: VideoEncoder, image_rgb: np.ndarray) -> None:
        real(self, image_rgb)
        signal.raise_signal(signal.SIGINT)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(VideoEncoder, "write", stopped)
        words = ("--from", "0", "--to", "1.2", "--masks", out / "a.mp4")
        code, said = run("clip", tmp_path / "media" / "film.mp4", *words)
    assert code == 130 and said.endswith("Stopped.\n") and not list(out.iterdir())
    code, _ = run("clip", tmp_path / "media" / "film.mp4", *words)
    assert code == 0 and [each.name for each in out.iterdir()] == ["a.mp4"]
