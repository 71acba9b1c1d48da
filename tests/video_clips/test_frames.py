"""The frames of a clip come at even steps, whatever the video's own are."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from src.records import Frame
from src.video_clips.frames import at_steps, frame_rate, steps_of


def frames(*times_s: float) -> list[Frame]:
    return [
        Frame(np.full((1, 1, 3), number, np.uint8), number, at_s)
        for number, at_s in enumerate(times_s)
    ]


def shown(some: list[Frame], begin_s: float, end_s: float, rate: int) -> list[int]:
    return [int(image[0, 0, 0]) for _, image in at_steps(some, begin_s, end_s, Fraction(rate))]


@pytest.mark.parametrize(
    ("times_s", "begin_s", "end_s", "found"),
    [
        ((0, 0.1, 0.2, 0.3), 0.1, 0.3, [1, 2]),
        ((0, 0.1, 0.2, 0.3), 0.15, 0.35, [1, 2]),
        ((0, 0.1, 0.5), 0, 0.6, [0, 1, 1, 1, 1, 2]),  # one is shown long
        ((0, 0.02, 0.04, 0.1), 0, 0.2, [0, 3]),  # more than there are steps
        ((0.101, 0.199, 0.301), 0.1, 0.4, [0, 1, 2]),  # times are rounded
        ((0, 0.1), 0, 9, [0, 1]),  # the video ends before
        ((0.2, 0.3), 0, 0.4, [0, 0, 0, 1]),  # it begins later
        ((), 0, 1, []),
        ((0, 0.1), 0.1, 0.1001, [1]),
    ],
)
def test_each_step_has_what_is_shown(
    times_s: tuple[float, ...], begin_s: float, end_s: float, found: list[int]
) -> None:
    assert shown(frames(*times_s), begin_s, end_s, 10) == found


def test_rates_of_television_are_exact() -> None:
    assert frame_rate(29.97) == Fraction(30000, 1001)
    assert frame_rate(23.98) == Fraction(24000, 1001)
    assert frame_rate(25.0) == 25 and frame_rate(12.5) == Fraction(25, 2)
    assert frame_rate(None) == frame_rate(90000.0) == frame_rate(0.2) == 30
    assert steps_of(4.0, 6.5, Fraction(30000, 1001)) == 75
