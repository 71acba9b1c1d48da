"""How long a job still takes: by a clock that is set, on made-up events and on recorded ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.events import (
    FileDone,
    FileStarted,
    FileWork,
    FrameStored,
    JobStarted,
    Progress,
    WorkKind,
)
from src.time_left import TimeLeft
from tests.benchmarks.time_left import Now, ratios
from tests.event_streams import FOLDER, load

PATH = Path("/m/file")
PHOTO = FileWork()


class Job:
    """A job whose events come when a test says so."""

    def __init__(self, work: dict[WorkKind, float]) -> None:
        self.now, self.number = 100.0, 0
        self.left = TimeLeft(lambda: self.now)
        self.left.take(JobStarted(round(sum(work.values())), work))

    def file(self, seconds: float, work: FileWork = PHOTO) -> None:
        """Work on a file for so many seconds."""
        self.number += 1
        self.left.take(FileStarted(PATH, self.number, work))
        self.now += seconds
        self.left.take(FileDone(PATH, 1, 1))


def test_nothing_is_said_before_there_is_a_rate() -> None:
    job = Job({"image": 520})
    assert job.left.seconds() is None
    job.file(5.4)  # times 520 it would be 47 minutes
    assert job.left.seconds() is None
    for _ in range(3):
        job.file(0.3)
        assert job.left.seconds() is None


def test_the_start_is_left_out() -> None:
    job = Job({"image": 520})
    job.file(8.0)
    for _ in range(19):
        job.file(0.1)
    assert job.left.seconds() == pytest.approx(50, rel=0.01)


def test_files_that_come_in_bursts_are_counted_from_burst_to_burst() -> None:
    job = Job({"image": 320})
    job.file(3.0)
    for number in range(1, 96):
        job.file(1.6 if number % 32 == 0 else 0.0)
    assert job.left.seconds() == pytest.approx(224 * 0.05, rel=0.05)


def test_a_large_photo_counts_for_more() -> None:
    job = Job({"image": 4 + 40 * 1 + 10 * 3})
    for seconds in (2.0, 1.0, 1.0, 1.0):
        job.file(seconds)
    for _ in range(10):
        job.file(1.0)
        job.file(3.0, FileWork("image", 3.0))
    assert job.left.seconds() == pytest.approx(30)


def test_known_files_say_nothing_of_new_ones() -> None:
    job = Job({"known": 10_000, "image": 50})
    for _ in range(5_000):
        job.file(0.001, FileWork("known"))
    assert job.left.seconds() is None
    for seconds in (3.0, 0.5, 0.5, 0.5, 0.5):
        job.file(seconds)
    assert job.left.seconds() == pytest.approx(5_000 * 0.001 + 45 * 0.5, rel=0.01)


def test_of_known_files_alone_a_second_is_enough() -> None:
    job = Job({"known": 10_000})
    for _ in range(2_000):
        job.file(0.001, FileWork("known"))
    assert job.left.seconds() == pytest.approx(8, rel=0.01)


def test_a_video_has_its_own_rate_and_photos_stand_for_it_before() -> None:
    job = Job({"image": 10, "video": 100})
    for seconds in (2.0, 0.5, 0.5, 0.5, 0.5):
        job.file(seconds)
    assert job.left.seconds() == pytest.approx(105 * 0.5)
    job.left.take(FileStarted(PATH, 6, FileWork("video", 100)))
    job.now += 10
    job.left.take(FrameStored(PATH, 0, 5.0, 3, 0.25))
    assert job.left.seconds() == pytest.approx(5 * 0.5 + 75 * 0.4, rel=0.01)


def test_it_counts_down_between_results_and_grows_when_one_is_overdue() -> None:
    job = Job({"image": 15})
    for _ in range(5):
        job.file(1.0)
    assert job.left.seconds() == pytest.approx(10)
    job.now += 3
    assert job.left.seconds() == pytest.approx(7)
    job.now += 57
    assert job.left.seconds() == pytest.approx(60)


def test_a_first_result_that_took_long_is_better_than_nothing() -> None:
    job = Job({"image": 4})
    job.file(30.0)
    assert job.left.seconds() == pytest.approx(90)


def test_what_waits_for_the_search_index_is_counted() -> None:
    job = Job({"image": 10})
    for _ in range(5):
        job.file(1.0)
        job.left.take(FrameStored(PATH, 0, None, 200, 1.0))
    left = job.left.seconds()
    assert left == pytest.approx(5 + 2000 * 0.003)
    job.now += 3
    job.left.take(Progress("index", 1000, 1000))
    assert job.left.seconds() == pytest.approx(left - 1000 * 0.003)
    job.file(1.0)
    assert job.left.seconds() == pytest.approx(4 + 1000 * 0.003, rel=0.2)


@pytest.mark.parametrize("name", [path.stem for path in sorted(FOLDER.glob("*.jsonl"))])
def test_what_was_shown_of_recorded_jobs_was_about_right(name: str) -> None:
    stream = list(load(FOLDER / f"{name}.jsonl"))
    shown = ratios(stream, Now)
    # of two kinds one stands for the other until it has been met
    most = 2.0 if "mixed" in name else 1.4
    for when, ratio in shown.items():
        assert ratio is None or 1 / most < ratio < most, when
    if stream[-1].at_s > 25:
        assert shown["50 %"] is not None or "known" in name
