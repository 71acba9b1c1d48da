"""The segments of a frame beside the one under edit; numbers only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from src.records import FrameView

_OFFERED = 3


def labels_of(view: FrameView, segment_id: str | None) -> tuple[str, list[str]]:
    """Return what a segment is called by a person, and what else it may be.

    A label is a person's word: what a model says of the segment, or a person of others in the
    frame, is only offered.
    """
    own = [] if segment_id is None else list(view.tags.get(segment_id, ()))
    given = next((tag.name for tag in own if tag.source != "auto"), "")
    others = (tag for tags in view.tags.values() for tag in tags if tag.source != "auto")
    names = dict.fromkeys([*(tag.name for tag in own), *(tag.name for tag in others)])
    return given, [name for name in names if name != given][:_OFFERED]


def caption_of(view: FrameView, segment_id: str | None) -> str:
    """Return what stands under the segment as it was."""
    found = (segment for segment in view.segments if segment.id == segment_id)
    segment = next(found, None)
    if segment is None:
        return "Nothing yet"
    iou = segment.predicted_iou
    return "Before" if iou is None else f"Automatic, IoU {iou:.2f}"


def numbers_of(view: FrameView, ids: Sequence[str], but: str | None) -> list[int]:
    """Return the places in the view of objects with some ids, but of one."""
    wanted = set(ids) - {but}
    return [
        number
        for number, segment in enumerate(view.segments)
        if segment.kind == "object" and segment.id in wanted
    ]


def lines_of(view: FrameView, numbers: Sequence[int]) -> list[np.ndarray]:
    """Return the outlines of some segments: each (N, 2), x and y in pixels of the frame."""
    scale = view.segments[0].frame_wh[0] / view.image_rgb.shape[1]
    return [line * scale for number in numbers for line in view.outlines[number]]


def mask_of(view: FrameView, segment_id: str | None) -> np.ndarray:
    """Return the mask of a segment at the size of the view, (h, w) bool; empty for none."""
    for number, segment in enumerate(view.segments):
        if segment.id == segment_id:
            return np.asarray(view.masks[number])
    return np.zeros(view.masks.shape[1:], bool)


def smallest_at(view: FrameView, ids: Sequence[str], x: float, y: float) -> int | None:
    """Return the place of the smallest of some objects that holds a pixel of the frame.

    Args:
        x, y: in pixels of the frame.
    """
    wide, high = view.segments[0].frame_wh
    rows, columns = view.masks.shape[1:]
    row, column = min(int(y * rows / high), rows - 1), min(int(x * columns / wide), columns - 1)
    found = [n for n in numbers_of(view, ids, but=None) if view.masks[n, row, column]]
    return min(found, key=lambda number: view.segments[number].area, default=None)
