"""What is known of the video on the timeline, and what a person has chosen of it; no widgets."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from src.gui.timeline.choice import ALONE, Choice
from src.gui.timeline.lane_index import LaneIndex
from src.gui.timeline.time_scale import near, snapped
from src.track_records import (
    SAME_MOMENT_S,
    Lane,
    LaneBar,
    ScoreCurve,
    Timeline,
    TimelineFrame,
    Track,
    TrackSegment,
)

SAME_S = 0.02  # so near to a sampled frame's time it is that frame
Range = tuple[float, float]  # the seconds at which it begins and ends


class TimelineModel:
    """A video over time, the place that is looked at, what is chosen, and the range."""

    def __init__(self) -> None:
        self.timeline: Timeline | None = None
        self.curve: ScoreCurve | None = None
        self.lanes: tuple[LaneIndex, ...] = ()
        self.playhead_s = 0.0
        self.chosen: tuple[Choice, ...] = ()
        self.range: Range | None = None
        self._lane = "", ""  # the one that a person chose something in last
        self._times = np.empty(0, np.float64)
        self._tracks: dict[int, Track] = {}
        self._edges = self._times  # of frames and bars, for snapping
        # what is known of scores, and of which timeline and curve
        self._best: dict[Choice, float | None] = {}
        self._best_of: tuple[Timeline | None, ScoreCurve | None] = (None, None)

    def clear(self) -> None:
        """Forget the video."""
        self.__init__()  # type: ignore[misc]

    def show(self, timeline: Timeline, lanes: Sequence[LaneIndex]) -> None:
        """Show a video, or what has changed in it; what is chosen stays where it is there still.

        Of a track that was split, the part is chosen then that is looked at.
        """
        looked_at = self.segment_now()
        self.timeline, self.lanes = timeline, tuple(lanes)
        self._times = np.array([frame.timestamp_s for frame in timeline.frames], np.float64)
        self._tracks = {track.id: track for track in timeline.tracks}
        edges = [self._times, np.array([timeline.duration_s]), *(lane.edges_s for lane in lanes)]
        self._edges = np.unique(np.concatenate(edges))
        self.playhead_s = min(self.playhead_s, self.duration_s)
        found = [self._found_again(choice) for choice in self.chosen]
        there = list(dict.fromkeys(choice for choice in found if choice is not None))
        last, self.chosen = self.choice, tuple(there)
        if looked_at is not None and last is not None and self.segment_now(last) is None:
            part = self.choice_of_segment(looked_at.segment_id, self._lane)
            if part is not None and part.track_id is not None:
                self.chosen = (*(each for each in there if each not in (last, part)), part)
        if self.range is not None and self.range[0] >= self.duration_s:
            self.range = None

    def _found_again(self, choice: Choice) -> Choice | None:
        """Return a choice in its lane, in another where that shows it no more; None if gone."""
        track = self.track_of(choice)
        in_lane = (
            self.is_in(choice, index.lane, bar)
            for index in self.lanes
            if (index.lane.kind, index.lane.name) == choice.lane
            for bar in index.bars
        )
        if choice.lane[0] == ALONE or any(in_lane):
            return choice
        segment_id = choice.segment_id if track is None else track.segments[0].segment_id
        return self.choice_of_segment(segment_id, self._lane)

    @property
    def duration_s(self) -> float:
        return 0.0 if self.timeline is None else self.timeline.duration_s

    @property
    def frames(self) -> tuple[TimelineFrame, ...]:
        return () if self.timeline is None else self.timeline.frames

    # -- frames

    def place_at(self, time_s: float) -> int | None:
        """Return the sampled frame that a moment belongs to: the last that has begun, or the first.

        This is the one rule of what a moment shows, whatever shows it.
        """
        if not len(self._times):
            return None
        return int(self.places_at(np.array([time_s]))[0])

    def places_at(self, times_s: np.ndarray) -> np.ndarray:
        """Return the sampled frames of moments, (N,) float64; there must be one. See place_at."""
        begun = np.searchsorted(self._times, times_s + SAME_MOMENT_S, "right")
        return np.maximum(begun - 1, 0)

    @property
    def frame(self) -> TimelineFrame | None:
        """The sampled frame at the playhead."""
        place = self.place_at(self.playhead_s)
        return None if place is None else self.frames[place]

    @property
    def is_at_frame(self) -> bool:
        """Whether the playhead is where the sampled frame begins, and not between two."""
        frame = self.frame
        return frame is not None and abs(frame.timestamp_s - self.playhead_s) <= SAME_MOMENT_S

    def stepped(self, steps: int) -> float:
        """Return the time of the next frame, or a previous one; of one between, its own first."""
        place = self.place_at(self.playhead_s)
        if place is None:
            return self.playhead_s
        if steps < 0 and self.playhead_s > self._times[place] + SAME_MOMENT_S:
            steps += 1
        place = min(max(0, place + steps), len(self._times) - 1)
        return float(self._times[place])

    def go(self, time_s: float) -> None:
        self.playhead_s = min(max(0.0, time_s), self.duration_s)

    def after(self, seconds: float) -> float:
        """Return the time so many seconds on, or back: a frame's own where that is next to it."""
        time_s = self.playhead_s + seconds
        near_s = [float(each) for each in near(self._times, time_s)]
        return snapped(time_s, near_s, SAME_S)

    def frame_near(self, time_s: float, reach_s: float) -> float:
        """Return the time of the sampled frame that is nearest and within reach, else the time."""
        return snapped(time_s, near(self._times, time_s), reach_s)

    def snapped(self, time_s: float, reach_s: float) -> float:
        """Return the frame, the edge of a bar or the playhead nearest to a time, else the time."""
        return snapped(time_s, [*near(self._edges, time_s), self.playhead_s], reach_s)

    # -- the range

    def frames_in(self, begin_s: float, end_s: float) -> Sequence[TimelineFrame]:
        """Return the sampled frames of a range, both its ends in it."""
        first = int(np.searchsorted(self._times, begin_s - 1e-6))
        return self.frames[first : int(np.searchsorted(self._times, end_s + 1e-6, "right"))]

    def mark(self, begin_s: float, end_s: float) -> None:
        """Mark a range; its ends may come in either order."""
        low, high = sorted((begin_s, end_s))
        low, high = max(0.0, low), min(high, self.duration_s)
        self.range = (low, high) if high > low else None

    # -- what is chosen

    @property
    def tracks(self) -> Sequence[Track]:
        return () if self.timeline is None else self.timeline.tracks

    def choose(self, choice: Choice | None, adds: bool = False) -> None:
        """Choose a thing alone, or add it to those that are chosen, or take it from them.

        A track is one thing, however many bars it has; by its bar in another lane it is chosen
        there.
        """
        self._lane = self._lane if choice is None else choice.lane
        if choice is None:
            self.chosen = self.chosen if adds else ()
        elif not adds:
            self.chosen = (choice,)
        else:
            before = [each for each in self.chosen if each.is_same_as(choice)]
            others = tuple(each for each in self.chosen if each not in before)
            is_off = any(each.lane == choice.lane for each in before)
            self.chosen = others if is_off else (*others, choice)

    def choice_of(self, lane: int, place: int, time_s: float | None = None) -> Choice:
        """Return how a bar is chosen.

        Args:
            time_s: where it was clicked: of several tracks that make the bar, one that is seen
                there is meant, the longest first, and with each further click the next.
        """
        of, bar = self.lanes[lane].lane, self.lanes[lane].bars[place]
        track_id = bar.track_id
        if track_id is None:
            track_id = self._track_in(of, bar, self.playhead_s if time_s is None else time_s)
        return Choice((of.kind, of.name), track_id, bar.segment_id)

    def _track_in(self, lane: Lane, bar: LaneBar, time_s: float) -> int | None:
        found = [track.id for track in self.tracks_in(lane, bar, time_s, time_s)]
        before = self.choice
        if before is not None and before.is_of(lane, bar) and before.track_id in found:
            return found[(found.index(before.track_id) + 1) % len(found)]
        return found[0] if found else None

    def tracks_in(self, lane: Lane, bar: LaneBar, begin_s: float, end_s: float) -> list[Track]:
        """Return the tracks that make a bar and are seen in a range, the longest first."""
        begin_s, end_s = max(begin_s, bar.begin_s), min(end_s, bar.end_s)
        found = [
            track
            for track in self._tracks.values()
            if track.begin_s <= end_s
            and until_of(track) >= begin_s
            and (track.id == bar.track_id or any(tag.name == lane.name for tag in track.tags))
        ]
        return sorted(found, key=lambda track: track.begin_s - track.end_s)

    def begin_of(self, choice: Choice) -> float:
        """Return when what is chosen is seen first."""
        track = self.track_of(choice)
        return self.bars_of(choice)[0].begin_s if track is None else track.begin_s

    def begin_of_segment(self, segment_id: str) -> float | None:
        """Return when the track of a segment is seen first; None where no lane shows it."""
        choice = self.choice_of_segment(segment_id)
        return None if choice is None else self.begin_of(choice)

    def span_of(self, choice: Choice, bar: LaneBar) -> tuple[float, float]:
        """Return the part of a bar that is chosen: of one that several tracks make, its track's."""
        track = self.track_of(choice)
        if track is None or bar.track_id is not None:
            return bar.begin_s, bar.end_s
        return max(bar.begin_s, track.begin_s), min(bar.end_s, until_of(track))

    def is_in(self, choice: Choice, lane: Lane, bar: LaneBar) -> bool:
        """Return whether a bar shows what is chosen, alone or with other tracks."""
        track = self.track_of(choice)
        if track is None or bar.track_id is not None:
            return choice.is_same_thing(bar)
        is_then = track.begin_s < bar.end_s and bar.begin_s < until_of(track)
        return is_then and any(tag.name == lane.name for tag in track.tags)

    def choice_of_segment(
        self, segment_id: str, lane_first: tuple[str, str] | None = None
    ) -> Choice | None:
        """Return how the track of a segment is chosen, in the first lane that shows it.

        Args:
            lane_first: the lane, by kind and name, that is looked through before the others.
        """
        lanes = sorted(
            enumerate(self.lanes),
            key=lambda each: (each[1].lane.kind, each[1].lane.name) != lane_first,
        )
        track = next(
            (
                t
                for t in self._tracks.values()
                if any(s.segment_id == segment_id for s in t.segments)
            ),
            None,
        )
        wanted = Choice(("", ""), None if track is None else track.id, segment_id)
        for _, lane in lanes:
            for bar in lane.bars:
                if wanted.is_same_thing(bar):
                    of = lane.lane.kind, lane.lane.name
                    return Choice(of, wanted.track_id, bar.segment_id)
        if track is None:
            return None
        for _, lane in lanes:  # a bar that it makes with others
            for bar in lane.bars:
                if track in self.tracks_in(lane.lane, bar, track.begin_s, track.end_s):
                    return Choice((lane.lane.kind, lane.lane.name), track.id, bar.segment_id)
        return None

    def bars_of(self, choice: Choice) -> list[LaneBar]:
        """Return the bars that a choice is of, in its lane; in others where that is gone."""
        there = [
            (lane.lane, bar)
            for lane in self.lanes
            for bar in lane.bars
            if choice.is_same_thing(bar)
        ]
        own = [bar for lane, bar in there if choice.is_of(lane, bar)]
        return own or [bar for _, bar in there[:1]]

    def lane_of(self, choice: Choice) -> int | None:
        """Return the lane of a choice; None where it is gone."""
        for number, index in enumerate(self.lanes):
            if (index.lane.kind, index.lane.name) == choice.lane:
                return number
        return None

    @property
    def choice(self) -> Choice | None:
        """What was chosen last."""
        return self.chosen[-1] if self.chosen else None

    @property
    def track(self) -> Track | None:
        """The track that was chosen last."""
        return None if self.choice is None else self.track_of(self.choice)

    def track_of(self, choice: Choice) -> Track | None:
        return None if choice.track_id is None else self._tracks.get(choice.track_id)

    def segment_now(self, choice: Choice | None = None) -> TrackSegment | None:
        """Return a chosen track's segment in the frame at the playhead."""
        choice, frame = choice or self.choice, self.frame
        track = None if choice is None else self.track_of(choice)
        if track is None or frame is None:
            return None
        segments, at_s = track.segments, frame.timestamp_s
        for place in range(bisect_left(segments, at_s, key=_time_of), len(segments)):
            if segments[place].frame_index == frame.frame_index:
                return segments[place]
            if segments[place].timestamp_s > at_s:
                break
        return None

    def split_segment(self) -> TrackSegment | None:
        """Return the segment that the chosen track would be split before, at the playhead.

        That is the one in this frame, or the next one; None where no part would be left before
        it or after it.
        """
        track, frame = self.track, self.frame
        if track is None or frame is None:
            return None
        segments = track.segments
        place = bisect_left(segments, frame.timestamp_s, key=_time_of)
        return segments[place] if 0 < place < len(segments) else None

    def nearest_segment(self, track: Track) -> TrackSegment:
        """Return the segment of a track that is nearest to the playhead."""
        after = bisect_left(track.segments, self.playhead_s, key=_time_of)
        near_by = track.segments[max(0, after - 1) : after + 1]
        return min(near_by, key=lambda s: abs(s.timestamp_s - self.playhead_s))

    def segments_chosen(self) -> list[str]:
        """Return the segments by which the chosen things get a label: one of each."""
        found = []
        for choice in self.chosen:
            track = self.track_of(choice)
            segment = None if track is None else self.segment_now(choice)
            if track is not None and segment is None:
                segment = self.nearest_segment(track)
            found.append(choice.segment_id if segment is None else segment.segment_id)
        return found

    # -- words

    def name_of(self, choice: Choice) -> str:
        """Return what a chosen thing is called: its lane's label, else its first tag."""
        kind, name = choice.lane
        if kind != "track":
            return name
        track = self.track_of(choice)
        return track.tags[0].name if track is not None and track.tags else name

    def score_at(self, time_s: float) -> float | None:
        """Return how high the curve is at a time; None where there is none."""
        score = np.nan if self.curve is None else float(self.curve.at(np.array([time_s]))[0])
        return None if np.isnan(score) else score

    def best_score(self, choice: Choice) -> float | None:
        """Return the best score that is known of a chosen thing's segments; found once."""
        if self.curve is None:
            return None
        if self._best_of[0] is not self.timeline or self._best_of[1] is not self.curve:
            self._best_of, self._best = (self.timeline, self.curve), {}
        if choice not in self._best:
            self._best[choice] = self._best_score(choice, self.curve)
        return self._best[choice]

    def _best_score(self, choice: Choice, curve: ScoreCurve) -> float | None:
        track = self.track_of(choice)
        own = {choice.segment_id}
        if track is not None:
            own = {segment.segment_id for segment in track.segments}
        places = [place for place, each in enumerate(curve.segment_ids) if each in own]
        return float(curve.scores[places].max()) if places else None


def until_of(track: Track) -> float:
    """Return until when a track is seen: as long as its last frame stands for what was skipped."""
    return max(track.end_s, track.segments[-1].until_s)


def _time_of(segment: TrackSegment) -> float:
    return segment.timestamp_s
