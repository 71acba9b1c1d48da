"""What lies where on the timeline from above: ruler, frames, score, lanes; numbers only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Part = Literal["ruler", "frames", "score", "lanes"]

RULER, LANE, BAR = 24, 32, 16
NAMES = 136  # the column of names left of all
_GAP = 8
_FRAMES, _SCORE = 48, 64
_LOW_FRAMES, _LOW_SCORE = 36, 40
_LOW = 232  # in a timeline that is lower, frames and score are


@dataclass(frozen=True)
class Rows:
    """The heights of a timeline, in device pixels.

    Attributes:
        height: of all.
        lanes: how many there are.
        has_score: whether there is a curve.
        scale: device pixels of a pixel of the design.
        scrolled: how far the lanes are scrolled up.
    """

    height: int
    lanes: int
    has_score: bool
    scale: float = 1.0
    scrolled: int = 0

    def px(self, length: float) -> int:
        return round(length * self.scale)

    @property
    def _is_low(self) -> bool:
        return self.height < self.px(_LOW)

    @property
    def ruler(self) -> tuple[int, int]:
        """Where the ruler begins and ends."""
        return 0, self.px(RULER)

    @property
    def frames(self) -> tuple[int, int]:
        top = self.px(RULER + _GAP)
        return top, top + self.px(_LOW_FRAMES if self._is_low else _FRAMES)

    @property
    def score(self) -> tuple[int, int]:
        """Where the curve begins and ends; both the same where there is none."""
        top = self.frames[1] + self.px(_GAP if self._is_low else 2 * _GAP)
        if not self.has_score:
            return self.frames[1], self.frames[1]
        return top, top + self.px(_LOW_SCORE if self._is_low else _SCORE)

    @property
    def lane(self) -> int:
        """The height of a lane."""
        return self.px(LANE)

    @property
    def lanes_top(self) -> int:
        return self.score[1] + (0 if self.has_score else self.px(_GAP))

    @property
    def lanes_seen(self) -> int:
        """How high the part is in which lanes are seen."""
        return max(0, self.height - self.lanes_top)

    @property
    def most_scrolled(self) -> int:
        return max(0, self.lanes * self.lane - self.lanes_seen)

    @property
    def needed(self) -> int:
        """How high it is to be for all lanes to be seen."""
        return self.lanes_top + self.lanes * self.lane

    def scrolled_by(self, px: int) -> Rows:
        """Return it with its lanes scrolled on by so much."""
        return replace(self, scrolled=min(max(0, self.scrolled + px), self.most_scrolled))

    def fitted(self) -> Rows:
        """Return it scrolled no further than its lanes reach."""
        return self.scrolled_by(0)

    def showing(self, lane: int) -> Rows:
        """Return it scrolled so that a lane is seen."""
        top = self.top_of(lane)
        if top < self.lanes_top:
            return self.scrolled_by(top - self.lanes_top)
        return self.scrolled_by(max(0, top + self.lane - self.height))

    def top_of(self, lane: int) -> int:
        """Return where a lane begins, be it seen or not."""
        return self.lanes_top + lane * self.lane - self.scrolled

    def visible_lanes(self) -> range:
        """Return the lanes of which something is seen."""
        if not self.lanes_seen:
            return range(0)
        first = self.scrolled // self.lane
        last = (self.scrolled + self.lanes_seen - 1) // self.lane
        return range(first, min(last + 1, self.lanes))

    def part_at(self, y: int) -> Part:
        """Return what lies at a height; between two, the one above."""
        if y < self.frames[0]:
            return "ruler"
        if y < (self.score[0] if self.has_score else self.lanes_top):
            return "frames"
        return "score" if y < self.lanes_top else "lanes"

    def lane_at(self, y: int) -> int | None:
        """Return the lane at a height; None above and below them."""
        if y < self.lanes_top or y >= self.height:
            return None
        lane = (y - self.lanes_top + self.scrolled) // self.lane
        return lane if lane < self.lanes else None

    def bar(self, lane: int, level: int, levels: int) -> tuple[int, int]:
        """Return where a bar begins and ends.

        Args:
            level: of bars that overlap, which of them it is, from above.
            levels: how many lie over one another in the lane.
        """
        high, gap = self.px(BAR), self.px(2)
        each = max(1, (high - (levels - 1) * gap) // levels)
        top = self.top_of(lane) + (self.lane - high) // 2 + level * (each + gap)
        return top, top + each
