"""Masks as compressed COCO RLE, which is how the library keeps them."""

from __future__ import annotations

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
