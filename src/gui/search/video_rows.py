"""Where videos and the marks on them lie, a row for each; numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from src.track_records import VideoMoment, VideoMoments

LEAST_MARK = 6  # how wide a mark is at least, or a moment in a long video could not be seen
MOST_LANES = 4  # of strong results that overlap
_STRIP, _GAP = 5, 2  # of weaker ones, and above it


@dataclass(frozen=True)
class Mark:
    """A result on the bar of its video.

    Attributes:
        place: among the results of the video.
        left, right, top, bottom: in device pixels of the bar.
    """

    place: int
    left: int
    right: int
    top: int
    bottom: int
    is_strong: bool

    def away(self, x: int, y: int) -> int:
        """Return how far a pixel of the bar lies outside; 0 inside."""
        return max(self.left - x, x - self.right + 1, self.top - y, y - self.bottom + 1, 0)


@dataclass(frozen=True)
class VideoRows:
    """Rows of one height, scrolled by device pixels.

    Attributes:
        count: how many rows there are.
        pitch: from one row to the next.
        height: of what is seen.
    """

    count: int
    pitch: int
    height: int

    @property
    def bottom(self) -> int:
        """The largest offset."""
        return max(0, self.count * self.pitch - self.height)

    def kept(self, offset: float) -> int:
        """Return the offset that is nearest to a wished one."""
        return min(max(0, round(offset)), self.bottom)

    def seen(self, offset: int) -> range:
        """Return the rows of which something is seen."""
        return range(
            offset // self.pitch, min(self.count, -(-(offset + self.height) // self.pitch))
        )

    def row_at(self, y: int, offset: int) -> int | None:
        """Return the row at a height of the window; None below the last one."""
        row = (y + offset) // self.pitch
        return row if 0 <= row < self.count else None

    def showing(self, row: int, offset: int) -> int:
        """Return the offset at which a row is seen as a whole, moved no further than needed."""
        top = row * self.pitch
        return self.kept(min(top, max(offset, top + self.pitch - self.height)))


def length_of(video: VideoMoments) -> float:
    """Return how long a video is in seconds, or as long as its results last where that is more."""
    ends = [moment.end_s for moment in video.moments]
    return max(video.media.duration_s or 0.0, *ends, 1e-3)


def marks_of(video: VideoMoments, size_wh: tuple[int, int], scale: float = 1.0) -> list[Mark]:
    """Place the results of a video on its bar: strong ones that overlap lie one below the other.

    Weaker ones lie in a strip along its lower edge.

    Args:
        size_wh: of the bar, in device pixels.
        scale: device pixels of a pixel of the design.
    """
    (width, height), length = size_wh, length_of(video)
    least, strip = round(LEAST_MARK * scale), round(_STRIP * scale)
    ends = [_ends(each, length, width, least) for each in video.moments]
    weak = [place for place, each in enumerate(video.moments) if not each.is_strong]
    strong = [place for place, each in enumerate(video.moments) if each.is_strong]
    lanes = _lanes([ends[place] for place in strong])
    high = height - (strip + round(_GAP * scale) if weak else 0)
    count = max(lanes, default=0) + 1
    marks = [Mark(place, *ends[place], height - strip, height, False) for place in weak]
    for place, lane in zip(strong, lanes, strict=True):
        top, bottom = high * lane // count, high * (lane + 1) // count
        marks.append(Mark(place, *ends[place], top, bottom - (lane + 1 < count), True))
    return marks


def _ends(moment: VideoMoment, length: float, width: int, least: int) -> tuple[int, int]:
    left, right = (round(at / length * width) for at in (moment.begin_s, moment.end_s))
    if right - left >= least:
        return left, right
    left = min(max(0, (left + right - least) // 2), max(0, width - least))
    return left, min(width, left + least)


def _lanes(ends: Sequence[tuple[int, int]]) -> list[int]:
    """Place each mark in the first free lane; where there are too many, some overlap."""
    taken: list[int] = []  # up to where each lane is
    lanes = [0] * len(ends)
    for number in sorted(range(len(ends)), key=lambda each: ends[each]):
        left, right = ends[number]
        free = [lane for lane, until in enumerate(taken) if until <= left]
        if not free and len(taken) < MOST_LANES:
            taken.append(0)
            free = [len(taken) - 1]
        lane = free[0] if free else taken.index(min(taken))
        taken[lane], lanes[number] = max(taken[lane], right), lane
    return lanes


def mark_at(marks: Sequence[Mark], x: int, y: int, reach: int) -> Mark | None:
    """Return the mark at a pixel of the bar, the uppermost of several; else one within reach."""
    near = [(each.away(x, y), -place, each) for place, each in enumerate(marks)]
    close = min(near, default=None, key=lambda each: each[:2])
    return close[2] if close is not None and close[0] <= reach else None


def strong_of(video: VideoMoments) -> int:
    """Count the strong results of a video."""
    return sum(each.is_strong for each in video.moments)


def beside(video: VideoMoments, place: int, step: int) -> int:
    """Return the next (1) or previous (-1) result, from strong ones to strong ones alone."""
    only_strong = video.moments[place].is_strong
    places = [n for n, each in enumerate(video.moments) if each.is_strong or not only_strong]
    return places[min(max(0, places.index(place) + step), len(places) - 1)]


def best_of(video: VideoMoments) -> int:
    """Return the place of the result that answers best: the first of the highest score."""
    scores = [-1.0 if each.score is None else each.score for each in video.moments]
    return scores.index(max(scores))
