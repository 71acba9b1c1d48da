"""Rows of videos and the marks on them, in numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.gui.search.video_rows import (
    VideoRows,
    beside,
    best_of,
    length_of,
    mark_at,
    marks_of,
)
from src.records import MediaFile
from src.track_records import VideoMoment, VideoMoments


def video(
    *moments: tuple[float, float, float | None, bool], length: float | None = 10.0, number: int = 1
) -> VideoMoments:
    """A video of ten seconds; each moment is its begin, end, score and whether it is strong."""
    path = Path(f"video {number}.mp4")
    media = MediaFile(
        number, path, None, "video", 64, 36, length, None, 1, 1, "done", None, added_at=0.0
    )
    found = tuple(VideoMoment(f"{number}-{n}", *each) for n, each in enumerate(moments))
    return VideoMoments(media, Path(f"poster {number}.jpg"), found)


def test_only_what_is_seen_of_two_thousand_rows_is_asked_for() -> None:
    rows = VideoRows(2000, 64, 600)
    assert rows.seen(0) == range(10)
    assert rows.seen(32) == range(10) and rows.seen(64) == range(1, 11)
    assert rows.seen(rows.bottom) == range(1990, 2000)
    assert rows.kept(1e9) == rows.bottom and rows.kept(-5) == 0


def test_few_rows_end_where_they_end() -> None:
    rows = VideoRows(2, 64, 600)
    assert rows.seen(0) == range(2) and rows.bottom == 0
    assert [rows.row_at(y, 0) for y in (0, 64, 127, 128)] == [0, 1, 1, None]


def test_a_row_is_brought_into_sight_and_moved_no_further() -> None:
    rows = VideoRows(100, 60, 600)
    assert rows.showing(3, 0) == 0
    assert rows.showing(10, 0) == 60
    assert rows.showing(2, 600) == 120
    assert rows.showing(99, 0) == rows.bottom


def test_a_mark_lies_where_its_thing_is_seen_and_weaker_ones_along_the_edge() -> None:
    marks = marks_of(video((2, 4, 0.9, True), (3, 9, 0.2, False)), (1000, 30))
    assert [(each.place, each.left, each.right) for each in marks] == [(1, 300, 900), (0, 200, 400)]
    weak, strong = marks
    assert (strong.top, strong.bottom) == (0, 23) and (weak.top, weak.bottom) == (25, 30)
    assert mark_at(marks, 350, 10, 0) is strong
    assert mark_at(marks, 350, 27, 0) is weak


def test_strong_ones_that_overlap_lie_one_below_the_other() -> None:
    found = video(*[(n, n + 1.5, 0.9, True) for n in range(6)])
    marks = marks_of(found, (1000, 30))
    assert [each.top for each in marks] == [0, 15, 0, 15, 0, 15]
    assert mark_at(marks, 120, 5, 0) is marks[0] and mark_at(marks, 120, 20, 0) is marks[1]


def test_of_too_many_at_a_time_some_overlap_and_all_are_marked() -> None:
    marks = marks_of(video(*[(0, 10, 0.9, True)] * 9), (1000, 30))
    assert sorted({each.top for each in marks}) == [0, 7, 15, 22]
    assert {each.place for each in marks} == set(range(9))


@pytest.mark.parametrize("at", [0.0, 5.0, 10.0])
def test_a_moment_of_a_single_frame_can_be_seen_and_lies_within_the_bar(at: float) -> None:
    (mark,) = marks_of(video((at, at, 0.5, True)), (400, 30))
    assert mark.right - mark.left == 6 and mark.left >= 0 and mark.right <= 400
    assert mark.left <= at / 10 * 400 <= mark.right


def test_a_pointer_beside_a_mark_means_the_nearest_one_within_reach() -> None:
    marks = marks_of(video((1, 2, 0.5, True), (6, 7, 0.5, True)), (100, 30))
    assert mark_at(marks, 23, 9, 4) is marks[0]
    assert mark_at(marks, 58, 32, 4) is marks[1]
    assert mark_at(marks, 40, 9, 4) is None and mark_at(marks, 15, 40, 4) is None


def test_from_a_strong_result_arrows_go_to_strong_ones_alone() -> None:
    found = video((0, 1, 0.9, True), (2, 3, 0.1, False), (4, 5, 0.9, True))
    assert beside(found, 0, 1) == 2 and beside(found, 2, -1) == 0 and beside(found, 2, 1) == 2
    assert beside(found, 1, 1) == 2 and beside(found, 1, -1) == 0


def test_results_after_the_length_that_a_file_claims_lie_on_the_bar() -> None:
    assert length_of(video((8, 14, 0.5, True), length=10.0)) == 14
    assert length_of(video((8, 14, 0.5, True), length=None)) == 14
    (mark,) = marks_of(video((12, 14, 0.5, True), length=10.0), (140, 30))
    assert (mark.left, mark.right) == (120, 140)


def test_the_best_result_has_the_highest_score_and_without_scores_it_is_the_first() -> None:
    assert best_of(video((0, 1, 0.2, False), (2, 3, 0.9, True), (4, 5, 0.9, True))) == 1
    assert best_of(video((0, 1, None, False), (2, 3, None, False))) == 0
