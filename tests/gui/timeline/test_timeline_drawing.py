"""The timeline's picture, pixel by pixel where that says something."""

from __future__ import annotations

import numpy as np
import pytest

from src.gui.theme.theme import DARK
from src.gui.timeline.rows import Rows
from src.gui.timeline.time_scale import TimeScale
from src.gui.timeline.timeline_drawing import Picture, TimelineDrawing, line_height
from src.track_records import ScoreCurve

WIDTH, SECONDS = 400, 10


def score_rows(scores: list[float], every_s: float = 1.0) -> np.ndarray:
    """Draw a curve with a line; returns its rows, (high, WIDTH, 3)."""
    times = np.arange(len(scores)) * every_s
    ids = tuple(f"s{place}" for place in range(len(scores)))
    curve = ScoreCurve(times, np.array(scores, np.float32), ids, 0.25)
    rows = Rows(300, 0, has_score=True, scale=1.0)
    scale = TimeScale.fitting(SECONDS, WIDTH)
    drawn = TimelineDrawing(DARK).draw(Picture(scale, rows, (), (), curve=curve))
    return drawn[slice(*rows.score)]


def is_drawn(rows: np.ndarray) -> np.ndarray:
    """Return which columns have anything but the ground: (WIDTH,) bool."""
    found: np.ndarray = (rows != rows[0, 0]).any(axis=(0, 2))
    return found


@pytest.mark.parametrize("finer", [1, 100])
def test_where_nothing_was_scored_there_is_neither_curve_nor_line(finer: int) -> None:
    none = [np.nan]
    scores = none * 2 * finer + [0.2] * 3 * finer + none * 3 * finer + [0.4] * finer + none * finer
    seen = is_drawn(score_rows(scores, 1 / finer))
    expected = np.zeros(WIDTH, bool)
    for begin_s, end_s in ((2, 5), (8, 9)):
        expected[begin_s * WIDTH // SECONDS : end_s * WIDTH // SECONDS] = True
    assert seen.tolist() == expected.tolist()


def test_a_curve_without_gaps_reaches_from_the_beginning_to_the_end() -> None:
    assert is_drawn(score_rows([0.1, 0.5, 0.2])).all()


def test_what_was_scored_nowhere_has_no_line() -> None:
    rows = Rows(300, 0, has_score=True, scale=1.0)
    curve = ScoreCurve(np.arange(2.0), np.full(2, np.nan, np.float32), ("", ""), 0.25)
    assert line_height(curve, rows) is None
    assert not is_drawn(score_rows([np.nan, np.nan])).any()
