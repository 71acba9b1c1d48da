"""Where videos and the marks on them lie, a row for each; numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from src.track_records import VideoMoment, VideoMoments

LEAST_MARK = 6  # how wide a mark is at least, or a moment in a long video could not be seen


@dataclass(frozen=True)
class Mark:
    """A result on the bar of its video.

    Attributes:
        place: among the results of the video.
        left, right: in device pixels of the bar.
    """

    place: int
    left: int
    right: int
    is_strong: bool


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


def marks_of(video: VideoMoments, width: int, least: int = LEAST_MARK) -> list[Mark]:
    """Place the results of a video on its bar; weaker ones first, so that strong ones lie above.

    Args:
        width: of the bar, in device pixels.
        least: see LEAST_MARK, in device pixels.
    """
    length = length_of(video)

    def mark(place: int, moment: VideoMoment) -> Mark:
        left, right = (round(at / length * width) for at in (moment.begin_s, moment.end_s))
        if right - left < least:
            left = min(max(0, (left + right - least) // 2), max(0, width - least))
            right = min(width, left + least)
        return Mark(place, left, right, moment.is_strong)

    marks = [mark(place, moment) for place, moment in enumerate(video.moments)]
    return sorted(marks, key=lambda each: each.is_strong)


def mark_at(marks: Sequence[Mark], x: int, reach: int) -> Mark | None:
    """Return the mark at a pixel of the bar, the uppermost of several; else one within reach."""
    over = [each for each in marks if each.left <= x < each.right]
    if over:
        return over[-1]
    near = [(max(each.left - x, x - each.right), each) for each in marks]
    close = [pair for pair in near if pair[0] <= reach]
    return min(close, key=lambda pair: pair[0])[1] if close else None


def best_of(video: VideoMoments) -> int:
    """Return the place of the result that answers best: the first of the highest score."""
    scores = [-1.0 if each.score is None else each.score for each in video.moments]
    return scores.index(max(scores))
