"""Which mask lies in which: a wheel in a car, the car in its frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pycocotools import mask as coco_mask

from src.models.mask_rle import checked_rle

# How much of a part has to lie in the whole. SAM's edges of the two differ by some pixels, and
# of two neighbours far less of one lies in the other.
CONTAINED_SHARE = 0.9


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
