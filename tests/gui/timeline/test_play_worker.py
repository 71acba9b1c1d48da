"""The thread of a player, with a player of numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from queue import Queue
from typing import Any

import numpy as np
import pytest

from src.errors import MediaReadError
from src.gui.timeline.play_worker import MOST_WAITING, Answers, PlayWorker
from src.stopping import GoOn, ask
from src.track_records import PlayedFrame

Size = tuple[int, int]
LIMIT_S = 20


class Numbers:
    """A video of ten frames a second, five seconds long; it can be held up."""

    duration_s, size_wh, has_sound = 5.0, (160, 90), False

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.free = threading.Event()
        self.free.set()
        self.begun = threading.Semaphore(0)
        self.given = 0
        self.closed = threading.Event()

    def _frame(self, time_s: float, size_wh: Size) -> PlayedFrame:
        return PlayedFrame(np.zeros((size_wh[1], size_wh[0], 3), np.uint8), round(time_s, 1))

    def _wait(self, what: object, go_on: GoOn | None) -> None:
        self.asked.append(what)
        self.begun.release()
        assert self.free.wait(LIMIT_S)
        ask(go_on)

    def frame_at(self, time_s: float, size_wh: Size, go_on: GoOn | None = None) -> PlayedFrame:
        self._wait(("show", time_s), go_on)
        if time_s > 100:
            raise MediaReadError("film.mp4", "damaged")
        return self._frame(time_s, size_wh)

    def step(
        self, from_time_s: float, frames: int, size_wh: Size, go_on: GoOn | None = None
    ) -> PlayedFrame:
        self._wait(("step", from_time_s, frames), go_on)
        return self._frame(from_time_s + frames / 10, size_wh)

    def frames_from(
        self, time_s: float, size_wh: Size, go_on: GoOn | None = None
    ) -> Generator[PlayedFrame]:
        self._wait(("play", time_s), go_on)
        for number in range(round(10 * time_s), 50):
            self.given += 1
            yield self._frame(number / 10, size_wh)

    def prepare(self, time_s: float, size_wh: Size) -> None:
        self.asked.append(("prepare", time_s))
        self.begun.release()

    def close(self) -> None:
        self.closed.set()


class Heard:
    """What a worker says, one after another."""

    def __init__(self) -> None:
        self.said: Queue[tuple[Any, ...]] = Queue()

    def answers(self) -> Answers:
        def put(what: str) -> Callable[..., None]:
            return lambda *values: self.said.put((what, *values))

        return Answers(put("opened"), put("shown"), put("ended"), put("failed"))

    def next(self) -> tuple[Any, ...]:
        return self.said.get(timeout=LIMIT_S)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def video() -> Numbers:
    return Numbers()


@pytest.fixture
def worker(video: Numbers, heard: Heard) -> Any:
    made = PlayWorker(lambda: video, heard.answers())
    assert heard.next() == ("opened", video)
    yield made
    video.free.set()
    made.close()
    made.join()


def half(size_wh: Size) -> Size:
    return size_wh[0] // 2, size_wh[1] // 2


def test_a_moment_is_shown_at_the_size_of_its_place(worker: PlayWorker, heard: Heard) -> None:
    number = worker.ask("show", 1.2, half)
    what, answered, frame = heard.next()
    assert (what, answered, frame.timestamp_s) == ("shown", number, 1.2)
    assert frame.image_rgb.shape == (45, 80, 3)


def test_of_many_wishes_the_newest_is_done(
    worker: PlayWorker, video: Numbers, heard: Heard
) -> None:
    video.free.clear()
    worker.ask("show", 1.0, half)
    assert video.begun.acquire(timeout=LIMIT_S)
    for time_s in (2.0, 3.0):
        worker.ask("show", time_s, half)
    last = worker.ask("step", 3.0, half, 2)
    video.free.set()
    assert heard.next()[:2] == ("shown", last)
    assert video.asked == [("show", 1.0), ("step", 3.0, 2)]


def wait_for(there: Callable[[], bool], worker: PlayWorker) -> None:
    with worker._changed:  # every change is made under it
        pass
    end = threading.Event()
    for _ in range(LIMIT_S * 100):
        if there():
            return
        end.wait(0.01)
    raise AssertionError("waited too long")


def test_playing_holds_few_frames_and_drops_the_late(
    worker: PlayWorker, video: Numbers, heard: Heard
) -> None:
    number = worker.ask("play", 1.0, half)
    wait_for(lambda: worker.waiting() == MOST_WAITING, worker)
    assert worker.next_s() == 1.0
    assert worker.take(0.9) == (None, 0)
    frame, dropped = worker.take(1.25)
    assert frame is not None and (frame.timestamp_s, dropped) == (1.2, 2)
    shown = [frame.timestamp_s]
    while heard.said.empty() or worker.waiting():  # the end is said after the last frame is there
        assert worker.waiting() <= MOST_WAITING
        frame, _ = worker.take(worker.next_s() or 0.0)
        if frame is not None:
            shown.append(frame.timestamp_s)
    assert shown == [number / 10 for number in range(12, 50)]
    assert heard.next() == ("ended", number)


def test_stopping_gives_up_and_says_nothing(
    worker: PlayWorker, video: Numbers, heard: Heard
) -> None:
    worker.ask("play", 0.0, half)
    wait_for(lambda: worker.waiting() == MOST_WAITING, worker)
    worker.stop()
    assert worker.waiting() == 0
    number = worker.ask("show", 4.0, half)
    assert heard.next()[:2] == ("shown", number)
    assert worker.waiting() == 0 and video.given <= MOST_WAITING + 1


def test_getting_ready_takes_nothing_back(worker: PlayWorker, video: Numbers, heard: Heard) -> None:
    worker.ask("play", 0.0, half)
    wait_for(lambda: worker.waiting() == MOST_WAITING, worker)
    worker.ask("prepare", 3.0, half)
    assert worker.waiting() == MOST_WAITING
    worker.stop()
    worker.ask("prepare", 2.0, half)
    wait_for(lambda: ("prepare", 2.0) in video.asked, worker)
    assert ("prepare", 3.0) not in video.asked


def test_what_fails_is_said_and_the_next_wish_done(worker: PlayWorker, heard: Heard) -> None:
    number = worker.ask("show", 101.0, half)
    what, answered, exc = heard.next()
    assert (what, answered) == ("failed", number) and isinstance(exc, MediaReadError)
    again = worker.ask("show", 1.0, half)
    assert heard.next()[:2] == ("shown", again)


def test_a_video_that_does_not_open_is_said(heard: Heard) -> None:
    def fail() -> Numbers:
        raise MediaReadError("film.mp4", "there is no such file")

    worker = PlayWorker(fail, heard.answers())
    what, number, exc = heard.next()
    assert (what, number) == ("failed", 0) and "no such file" in str(exc)
    worker.join()


def test_closing_while_it_plays_ends_thread_and_player(video: Numbers, heard: Heard) -> None:
    worker = PlayWorker(lambda: video, heard.answers())
    heard.next()
    worker.ask("play", 0.0, half)
    wait_for(lambda: worker.waiting() == MOST_WAITING, worker)
    worker.close()
    worker.join()
    assert video.closed.is_set() and worker.waiting() == 0


def test_closing_before_it_is_open_closes_the_player(video: Numbers, heard: Heard) -> None:
    opens = threading.Event()

    def slowly() -> Numbers:
        assert opens.wait(LIMIT_S)
        return video

    worker = PlayWorker(slowly, heard.answers())
    worker.close()
    opens.set()
    worker.join()
    assert video.closed.is_set() and heard.said.empty()
