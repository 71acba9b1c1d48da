"""What is chosen on the timeline: bars, by pointer, keys or the picture; and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from src.counting import counted, moment
from src.gui.timeline.choice import ALONE, Choice
from src.gui.timeline.timeline_canvas import TimelineCanvas
from src.gui.timeline.timeline_model import TimelineModel
from src.gui.timeline.timeline_side import Allowed, TimelineSide
from src.records import FrameView, SearchResult

_NAME = "Segment"  # of one that is in no lane


class Choosing:
    """Chooses in the model, and shows that on the timeline and beside the picture."""

    def __init__(
        self,
        model: TimelineModel,
        canvas: TimelineCanvas,
        side: TimelineSide,
        view: Callable[[], FrameView | None],
        changed: Callable[[], object],
        find: Callable[[str, Callable[[SearchResult], None]], None],
    ) -> None:
        """Prepare it.

        Args:
            find: looks up a segment by its id, and calls back.
            view: gives the frame at the playhead, where it has been read.
            changed: hears that something else is chosen.
        """
        self._model, self._canvas, self._side = model, canvas, side
        self._view, self._changed = view, changed
        self._find = find
        self._alone_at_s = 0.0  # of a segment that was chosen in the picture and is in no track
        self._crops: dict[str, Path | None] = {}  # of segments that are in no track
        self._tags: dict[str, str] = {}

    def choose(
        self, lane: int, place: int, time_s: float | None = None, adds: bool = False
    ) -> None:
        """Choose a bar, alone or with those that are; see TimelineModel.choice_of."""
        self._choose(self._model.choice_of(lane, place, time_s), adds)

    def nothing(self) -> None:
        self._choose(None)

    def _choose(self, choice: Choice | None, adds: bool = False) -> None:
        frame = self._model.frame
        if frame is not None:
            self._alone_at_s = frame.timestamp_s
        self._model.choose(choice, adds)
        self._canvas.refresh()
        self._changed()
        self.show()

    def choose_segment(self, segment_id: str, adds: bool = False) -> None:
        """Choose the track of a segment, or the segment alone where it is in none.

        Args:
            adds: choose it beside what is chosen; what is chosen already no more.
        """
        choice = self._choice_of(segment_id)
        if adds:  # in the lane that it is chosen in
            choice = next((each for each in self._model.chosen if each.is_same_as(choice)), choice)
        self.reveal(choice)
        self._choose(choice, adds)

    def arrive(self, segment_id: str) -> None:
        """Choose the segment that was asked for, in place of what was chosen; no whole frame."""
        is_frame = any(frame.segment_id == segment_id for frame in self._model.frames)
        choice = self._model.choice_of_segment(segment_id)
        if choice is None and not is_frame:
            choice = self._choice_of(segment_id)
        if choice is not None:
            self.reveal(choice)
        self._choose(choice)

    def _choice_of(self, segment_id: str) -> Choice:
        alone = Choice((ALONE, _NAME), None, segment_id)
        return self._model.choice_of_segment(segment_id) or alone

    def _name_of(self, choice: Choice) -> str:
        """Return what a chosen thing is called: a segment alone by its tag, where that is known."""
        if choice.lane[0] != ALONE:
            return self._model.name_of(choice)
        view = self._view()
        tags = () if view is None else view.tags.get(choice.segment_id, ())
        if tags:
            self._tags[choice.segment_id] = tags[0].name
        return self._tags.get(choice.segment_id, choice.lane[1])

    def _find_crop(self, segment_id: str) -> None:
        def found(result: SearchResult) -> None:
            if result.hits:
                self._crops[segment_id] = result.hits[0].segment.crop_path
                self.show()

        self._find(segment_id, found)

    def reveal(self, choice: Choice) -> None:
        """Scroll the lane of a choice into view."""
        if (lane := self._model.lane_of(choice)) is not None:
            self._canvas.show_lane(lane)

    def go_lane(self, step: int) -> None:
        """Choose the bar that is nearest to the playhead in the lane below (1) or above (-1)."""
        model, lanes = self._model, self._model.lanes
        here = None if model.choice is None else model.lane_of(model.choice)
        lane = (0 if step > 0 else len(lanes) - 1) if here is None else here + step
        if 0 <= lane < len(lanes) and (place := lanes[lane].nearest(model.playhead_s)) is not None:
            self._canvas.show_lane(lane)
            self.choose(lane, place)

    def outlined(self) -> list[str]:
        """Return the segments that are outlined in the frame at the playhead."""
        ids = [each for choice in self._model.chosen for each in self._untracked(choice)]
        now = (self._model.segment_now(choice) for choice in self._model.chosen)
        return [*ids, *(segment.segment_id for segment in now if segment is not None)]

    def _untracked(self, choice: Choice) -> list[str]:
        """Return what a bar without a track shows in the frame: what has its label or tag."""
        view, (kind, name) = self._view(), choice.lane
        if choice.track_id is not None:
            return []
        if view is None or kind in ("track", ALONE):
            return [choice.segment_id]
        return [
            segment.id
            for segment in view.segments
            if any(tag.name == name for tag in view.tags.get(segment.id, ()))
        ]

    # -- what is said of it

    def show(self) -> None:
        """Show what is known of what is chosen, and offer what can be done with it now."""
        model, side, choice = self._model, self._side, self._model.choice
        if choice is None:
            side.card.show_nothing()
            side.allow(Allowed())
            return
        side.card.show(self._name_of(choice), tuple(self._facts(choice)), self._crop(choice))
        tracks = {each.track_id for each in model.chosen if each.track_id is not None}
        is_here, can_split = model.segment_now() is not None, model.split_segment() is not None
        side.allow(Allowed(True, can_split, len(tracks) > 1, is_here))

    def _facts(self, choice: Choice) -> list[str]:
        model, track = self._model, self._model.track_of(choice)
        if track is not None:
            begin_s, end_s, frames = track.begin_s, track.end_s, len(track.segments)
        else:
            bars = model.bars_of(choice)
            begin_s = end_s = self._alone_at_s
            frames = 0
            if bars:
                begin_s, end_s, frames = bars[0].begin_s, bars[0].end_s, bars[0].frames
        facts = [f"Seen {moment(begin_s)} – {moment(end_s)} · {counted(frames, 'frame')}"]
        if not frames:
            facts = [f"Not in a track · seen at {moment(begin_s)}"]
        score = model.best_score(choice)
        if score is not None:
            facts.append(f"{score:.2f} for {self._canvas.query}")
        if len(model.chosen) > 1:
            facts.append(f"{len(model.chosen)} chosen")
        return facts

    def _crop(self, choice: Choice) -> Path | None:
        track = self._model.track_of(choice)
        if track is not None:
            segment = self._model.segment_now(choice) or self._model.nearest_segment(track)
            return segment.crop_path
        if choice.segment_id not in self._crops:
            self._crops[choice.segment_id] = None
            self._find_crop(choice.segment_id)
        return self._crops[choice.segment_id]
