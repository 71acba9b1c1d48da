"""The frames of a player are those of reading through, whatever the file is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from src.config import APPLICATION_FOLDER
from src.errors import MediaReadError
from src.processing import video_player
from src.processing.ffmpeg_log import VideoFacts
from src.processing.read_through import EVERY_FRAME, ReadThrough
from src.processing.video_player import VideoPlayer
from src.processing.video_processor import VideoProcessor
from src.records import Frame
from tests.conftest import MakeVideo

X264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
GROUPS = ("-g", "12", "-bf", "3", "-sc_threshold", "0")
VARIABLE = ("-fps_mode", "vfr")
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
    "variable.mkv": ((*X264, *GROUPS, "-vf", "select='mod(n,7)*mod(n,3)'", *VARIABLE), True),
    "variable.mp4": ((*X264, *GROUPS, "-vf", "select='lt(mod(n,20),5)'", *VARIABLE), True),
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


# what differs from one of the others in a detail of the container or the decoder
ALIKE = {
    "b-frames.mkv", "one keyframe.mp4", "wide pixels.mp4", "variable.mp4", "vp8.webm",
    "program.mpg", "mpeg2.ts", "interlaced.mp4", "mpeg4.avi", "h264.avi", "old.flv",
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


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in ALIKE else ()) for name in FILES],
)
def test_frames_are_those_of_reading_through(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo, name: str
) -> None:
    options, is_trusted = FILES[name]
    # each frame of a file that is read through is read from its start
    path = make_video(name, 4 if is_trusted and "interlaced" not in name else 2, *options)
    opened = player(path)
    assert_plays_as_read(opened, read_through(path))
    assert (opened.untrusted is None) == is_trusted, opened.untrusted


def remade(path: Path, to: Path, *options: str, before: tuple[str, ...] = ()) -> Path:
    """Copy the streams of a video into another container, or with other facts about them."""
    program = imageio_ffmpeg.get_ffmpeg_exe()  # ffmpeg 5 of a system can't write a rotation
    command = [program, "-v", "error", "-y", *before, "-i", path, "-c", "copy", *options, to]
    subprocess.run(command, check=True, timeout=60)
    return to


@pytest.mark.parametrize(
    "turn",
    [
        ("-display_rotation", "90"),
        pytest.param(("-display_rotation", "180"), marks=pytest.mark.slow),
        pytest.param(("-display_rotation", "270"), marks=pytest.mark.slow),
        ("-display_hflip",),
        pytest.param(("-display_vflip",), marks=pytest.mark.slow),
        pytest.param(("-display_rotation", "90", "-display_hflip"), marks=pytest.mark.slow),
        ("-display_rotation", "270", "-display_hflip"),
    ],
)
def test_frames_are_upright(
    player: Callable[[Path], VideoPlayer],
    make_video: MakeVideo,
    tmp_path: Path,
    turn: tuple[str, ...],
) -> None:
    path = make_video("level.mp4", 1, *X264, *GROUPS, "-vf", "setsar=3/2")
    opened = player(remade(path, tmp_path / "turned.mp4", before=turn))
    assert_plays_as_read(opened, read_through(tmp_path / "turned.mp4"))
    assert opened.untrusted is None


def test_what_an_edit_list_leaves_out_is_not_shown(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo, tmp_path: Path
) -> None:
    path = make_video("whole.mp4", 4, *X264, *GROUPS)
    cut = remade(path, tmp_path / "cut.mp4", before=("-ss", "1.55"))
    frames = read_through(cut)
    assert 20 < len(frames) < 32
    assert_plays_as_read(player(cut), frames)


def test_the_times_are_those_of_a_film_that_begins_after_its_sound(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo, tmp_path: Path
) -> None:
    path = make_video("silent.mp4", 3, *X264, *GROUPS)
    program = imageio_ffmpeg.get_ffmpeg_exe()
    late = tmp_path / "late.mp4"
    subprocess.run(
        [program, "-v", "error", "-f", "lavfi", "-t", "4", "-i", "sine", "-itsoffset", "0.7",
         "-i", path, "-map", "0", "-map", "1", "-c:v", "copy", late],
        check=True, timeout=60,
    )  # fmt: skip
    opened = player(late)
    assert opened.has_sound
    frames = read_through(late)
    assert frames[0].timestamp_s > 0.5
    assert_plays_as_read(opened, frames)


@pytest.mark.parametrize("name", ["cut.mkv", "cut.ts", "cut.mp4"])
def test_a_video_that_breaks_off_plays_up_to_there(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo, name: str
) -> None:
    path = make_video(name, 3, *X264, *GROUPS, "-movflags", "+faststart")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    opened, frames = player(path), read_through(path)
    assert_plays_as_read(opened, frames)
    last = opened.frame_at(1000.0, opened.size_wh)
    assert last.timestamp_s == pytest.approx(frames[-1].timestamp_s, rel=1e-5)


@pytest.mark.parametrize("name", ["noise.mkv", "noise.ts", "noise.mp4"])
def test_noise_in_the_middle_is_played_as_it_is_read(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo, name: str
) -> None:
    path = make_video(name, 4, *X264, *GROUPS)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = np.random.default_rng(0).bytes(400)
    path.write_bytes(content)
    opened, frames = player(path), read_through(path)
    for frame in frames:
        found = opened.frame_at(frame.timestamp_s, frame.size_wh)
        assert found.timestamp_s == pytest.approx(frame.timestamp_s, rel=1e-5, abs=1e-5)
        assert_same(found.image_rgb, frame)


def test_a_frame_that_is_damaged_and_that_nobody_waits_for_any_more_stops_nothing(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo
) -> None:
    path = make_video("noise.mkv", 8, *X264, *GROUPS)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = np.random.default_rng(0).bytes(400)
    path.write_bytes(content)
    opened = player(path)
    with closing(opened.frames_from(0.0, (80, 60))) as played:
        shown = sum(1 for _ in played if opened.untrusted is None)
    assert opened.untrusted is not None  # from the next frame on it is read through
    again = player(path)
    with closing(again.frames_from(0.0, (80, 60))) as played:
        for _ in range(shown):
            next(played)
    assert again.untrusted is None  # the answer about the damage waits unread
    with closing(again.frames_from(0.0, (80, 60))) as played:
        assert next(played).timestamp_s == 0
    assert again.untrusted == opened.untrusted


def test_a_picture_that_changes_its_size_is_played(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo, tmp_path: Path
) -> None:
    parts = [
        make_video(f"{width}.ts", 2, "-vf", f"scale={width}:240,setsar=1", *X264, *GROUPS)
        for width in (320, 160)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    opened, frames = player(joined), read_through(joined)
    for frame in frames:
        found = opened.frame_at(frame.timestamp_s, (64, 48))
        assert found.timestamp_s == pytest.approx(frame.timestamp_s, rel=1e-5, abs=1e-5)


def test_transparency_is_laid_over_white(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo
) -> None:
    half = "format=rgba,colorchannelmixer=aa=0.5"
    path = make_video("glass.mov", 1, "-vf", half, "-c:v", "png")
    assert_plays_as_read(player(path), read_through(path))


def test_steps_go_from_frame_to_frame(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo
) -> None:
    select = "select='mod(n,7)*mod(n,3)'"
    path = make_video("variable.mkv", 4, *X264, *GROUPS, "-vf", select, "-fps_mode", "vfr")
    opened = player(path)
    times = [frame.timestamp_s for frame in read_through(path)]
    for place, steps in ((0, 1), (5, -1), (5, 4), (len(times) - 1, -7), (3, -9), (2, 1000)):
        found = opened.step(times[place], steps, (64, 48))
        there = min(max(0, place + steps), len(times) - 1)
        assert found.timestamp_s == pytest.approx(times[there], abs=1e-3)


@pytest.mark.parametrize("name", ["raw.h264", "b-frames.avi"])
def test_steps_go_from_frame_to_frame_where_it_is_read_through(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo, name: str
) -> None:
    path = make_video(name, 4, *FILES[name][0])
    opened = player(path)
    times = [frame.timestamp_s for frame in read_through(path)]
    for place, steps in ((0, 1), (5, -1), (5, 4), (len(times) - 1, -20), (3, -9), (2, 1000)):
        found = opened.step(times[place], steps, (64, 48))
        there = min(max(0, place + steps), len(times) - 1)
        assert found.timestamp_s == pytest.approx(times[there], abs=1e-3)


def test_a_frame_comes_at_the_size_that_is_asked_for(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo
) -> None:
    opened = player(make_video("small.mp4", 1, *X264))
    for size_wh in ((80, 60), (33, 17), (400, 300)):
        assert opened.frame_at(0.5, size_wh).image_rgb.shape == (*size_wh[::-1], 3)


def test_a_newer_question_ends_what_plays(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo
) -> None:
    opened = player(make_video("film.mp4", 4, *X264, *GROUPS))
    played = opened.frames_from(0.0, (80, 60))
    assert next(played).timestamp_s == 0
    assert opened.frame_at(3.0, (80, 60)).timestamp_s == pytest.approx(3.0)
    assert next(played, None) is None
    with closing(opened.frames_from(2.0, (80, 60))) as again:
        assert [next(again).timestamp_s for _ in range(3)] == pytest.approx([2.0, 2.1, 2.2])


def test_what_was_prepared_is_the_same_frame(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo
) -> None:
    path = make_video("film.mp4", 4, *X264, *GROUPS)
    opened, frames = player(path), read_through(path)
    for place in (30, 14, 2, 3, 13, 39):
        opened.prepare(frames[place].timestamp_s, opened.size_wh)
        opened.prepare(frames[place].timestamp_s, opened.size_wh)
        assert_same(
            opened.frame_at(frames[place].timestamp_s, opened.size_wh).image_rgb, frames[place]
        )


def test_without_the_package_a_video_is_read_through(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    absent = tmp_path / "absent"
    absent.mkdir()
    (absent / "av.py").write_text("raise ImportError('it is not installed')\n")
    monkeypatch.setenv("PYTHONPATH", str(absent))
    path = make_video("film.mp4", 1, *X264, *GROUPS)
    with closing(VideoPlayer(path)) as opened:
        assert opened.untrusted == "the package av is not installed"
        assert opened.duration_s == pytest.approx(1, abs=0.1)
        assert_plays_as_read(opened, read_through(path))


def test_a_child_that_is_killed_costs_the_seeking_alone(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo
) -> None:
    path = make_video("film.mp4", 2, *X264, *GROUPS)
    opened, frames = player(path), read_through(path)
    assert opened.child_pid is not None
    os.kill(opened.child_pid, signal.SIGKILL)
    assert_same(opened.frame_at(1.2, opened.size_wh).image_rgb, frames[12])
    assert opened.untrusted == "the decoder stopped (SIGKILL)"
    assert opened.child_pid is None


def test_closing_leaves_no_process(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo
) -> None:
    opened = player(make_video("film.mp4", 4, *X264, *GROUPS))
    pid = opened.child_pid
    assert pid is not None
    played = opened.frames_from(0.0, (80, 60))
    next(played)
    opened.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert next(played, None) is None
    with pytest.raises(MediaReadError, match="closed"):
        opened.frame_at(1.0, (80, 60))


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_killed_parent_leaves_no_process(make_video: MakeVideo) -> None:
    pytest.importorskip("av")
    path = make_video("film.mp4", 4, *X264, *GROUPS)
    script = (
        "import sys; from pathlib import Path; from src.processing.video_player import VideoPlayer;"
        "opened = VideoPlayer(Path(sys.argv[1])); frames = opened.frames_from(0, (80, 60));"
        "next(frames); print(opened.child_pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        cwd=APPLICATION_FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert parent.stdin is not None and parent.stdout is not None
    with parent, closing(parent.stdin):
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        pidfd = ended(child)
    assert pidfd


def ended(pid: int) -> bool:
    """Wait for a process that is no child of ours to end."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("content", [b"", b"not a video", b"\0\0\0\x18ftypisom" + bytes(5000)])
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaReadError):
        VideoPlayer(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaReadError, match="no such file"):
        VideoPlayer(tmp_path / "gone.mp4")


def test_a_player_that_is_closed_while_its_child_gives_up_reads_nothing_more(
    player: Callable[[Path], VideoPlayer], make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = player(make_video("film.mp4", 2, *X264, *GROUPS))
    assert opened.child_pid is not None

    def closed_meanwhile(path: Path) -> ReadThrough:
        opened.close()
        return ReadThrough(path)

    monkeypatch.setattr(video_player, "ReadThrough", closed_meanwhile)
    os.kill(opened.child_pid, signal.SIGKILL)
    with pytest.raises(MediaReadError, match="closed"):
        opened.frame_at(1.2, (80, 60))


def test_a_file_that_has_no_frame_any_more_is_said_to_be_so(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = ReadThrough(make_video("raw.h264", 1, *X264))
    through.first()
    monkeypatch.setattr(VideoProcessor, "sampled", lambda *_: (frame for frame in ()))
    through._rewind()
    with pytest.raises(MediaReadError, match="no video"):
        through.frame_at(0.5, (80, 60))
