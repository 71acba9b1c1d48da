"""A thing that was chosen on the timeline."""

from __future__ import annotations

from dataclasses import dataclass

from src.track_records import Lane, LaneBar

ALONE = "segment"  # stands for the kind of a lane, where no lane shows what is chosen


@dataclass(frozen=True)
class Choice:
    """A bar that was chosen: a track as a lane shows it, or segments that are in none.

    Attributes:
        lane: its kind and name.
        track_id: of a bar that several tracks make, the one of them that is meant.
        segment_id: that stands for the bar.
    """

    lane: tuple[str, str]
    track_id: int | None
    segment_id: str

    def is_of(self, lane: Lane, bar: LaneBar) -> bool:
        """Return whether a bar is one that was chosen."""
        return (lane.kind, lane.name) == self.lane and self.is_same_thing(bar)

    def is_same_as(self, other: Choice) -> bool:
        """Return whether two choices are of one track, or of one segment that is in none."""
        if self.track_id is None and other.track_id is None:
            return self.segment_id == other.segment_id
        return self.track_id == other.track_id

    def is_same_thing(self, bar: LaneBar) -> bool:
        if self.track_id is not None and bar.track_id is not None:
            return bar.track_id == self.track_id
        return bar.track_id is None and bar.segment_id == self.segment_id
