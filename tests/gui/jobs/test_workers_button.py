"""What is said of a cluster's workers, without a window."""

from __future__ import annotations

from pathlib import Path

from src.events import ClusterWorkers, ReadHere
from src.gui.jobs.workers_button import MOST_ROWS, MOST_VIDEOS, note_on, worker_rows


def test_each_worker_is_named_with_what_it_works_on_and_what_it_has_done() -> None:
    workers = ClusterWorkers(("studio", "attic", "mac"), ("cuda", "cpu", "mps"), (1200, 3, 0))
    assert worker_rows(workers) == [
        ("attic", "CPU", "3"),
        ("mac", "GPU", "0"),
        ("studio", "GPU", "1,200"),
    ]
    assert worker_rows(ClusterWorkers(("studio",), ("cuda",))) == [("studio", "GPU", "0")]


def test_many_workers_of_a_machine_share_a_row() -> None:
    many = 4 * MOST_ROWS
    workers = ClusterWorkers(("a",) * many + ("b",), ("cuda",) * many + ("cpu",), (2,) * (many + 1))
    assert worker_rows(workers) == [
        ("a", f"{many} × GPU", f"{2 * many}"),
        ("b", "1 × CPU", "2"),
    ]


def test_of_many_machines_the_last_share_a_row() -> None:
    machines = tuple(f"node{number:03}" for number in range(100))
    rows = worker_rows(ClusterWorkers(machines, ("cuda",) * 100, (10,) * 100))
    left = 100 - (MOST_ROWS - 1)
    assert len(rows) == MOST_ROWS and rows[0] == ("node000", "1 × GPU", "10")
    assert rows[-1] == ("Others", f"{left} workers", f"{10 * left}")


def test_what_would_help_a_cluster_is_said_below() -> None:
    assert note_on(ClusterWorkers(("a",), ("cpu",))) == ""
    said = note_on(ClusterWorkers(("a",), ("cpu",), sent=1, problem="b has no torch"))
    assert said.startswith("Others don't work: b has no torch.\n1 file was sent")


def test_that_none_is_left_is_said_with_how_long_one_is_waited_for() -> None:
    said = note_on(ClusterWorkers((), (), problem="b has no torch", wait_s=120))
    assert said == (
        "No worker is left. The job waits for one to start. It stops after 120 s without one.\n"
        "The last one that tried: b has no torch."
    )


def test_videos_that_the_workers_do_not_read_are_named_with_the_reason() -> None:
    here = [ReadHere(Path(f"/film {n}.mp4"), "its keyframes lie too far apart") for n in range(5)]
    said = note_on(ClusterWorkers(("a",), ("cpu",)), here[:1])
    assert said == "Read on this machine:\nfilm 0.mp4: its keyframes lie too far apart"
    lines = note_on(ClusterWorkers(("a",), ("cpu",)), here).splitlines()
    assert lines[0] == "Read on this machine, and 2 more before:"
    assert len(lines) == 1 + MOST_VIDEOS and lines[-1].startswith("film 4.mp4: ")
