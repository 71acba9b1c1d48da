"""What the strip says of a job, without a window."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.counting import counted, megabytes, moment
from src.events import (
    ClusterWorkers,
    Downloading,
    FileDone,
    FileFailed,
    FileKnown,
    FileStarted,
    FrameSkipped,
    FrameStored,
    JobDone,
    JobStarted,
    Progress,
    ReadHere,
)
from src.gui.core.job_state import JobState, length, time_left

PHOTO, VIDEO = Path("/m/photo.jpg"), Path("/m/video.mp4")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def job(clock: Clock) -> JobState:
    return JobState("Looking for files", clock=clock)


def test_before_the_first_file_it_says_what_was_asked_for(job: JobState) -> None:
    assert (job.headline, job.detail, job.fraction) == ("Looking for files", [], 0.0)


def test_files_frames_and_segments_are_counted(job: JobState) -> None:
    job.take(JobStarted(2))
    job.take(FileStarted(PHOTO, 1))
    job.take(FrameStored(PHOTO, 0, None, 7, 1.0))
    job.take(FileDone(PHOTO, 1, 7))
    assert (job.headline, job.fraction) == ("File 1 of 2", 0.5)
    assert job.detail == ["photo.jpg", "7 segments"]
    job.take(FileStarted(VIDEO, 2))
    job.take(FrameStored(VIDEO, 0, 0.0, 3, 0.25))
    job.take(FrameSkipped(VIDEO, 1, 0.5))
    assert job.fraction == 0.75
    assert job.detail == ["video.mp4", "frame 1", "10 segments"]


def test_time_left_is_guessed_from_what_is_done(job: JobState, clock: Clock) -> None:
    clock.now = 100.0  # models loading are no measure of the work
    job.take(JobStarted(4))
    job.take(FileStarted(PHOTO, 1))
    assert job.seconds_left is None
    clock.now = 130.0
    job.take(FileStarted(PHOTO, 2))
    assert job.seconds_left == pytest.approx(90)


def test_the_first_of_many_files_is_no_measure_of_the_rest(job: JobState, clock: Clock) -> None:
    job.take(JobStarted(520))
    clock.now = 8.0  # models and decoders get going
    for number in range(1, 22):
        job.take(FileStarted(PHOTO, number))
        clock.now += 0.1 if number > 1 else 0.0
    assert job.seconds_left == pytest.approx(50, abs=3)


def test_progress_of_something_else_has_its_own_words(job: JobState) -> None:
    job.take(JobStarted(1))
    job.take(FileStarted(PHOTO, 1))
    job.take(Progress("index", 200, 800))
    assert (job.headline, job.detail, job.fraction) == (
        "Updating the search index",
        ["200 of 800"],
        0.25,
    )
    job.take(FileDone(PHOTO, 1, 1))
    assert job.headline == "File 1 of 1"


def test_time_left_of_something_else_is_guessed_from_where_it_began(
    job: JobState, clock: Clock
) -> None:
    clock.now = 50.0
    job.take(Progress("embed", 600, 1000))  # an earlier run has read them
    clock.now = 60.0
    job.take(Progress("embed", 700, 1000))
    assert job.fraction == 0.7 and job.seconds_left == pytest.approx(30)


def test_a_download_says_how_much_how_fast_and_how_long(job: JobState, clock: Clock) -> None:
    job.take(Downloading("vit_b", 0, 375_042_383, 0.0, 0.0))
    assert job.seconds_left is None
    clock.now = 3.0
    job.take(Downloading("vit_b", 93_760_596, 375_042_383, 31_200_000.0, 9.01))
    assert (job.headline, job.fraction) == ("Downloading vit_b", pytest.approx(0.25))
    assert job.detail == ["94 of 375 MB", "31 MB/s"] and job.seconds_left == 9.01
    job.take(Downloading("vit_h", 9_000_000, 2_564_550_879, 1_234_000.0, 2000.0))
    assert job.detail == ["9.0 MB of 2.6 GB", "1.2 MB/s"]
    job.take(Progress("connect", 0, 0))
    assert (job.headline, job.detail) == ("Waiting for the server", ["9.0 MB of 2.6 GB"])
    job.take(Progress("check", 1 << 24, 1 << 26))
    assert (job.headline, job.detail, job.fraction) == ("Verifying the download", ["25%"], 0.25)


def test_failures_are_kept_and_not_counted_as_done(job: JobState) -> None:
    job.take(JobStarted(2))
    job.take(FileStarted(PHOTO, 1))
    failed = FileFailed(PHOTO, "the file is empty")
    job.take(failed)
    job.take(FileStarted(VIDEO, 2))
    job.take(FrameStored(VIDEO, 0, 0.0, 1, 1.0))
    job.take(FileDone(VIDEO, 1, 1))
    job.take(JobDone(2, 1, 1, (failed,)))
    assert job.failed == [failed]
    assert job.outcome == "1 file done, 1 segment added"
    assert job.fraction == 1.0


def test_a_folder_that_failed_is_no_file_that_was_not_done(job: JobState) -> None:
    failed = FileFailed(Path("/media/secret"), "this folder can't be read")
    job.take(JobStarted(1))
    job.take(failed)
    job.take(FileStarted(PHOTO, 1))
    job.take(FileDone(PHOTO, 1, 2))
    job.take(JobDone(1, 1, 2, (failed,)))
    assert (job.failed, job.outcome) == ([failed], "1 file done, 0 segments added")


def test_a_stopped_job_says_so_and_counts_no_file_that_is_not_whole(job: JobState) -> None:
    job.take(JobStarted(5))
    job.take(FileStarted(PHOTO, 1))
    assert job.outcome == "Stopped. 0 files done, 0 segments added"
    job.take(FileDone(PHOTO, 1, 0))
    job.take(FileStarted(VIDEO, 2))
    job.take(FrameStored(VIDEO, 0, 0.0, 3, 0.25))
    assert job.outcome == "Stopped. 1 file done, 3 segments added"
    job.take(FileFailed(VIDEO, "its end is missing"))
    job.take(FileStarted(PHOTO, 3))
    job.take(FileKnown(PHOTO, "already in the library"))
    assert job.outcome == "Stopped. 2 files done, 3 segments added, 1 already in the library"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "a few seconds left"),
        (44, "about 40 s left"),
        (130, "about 2 min left"),
        (2 * 3600, "about 2 h left"),
    ],
)
def test_time_left_is_no_more_exact_than_it_is_known(seconds: float, words: str) -> None:
    assert time_left(seconds) == words


def test_numbers_are_written_for_people() -> None:
    assert (counted(1, "file"), counted(1200, "file")) == ("1 file", "1,200 files")
    assert (moment(5.5), moment(59.96), moment(3723)) == ("0:05.5", "1:00.0", "1:02:03")
    assert (length(9.7), length(3723.2)) == ("0:10", "1:02:03")
    sizes = (0, 300, 80_200, 4_200_000, 375_000_000, 2_500_000_000)
    written = ["0 MB", "1 kB", "80 kB", "4.2 MB", "375 MB", "2.5 GB"]
    assert [megabytes(size) for size in sizes] == written


def test_workers_come_and_go_beside_what_is_done(job: JobState) -> None:
    job.take(Progress("cluster", 0, 0))
    assert job.workers is None
    workers = ClusterWorkers(("studio",), ("cuda",), (3,))
    job.take(workers)
    assert job.workers == workers and job.headline == "Starting the cluster's workers"
    job.take(FileStarted(Path("film.mp4"), 1))
    assert job.detail == ["film.mp4"]
    job.take(ClusterWorkers((), ()))
    assert job.detail == ["film.mp4", "waiting for a worker"]


def test_videos_that_no_worker_reads_are_in_the_result(job: JobState) -> None:
    job.take(ReadHere(Path("film.mp4"), "its keyframes lie too far apart"))
    job.take(FileDone(Path("film.mp4"), 1, 1))
    job.take(JobDone(1, 1, 1))
    assert job.outcome.endswith(", 1 video read on this machine")
