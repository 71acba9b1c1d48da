"""Masks as compressed COCO RLE, which is how the library keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask


def encode_rle(mask: np.ndarray) -> dict[str, Any]:
    """Write a mask (H, W) bool or 0/1 as compressed COCO RLE, its counts as bytes."""
    rle: dict[str, Any] = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return rle


def decode_rle(counts: bytes, size_wh: tuple[int, int]) -> np.ndarray:
    """Read compressed COCO RLE counts: (H, W) bool."""
    decoded = coco_mask.decode({"size": [size_wh[1], size_wh[0]], "counts": counts})
    mask: np.ndarray = decoded.astype(bool)
    return mask


def mask_ious(
    masks: Sequence[bytes], others: Sequence[bytes], size_wh: tuple[int, int]
) -> np.ndarray:
    """Measure how far masks are the same: (N, M) float64, intersection over union.

    Args:
        masks, others: N and M compressed COCO RLE counts of pictures of one size.
    """
    if not masks or not others:
        return np.zeros((len(masks), len(others)))
    size = [size_wh[1], size_wh[0]]
    both = [[{"size": size, "counts": counts} for counts in some] for some in (masks, others)]
    return np.asarray(coco_mask.iou(both[0], both[1], [0] * len(others)), np.float64)
