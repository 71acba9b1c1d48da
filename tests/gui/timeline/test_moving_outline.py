from __future__ import annotations

from pathlib import Path

import numpy as np

from src.gui.timeline.moving_outline import Outline, lines_at
from src.track_records import TrackSegment


def segment(number: int, begin_s: float, until_s: float, *box: int) -> TrackSegment:
    x, y, w, h = box
    return TrackSegment(f"s{number}", number, begin_s, until_s, (x, y, w, h), Path("crop.jpg"))


TRIANGLE = np.array([(10, 10), (30, 10), (10, 20)], np.float32)
TRACK = (segment(0, 1.0, 2.0, 10, 10, 20, 10), segment(1, 2.0, 3.0, 50, 10, 40, 20))
OUTLINE = Outline(TRACK, {"s0": (TRIANGLE,)})


def test_a_line_moves_and_grows_with_the_box() -> None:
    np.testing.assert_allclose(lines_at(OUTLINE, 1.0), [TRIANGLE])
    (half,) = lines_at(OUTLINE, 1.5)
    np.testing.assert_allclose(half, [(30, 10), (60, 10), (30, 25)])


def test_a_segment_without_lines_is_its_box() -> None:
    (line,) = lines_at(OUTLINE, 2.5)
    np.testing.assert_allclose(line, [(50, 10), (90, 10), (90, 30), (50, 30)])


def test_where_nothing_is_seen_nothing_is_drawn() -> None:
    assert lines_at(OUTLINE, 0.5) == lines_at(OUTLINE, 3.5) == []
