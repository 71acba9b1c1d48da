"""A walk through folders takes every file that can be read, whatever its ending."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.errors import MediaReadError
from src.processing.frames import read_frames
from src.processing.image_decoding import FORMATS
from src.processing.image_loader import IMAGE_SUFFIXES, VIDEO_SUFFIXES, load_image
from src.processing.video_processor import VideoFacts, find_ffmpeg
from src.settings import Settings

# Those of music and speech: a picture in such a file is its cover.
SOUND = set(".aiff .aif .afc .aifc .mp3 .flac .ogg .m4a .m4b .wma .isma .ra".split())
# What ffmpeg's writer of image files has is an image, and playlists name other files.
NOT_ONE_FILE = {"image2", "image2pipe", "hls", "dash"}
EXTENSIONS, CODEC = re.compile(r"Common extensions: (.*)\."), re.compile(r"video codec: (\w+)")


def ffmpeg(*words: str) -> str:
    program = find_ffmpeg()
    assert program is not None
    command = [program, "-hide_banner", "-nostdin", *words]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return ran.stdout if ran.returncode == 0 else ""


def written_by_ffmpeg() -> list[tuple[str, str]]:
    """Name every format that ffmpeg writes films in, and an ending that it has."""
    found = []
    for line in ffmpeg("-muxers").splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "E" and words[1] not in NOT_ONE_FILE:
            said = ffmpeg("-h", f"muxer={words[1]}")
            endings = EXTENSIONS.search(said)
            if endings and CODEC.search(said):
                found += [(words[1], f".{ending.lower()}") for ending in endings[1].split(",")]
    return found


def is_read(path: Path) -> bool:
    try:
        with closing(read_frames(path, "video", Settings(), VideoFacts())) as frames:
            return next(frames, None) is not None
    except MediaReadError:
        return False


@pytest.mark.slow  # starts ffmpeg some two hundred times
def test_every_film_that_can_be_read_has_an_ending_on_the_list(tmp_path: Path) -> None:
    missing, read = set(), set()
    for number, (muxer, ending) in enumerate(written_by_ffmpeg()):
        path = tmp_path / f"film{number}{ending}"
        # sizes and rates that the old formats take, too
        picture = "testsrc2=size=352x288:rate=25:duration=0.4"
        ffmpeg("-f", "lavfi", "-i", picture, "-strict", "-2", "-f", muxer, f"file:{path}")
        if path.is_file() and path.stat().st_size and is_read(path):
            (read if ending in VIDEO_SUFFIXES | IMAGE_SUFFIXES else missing).add(ending)
    assert missing <= SOUND
    assert len(read) > 15


def test_every_picture_that_can_be_read_has_an_ending_on_the_list(tmp_path: Path) -> None:
    Image.init()
    missing, read = set(), set()
    for ending, name in Image.registered_extensions().items():
        if name not in FORMATS or name not in Image.SAVE:
            continue
        path = tmp_path / f"picture{ending}"
        for mode in ("RGB", "L", "1", "RGBA", "F"):
            try:
                picture = Image.fromarray(np.full((32, 32, 3), 200, np.uint8)).convert(mode)
                picture.save(path, name)
                load_image(path, Settings.pixel_limit)
            except (OSError, ValueError, KeyError, MediaReadError):
                continue
            (read if ending in IMAGE_SUFFIXES else missing).add(ending)
            break
    assert not missing
    assert len(read) > 20


def test_the_usual_endings_of_cameras_and_discs_are_on_the_list(tmp_path: Path) -> None:
    usual = ".vob .3g2 .asf .mxf .dv .m2v .mjpeg .m2t .f4v .divx .mts .jpg .png".split()
    assert set(usual) <= VIDEO_SUFFIXES | IMAGE_SUFFIXES
    assert not VIDEO_SUFFIXES & IMAGE_SUFFIXES
    assert all(os.path.splitext(f"x{ending}")[1] == ending for ending in VIDEO_SUFFIXES)
