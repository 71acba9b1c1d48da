"""The frames of a player are those of reading through, whatever the file is."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from src.processing.ffmpeg_log import VideoFacts
from src.processing.ffmpeg_process import find_ffmpeg
from src.processing.read_through import EVERY_FRAME
from src.processing.video_player import VideoPlayer
from src.processing.video_processor import VideoProcessor
from src.records import Frame
from tests.conftest import MakeVideo

X264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
GROUPS = ("-g", "12", "-bf", "3", "-sc_threshold", "0")
OPEN = ("-x264-params", "open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=3")
REFRESH = ("-x264-params", "intra-refresh=1:keyint=12:bframes=0")
INTERLACED = ("-vf", "tinterlace=interleave_top,setfield=tff,scale=720:576", "-flags", "+ildct")

# name: options of ffmpeg, and whether seeking is trusted
FILES: dict[str, tuple[tuple[str, ...], bool]] = {
    "b-frames.mp4": ((*X264, *GROUPS), True),
    "b-frames.mkv": ((*X264, *GROUPS), True),
    "one keyframe.mp4": ((*X264, "-g", "1000"), True),
    "open groups.mp4": ((*X264, *OPEN), True),
    "refreshed.mkv": ((*X264, *REFRESH), True),
    "wide pixels.mp4": ((*X264, *GROUPS, "-vf", "setsar=2"), True),
    "in fragments.mp4": ((*X264, *GROUPS, "-movflags", "frag_keyframe+empty_moov"), True),
    "variable.mkv": ((*X264, *GROUPS, "-vf", "select='mod(n,7)*mod(n,3)'", "-fps_mode", "vfr"), True),
    "variable.mp4": ((*X264, *GROUPS, "-vf", "select='lt(mod(n,20),5)'", "-fps_mode", "vfr"), True),
    "late.mkv": ((*X264, *GROUPS, "-output_ts_offset", "7"), True),
    "hevc.mp4": (("-c:v", "libx265", "-x265-params", "log-level=0:keyint=10:bframes=3"), True),
    "vp8.webm": (("-c:v", "libvpx", "-g", "10", "-auto-alt-ref", "1", "-b:v", "1M"), True),
    "vp9.webm": (("-c:v", "libvpx-vp9", "-g", "10", "-b:v", "1M", "-deadline", "realtime"), True),
    "stream.ts": ((*X264, *GROUPS), True),
    "program.mpg": (("-c:v", "mpeg2video", "-g", "10", "-bf", "2", "-r", "25"), False),
    "mpeg2.ts": (("-c:v", "mpeg2video", "-g", "10", "-bf", "2", "-r", "25"), True),
    "interlaced.ts": (("-c:v", "mpeg2video", "-g", "10", *INTERLACED), True),
    "interlaced.mp4": ((*X264, "-g", "10", *INTERLACED), True),
    "jpegs.avi": (("-c:v", "mjpeg", "-q:v", "3"), True),
    "mpeg4.avi": (("-c:v", "mpeg4", "-g", "10"), True),
    "b-frames.avi": (("-c:v", "mpeg4", "-g", "10", "-bf", "2"), False),
    "h264.avi": ((*X264, *GROUPS), False),
    "old.flv": (("-c:v", "flv", "-g", "10"), False),
    "raw.h264": ((*X264, *GROUPS), False),
    "one frame.mp4": ((*X264, "-frames:v", "1"), True),
    "hdr.mp4": (
        (*X264[:2], "-pix_fmt", "yuv420p10le", "-color_primaries", "bt2020", "-color_trc",
         "smpte2084", "-colorspace", "bt2020nc", *GROUPS),
        True,
    ),
}  # fmt: skip


@pytest.fixture
def player() -> Iterator[Callable[[Path], VideoPlayer]]:
    pytest.importorskip("av")
    opened: list[VideoPlayer] = []

    def open_player(path: Path) -> VideoPlayer:
        opened.append(VideoPlayer(path))
        return opened[-1]

    yield open_player
    for one in opened:
        one.close()


def read_through(path: Path) -> list[Frame]:
    frames = VideoProcessor(EVERY_FRAME, -1).sampled(path, VideoFacts())
    return [frame for frame, _ in frames]


def assert_same(shown: np.ndarray, frame: Frame) -> None:
    # ffmpeg and the libraries of av may round a colour differently, and scale colour planes so
    assert shown.shape == frame.image_rgb.shape
    assert np.abs(shown.astype(int) - frame.image_rgb).mean() < 1.5


def assert_plays_as_read(player: VideoPlayer, frames: list[Frame]) -> None:
    """Every frame in an order that leaves none to luck, then between frames, then playing."""
    size_wh = player.size_wh
    assert size_wh == frames[0].size_wh
    for place in np.random.default_rng(0).permutation(len(frames)).tolist():
        found = player.frame_at(frames[place].timestamp_s, size_wh)
        assert found.timestamp_s == pytest.approx(frames[place].timestamp_s, rel=1e-5, abs=1e-5)
        assert_same(found.image_rgb, frames[place])
    for place in range(len(frames) - 1):
        between_s = 0.3 * frames[place].timestamp_s + 0.7 * frames[place + 1].timestamp_s
        assert player.frame_at(between_s, size_wh).timestamp_s == pytest.approx(
            frames[place].timestamp_s, rel=1e-5, abs=1e-5
        )
    middle = len(frames) // 3
    with closing(player.frames_from(frames[middle].timestamp_s, size_wh)) as played:
        for frame, shown in zip(frames[middle:], played, strict=True):
            assert shown.timestamp_s == pytest.approx(frame.timestamp_s, rel=1e-5, abs=1e-5)
            assert_same(shown.image_rgb, frame)


@pytest.mark.parametrize("name", FILES)
def test_frames_are_those_of_reading_through(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo, name: str
) -> None:
    options, is_trusted = FILES[name]
    path = make_video(name, 4, *options)
    opened = player(path)
    assert_plays_as_read(opened, read_through(path))
    assert (opened.untrusted is None) == is_trusted, opened.untrusted
