from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from src.gui.timeline import labelled
from src.gui.timeline.choice import Choice
from src.gui.timeline.lane_index import LaneIndex
from src.gui.timeline.time_scale import clock_of
from src.gui.timeline.timeline_model import TimelineModel
from src.track_records import LaneBar, ScoreCurve
from tests.gui.timeline.records import bar, lane, model, timeline, track

FIRST, SECOND = track(1, range(5)), track(2, range(8, 20))
TIMELINE = timeline(
    [FIRST, SECOND],
    [
        lane("dog", [bar(FIRST), bar(SECOND)]),
        lane("red", [bar(SECOND), bar(None, 1, 2, "alone")], "tag"),
    ],
)


@pytest.fixture
def shown() -> TimelineModel:
    return model(TIMELINE)


def test_a_frame_is_shown_until_the_next(shown: TimelineModel) -> None:
    places = [shown.place_at(time_s) for time_s in (0, 0.49, 0.5, 7.3, 99)]
    assert places == [0, 0, 1, 14, 19]
    assert TimelineModel().place_at(1) is None


def test_steps_go_from_frame_to_frame(shown: TimelineModel) -> None:
    shown.go(5.2)
    assert shown.stepped(1) == 5.5
    assert shown.stepped(-1) == 5.0  # its own frame begins there
    shown.go(5.0)
    assert shown.stepped(-1) == 4.5
    assert shown.stepped(-100) == 0
    assert shown.stepped(100) == 9.5


def test_a_range_has_its_frames_and_ends_inside_the_video(shown: TimelineModel) -> None:
    shown.mark(6.5, 4)
    assert shown.range == (4, 6.5)
    assert [frame.segment_id for frame in shown.frames_in(4, 6.5)] == [
        f"f{n}" for n in range(8, 14)
    ]
    shown.mark(8, 99)
    assert shown.range == (8, 10)
    shown.mark(3, 3)
    assert shown.range is None


def test_frames_edges_and_the_playhead_draw_a_time_to_them(shown: TimelineModel) -> None:
    shown.go(3.3)
    assert shown.snapped(3.31, 0.05) == 3.3
    assert shown.snapped(4.04, 0.05) == 4
    assert shown.snapped(4.2, 0.05) == 4.2


def test_a_bar_is_chosen_alone_or_with_others(shown: TimelineModel) -> None:
    dog, other = shown.choice_of(0, 0), shown.choice_of(0, 1)
    shown.choose(dog)
    shown.choose(other, adds=True)
    assert shown.chosen == (dog, other)
    assert shown.track == SECOND
    shown.choose(dog, adds=True)
    assert shown.chosen == (other,)
    shown.choose(None)
    assert shown.chosen == ()


def test_what_is_chosen_stays_when_the_video_is_read_again(shown: TimelineModel) -> None:
    shown.choose(shown.choice_of(0, 1))
    again = timeline([SECOND], [lane("dog", [bar(SECOND)])])
    shown.show(again, [LaneIndex(each) for each in again.lanes])
    assert shown.track == SECOND
    none = timeline()
    shown.show(none, [])
    assert shown.chosen == ()


def test_a_track_is_chosen_by_one_of_its_segments(shown: TimelineModel) -> None:
    choice = shown.choice_of_segment(SECOND.segments[3].segment_id)
    assert choice is not None
    assert choice.track_id == 2
    alone = shown.choice_of_segment("alone")
    assert alone is not None
    assert alone.track_id is None
    assert alone.lane == ("tag", "red")
    assert shown.choice_of_segment("gone") is None


def test_a_label_is_given_by_the_segment_at_the_playhead(shown: TimelineModel) -> None:
    shown.choose(shown.choice_of(0, 1))
    shown.go(5)
    assert shown.segments_chosen() == ["t2s10"]
    shown.go(0)  # where it is not seen: by the one that is nearest
    assert shown.segments_chosen() == ["t2s8"]
    shown.choose(shown.choice_of(1, 0))
    assert shown.segments_chosen() == ["alone"]


def test_segments_of_a_range_are_those_of_the_choice_of_a_lane_or_of_all(
    shown: TimelineModel,
) -> None:
    shown.choose(shown.choice_of(0, 0))
    assert labelled.of_choice(shown, 1, 5) == ["t1s2", "t1s3", "t1s4"]
    assert labelled.of_lane(shown, 0, 2, 4.5) == ["t1s4", "t2s8", "t2s9"]
    assert labelled.of_lane(shown, 1, 1, 4) == ["alone", "t2s8"]
    assert set(labelled.of_all(shown, 1, 4)) == {"t1s2", "t1s3", "t1s4", "alone", "t2s8"}


def test_of_several_tracks_that_make_a_bar_each_click_means_another() -> None:
    long, short, later = track(1, range(10)), track(2, range(2, 6)), track(3, range(14, 20))
    whole = LaneBar(0, 10, None, "t1s0", 20)
    shown = model(timeline([long, short, later], [lane("dog", [whole])]))
    choices = []
    for _ in range(3):
        shown.choose(shown.choice_of(0, 0, 1.5))
        choices.append(shown.track)
    assert choices == [long, short, long]
    shown.choose(shown.choice_of(0, 0, 6))
    assert shown.track is None  # none of them is seen there
    found = shown.choice_of_segment("t3s15")
    assert found is not None
    assert (found.track_id, shown.begin_of(found)) == (3, 7)
    assert shown.span_of(found, whole) == (7, 10)
    assert shown.is_in(found, shown.lanes[0].lane, whole)
    before = LaneBar(0, 5, None, "t1s0", 10)  # ends before the track begins
    assert not shown.is_in(found, shown.lanes[0].lane, before)
    assert labelled.of_lane(shown, 0, 1, 1.5) == ["t1s2", "t1s3", "t2s2", "t2s3"]


def test_of_a_track_that_was_split_the_part_that_is_looked_at_is_chosen(
    shown: TimelineModel,
) -> None:
    shown.choose(shown.choice_of(0, 1))
    shown.go(7)
    first, second = track(2, range(8, 12)), replace(track(2, range(12, 20)), id=5)
    again = timeline([first, second], [lane("dog", [bar(first), bar(second)])])
    shown.show(again, [LaneIndex(each) for each in again.lanes])
    assert shown.track == second


def test_of_a_track_that_is_two_new_ones_the_part_that_is_looked_at_is_chosen(
    shown: TimelineModel,
) -> None:
    shown.choose(shown.choice_of(0, 1))
    shown.go(7)
    first, second = replace(track(2, range(8, 12)), id=4), replace(track(2, range(12, 20)), id=5)
    again = timeline([first, second], [lane("dog", [bar(first), bar(second)])])
    shown.show(again, [LaneIndex(each) for each in again.lanes])
    assert shown.track == second
    shown.show(TIMELINE, [LaneIndex(each) for each in TIMELINE.lanes])  # undone
    assert shown.track == SECOND


def test_a_second_on_is_the_frame_that_is_next_to_it() -> None:
    every_s = 1001 / 2000
    of = timeline()
    sampled = tuple(
        replace(frame, timestamp_s=n * every_s, until_s=(n + 1) * every_s)
        for n, frame in enumerate(of.frames)
    )
    shown = model(replace(of, frames=sampled, duration_s=20 * every_s))
    shown.go(shown.after(1))
    assert shown.playhead_s == 2 * every_s
    assert shown.stepped(1) == 3 * every_s  # and no step seems to do nothing
    shown.go(1.7)
    assert shown.after(1) == pytest.approx(2.7)


def test_a_segment_that_stands_for_a_bar_of_several_tracks_is_of_its_own() -> None:
    long, short = track(1, range(10)), track(2, range(2, 6))
    shown = model(timeline([long, short], [lane("dog", [LaneBar(0, 5, None, "t2s3", 14)])]))
    found = shown.choice_of_segment("t2s3")
    assert found is not None
    assert shown.track_of(found) == short


class Counted(tuple):  # type: ignore[type-arg]
    """A tuple that counts how often one of its parts is looked at."""

    looks = 0

    def __getitem__(self, place: object) -> object:
        Counted.looks += 1
        return super().__getitem__(place)  # type: ignore[index]

    def __iter__(self) -> Iterator[object]:
        for each in super().__iter__():
            Counted.looks += 1
            yield each


def test_playing_does_not_go_through_all_of_a_track_for_each_frame() -> None:
    """Two hours at a frame a second: 7,200 looks a frame would be 50 million in all."""
    count = 2000
    long = track(1, range(count))
    long = replace(long, segments=Counted(long.segments))
    shown = model(timeline([long], [lane("dog", [bar(long)])], count))
    ids = Counted(segment.segment_id for segment in long.segments)
    scores = np.linspace(0, 1, count, dtype=np.float32)
    shown.curve = ScoreCurve(np.arange(count) / 2, scores, ids, None)
    shown.choose(Choice(("label", "dog"), 1, "t1s0"))
    assert shown.choice is not None
    Counted.looks = 0
    for number in range(count):
        shown.go(number / 2 + 0.1)
        now = shown.segment_now()
        assert now is not None and now.segment_id == f"t1s{number}"
        assert shown.nearest_segment(long).segment_id == f"t1s{number}"
        assert shown.best_score(shown.choice) == 1.0
    assert Counted.looks < 60 * count


def test_the_best_score_is_of_the_curve_that_is_shown() -> None:
    one = track(1, range(4))
    shown = model(timeline([one], [lane("dog", [bar(one)])]))
    choice = Choice(("label", "dog"), 1, "t1s0")
    assert shown.best_score(choice) is None
    for best in (0.25, 0.5):
        shown.curve = ScoreCurve(np.zeros(1), np.array([best], np.float32), ("t1s2",), None)
        assert shown.best_score(choice) == best
    shown.show(timeline([track(1, [0, 1])], [lane("dog", [bar(one)])]), [])
    assert shown.best_score(choice) is None


def test_a_moment_belongs_to_the_frame_that_has_begun_and_is_written_so() -> None:
    every_s = 1001 / 1000
    of = timeline()
    sampled = tuple(replace(frame, timestamp_s=n * every_s) for n, frame in enumerate(of.frames))
    shown = model(replace(of, frames=sampled, duration_s=20 * every_s))
    # a player's times are rounded: its third frame is the library's
    shown.go(3.003 - 1e-4)
    assert shown.frame is not None and shown.frame.segment_id == "f3" and shown.is_at_frame
    assert clock_of(shown.playhead_s) == "0:03.00"
    assert shown.stepped(-1) == 2 * every_s
    # a hair before it is before it, in all that is said
    shown.go(2.9995)
    assert shown.frame.segment_id == "f2" and not shown.is_at_frame
    assert clock_of(2.99) == "0:02.99" and clock_of(2.9899) == "0:02.99"
    assert clock_of(2.9866) == "0:02.98"
    # each frame of a video of thirty a second is another moment
    assert len({clock_of(n / 30) for n in range(300)}) == 300
    assert shown.frame_near(2.98, 0.05) == 3 * every_s
    assert shown.frame_near(2.9, 0.05) == 2.9


def test_a_frame_of_a_fast_video_that_follows_a_sampled_one_is_another(
    shown: TimelineModel,
) -> None:
    shown.go(5 + 1 / 60)
    assert not shown.is_at_frame


def test_a_track_is_chosen_once_however_many_bars_it_has() -> None:
    one, other = track(1, [0, 1, 2, 8, 9]), track(2, range(4))
    bars = [LaneBar(0, 1.5, 1, "t1s0", 3), LaneBar(4, 5, 1, "t1s8", 2)]
    shown = model(timeline([one, other], [lane("dog", [*bars, bar(other)]), lane("red", bars)]))
    dog, again, second = (shown.choice_of(0, place) for place in (0, 2, 1))
    assert (dog.track_id, again.track_id, second.track_id) == (1, 1, 2)
    shown.choose(dog)
    shown.choose(shown.choice_of(1, 1), adds=True)  # in another lane: it is chosen there
    assert [(each.track_id, each.lane) for each in shown.chosen] == [(1, ("label", "red"))]
    shown.choose(second, adds=True)
    assert [each.track_id for each in shown.chosen] == [1, 2]
    shown.choose(dog)
    shown.choose(again, adds=True)  # by its other bar of the lane: no more
    assert shown.chosen == ()


def test_a_track_is_split_between_two_frames_that_it_is_seen_in() -> None:
    one = track(1, [2, 3, 8, 9])
    shown = model(timeline([one], [lane("dog", [bar(one)])]))
    assert shown.split_segment() is None
    shown.choose(shown.choice_of(0, 0))
    found = []
    for time_s in (0, 1, 1.5, 2, 3.9, 4, 4.5, 5):
        shown.go(time_s)
        segment = shown.split_segment()
        found.append(None if segment is None else segment.segment_id)
    assert found == [None, None, "t1s3", "t1s8", "t1s8", "t1s8", "t1s9", None]


def test_a_track_has_its_name_again_once_its_splitting_is_undone() -> None:
    whole = track(1, range(8))
    brown, orange = lane("brown", [bar(whole)], "tag"), lane("orange", [bar(whole)], "tag")
    shown = model(timeline([whole], [orange, brown]))
    shown.choose(shown.choice_of(1, 0))
    shown.go(3)
    parts = track(1, range(4)), replace(track(1, range(4, 8)), id=2)
    lanes = [lane("orange", [bar(each) for each in parts], "tag"), lane("brown", [], "tag")]
    again = timeline(parts, lanes)
    shown.show(again, [LaneIndex(each) for each in again.lanes])
    assert shown.choice is not None and shown.choice.lane == ("tag", "orange")
    shown.show(timeline([whole]), [LaneIndex(each) for each in (orange, brown)])
    assert shown.choice is not None and shown.choice.lane == ("tag", "brown")


def test_what_gets_a_label_is_counted_by_tracks_and_by_segments(shown: TimelineModel) -> None:
    assert labelled.said_of(shown, ["t1s2"]) == "1 track (5 segments)"
    assert labelled.said_of(shown, ["t1s2", "t1s3", "t2s9"]) == "2 tracks (17 segments)"
    assert labelled.said_of(shown, ["alone"]) == "1 segment"
    assert labelled.said_of(shown, ["alone", "t1s0"]) == "1 track and 1 segment (6 segments in all)"


def test_where_nothing_was_scored_a_moment_has_no_score(shown: TimelineModel) -> None:
    assert shown.score_at(1) is None
    scores = np.array([np.nan, 0.25, 0.5, np.nan], np.float32)
    shown.curve = ScoreCurve(np.arange(4.0), scores, ("", "a", "b", ""), None)
    found = [shown.score_at(time_s) for time_s in (0, 0.9, 1, 1.5, 2, 2.9, 3, 99)]
    assert found == [None, None, 0.25, 0.375, 0.5, 0.5, None, None]


def test_a_track_of_one_frame_is_seen_in_the_bar_that_it_makes_with_others() -> None:
    one, other = replace(track(1, [0]), end_s=0.0), track(2, range(2))
    shared = LaneBar(0, 1, None, "t1s0", 2)
    shown = model(timeline([one, other], [lane("dog", [shared])]))
    choice = shown.choice_of_segment("t1s0")
    assert choice is not None and choice.track_id == 1
    assert shown.is_in(choice, shown.lanes[0].lane, shared)
    assert shown.span_of(choice, shared) == (0, 0.5)
    shown.choose(shown.choice_of(0, 0, 0.4))
    assert shown.track == other  # the longest first
    shown.choose(shown.choice_of(0, 0, 0.4))
    assert shown.track == one


def test_a_track_that_lost_its_label_is_chosen_in_a_lane_that_shows_it() -> None:
    one = track(1, range(4))
    shown = model(timeline([one], [lane("k", [bar(one)]), lane("red", [bar(one)], "tag")]))
    shown.choose(shown.choice_of(0, 0))
    shown.show(timeline([one]), [LaneIndex(lane("red", [bar(one)], "tag"))])
    assert shown.choice is not None and shown.name_of(shown.choice) == "red"
    again = [lane("k", [bar(one)]), lane("red", [bar(one)], "tag")]
    shown.show(timeline([one]), [LaneIndex(each) for each in again])
    assert shown.track == one
