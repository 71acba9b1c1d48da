from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from src.errors import MediaReadError
from src.processing import ffmpeg_log, ffmpeg_process
from src.processing.ffmpeg_log import VideoFacts
from src.processing.ffmpeg_process import DEMUXERS, find_ffmpeg
from src.processing.image_loader import media_kind
from src.processing.video_processor import VideoProcessor
from src.processing.video_streams import VideoStream, parse_header, read_header
from src.records import Frame
from tests.conftest import MakeVideo


def ffmpeg() -> str:
    program = find_ffmpeg()
    assert program is not None
    return program


def run(*options: str | Path) -> None:
    command = [ffmpeg(), "-v", "error", "-y", *options[:-1], "-threads", "1", options[-1]]
    subprocess.run(command, check=True, timeout=60)  # the same file on any machine


def read(path: Path, rate: float = 1.0) -> tuple[list[Frame], VideoFacts]:
    facts = VideoFacts()
    return [frame for frame, _ in VideoProcessor(rate, -1).sampled(path, facts)], facts


STILL = ("-f", "lavfi", "-i", "color=c=red:size=640x480:rate=1:duration=1")
FILM = ("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=10:duration=3")
SMALL = ("-f", "lavfi", "-i", "testsrc2=size=48x32:rate=10:duration=3")
BOTH = ("-map", "0:v", "-map", "1:v")


@pytest.mark.parametrize("disposition", ["0", "default"])
@pytest.mark.parametrize("name", ["two.mkv", "two.mov"])
def test_a_still_before_the_film_is_passed_over(
    tmp_path: Path, name: str, disposition: str
) -> None:
    path = tmp_path / name
    codecs = ("-c:v:0", "mjpeg", "-c:v:1", "mpeg4", "-disposition:v:0", disposition)
    run(*STILL, *FILM, *BOTH, *codecs, path)
    frames, facts = read(path)
    assert [frame.size_wh for frame in frames] == [(96, 64)] * 3
    assert [frame.timestamp_s for frame in frames] == pytest.approx([0, 1, 2])
    assert facts.damage is None


@pytest.mark.parametrize("first_is_cover", [False, True])
def test_an_attached_picture_is_never_the_film(tmp_path: Path, first_is_cover: bool) -> None:
    path = tmp_path / "film.mp4"
    cover = "1" if not first_is_cover else "0"
    inputs = (*FILM, *STILL) if not first_is_cover else (*STILL, *FILM)
    run(*inputs, *BOTH, "-c:v", "mpeg4", f"-c:v:{cover}", "mjpeg",
        f"-disposition:v:{cover}", "attached_pic", path)  # fmt: skip
    assert [frame.size_wh for frame in read(path)[0]] == [(96, 64)] * 3


def test_a_cover_with_sound_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a.mp4"
    run(*STILL, "-f", "lavfi", "-i", "sine=duration=1", *BOTH[:2], "-map", "1:a", "-c:v", "mjpeg",
        "-disposition:v:0", "attached_pic", path)  # fmt: skip
    with pytest.raises(MediaReadError, match="no video in it"):
        read(path)


@pytest.mark.parametrize(("default", "size_wh"), [(0, (48, 32)), (1, (96, 64)), (None, (96, 64))])
def test_the_default_stream_is_taken_else_the_largest(
    tmp_path: Path, default: int | None, size_wh: tuple[int, int]
) -> None:
    path = tmp_path / "two.mkv"
    flags = [f"-disposition:v:{number}" for number in range(2)]
    wanted = ["default" if number == default else "0" for number in range(2)]
    run(*SMALL, *FILM, *BOTH, "-c:v", "mpeg4", flags[0], wanted[0], flags[1], wanted[1],
        "-default_mode", "passthrough", path)  # fmt: skip
    assert read(path)[0][0].size_wh == size_wh


def test_what_ffmpeg_lists_is_understood() -> None:
    header = parse_header(
        """[info] Input #0, mov,mp4, from 'file:a.mp4':
[info]   Metadata:
[info]     creation_time   : 2021-05-05T10:00:00.000000Z
[info]     title           : Stream #0:7: Video: h264, yuv420p, 10x10
[info]   Duration: 00:00:03.00, start: 0.000000, bitrate: 7 kb/s
[info]   Stream #0:0[0x1](und): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, stereo (default)
[info]     Metadata:
[info]       creation_time   : 1999-05-05T10:00:00.000000Z
[info]   Stream #0:1[0x2](eng): Video: mpeg2video (Main) ([2][0][0][0] / 0x0002), yuv420p(tv, \
smpte170m/bt470bg/smpte170m, top coded first (swapped)), 720x576 [SAR 16:15 DAR 4:3], 25 fps
[info]   Stream #0:2: Video: vp9 (Profile 2), yuv420p10le(pc, bt2020nc/bt2020/arib-std-b67), \
1920x1080, 30 fps, 30 tbr (default) (forced)
[info]     Metadata:
[info]       ALPHA_MODE      : 1
[info]   Stream #0:3: Video: h264 (High), yuv420p(bt709, progressive), 64x48, 25 fps
[info]   Stream #0:4: Video: png, rgba(pc, gbr/unknown/unknown), 600x600, 90k tbr (attached pic)
[info]   Stream #0:5: Video: h264, none, 90k tbn
[info] Stream mapping:
[info]   Stream #0:6: Video: h264, yuv420p, 10x10
0,      -1024,       4096,     1024,       42, 0xd8fd09bb, F=0x0
2,          0,       4096,     1024,       42, 0xd8fd09bb, F=0x0
2,       1024,       4096,     1024,       42, 0xd8fd09bb, F=0x0
""".splitlines()
    )
    fields, hdr, plain, cover, unknown = header.streams
    assert fields == VideoStream(
        1, "mpeg2video", "yuv420p", (720, 576), "smpte170m", is_interlaced=True,
        frames_per_second=25, packets=1,
    )  # fmt: skip
    assert hdr == VideoStream(
        2, "vp9", "yuv420p10le", (1920, 1080), "bt2020nc", 9, 18, is_default=True,
        has_hidden_alpha=True, frames_per_second=30,
    )  # fmt: skip
    assert hdr.has_alpha and not plain.has_alpha and cover.has_alpha
    assert plain == VideoStream(
        3, "h264", "yuv420p", (64, 48), "bt709", frames_per_second=25, packets=2
    )
    assert cover.is_cover and unknown == VideoStream(5, "h264")
    dates = [value for name, value in header.notes if name == "creation_time"]
    assert dates == ["2021-05-05T10:00:00.000000Z"]
    assert parse_header([]).film() is None


def test_the_streams_of_the_output_are_not_those_of_the_film() -> None:
    stream = "[info]   Stream #0:0: Video: h264, yuv420p, 160x120"
    packet = "0,          0,        200,      100,      185, 0x73ea5c8c, F=0x0"
    output = ["[info] Output #0, framecrc, to 'pipe:2':", stream]
    mapping = ["[info] Stream mapping:", "[info]   Stream #0:0 -> #0:0 (copy)"]
    of_5 = parse_header([stream, *output, *mapping, packet, packet])
    later = parse_header([stream, *mapping, *output, packet, packet])
    expected = VideoStream(0, "h264", "yuv420p", (160, 120), packets=2)
    assert of_5.streams == later.streams == [expected]


def test_what_is_written_about_a_film_is_no_stream_of_it(make_video: MakeVideo) -> None:
    comment = "x\n[info]   Stream #0:0: Video: h264, yuva420p, 999x999 (default)"
    path = make_video("a.mkv", 0.5, "-metadata", f"comment={comment}")
    header = read_header(ffmpeg(), path)
    assert [stream.size_wh for stream in header.streams] == [(160, 120)]


def timelapse(path: Path, *options: str) -> Path:
    source = "testsrc2=size=96x64:rate=1/5:duration=60"
    run("-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", *options, path)
    return path


@pytest.mark.parametrize("name", ["slow.mp4", "slow.mkv", "slow.avi"])
def test_a_long_last_frame_is_not_a_cut(tmp_path: Path, name: str) -> None:
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    frames, facts = read(timelapse(tmp_path / name, "-c:v", codec))
    assert [frame.timestamp_s for frame in frames] == pytest.approx(range(0, 60, 5))
    assert facts.damage is None
    assert facts.duration_s == pytest.approx(60)


def test_a_cut_film_of_long_frames_is_said_to_be_cut(tmp_path: Path) -> None:
    path = timelapse(tmp_path / "slow.mp4", "-movflags", "+faststart", "-g", "1")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    _, facts = read(path)
    assert facts.damage is not None and "could be read" in facts.damage


@pytest.mark.parametrize(
    ("said_s", "last_s", "duration_s", "is_cut"),
    [(None, 2.9, 3.0, False), (3.76, 7.9, 8.0, False), (9.5, 8.9, 9.5, False), (60, 8.9, 60, True)],
)
def test_the_length_is_judged_by_the_last_frames_end(
    said_s: float | None, last_s: float, duration_s: float, is_cut: bool
) -> None:
    facts = VideoFacts(said_s, last_timestamp_s=last_s, last_duration_s=0.1)
    facts.judge_length()
    assert facts.duration_s == pytest.approx(duration_s)
    assert (facts.damage is not None) is is_cut


def test_films_without_an_index_have_a_length(make_video: MakeVideo) -> None:
    _, facts = read(make_video("raw.h264", 3, "-c:v", "libx264"))
    assert facts.duration_s == pytest.approx(3, abs=0.2)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.vob", ("-c:v", "mpeg2video", "-r", "25")),
        ("a.mxf", ("-c:v", "mpeg2video", "-r", "25")),
        ("a.3gp", ("-c:v", "mpeg4")),
        ("a.wmv", ("-c:v", "wmv2")),
        ("a.dv", ("-s", "720x576", "-r", "25", "-pix_fmt", "yuv420p")),
        ("a.rm", ("-c:v", "rv20", "-s", "176x144")),
        ("a.ivf", ("-c:v", "libvpx")),
        ("a.nut", ("-c:v", "mpeg4")),
        ("a.y4m", ("-pix_fmt", "yuv420p")),
        ("a.wtv", ("-c:v", "mpeg2video", "-r", "25")),
    ],
)
def test_the_containers_that_people_have_are_read(
    make_video: MakeVideo, name: str, options: tuple[str, ...]
) -> None:
    frames, _ = read(make_video(name, 1.5, *options))
    assert [frame.frame_index for frame in frames] in ([0, 10], [0, 25])


def test_no_list_and_no_picture_is_read_as_a_film(tmp_path: Path) -> None:
    assert not {"hls", "dash", "concat", "image2", "gif", "applehttp"} & set(DEMUXERS.split(","))
    path = tmp_path / "picture.mp4"
    run(*STILL, "-f", "apng", path)
    with pytest.raises(MediaReadError, match="not read as a video here"):
        read(path)


def test_looking_into_a_film_that_hangs_is_ended(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform == "win32":
        pytest.skip("stopped by a signal")
    path = make_video("video.mp4", 1)
    monkeypatch.setattr(ffmpeg_log, "STALL_S", 0.3)
    limit, started = ffmpeg_process._limit, list[subprocess.Popen[bytes]]()

    def stop(process: subprocess.Popen[bytes]) -> None:
        limit(process)
        started.append(process)
        os.kill(process.pid, signal.SIGSTOP)

    monkeypatch.setattr(ffmpeg_process, "_limit", stop)
    with pytest.raises(MediaReadError, match="stopped responding"):
        read(path)
    assert [process.returncode is not None for process in started] == [True]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone limits a process from outside")
def test_every_ffmpeg_is_limited(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video("video.mp4", 1)
    limit, commands = ffmpeg_process._limit, list[list[str]]()

    def note(process: subprocess.Popen[bytes]) -> None:
        limit(process)
        assert isinstance(process.args, list)
        commands.append([str(word) for word in process.args])

    monkeypatch.setattr(ffmpeg_process, "_limit", note)
    frames, _ = read(path)
    assert len(frames) == 1 and media_kind(path) == "video"
    assert np.asarray(frames[0].image_rgb).dtype == np.uint8
    assert len(commands) == 2
    for command in commands:
        for option in ("-protocol_whitelist", "-format_whitelist", "-max_pixels"):
            assert command.index(option) < command.index("-i")
