"""Frames read from the middle of a video: the same ones as those read through from its start."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src.processing import frame_reader, known_frames
from src.processing.ffmpeg_log import VideoFacts
from src.processing.frame_reader import read_frames_again
from src.processing.known_frames import CountedFrom, anchors_before, read_range, read_stored
from src.processing.video_processor import VideoProcessor
from src.records import Frame, MediaFile
from src.settings import Settings
from tests.conftest import MakeVideo

H264 = ("-c:v", "libx264", "-g", "20", "-bf", "2")


def whole(path: Path, rate: float) -> list[Frame]:
    return [frame for frame, _ in VideoProcessor(rate, -1).sampled(path, VideoFacts())]


def as_media(path: Path) -> MediaFile:
    nothing = None, None, 12.0, None
    return MediaFile(1, path, "0", "video", *nothing, 1, 1, "done", None, 0.0)


def known_at(path: Path, rate: float) -> list[tuple[int, float]]:
    return [(frame.frame_index, frame.timestamp_s or 0.0) for frame in whole(path, rate)]


# name: options of ffmpeg; seeking and counting differ from one to the other
FILES: dict[str, tuple[str, ...]] = {
    "a.mp4": H264,
    "open.mp4": (*H264, "-x264-params", "open-gop=1"),
    "refreshed.mp4": (*H264, "-bf", "0", "-x264-params", "intra-refresh=1"),
    "refreshed.ts": (*H264, "-bf", "0", "-x264-params", "intra-refresh=1"),
    "later.mp4": (*H264, "-output_ts_offset", "5"),
    "later.mkv": (*H264, "-output_ts_offset", "5"),
    "a.ts": (*H264, "-f", "mpegts"),
    "a.flv": H264,
    "a.avi": ("-c:v", "mpeg4", "-g", "20"),
    "a.mpg": ("-c:v", "mpeg2video", "-g", "12", "-r", "25"),
    "interlaced.mpg": ("-c:v", "mpeg2video", "-g", "12", "-r", "25", "-flags", "+ildct+ilme"),
    "a.webm": ("-c:v", "libvpx-vp9", "-g", "20", "-deadline", "realtime"),
    "a.mov": ("-c:v", "mjpeg"),
    "uneven.mp4": (*H264, "-vf", "setpts='PTS+0.04*random(0)/TB'", "-fps_mode", "vfr",
                   "-enc_time_base", "1:1000"),
    "thinned.mkv": (*H264, "-vf", "select='gt(random(0),0.4)'", "-fps_mode", "vfr"),
    "raw.h264": (*H264, "-f", "h264"),
}  # fmt: skip
SHORT = {("a.mp4", 5), ("open.mp4", 3.3), ("refreshed.ts", 5), ("later.mkv", 3.3), ("a.mpg", 3.3),
         ("uneven.mp4", 5), ("thinned.mkv", 3.3), ("raw.h264", 5)}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        pytest.param(name, rate, marks=() if (name, rate) in SHORT else pytest.mark.slow)
        for name in FILES
        for rate in (5, 3.3)
    ],
)
def test_a_range_has_the_frames_that_the_whole_has(
    make_video: MakeVideo, name: str, rate: float
) -> None:
    path = make_video(name, 12, *FILES[name])
    known = known_at(path, 1)
    expected = [frame for frame in whole(path, rate) if 7.1 <= (frame.timestamp_s or 0) <= 9.4]
    read = [
        frame
        for frame in read_range(path, 7.1, 9.4, rate, known, VideoFacts())
        if (frame.timestamp_s or 0) >= 7.1
    ]
    assert expected or name == "raw.h264"
    assert [(f.frame_index, f.timestamp_s) for f in read] == [
        (f.frame_index, f.timestamp_s) for f in expected
    ]
    for one, other in zip(read, expected, strict=True):
        assert np.array_equal(one.image_rgb, other.image_rgb)

    one = expected[len(expected) // 2] if expected else whole(path, rate)[-1]
    media = as_media(path)
    (found,) = read_frames_again(media, {one.frame_index}, Settings(), known)
    assert (found.frame_index, found.timestamp_s) == (one.frame_index, one.timestamp_s)
    assert np.array_equal(found.image_rgb, one.image_rgb)


def test_frames_are_read_again_by_their_places(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video("a.mp4", 12, *H264)
    media = as_media(path)
    monkeypatch.setattr(frame_reader, "read_frames", None)  # other ways are slower
    monkeypatch.setattr(known_frames, "NUMBERED_AT_ONCE", 3)
    wanted = [3, 4, 50, 51, 77, 110, 119]
    read = list(read_frames_again(media, set(wanted), Settings()))
    assert [frame.frame_index for frame in read] == wanted
    every = {frame.frame_index: frame.image_rgb for frame in whole(path, 1000)}
    assert all(np.array_equal(frame.image_rgb, every[frame.frame_index]) for frame in read)


def test_stored_frames_are_read_from_the_first_on(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video("a.mp4", 12, *H264, "-vf", "setpts='PTS+0.04*random(0)/TB'", "-fps_mode",
                      "vfr", "-enc_time_base", "1:1000")  # fmt: skip
    known = known_at(path, 3)
    monkeypatch.setattr(known_frames, "MOMENTS_AT_ONCE", 4)
    monkeypatch.setattr(known_frames, "read_numbered", None)  # it reads from the start
    wanted = known[18:21] + known[27:33]
    read = list(read_stored(path, wanted, known))
    assert [(frame.frame_index, frame.timestamp_s) for frame in read] == wanted
    every = {frame.frame_index: frame.image_rgb for frame in whole(path, 1000)}
    assert all(np.array_equal(frame.image_rgb, every[frame.frame_index]) for frame in read)


def test_what_is_not_there_is_looked_for_and_not_found(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", 3, *H264)
    media = as_media(path)
    assert {frame.frame_index for frame in read_frames_again(media, {5, 500}, Settings())} >= {5}


def test_it_begins_in_the_middle_and_ends_with_the_range(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video("a.mp4", 12, *H264)

    def refused(*_: object) -> None:
        raise AssertionError("it was read from its start")

    known = known_at(path, 1)
    monkeypatch.setattr(known_frames, "VideoProcessor", refused)
    frames = list(read_range(path, 7.0, 8.0, 5, known, VideoFacts()))
    assert [frame.frame_index for frame in frames][-5:] == [72, 74, 76, 78, 80]


@pytest.mark.parametrize("wrong", [(0.0, 1), (0.013, 0)])
def test_where_the_stored_frames_do_not_come_it_is_read_through(
    make_video: MakeVideo, wrong: tuple[float, int]
) -> None:
    path = make_video("a.mp4", 12, *H264)
    by_s, by_index = wrong
    known = [(index + by_index * (index > 55), at_s + by_s) for index, at_s in known_at(path, 1)]
    frames = list(read_range(path, 7.0, 8.0, 5, known, VideoFacts()))
    assert [frame.frame_index for frame in frames] == [*range(0, 81, 2)]


def test_frames_are_counted_from_the_last_two_before_them() -> None:
    known = [(0, 0.0), (10, 1.0), (20, 2.0), (30, 3.0)]
    assert anchors_before(3.0, known) == [(10, 1.0), (20, 2.0)]
    assert anchors_before(3.1, known) == [(20, 2.0), (30, 3.0)]
    assert anchors_before(0.4, known) == []
    assert anchors_before(3.2, [*known, (31, 3.0)]) == [(10, 1.0), (20, 2.0)]


def test_what_does_not_come_as_it_is_stored_is_not_counted_from() -> None:
    def told(*moments: float) -> CountedFrom:
        counted = CountedFrom([(10, 1.0), (12, 1.2)])
        for count, moment_s in enumerate(moments):
            counted.see(count, moment_s)
        return counted

    sure = told(0.9, 1.0, 1.1, 1.2, 1.3)
    assert sure.is_sure and sure.frame_index(4) == 13
    assert told(0.9, 1.0, 1.1).frame_index(2) is None
    for moments in ((1.1, 1.2), (1.0, 1.2), (1.0, 1.0, 1.2), (1.0, 1.15, 1.3), (1.0, 0.9)):
        assert told(*moments).is_lost and told(*moments).frame_index(1) is None
