"""The outlines of a track over a playing video: between sampled frames they move with its box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from src.track_records import TrackSegment
from src.tracks.between_frames import box_at, moved_points, seen_at


@dataclass(frozen=True)
class Outline:
    """What is drawn of a track.

    Attributes:
        segments: in the order of time.
        lines: of each segment's mask by its id, (N, 2) each, in pixels of the frame; a segment
            that has none is drawn as its box.
        colour: "#RRGGBB"; None for the accent.
    """

    segments: Sequence[TrackSegment]
    lines: Mapping[str, tuple[np.ndarray, ...]] = field(repr=False)
    colour: str | None = None


def lines_at(outline: Outline, time_s: float) -> list[np.ndarray]:
    """Return the lines of a track at a moment; none where it is not seen.

    Those of the last sampled frame are moved and scaled from its box to where the box is on the
    way to the next one's.

    Returns:
        (N, 2) each, in pixels of the frame.
    """
    segment, box = seen_at(outline.segments, time_s), box_at(outline.segments, time_s)
    if segment is None or box is None:
        return []
    x, y, w, h = segment.bbox_xywh
    corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], np.float32)
    lines = outline.lines.get(segment.segment_id) or (corners,)
    return [moved_points(line, segment.bbox_xywh, box) for line in lines]
