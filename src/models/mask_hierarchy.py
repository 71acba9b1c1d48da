"""Which mask lies in which: a wheel in a car, the car in its frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

from src.errors import DamagedMaskError
from src.models.mask_rle import MOST_PIXELS, checked_rle, runs_of
from src.records import SegmentKind, SegmentMask, StoredSegment

# How much of a part has to lie in the whole. SAM's edges of the two differ by some pixels, and
# of two neighbours far less of one lies in the other.
CONTAINED_SHARE = 0.9


class Part(NamedTuple):
    """What is asked of a segment of a frame: the columns of its row."""

    id: str
    mask: bytes | None
    area: int
    x: int
    y: int
    w: int
    h: int
    kind: SegmentKind

    @staticmethod
    def of(segment_id: str, segment: SegmentMask | StoredSegment) -> Part:
        """Take a segment's."""
        return Part(
            segment_id, segment.mask_rle, segment.area, *segment.bbox_xywh, kind=segment.kind
        )


def tree_of(parts: Sequence[Part], size_wh: tuple[int, int]) -> dict[str, str | None]:
    """Find in which segment of its frame each lies: the ids of all, each with that of its parent.

    A segment that lies in no other is the whole frame's child, which has no parent. So is one
    whose row is damaged, until it is mended.

    Args:
        parts: all segments of a frame.
        size_wh: of the frame.
    """
    whole = next((part.id for part in parts if part.kind == "frame"), None)
    tree: dict[str, str | None] = {part.id: whole for part in parts}
    if whole is not None:
        tree[whole] = None
    cut = [part for part in parts if part.mask is not None and _has_numbers(part)]
    try:
        held_by = _containers(cut, size_wh)
    except DamagedMaskError:
        cut = [part for part in cut if _has_mask(part, size_wh)]
        held_by = _containers(cut, size_wh)
    for part, place in zip(cut, held_by, strict=True):
        tree[part.id] = whole if place is None else cut[place].id
    return tree


def containers(
    masks: Sequence[bytes],
    areas: Sequence[int],
    boxes_xywh: Sequence[Sequence[int]],
    frame_wh: tuple[int, int],
) -> list[int | None]:
    """Find for each mask of a frame the smallest larger one that holds it.

    Args:
        masks: N compressed COCO RLE counts.
        areas: their pixels.
        boxes_xywh: their boxes, in pixels.
        frame_wh: size of the pictures they are of.

    Returns:
        N places in the sequences; None for a mask that none of the others holds.

    Raises:
        DamagedMaskError: one of them is no mask of a picture of that size.
    """
    rles = [checked_rle(counts, frame_wh) for counts in masks]
    area = np.asarray(areas, np.int64)
    found: list[int | None] = []
    for part in range(len(rles)):
        wholes = np.flatnonzero(_may_hold(part, area, np.asarray(boxes_xywh, np.int64)))
        wholes = wholes[np.argsort(area[wholes], kind="stable")]
        if not len(wholes):
            found.append(None)
            continue
        # beside a "crowd" COCO measures the part's own share that lies in it
        others = [rles[i] for i in wholes]
        shares = coco_mask.iou([rles[part]], others, [1] * len(others))[0]
        held = np.flatnonzero(shares >= CONTAINED_SHARE)
        found.append(int(wholes[held[0]]) if len(held) else None)
    return found


def _may_hold(part: int, area: np.ndarray, boxes_xywh: np.ndarray) -> np.ndarray:
    """Return by boxes alone which masks can hold one: (N,) bool."""
    x, y, w, h = boxes_xywh.T
    shared_w = np.minimum(x + w, x[part] + w[part]) - np.maximum(x, x[part])
    shared_h = np.minimum(y + h, y[part] + h[part]) - np.maximum(y, y[part])
    shared = np.maximum(shared_w, 0) * np.maximum(shared_h, 0)
    may: np.ndarray = (area > area[part]) & (shared >= CONTAINED_SHARE * area[part])
    return may


def _containers(parts: Sequence[Part], size_wh: tuple[int, int]) -> list[int | None]:
    return containers(
        [part.mask or b"" for part in parts],
        [part.area for part in parts],
        [(part.x, part.y, part.w, part.h) for part in parts],
        size_wh,
    )


def _has_numbers(part: Part) -> bool:
    """Return whether a row's area and box can be computed with."""
    numbers = (part.area, part.x, part.y, part.w, part.h)
    return all(isinstance(value, int) and abs(value) <= MOST_PIXELS for value in numbers)


def _has_mask(part: Part, size_wh: tuple[int, int]) -> bool:
    try:
        runs_of(part.mask or b"", size_wh)
    except DamagedMaskError:
        return False
    return True
