"""Where a thing of a track is between the frames that were sampled."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from src.track_records import TrackSegment

# In pixels, which parts of a moved box have: x, y, width and height.
MovedBox = tuple[float, float, float, float]
# Two frames are next to each other where the first stands up to the second; times are rounded.
_APART_S = 0.001


def seen_at(segments: Sequence[TrackSegment], time_s: float) -> TrackSegment | None:
    """Find the segment that shows a track at a moment: of the last sampled frame before it.

    Args:
        segments: of the track, in the order of time.

    Returns:
        None before the first, and where its frame does not stand for the moment any more.
    """
    place = bisect_right(segments, time_s + _APART_S, key=lambda each: each.timestamp_s) - 1
    if place < 0:
        return None
    segment = segments[place]
    is_shown = time_s < max(segment.until_s, segment.timestamp_s + _APART_S)
    return segment if is_shown else None


def box_at(segments: Sequence[TrackSegment], time_s: float) -> MovedBox | None:
    """Return the box of a track at a moment, as if it moved evenly between sampled frames.

    Args:
        segments: of the track, in the order of time.

    Returns:
        In pixels of the frame; None where seen_at finds nothing. Where the thing is not in the
        next sampled frame it stays where it was.
    """
    segment = seen_at(segments, time_s)
    if segment is None:
        return None
    place = bisect_right(segments, segment.timestamp_s, key=lambda each: each.timestamp_s)
    following = segments[place] if place < len(segments) else None
    if following is None or following.timestamp_s > segment.until_s + _APART_S:
        x, y, w, h = segment.bbox_xywh
        return float(x), float(y), float(w), float(h)
    passed_s = max(following.timestamp_s - segment.timestamp_s, _APART_S)
    share = (time_s - segment.timestamp_s) / passed_s
    share = min(1.0, max(0.0, share))
    moved = [
        begin + (end - begin) * share
        for begin, end in zip(segment.bbox_xywh, following.bbox_xywh, strict=True)
    ]
    return moved[0], moved[1], moved[2], moved[3]


def moved_points(
    points: np.ndarray, from_box: Sequence[float], to_box: Sequence[float]
) -> np.ndarray:
    """Move and scale points with the box that they lie in.

    Args:
        points: (N, 2) x and y.
        from_box, to_box: x, y, width and height, before and after.

    Returns:
        (N, 2) float32.
    """
    x, y, w, h = from_box
    to_x, to_y, to_w, to_h = to_box
    scale = np.array([to_w / max(w, 1e-9), to_h / max(h, 1e-9)])
    moved: np.ndarray = ((points - (x, y)) * scale + (to_x, to_y)).astype(np.float32)
    return moved
