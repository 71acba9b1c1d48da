"""The forms of a mask; the library keeps compressed COCO RLE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pycocotools import mask as coco_mask

OutputMode = Literal["binary_mask", "uncompressed_rle", "coco_rle"]


def encode_rle(mask: np.ndarray) -> dict[str, Any]:
    """Write a mask (H, W) bool or 0/1 as compressed COCO RLE, its counts as bytes."""
    rle: dict[str, Any] = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return rle


def decode_rle(counts: bytes, size_wh: tuple[int, int]) -> np.ndarray:
    """Read compressed COCO RLE counts: (H, W) bool."""
    decoded = coco_mask.decode({"size": [size_wh[1], size_wh[0]], "counts": counts})
    mask: np.ndarray = decoded.view(bool)  # of 0 and 1, and as large as the frame: not copied
    return mask


def in_form(mask: np.ndarray, output_mode: OutputMode) -> Any:
    """Give a mask (H, W) uint8, 0 or 1, as Meta's generator gives it: array or RLE dict."""
    if output_mode == "binary_mask":
        return mask.astype(bool)
    if output_mode == "coco_rle":
        return encode_rle(mask)
    counts: list[int] = []
    flat = mask.T.ravel()  # column by column, as COCO has it
    changes = np.flatnonzero(np.diff(flat)) + 1
    edges = np.concatenate(([0], changes, [flat.size]))
    if flat[0]:
        counts.append(0)
    counts.extend(int(run) for run in np.diff(edges))
    return {"size": list(mask.shape), "counts": counts}


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
