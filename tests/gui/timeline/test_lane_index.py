import numpy as np

from src.gui.timeline.lane_index import LaneIndex
from src.gui.timeline.time_scale import TimeScale
from tests.gui.timeline.records import bar, lane


def index(*spans: tuple[float, float]) -> LaneIndex:
    return LaneIndex(
        lane("dog", [bar(None, *span, segment=f"s{n}") for n, span in enumerate(spans)])
    )


def test_a_bar_is_found_by_its_time() -> None:
    found = index((1, 2), (4, 6))
    assert [found.at(time_s) for time_s in (0.5, 1, 1.5, 3, 5, 7)] == [None, 0, 0, None, 1, None]
    assert found.at(0.9, reach_s=0.2) == 0
    assert found.at(2.1, reach_s=5) == 0  # not the other one, which is in reach as well


def test_a_short_bar_before_a_long_one_is_no_hindrance() -> None:
    found = index((0, 10), (1, 2), (3, 4), (8, 9))
    assert found.at(3.5) == 2  # the shorter one, which the pointer could not reach else
    assert found.at(6) == 0
    scale = TimeScale.fitting(10, 1000).zoomed(5, 700)
    assert [each.segment_id for each in found.visible(scale)] == ["s0"]


def test_bars_that_overlap_lie_on_levels() -> None:
    found = index((0, 4), (1, 3), (2, 6), (4, 5), (2.5, 2.6))
    assert found.levels == 3
    levels = {found.bars[place].segment_id: found.level(place) for place in range(5)}
    assert levels == {"s0": 0, "s1": 1, "s2": 2, "s4": 2, "s3": 0}
    assert found.at(2.5, level=0) == 0
    assert index((0, 1), (1, 2)).levels == 1


def test_only_what_is_seen_is_drawn_and_one_of_many_on_a_pixel() -> None:
    found = index(*((n / 100, n / 100 + 0.005) for n in range(100_000)))
    scale = TimeScale.fitting(1000, 800)
    lefts, rights = found.spans(scale, 0)
    assert 790 <= len(lefts) <= 1700
    assert (rights > lefts).all()
    near_by = scale.zoomed(100, 400)
    lefts, rights = found.spans(near_by, 0)
    assert 795 <= len(lefts) <= 805  # of a thousand bars on so many pixels
    assert rights.min() >= -1
    assert lefts.max() <= 801


def test_bars_that_touch_are_told_apart() -> None:
    lefts, rights = index((0, 5), (5, 10)).spans(TimeScale.fitting(10, 100), 0)
    assert lefts.tolist() == [0, 50]
    assert rights.tolist() == [49, 99]


def test_the_nearest_bar() -> None:
    found = index((1, 2), (8, 9))
    assert [found.nearest(time_s) for time_s in (0, 3, 7, 20)] == [0, 0, 1, 1]
    assert index().nearest(3) is None
    assert index().at(3) is None
    assert index().levels == 1
    assert np.array_equal(found.edges_s, [1, 2, 8, 9])
