"""Many masks at once, on any device: enlarged, measured, compared, written as runs.

What OpenCV does mask by mask for the CPU (mask_shape.py, mask_sizes.py, mask_rle.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from torch.nn import functional

from src.models.device import bytes_at_once
from src.models.mask_shape import COMPARE_SIDE, boxes_around
from src.models.mask_sizes import Sizes

Tensor = torch.Tensor

# What a pixel of a mask takes while it is measured: logits, those before they were brought to that
# size, and some planes of bits.
_BYTES_A_PIXEL = 16


def in_parts(count: int, pixels: int, device: torch.device) -> Iterator[slice]:
    """Divide masks into parts that fit the device's memory while they are worked on.

    Args:
        count: of masks.
        pixels: of each, at its largest.
    """
    at_once = max(1, bytes_at_once(device) // (_BYTES_A_PIXEL * max(1, pixels)))
    for start in range(0, count, at_once):
        yield slice(start, min(count, start + at_once))


def resized(logits: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Bring (N, h, w) logits to another size, as cv2.resize does: (N, H, W)."""
    if logits.shape[1:] == size_hw:
        return logits
    return functional.interpolate(logits[:, None], size_hw, mode="bilinear")[:, 0]


def at_input(logits: Tensor, sizes: Sizes) -> Tensor:
    """Logits (N, h, w) at the size of the model's input: (N, H, W)."""
    height, width = logits.shape[1:]
    large = resized(logits, (height * sizes.pixel, width * sizes.pixel))
    return large[:, : sizes.shown_wh[1], : sizes.shown_wh[0]]


def at_image(logits: Tensor, sizes: Sizes) -> Tensor:
    """Logits (N, h, w) to masks of the image: (N, H, W) bool."""
    size_hw = sizes.image_wh[1], sizes.image_wh[0]
    if sizes.measured_wh == sizes.image_wh:  # in Meta's steps
        return resized(_ready(logits, sizes), size_hw) > 0
    shown_w, shown_h = sizes.in_logits_wh
    return _along(_along(logits, 1, size_hw[0], shown_h), 2, size_hw[1], shown_w) > 0


def _ready(logits: Tensor, sizes: Sizes) -> Tensor:
    """Logits (N, h, w) as they are resized to what counts: by way of the model's input, or not."""
    return at_input(logits, sizes) if sizes.measured_from_input else logits


def _along(logits: Tensor, axis: int, size: int, shown: float) -> Tensor:
    """Enlarge along one axis, of which the image takes a part of a pixel at the end."""
    steps = torch.arange(size, device=logits.device, dtype=torch.float32)
    places = ((steps + 0.5) * (shown / size) - 0.5).clamp(0, logits.shape[axis] - 1)
    low = places.long()
    high = (low + 1).clamp(max=logits.shape[axis] - 1)
    share = (places - low).reshape(-1, *[1] * (2 - axis))
    return torch.lerp(logits.index_select(axis, low), logits.index_select(axis, high), share)


def measured(logits: Tensor, sizes: Sizes, offset: float) -> tuple[Tensor, Tensor, Tensor]:
    """Measure masks at the size at which Meta's generator measures.

    Args:
        logits: (N, h, w).
        offset: by which the threshold is moved for stability.

    Returns:
        Stability (N,) float32, boxes (N, 4) float32 XYXY of the outermost pixels, and whether
        there is a pixel inside (N,) bool.
    """
    if sizes.measured_wh != sizes.shown_wh:
        logits = logits[:, : sizes.logits_wh[1]]
    size_hw = sizes.measured_wh[1], sizes.measured_wh[0]
    stability, boxes, some = [], [], []
    pixels = max(size_hw[0] * size_hw[1], logits[:1].numel() * sizes.pixel**2)
    for part in in_parts(len(logits), pixels, logits.device):
        large = resized(_ready(logits[part], sizes), size_hw)
        inner = (large > offset).sum((1, 2))
        outer = (large > -offset).sum((1, 2))
        stability.append(inner.float() / outer.clamp(min=1).float())
        inside = large > 0
        boxes.append(boxes_around(inside))
        some.append(inside.flatten(1).any(1))
    if not stability:
        empty = logits.new_empty(0)
        return empty, empty.reshape(0, 4), empty.bool()
    return torch.cat(stability), torch.cat(boxes), torch.cat(some)


def comparable(logits: Tensor) -> Tensor:
    """Bring (N, h, w) logits to what masks are compared by: (N, COMPARE_SIDE ** 2), 0 or 1."""
    height, width = logits.shape[1:]
    shrinks = min(height, width) >= COMPARE_SIDE
    rows, columns = (
        torch.from_numpy(_area_weights(side, shrinks)).to(logits.device) for side in (height, width)
    )
    return (rows @ logits @ columns.T > 0).flatten(1).float()


@lru_cache(maxsize=64)
def _area_weights(side: int, shrinks: bool) -> np.ndarray:
    """Return what each of COMPARE_SIDE places is made of, as in cv2.INTER_AREA.

    Returns:
        (COMPARE_SIDE, side) float32.
    """
    scale = side / COMPARE_SIDE
    starts = np.arange(COMPARE_SIDE)[:, None] * scale
    pixels = np.arange(side)[None]
    if shrinks:
        shares = np.minimum(starts + scale, pixels + 1) - np.maximum(starts, pixels)
        return np.asarray(shares.clip(0) / scale, np.float32)
    # what OpenCV does where one of both sides does not shrink
    first = np.floor(starts)
    part = (np.arange(COMPARE_SIDE)[:, None] + 1) - (first + 1) / scale
    part = np.where(part <= 0, 0, part - np.floor(part))
    first, second = first.clip(0, side - 1), (first + 1).clip(0, side - 1)
    return np.asarray((pixels == first) * (1 - part) + (pixels == second) * part, np.float32)


def unlike_all_before(pictures: Tensor, before: Tensor, most_overlap: float) -> list[int]:
    """Choose masks that overlap little with those before and with each other.

    Args:
        pictures: (N, P) of `comparable`, best first.
        before: (M, P), chosen before.
        most_overlap: the IoU that two of them may have.

    Returns:
        Places among the N.
    """
    every = torch.cat([before, pictures])
    common = (pictures @ every.T).cpu().numpy()
    areas = every.sum(1).cpu().numpy().astype(np.float64)
    either = areas[len(before) :, None] + areas[None] - common
    alike = common > most_overlap * np.maximum(either, 1)
    out = alike[:, : len(before)].any(1)
    chosen = []
    for i in range(len(pictures)):
        if not out[i]:
            chosen.append(i)
            out |= alike[:, len(before) + i]
    return chosen


def column_runs(inside: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Write masks as the lengths of their runs, zeros and ones in turn, column by column.

    Args:
        inside: (N, H, W) bool.

    Returns:
        The runs of all masks one after the other (K,) int64, and how many each has (N,) int64.
    """
    flat = inside.transpose(1, 2).flatten(1)
    before = functional.pad(flat, (1, 0))[:, :-1]
    # each mask ends where one more run would begin
    changes = functional.pad(flat != before, (0, 1), value=True)
    counts = changes.sum(1).cpu().numpy()
    ends = changes.nonzero()[:, 1].int().cpu().numpy().astype(np.int64)
    runs = np.diff(ends, prepend=0)
    firsts = (np.cumsum(counts) - counts)[counts > 0]
    runs[firsts] = ends[firsts]
    return runs, counts
