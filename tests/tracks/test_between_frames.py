"""Where a track is between its sampled frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src.records import BoxXywh
from src.track_records import TrackSegment
from src.tracks.between_frames import box_at, moved_points, seen_at


def segment(at_s: float, until_s: float, box: BoxXywh) -> TrackSegment:
    return TrackSegment(f"at {at_s:g}", round(at_s * 25), at_s, until_s, box, Path("a.jpg"))


# it is out of sight from 2 to 4
TRACK = (
    segment(0, 1, (0, 0, 10, 20)),
    segment(1, 2, (10, 40, 30, 20)),
    segment(4, 5, (50, 50, 10, 10)),
)


@pytest.mark.parametrize(
    ("time_s", "found"),
    [(-0.1, None), (0, 0), (0.99, 0), (1, 1), (1.9, 1), (2, None), (3.9, None), (4, 4), (5, None)],
)
def test_the_last_sampled_frame_shows_it(time_s: float, found: float | None) -> None:
    seen = seen_at(TRACK, time_s)
    assert (None if seen is None else seen.timestamp_s) == found


@pytest.mark.parametrize(
    ("time_s", "box"),
    [
        (0, (0, 0, 10, 20)),
        (0.5, (5, 20, 20, 20)),
        (1, (10, 40, 30, 20)),
        (1.9, (10, 40, 30, 20)),  # it is not in the next frame
        (2.5, None),
        (4.5, (50, 50, 10, 10)),
    ],
)
def test_it_moves_evenly_to_the_next(time_s: float, box: BoxXywh | None) -> None:
    assert box_at(TRACK, time_s) == box


def test_a_frame_that_stands_for_no_time_shows_its_own_moment() -> None:
    alone = (segment(2, 2, (1, 2, 3, 4)),)
    assert box_at(alone, 2) == (1, 2, 3, 4) and box_at(alone, 2.1) is None
    assert seen_at((), 2) is None


def test_points_go_with_their_box() -> None:
    points = np.array([[10, 10], [20, 30], [15, 20]])
    moved = moved_points(points, (10, 10, 10, 20), (0, 5, 20, 10))
    assert moved.tolist() == [[0, 5], [20, 15], [10, 10]]
    assert moved.dtype == np.float32
