import math

import numpy as np
import pytest

from src.gui.timeline.time_scale import (
    CLOSEST,
    TimeScale,
    finer_rates,
    in_milliseconds,
    near,
    snapped,
)


def test_the_whole_video_fills_the_width() -> None:
    scale = TimeScale.fitting(10, 500)
    assert (scale.x_of(0), scale.x_of(10)) == (0, 500)
    assert scale.time_at(250) == 5
    assert scale.is_fitting
    assert scale.zoom == 0


def test_times_outside_are_the_ends() -> None:
    scale = TimeScale.fitting(10, 500)
    assert (scale.time_at(-20), scale.time_at(2000)) == (0, 10)


@pytest.mark.parametrize("x", [0, 120, 499])
def test_what_lies_under_the_pointer_stays_there(x: int) -> None:
    scale = TimeScale.fitting(100, 500)
    there = scale.time_at(x)
    for _ in range(8):
        scale = scale.zoomed(1.25, x)
        assert scale.x_of(there) == pytest.approx(x)
    assert not scale.is_fitting


def test_it_zooms_no_further_out_than_the_video_and_no_closer_than_is_of_use() -> None:
    scale = TimeScale.fitting(10, 500)
    assert scale.zoomed(0.1, 100) == scale
    near_by = scale.zoomed(1e9, 100)
    assert near_by.px_per_s == CLOSEST
    assert near_by.zoom == pytest.approx(1)
    assert near_by.zoomed(1e-9, 3).is_fitting


def test_the_slider_zooms_evenly() -> None:
    scale = TimeScale.fitting(7200, 848)
    half = scale.with_zoom(0.5, 424)
    assert half.zoom == pytest.approx(0.5)
    assert half.px_per_s == pytest.approx(math.sqrt(scale.px_per_s * CLOSEST))
    assert half.with_zoom(0, 0).is_fitting


def test_no_empty_time_is_shown() -> None:
    scale = TimeScale.fitting(10, 500).zoomed(4, 0)
    assert scale.moved(-100).begin_s == 0
    assert scale.moved(1e6).end_s == pytest.approx(10)
    assert scale.moved(50).begin_s == pytest.approx(50 / scale.px_per_s)


def test_a_time_is_brought_into_view_and_no_other_moves_it() -> None:
    scale = TimeScale.fitting(100, 500).zoomed(10, 0)
    assert scale.showing(5) is scale
    for time_s in (0, 50, 99.9, 100):
        moved = scale.moved(1000).showing(time_s)
        assert 0 <= moved.x_of(time_s) <= 500


def test_a_video_that_fits_fits_another_width_and_length() -> None:
    assert TimeScale.fitting(10, 500).resized(900).is_fitting
    assert TimeScale.fitting(10, 500).lasting(20).is_fitting
    near_by = TimeScale.fitting(10, 500).zoomed(8, 0)
    assert near_by.resized(900).px_per_s == near_by.px_per_s
    assert near_by.lasting(1).end_s <= 1 + 1e-9


def test_a_video_of_one_frame_has_a_scale() -> None:
    scale = TimeScale.fitting(0, 500)
    assert scale.time_at(500) > 0
    assert scale.ticks(72)


@pytest.mark.parametrize(("factor", "width"), [(1, 500), (3, 848), (40, 2000), (1e6, 848)])
def test_labels_of_the_ruler_have_space(factor: float, width: int) -> None:
    scale = TimeScale.fitting(7200, width).zoomed(factor, 200)
    ticks = scale.ticks(72)
    labelled = [tick.time_s for tick in ticks if tick.is_labelled]
    if len(labelled) > 1:
        assert min(np.diff(labelled)) * scale.px_per_s >= 71.9
    assert len(ticks) <= width / 36 + 3
    assert all(-1e-6 <= scale.x_of(tick.time_s) <= width + 1e-6 for tick in ticks)


def test_what_is_near_snaps() -> None:
    assert snapped(1.04, [1, 2], 0.05) == 1
    assert snapped(1.06, [1, 2], 0.05) == 1.06
    assert snapped(1.06, [], 0.05) == 1.06
    times = np.arange(5.0)
    assert near(times, 2.5) == [2, 3]
    assert near(times, -1) == [0]
    assert near(times, 9) == [4]


def test_a_range_in_milliseconds_holds_the_frames_at_its_ends() -> None:
    begin_s, end_s = 120120 / 30000, 195195 / 30000
    low, high = in_milliseconds(begin_s, end_s)
    assert begin_s - 0.0011 < low <= begin_s and end_s <= high < end_s + 0.0011
    assert (low, high) == (round(low, 3), round(high, 3))


def test_only_rates_that_add_frames_are_offered() -> None:
    assert list(finer_rates([0, 1, 2])) == [2, 5, 10, 25]
    assert list(finer_rates([0, 0.5005, 1.001])) == [5, 10, 25]
    assert list(finer_rates([0, 0.5, 0.7, 0.9])) == [5, 10, 25]  # it is coarser at its beginning
    assert list(finer_rates([0, 1 / 30])) == [25] and list(finer_rates([])) == [2, 5, 10, 25]
