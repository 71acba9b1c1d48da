import itertools

import pytest

from src.gui.timeline.rows import Rows


def test_the_parts_follow_one_another() -> None:
    rows = Rows(320, 5, has_score=True)
    assert rows.ruler[1] <= rows.frames[0] < rows.frames[1] <= rows.score[0] < rows.score[1]
    assert rows.score[1] == rows.lanes_top == 160
    assert rows.needed == 320
    assert rows.most_scrolled == 0


def test_each_height_belongs_to_a_part() -> None:
    rows = Rows(320, 5, has_score=True)
    parts = [rows.part_at(y) for y in (3, 40, 130, 170)]
    assert parts == ["ruler", "frames", "score", "lanes"]
    assert Rows(320, 5, has_score=False).part_at(100) == "lanes"


@pytest.mark.parametrize("scrolled", [0, 40, 10_000])
def test_a_lane_is_found_where_it_is_drawn(scrolled: int) -> None:
    rows = Rows(320, 200, has_score=True).scrolled_by(scrolled)
    for lane in rows.visible_lanes():
        y = max(rows.top_of(lane), rows.lanes_top)
        assert rows.lane_at(y) == lane
    assert rows.lane_at(rows.lanes_top - 1) is None
    assert rows.lane_at(320) is None
    assert len(rows.visible_lanes()) <= 7


def test_below_the_last_lane_there_is_none() -> None:
    assert Rows(320, 2, has_score=True).lane_at(300) is None


def test_a_lane_is_brought_into_view() -> None:
    rows = Rows(320, 200, has_score=True)
    for lane in (0, 77, 199):
        seen = rows.scrolled_by(3000).showing(lane)
        assert seen.lanes_top <= seen.top_of(lane)
        assert seen.top_of(lane) + seen.lane <= 320


def test_fewer_lanes_are_scrolled_less() -> None:
    scrolled = Rows(320, 200, has_score=True).scrolled_by(9999)
    assert Rows(320, 5, True, 1.0, scrolled.scrolled).fitted().scrolled == 0


def test_a_low_timeline_leaves_more_for_its_lanes() -> None:
    low, high = Rows(200, 5, True), Rows(320, 5, True)
    assert low.lanes_top < high.lanes_top
    assert low.visible_lanes()


def test_bars_that_overlap_share_the_height_of_one() -> None:
    rows = Rows(320, 3, True)
    whole = rows.bar(1, 0, 1)
    parts = [rows.bar(1, level, 3) for level in range(3)]
    assert whole[0] == parts[0][0]
    assert parts[-1][1] <= whole[1]
    assert all(above[1] < below[0] for above, below in itertools.pairwise(parts))
