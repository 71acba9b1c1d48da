from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from src.config import APPLICATION_FOLDER
from src.errors import MediaReadError
from src.processing import ffmpeg_log, ffmpeg_process, video_processor
from src.processing.ffmpeg_log import VideoFacts
from src.processing.ffmpeg_process import find_ffmpeg
from src.processing.image_loader import media_kind
from src.processing.video_processor import VideoProcessor, dhash
from src.records import Frame
from tests.conftest import MakeVideo


def read(path: Path, rate: float = 1.0, distance: int = -1) -> tuple[list[Frame], VideoFacts]:
    facts = VideoFacts()
    found = VideoProcessor(rate, distance).sampled(path, facts)
    return [frame for frame, differs in found if differs], facts


CODECS = {
    "video.mp4": ("-c:v", "libx264", "-pix_fmt", "yuv420p"),
    "video.mov": ("-c:v", "libx264", "-pix_fmt", "yuv420p"),
    "video.mkv": ("-c:v", "libx264", "-pix_fmt", "yuv420p"),
    "video.avi": ("-c:v", "mpeg4"),
    "video.webm": ("-c:v", "libvpx"),
}


@pytest.mark.parametrize("name", CODECS)
def test_containers_are_read(make_video: MakeVideo, name: str) -> None:
    path = make_video(name, 3, *CODECS[name])
    assert media_kind(path) == "video"
    frames, facts = read(path)
    assert [frame.size_wh for frame in frames] == [(160, 120)] * 3
    assert [frame.timestamp_s for frame in frames] == pytest.approx([0, 1, 2], abs=0.11)
    assert facts.duration_s == pytest.approx(3, abs=0.2)
    assert facts.damage is None


def test_the_rate_says_how_often(make_video: MakeVideo) -> None:
    path = make_video("video.mp4", 4)
    for rate, times in ((2.0, [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]), (0.5, [0, 2]), (0.01, [0])):
        assert [frame.timestamp_s for frame in read(path, rate)[0]] == pytest.approx(times)
    frames, _ = read(path, 1000)  # more than there are: every frame, once
    assert [frame.frame_index for frame in frames] == list(range(40))


def test_frames_carry_the_containers_own_times(make_video: MakeVideo) -> None:
    # every frame that shows a second divisible by three is left out: a variable frame rate
    path = make_video(
        "variable.mkv", 6, "-vf", "select='mod(floor(t),3)'", "-fps_mode", "passthrough"
    )
    frames, _ = read(path)
    times = [frame.timestamp_s for frame in frames]
    assert times == pytest.approx([0, 1, 3, 4], abs=0.01)  # the first becomes time zero
    assert [frame.frame_index for frame in frames] == [0, 10, 20, 30]


def test_rotation_is_applied(make_video: MakeVideo, tmp_path: Path) -> None:
    path, turned = make_video("upright.mp4", 1), tmp_path / "turned.mp4"
    program = imageio_ffmpeg.get_ffmpeg_exe()  # ffmpeg 5 of a system can't write a rotation
    subprocess.run(
        [program, "-v", "error", "-display_rotation", "90", "-i", path, "-c", "copy", turned],
        check=True,
    )
    frame = read(turned)[0][0]
    assert frame.size_wh == (120, 160)
    upright = np.rot90(read(path)[0][0].image_rgb, k=1)
    assert np.abs(upright.astype(int) - frame.image_rgb).mean() < 12


def test_pixels_that_are_not_square_are_made_so(make_video: MakeVideo) -> None:
    path = make_video("wide.mp4", 1, "-vf", "setsar=2")
    assert read(path)[0][0].size_wh == (320, 120)


def test_frames_like_the_one_before_are_left_out(make_video: MakeVideo, tmp_path: Path) -> None:
    program = find_ffmpeg()
    assert program is not None
    path = tmp_path / "still.mp4"
    source = "testsrc2=size=160x120:rate=10:duration=0.1,tpad=stop_mode=clone:stop_duration=5"
    drawn = [program, "-v", "error", "-f", "lavfi", "-i", source, "-threads", "1"]
    subprocess.run([*drawn, "-pix_fmt", "yuv420p", path], check=True)
    assert len(read(path)[0]) == 6
    assert len(read(path, distance=2)[0]) == 1


def test_a_cut_video_gives_its_good_frames_and_says_so(make_video: MakeVideo) -> None:
    path = make_video("cut.mkv", 20)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    frames, facts = read(path)
    assert 5 <= len(frames) <= 15
    assert facts.damage is not None
    assert "only the first" in facts.damage and "could be read" in facts.damage


def test_a_picture_that_changes_its_size_is_one_video(
    make_video: MakeVideo, tmp_path: Path
) -> None:
    parts = [
        make_video(f"{width}.ts", 3, "-vf", f"scale={width}:240,setsar=1", "-c:v", "libx264")
        for width in (320, 160)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames, _ = read(joined)
    indices = [frame.frame_index for frame in frames]
    assert indices == sorted(set(indices)) and indices[-1] >= 40
    alone = [frame for part in parts for frame in read(part)[0]]
    assert [frame.size_wh for frame in alone] == [(320, 240)] * 3 + [(160, 240)] * 3
    for frame, same in zip(frames, alone, strict=True):
        np.testing.assert_array_equal(frame.image_rgb, same.image_rgb)


@pytest.mark.parametrize("where", ["x=0:y=0", "x=60:y=40:w=40:h=40"])
def test_a_change_of_colour_alone_is_a_change(make_video: MakeVideo, where: str) -> None:
    boxes = ["drawbox=c=white:t=fill"] + [
        f"drawbox={where}:c={colour}:t=fill:enable='{when}'"
        for colour, when in (("red", "lt(t,2)"), ("blue", "gte(t,2)"))
    ]
    path = make_video("colours.mp4", 4, "-vf", ",".join(boxes))
    assert [frame.timestamp_s for frame in read(path, distance=2)[0]] == pytest.approx([0, 2])


def test_a_still_video_says_that_it_goes_on(make_video: MakeVideo) -> None:
    path = make_video("still.mp4", 4, "-vf", "drawbox=c=white:t=fill")
    found = VideoProcessor(1, 2).sampled(path, VideoFacts())
    assert [(frame.timestamp_s, differs) for frame, differs in found] == [
        (0, True), (1, False), (2, False), (3, False)
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["[error] of mine.mp4", "notes.mkv"])
def test_what_is_written_about_a_video_is_no_fact_of_it(make_video: MakeVideo, name: str) -> None:
    comment = "Duration: 01:00:00.00, [error] of the cook"
    path = make_video(name, 3, "-metadata", f"comment={comment}", "-metadata", f"title={comment}")
    _, facts = read(path)
    assert facts.duration_s == pytest.approx(3, abs=0.2) and facts.damage is None


def test_a_video_that_begins_late_is_whole(make_video: MakeVideo) -> None:
    path = make_video("late.mkv", 3, "-output_ts_offset", "100")
    _, facts = read(path)
    assert facts.duration_s == pytest.approx(3, abs=0.2) and facts.damage is None


def test_noise_in_the_middle_costs_only_what_it_covers(make_video: MakeVideo) -> None:
    path = make_video("noisy.avi", 10, "-c:v", "mpeg4")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = np.random.default_rng(0).bytes(3000)
    path.write_bytes(content)
    frames, facts = read(path)
    assert len(frames) >= 5
    assert facts.damage is not None


def test_a_video_without_its_index_is_refused(make_video: MakeVideo) -> None:
    path = make_video("cut.mp4", 4)  # its index comes last
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(MediaReadError, match="incomplete file"):
        read(path)


def test_sound_without_pictures_is_refused(tmp_path: Path) -> None:
    program = find_ffmpeg()
    assert program is not None
    path = tmp_path / "sound.mp4"
    subprocess.run(
        [program, "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", path], check=True
    )
    with pytest.raises(MediaReadError, match="no video in it"):
        read(path)


def test_a_playlist_that_calls_itself_a_video_leads_nowhere(
    make_video: MakeVideo, tmp_path: Path
) -> None:
    make_video("secret.mp4", 2)
    path = tmp_path / "playlist.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsecret.mp4\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaReadError):
        read(path)


@pytest.mark.parametrize("name", ["-i.mp4", "a%03d.mp4", "a:b.mp4", "new\nline.mp4", "鳥 ' \".mp4"])
def test_odd_names_are_only_names(make_video: MakeVideo, name: str) -> None:
    assert len(read(make_video(name, 1))[0]) == 1


def test_stopping_early_leaves_no_ffmpeg(make_video: MakeVideo) -> None:
    path = make_video("long.mp4", 20)
    frames = VideoProcessor(10, -1).sampled(path, VideoFacts())
    next(frames)
    frames.close()
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(path) not in listed.stdout


def test_opencv_reads_where_no_ffmpeg_starts(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video("video.mp4", 3, "-pix_fmt", "yuv420p")
    monkeypatch.setattr(video_processor, "find_ffmpeg", lambda: None)
    frames, facts = read(path)
    assert [frame.timestamp_s for frame in frames] == pytest.approx([0, 1, 2])
    assert [frame.size_wh for frame in frames] == [(160, 120)] * 3
    assert facts.duration_s == pytest.approx(3)


def test_an_ffmpeg_that_is_too_old_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "ffmpeg"
    old.write_text('#!/bin/sh\ncase "$*" in *fps_mode*) exit 1 ;; esac\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    find_ffmpeg.cache_clear()
    try:
        found = find_ffmpeg()
    finally:
        find_ffmpeg.cache_clear()
    assert found is not None and found != str(old)


READ = """
import sys
from pathlib import Path
from src.processing.ffmpeg_log import VideoFacts
from src.processing.video_processor import VideoProcessor
next(VideoProcessor().sampled(Path(sys.argv[1]), VideoFacts()))
"""


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs Linux and its setpriv")
def test_an_ffmpeg_that_hangs_ends_with_a_killed_parent(
    make_video: MakeVideo, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    hangs, started = tmp_path / "bin" / "ffmpeg", tmp_path / "started"
    started.mkdir()
    hangs.write_text(
        '#!/bin/sh\ncase "$*" in *nullsrc*) exit 0 ;; esac\n'
        f"trap '' PIPE TERM HUP INT\nmkdir '{started}'/$$\nwhile :; do sleep 1; done\n"
    )
    hangs.chmod(0o755)
    reader = subprocess.Popen(
        [sys.executable, "-c", READ, make_video("video.mp4", 1)],
        cwd=APPLICATION_FOLDER,
        env={**os.environ, "PATH": f"{hangs.parent}:{os.environ['PATH']}"},
    )
    deadline = time.monotonic() + 60
    while not (pids := [path.name for path in started.iterdir()]):
        assert time.monotonic() < deadline and reader.poll() is None
        time.sleep(0.02)
    process = Path("/proc", pids[0])
    assert process.exists()
    reader.kill()
    reader.wait()
    while process.exists() and " Z " not in (process / "stat").read_text():
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.02)


@pytest.mark.parametrize("program", ["ffmpeg", "OpenCV"])
def test_no_more_frames_are_taken_from_a_video_than_are_allowed(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    path = make_video("video.mp4", 5, "-pix_fmt", "yuv420p")
    if program == "OpenCV":
        monkeypatch.setattr(video_processor, "find_ffmpeg", lambda: None)
    for most, noted in ((4, True), (5, False)):
        facts = VideoFacts()
        frames = [frame for frame, _ in VideoProcessor(1.0, -1, most).sampled(path, facts)]
        assert [frame.timestamp_s for frame in frames] == pytest.approx(list(range(most)))
        assert (facts.damage is not None) is noted
        if noted:
            assert "only the first 4 frames" in str(facts.damage)
            assert "frames_per_video" in str(facts.damage)


def test_dhash_tells_pictures_apart() -> None:
    ramp = np.tile(np.linspace(0, 255, 90, dtype=np.uint8)[None, :, None], (80, 1, 3))
    assert dhash(ramp) == (1 << 64) - 1
    assert dhash(ramp[:, ::-1]) == 0


def test_opencv_too_follows_no_playlist_and_no_pattern(
    make_video: MakeVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = make_video("secret.ts", 2)
    make_video("a1.mp4", 1)
    playlist = tmp_path / "playlist.mp4"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{secret}\n#EXT-X-ENDLIST\n")
    pattern = tmp_path / "a%d.mp4"
    pattern.write_text("no video")
    monkeypatch.setattr(video_processor, "find_ffmpeg", lambda: None)
    for path in (playlist, pattern):
        with pytest.raises(MediaReadError):
            read(path)
    assert len(read(secret)[0]) == 2


def test_a_header_can_not_claim_pixels_as_wide_as_a_wall(make_video: MakeVideo) -> None:
    path = make_video("wall.mp4", 1, "-pix_fmt", "yuv420p", "-vf", "setsar=50")
    assert read(path)[0][0].size_wh == (160 * 8, 120)


def test_a_slow_reader_does_not_make_ffmpeg_late(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video("video.mp4", 6, "-s", "640x480")  # a frame is larger than a pipe holds
    monkeypatch.setattr(ffmpeg_log, "STALL_S", 0.4)
    monkeypatch.setattr(ffmpeg_log, "LOOK_EVERY_S", 0.05)
    facts = VideoFacts()
    frames = VideoProcessor(1, -1).sampled(path, facts)
    next(frames)
    threading.Event().wait(1.2)  # the segmentation of one frame can take minutes
    assert len(list(frames)) == 5
    assert facts.damage is None


@pytest.mark.skipif(os.name == "nt", reason="stopped by a signal")
def test_an_ffmpeg_that_hangs_is_ended(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video("video.mp4", 6, "-s", "640x480")
    monkeypatch.setattr(ffmpeg_log, "STALL_S", 0.5)
    monkeypatch.setattr(ffmpeg_log, "LOOK_EVERY_S", 0.05)
    started: list[subprocess.Popen[bytes]] = []
    limit = ffmpeg_process._limit
    monkeypatch.setattr(ffmpeg_process, "_limit", lambda it: (started.append(it), limit(it)))
    facts = VideoFacts()
    frames = VideoProcessor(1, -1).sampled(path, facts)
    next(frames)
    os.kill(started[-1].pid, signal.SIGSTOP)
    assert len(list(frames)) < 5
    assert facts.damage is not None and started[-1].returncode is not None


@pytest.mark.skipif(sys.platform == "win32", reason="signals by timer are POSIX's")
def test_an_interruption_at_any_moment_leaves_nothing_waiting() -> None:
    """A Ctrl-C between two steps of waiting for a frame's time once left its lock taken."""
    line = "[showinfo@source @ 0x1] [info] n: 1 pts: 1 pts_time: 1 s:4x3\\n"
    other = line.replace("source", "sampled")
    script = f"import sys\nwhile True: sys.stderr.write('{line}{other}' * 50)"
    rng = np.random.default_rng(0)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for _ in range(60):
            with subprocess.Popen(
                [sys.executable, "-c", script], stderr=subprocess.PIPE
            ) as process:
                log = ffmpeg_log.FfmpegLog(process, VideoFacts())
                while log._shown.qsize() < 3000:  # none of what is asked for has to be waited for
                    assert log.next_shown()
                    time.sleep(1e-3)
                try:
                    signal.setitimer(signal.ITIMER_REAL, rng.uniform(5e-5, 1e-3))
                    while True:
                        log.next_shown()
                except KeyboardInterrupt:
                    process.kill()
                log._thread.join(60)
                assert not log._thread.is_alive()
                log.join()
    finally:
        signal.signal(signal.SIGALRM, before)
