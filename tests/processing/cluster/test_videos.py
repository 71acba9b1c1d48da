"""Videos read in spans: the frames are those of reading through, or it is said that they aren't."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import threading
from concurrent.futures import Future
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from src.errors import MediaReadError
from src.processing import ffmpeg_process
from src.processing.cluster import videos
from src.processing.cluster.span_work import KnownFiles, make_span
from src.processing.cluster.videos import SpansAtOnce, VideoInSpans, video_in_spans
from src.processing.cluster.work import SpanWork, frames_made, span_answer
from src.processing.ffmpeg_log import VideoFacts
from src.processing.frames import read_sampled
from src.processing.media_finder import content_hash
from src.processing.segment_pipeline import FrameResult
from src.processing.video_spans import NotExactError
from src.records import Frame, FrameLook
from src.settings import Settings
from tests.conftest import MakeVideo
from tests.processing.test_known_frames import FILES as COUNTED
from tests.processing.test_video_player import FILES as PLAYED

X264 = ("-c:v", "libx264", "-g", "20", "-bf", "2", "-pix_fmt", "yuv420p")
# index, time, size, whether it differs, and the hash of its picture where it was cut
Given = tuple[int, float | None, tuple[int, int], bool, str | None]


def result_of_frame(frame: Frame) -> FrameResult:
    """Stand for what is made of a frame: it names its picture."""
    name = hashlib.sha256(frame.image_rgb.tobytes()).hexdigest()
    where = frame.frame_index, frame.timestamp_s, frame.size_wh
    return FrameResult(*where, FrameLook(0, b""), (), np.empty((0, 512), np.float32), name, "")


class Asker:
    """Does what is asked of workers, when it is asked for.

    Attributes:
        works: what was asked.
        made: how many pictures were cut.
        counted: how many of them the answers say.
        states: by the place of the question, what else than the work becomes of it.
    """

    def __init__(self, settings: Settings, states: dict[int, str] | None = None) -> None:
        self.settings, self.states = settings, states or {}
        self.works: list[SpanWork] = []
        self.made = self.counted = 0

    def __call__(self, work: bytes, file: Path | None) -> Future[tuple[str, bytes]]:
        asked: SpanWork = pickle.loads(work)
        state = self.states.get(len(self.works), "done")
        self.works.append(asked)
        answer: Future[tuple[str, bytes]] = Future()
        answer.set_result((state, self.answer(asked) if state == "done" else b"SIGKILL"))
        return answer

    def answer(self, asked: SpanWork) -> bytes:
        def make(frame: Frame) -> Future[FrameResult]:
            self.made += 1
            future: Future[FrameResult] = Future()
            future.set_result(result_of_frame(frame))
            return future

        distance = self.settings.duplicate_distance
        answer = span_answer(
            lambda: make_span(Path(asked.path), asked, distance, make, lambda: None)
        )
        self.counted += frames_made(answer)
        return answer


def begun(
    path: Path, settings: Settings, asker: Asker, stored: dict[int, float] | None = None
) -> VideoInSpans:
    at_once = SpansAtOnce(settings, False, asker)
    at_once.parts = 3
    size = path.stat().st_size
    return video_in_spans(
        path, str(path), content_hash(path), size, settings, stored or {}, at_once
    )


def given_in_spans(video: VideoInSpans) -> tuple[list[Given], bool]:
    frames = video.frames()
    given: list[Given] = []
    while True:
        try:
            frame = next(frames)
        except StopIteration as end:
            return given, end.value
        if frame is None:
            continue
        made = None if frame.result is None else frame.result.result()
        if made is not None:
            assert (made.frame_index, made.timestamp_s) == (frame.frame_index, frame.timestamp_s)
        picture = None if made is None else made.clip
        given.append((frame.frame_index, frame.timestamp_s, frame.size_wh, frame.differs, picture))


def given_through(path: Path, settings: Settings) -> tuple[list[Given], VideoFacts]:
    facts = VideoFacts()
    given: list[Given] = []
    for frame, differs in read_sampled(path, "video", settings, facts):
        picture = result_of_frame(frame).clip if differs else None
        given.append((frame.frame_index, frame.timestamp_s, frame.size_wh, differs, picture))
    return given, facts


def assert_spans_make_it_up(path: Path, settings: Settings | None = None) -> tuple[Asker, bool]:
    """Compare; returns who was asked, and whether all of it could be read in spans."""
    settings = settings or Settings()
    asker = Asker(settings)
    expected, facts = given_through(path, settings)
    video = begun(path, settings, asker)
    given, is_whole = given_in_spans(video)
    assert given == (expected if is_whole else expected[: len(given)])
    if is_whole and facts.damage is not None:  # enough of it came: it was not read to its end
        facts.last_timestamp_s, facts.last_duration_s = None, 0.0
        video.facts.last_timestamp_s, video.facts.last_duration_s = None, 0.0
    assert not is_whole or video.facts == facts
    return asker, is_whole


ALL = {**COUNTED, **{name: options for name, (options, _) in PLAYED.items()}}
SHORT = {"b-frames.mp4", "open.mp4", "refreshed.mkv", "uneven.mp4", "late.mkv", "interlaced.ts"}


@pytest.mark.parametrize("rate", [1.0, 2.7])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in SHORT else pytest.mark.slow)
        for name in sorted(ALL)
        if name != "raw.h264"
    ],
)
def test_spans_make_up_the_whole(make_video: MakeVideo, name: str, rate: float) -> None:
    path = make_video(name, 14, *ALL[name])
    asker, is_whole = assert_spans_make_it_up(path, Settings(frames_per_second=rate))
    assert is_whole
    assert len(asker.works) >= 4 or name == "one frame.mp4"


def test_what_says_no_length_or_has_no_film_is_read_through(
    make_video: MakeVideo, tmp_path: Path
) -> None:
    sound = tmp_path / "sound.mp4"
    make = [ffmpeg_process.find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", "sine=duration=2"]
    subprocess.run([*make, str(sound)], check=True, timeout=60)
    for path in (make_video("raw.h264", 2, *X264, "-f", "h264"), sound):
        with pytest.raises(NotExactError, match="doesn't say how long it is"):
            begun(path, Settings(), Asker(Settings()))


@pytest.mark.parametrize("name", ["cut.mkv", "cut.ts", "cut.mp4"])
def test_a_video_that_breaks_off(make_video: MakeVideo, name: str) -> None:
    path = make_video(name, 12, *X264, "-movflags", "+faststart")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    assert_spans_make_it_up(path)


@pytest.mark.parametrize("name", ["noise.mkv", "noise.ts", "noise.mp4"])
def test_noise_in_the_middle_is_read_through_from_there(make_video: MakeVideo, name: str) -> None:
    path = make_video(name, 12, *X264)
    content, noise = bytearray(path.read_bytes()), np.random.default_rng(0)
    for tenths in (4, 5, 6, 7):  # what lies at one of them may decode without a complaint
        at = len(content) * tenths // 10
        content[at : at + 400] = noise.bytes(400)
    path.write_bytes(content)
    assert given_through(path, Settings())[1].damage is not None
    _, is_whole = assert_spans_make_it_up(path)
    assert not is_whole


def test_a_picture_that_changes_its_size(make_video: MakeVideo, tmp_path: Path) -> None:
    parts = [
        make_video(f"{width}.ts", 5, "-vf", f"scale={width}:240,setsar=1", *X264)
        for width in (320, 160)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert_spans_make_it_up(joined)


def remade(path: Path, to: Path, *options: str, before: tuple[str, ...] = ()) -> Path:
    program = imageio_ffmpeg.get_ffmpeg_exe()
    command = [program, "-v", "error", *before, "-i", str(path), "-c", "copy", *options, str(to)]
    subprocess.run(command, check=True, timeout=60)
    return to


@pytest.mark.parametrize("before", [("-ss", "1.55"), ("-itsoffset", "-0.5")])
def test_an_edit_list_and_a_start_before_zero(
    make_video: MakeVideo, tmp_path: Path, before: tuple[str, ...]
) -> None:
    path = make_video("whole.mp4", 12, *X264)
    _, is_whole = assert_spans_make_it_up(remade(path, tmp_path / "cut.mp4", before=before))
    assert is_whole


def test_a_film_that_lies_on_its_side(make_video: MakeVideo, tmp_path: Path) -> None:
    path = make_video("level.mp4", 12, *X264)
    turned = remade(path, tmp_path / "turned.mp4", before=("-display_rotation", "90"))
    given, _ = given_through(turned, Settings())
    assert given[0][2] == (120, 160)
    _, is_whole = assert_spans_make_it_up(turned)
    assert is_whole


STILL = "loop=-1:size=1,setpts=N/10/TB,trim=duration=40"


def test_a_video_that_stands_still_is_not_cut_in_every_span(make_video: MakeVideo) -> None:
    path = make_video("still.mp4", 40, *X264, "-vf", STILL)
    asker, is_whole = assert_spans_make_it_up(path)
    assert is_whole and len(asker.works) > 10
    assert asker.made == 1


def test_what_the_frames_before_decide_is_cut_after_all(make_video: MakeVideo) -> None:
    path = make_video("dark.mp4", 40, *X264, "-vf", f"{STILL},fade=out:0:400")
    settings = Settings(duplicate_distance=1)
    expected, _ = given_through(path, settings)
    assert 3 < sum(differs for _, _, _, differs, _ in expected) < len(expected)
    asker, is_whole = assert_spans_make_it_up(path, settings)
    assert is_whole
    assert any(work.cut is not None for work in asker.works)


def test_keyframes_far_apart_are_not_decoded_again_and_again(make_video: MakeVideo) -> None:
    path = make_video("long.mp4", 60, *X264, "-g", "10000", "-keyint_min", "9999")
    _, is_whole = assert_spans_make_it_up(path)
    assert not is_whole


def test_no_more_frames_are_taken_than_wanted(make_video: MakeVideo) -> None:
    path = make_video("video.mp4", 14, *X264)
    for most in (5, 6):
        settings = Settings(frames_per_video=most)
        _, is_whole = assert_spans_make_it_up(path, settings)
        assert is_whole


def test_what_is_stored_is_not_cut_again(make_video: MakeVideo) -> None:
    path, settings = make_video("video.mp4", 14, *X264), Settings()
    expected, _ = given_through(path, settings)
    stored = {index: at_s or 0.0 for index, at_s, *_ in expected[:5]}
    asker = Asker(settings)
    video = begun(path, settings, asker, stored)
    given, is_whole = given_in_spans(video)
    assert is_whole and asker.made == asker.counted == len(expected) - 5
    assert [each[:4] for each in given] == [each[:4] for each in expected]
    assert [each[4] for each in given] == [None] * 5 + [each[4] for each in expected[5:]]


def test_one_that_kills_workers_fails(make_video: MakeVideo) -> None:
    path, settings = make_video("video.mp4", 9, *X264), Settings()
    video = begun(path, settings, Asker(settings, {1: "killed"}))
    frames = video.frames()
    given = [next(frames) for _ in range(3)]
    assert [each and each.frame_index for each in given] == [0, 10, 20]
    with pytest.raises(MediaReadError, match=r"another one as well \(SIGKILL\)"):
        next(frames)


@pytest.mark.parametrize("state", ["unread", "gone"])
def test_what_no_worker_finds_is_read_through(make_video: MakeVideo, state: str) -> None:
    path, settings = make_video("video.mp4", 9, *X264), Settings()
    video = begun(path, settings, Asker(settings, {1: state}))
    given, is_whole = given_in_spans(video)
    assert len(given) == 3 and not is_whole


@pytest.mark.skipif(os.name != "posix", reason="a script stands in ffmpeg's place")
def test_a_decoder_that_crashes_is_not_the_end_of_a_video(
    make_video: MakeVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video("video.mp4", 9, *X264)
    program, crashing = ffmpeg_process.find_ffmpeg(), tmp_path / "ffmpeg"
    crashing.write_text(f'#!/bin/sh\ncase "$*" in *prev_selected*) kill -SEGV $$;; esac\n'
                        f'exec {program} "$@"\n')  # fmt: skip
    crashing.chmod(0o700)
    monkeypatch.setattr(videos, "find_ffmpeg", lambda: str(crashing))
    monkeypatch.setattr("src.processing.cluster.span_work.find_ffmpeg", lambda: str(crashing))
    settings = Settings()
    asker = Asker(settings)
    video = begun(path, settings, asker)
    assert given_in_spans(video) == ([], False)
    made = make_span(path, asker.works[0], 2, lambda frame: Future(), lambda: None)
    assert made.trouble == "its decoder ended with -11"


class Waiting(Asker):
    """Answers when it is told to."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.waits: list[tuple[SpanWork, Future[tuple[str, bytes]]]] = []

    def __call__(self, work: bytes, file: Path | None) -> Future[tuple[str, bytes]]:
        self.works.append(pickle.loads(work))
        self.waits.append((self.works[-1], Future()))
        return self.waits[-1][1]


def test_so_many_spans_are_under_way_and_the_first_video_goes_before(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings()
    one, other = make_video("one.mp4", 14, *X264), make_video("other.mp4", 14, *X264)
    monkeypatch.setattr(videos, "CUT_AT_ONCE", 32)
    asker = Waiting(settings)
    at_once = SpansAtOnce(settings, False, asker)
    assert at_once.parts == 8  # so 4 of them
    at_once.parts = 3

    def begin(path: Path) -> VideoInSpans:
        work = str(path), content_hash(path), path.stat().st_size
        return video_in_spans(path, *work, settings, {}, at_once)

    later, first = begin(other), begin(one)
    assert [Path(work.path).name for work in asker.works] == ["other.mp4"] * 4
    frames = first.frames()
    thread = threading.Thread(target=lambda: [None for _ in frames])
    thread.start()
    answered = 0
    while thread.is_alive():  # its turn has come: it has its room, whatever the other one holds
        own = [each for each in asker.waits if each[0].path == str(one) and not each[1].done()]
        assert len(own) <= 2 and later.under_way == 4
        for work, answer in own[:1]:
            answer.set_result(("done", asker.answer(work)))
            answered += 1
        thread.join(0.01)
    assert answered == 5
    later.close()
    assert later.under_way == 0


def test_a_file_is_hashed_once_while_it_does_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(b"a video")
    digest = content_hash(path)
    read: list[Path] = []

    def hashed(path: Path) -> str:
        read.append(path)
        return content_hash(path)

    monkeypatch.setattr("src.processing.cluster.span_work.content_hash", hashed)
    files = KnownFiles()
    assert files.has(str(path), 7, digest) and files.has(str(path), 7, digest)
    assert not files.has(str(path), 8, digest) and not files.has(str(tmp_path / "no"), 7, digest)
    assert len(read) == 1
    path.write_bytes(b"a movie")
    os.utime(path, ns=(1, 1))
    assert not files.has(str(path), 7, digest)
