"""Masks: measured, brought to the size of their image, freed of specks, compared."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch

# Side of the pictures on which masks are compared with each other.
COMPARE_SIDE = 64
# Islands and holes of a smaller share of their mask are taken for flaws of it.
SPECK_SHARE = 0.03
# Of an image so many pixels are brought from logits at a time.
AT_ONCE_PIXELS = 32_000_000


def stabilities(logits: torch.Tensor, offset: float) -> torch.Tensor:
    """Return how little the areas of (N, h, w) logits' masks change with the threshold: (N,)."""
    inner = (logits > offset).sum((1, 2), dtype=torch.float32)
    outer = (logits > -offset).sum((1, 2), dtype=torch.float32)
    return inner / outer.clamp(min=1)


def stability_of(logits: np.ndarray, offset: float) -> float:
    """Return the same of one mask's (h, w)."""
    inner = int(np.count_nonzero(logits > offset))
    outer = int(np.count_nonzero(logits > -offset))
    return inner / max(1, outer)


def box_of(inside: np.ndarray) -> np.ndarray:
    """Return the box around an (h, w) bool mask: (4,) float32 XYXY, of the outermost pixels.

    That of an empty mask ends before it begins.
    """
    x, y, width, height = cv2.boundingRect(inside.view(np.uint8))
    return np.array([x, y, x + width - 1, y + height - 1], np.float32)


def boxes_around(inside: torch.Tensor) -> torch.Tensor:
    """Return the boxes around (N, h, w) bool masks: (N, 4) float32 XYXY, of the outermost pixels.

    What torchvision's masks_to_boxes gives, all at once; of an empty mask it is the whole.
    """
    edges = []
    for across in (inside.any(1), inside.any(2)):
        first = across.int().argmax(1)
        last = across.shape[1] - 1 - across.flip(1).int().argmax(1)
        edges.append((first, last))
    (left, right), (top, bottom) = edges
    return torch.stack([left, top, right, bottom], dim=1).float()


def full_size(
    logits: np.ndarray, size_wh: tuple[int, int], shown_wh: tuple[float, float]
) -> np.ndarray:
    """Bring one mask's logits (h, w) to the image and threshold: (H, W) uint8, 0 or 1.

    Only the window that holds the mask is looked at; the rest of the image stays zero.

    Args:
        size_wh: of the image.
        shown_wh: size of the part of the logits that shows the image.
    """
    width, height = size_wh
    mask = np.zeros((height, width), np.uint8)
    x, y, inner_w, inner_h = cv2.boundingRect((logits > 0).view(np.uint8))
    if inner_w == 0:
        return mask
    x_scale, y_scale = shown_wh[0] / width, shown_wh[1] / height
    left, top = max(0, int((x - 1) / x_scale)), max(0, int((y - 1) / y_scale))
    right = min(width, math.ceil((x + inner_w + 1) / x_scale))
    bottom = min(height, math.ceil((y + inner_h + 1) / y_scale))
    if right <= left:
        return mask
    logits = np.ascontiguousarray(logits)
    # enlarged as numbers a mask takes four times the memory of its image: not all at once
    rows = max(1, AT_ONCE_PIXELS // (right - left))
    for start in range(top, bottom, rows):
        end = min(bottom, start + rows)
        # pixel centres lie at halves
        to_logits = np.array(
            [
                [x_scale, 0, (left + 0.5) * x_scale - 0.5],
                [0, y_scale, (start + 0.5) * y_scale - 0.5],
            ]
        )
        window = cv2.warpAffine(
            logits,
            to_logits,
            (right - left, end - start),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        mask[start:end, left:right] = window > 0
    return mask


def without_small_regions(mask: np.ndarray, least_px: int) -> np.ndarray:
    """Fill holes and drop islands of fewer than least_px pixels, but never the largest island.

    Args:
        mask: (H, W) uint8, 0 or 1.

    Returns:
        (H, W) uint8, 0 or 1; the mask itself where it has none.
    """
    height, width = mask.shape
    x, y, w, h = cv2.boundingRect(mask)
    left, top, right, bottom = max(0, x - 1), max(0, y - 1), x + w + 1, y + h + 1
    # what is around is in one piece, or it takes the whole to know how large its pieces are
    in_one = (left > 0 or right < width) and (top > 0 or bottom < height)
    if w == 0 or not in_one:
        return _without_small_regions(mask, least_px)
    window = np.s_[top:bottom, left:right]
    part = mask[window]
    corner = 0 if top > 0 else -1, 0 if left > 0 else -1
    clean = _without_small_regions(part, least_px, mask.size - part.size, corner)
    if clean is part:
        return mask
    mask = mask.copy()
    mask[window] = clean
    return mask


def _without_small_regions(
    mask: np.ndarray, least_px: int, around_px: int = 0, corner: tuple[int, int] = (0, 0)
) -> np.ndarray:
    """Do the same to the part of a mask that holds all of its ones.

    Args:
        around_px: how many zeros lie around the part, in one piece with the one in its corner.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=8)
    stats[labels[corner], cv2.CC_STAT_AREA] += around_px
    holes = stats[:, cv2.CC_STAT_AREA] < least_px
    holes[0] = False
    mask = mask | holes.view(np.uint8)[labels] if holes.any() else mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if len(stats) <= 2:
        return mask
    kept = stats[:, cv2.CC_STAT_AREA] >= least_px
    kept[1 + np.argmax(stats[1:, cv2.CC_STAT_AREA])] = True
    kept[0] = False
    return np.asarray(kept.view(np.uint8)[labels])


def without_specks(logits: np.ndarray, share: float) -> np.ndarray:
    """Turn the sign of islands and holes that are smaller than a share of their mask.

    Args:
        logits: (h, w) float32.
    """
    mask = (logits > 0).view(np.uint8)
    clean = without_small_regions(mask, math.ceil(share * np.count_nonzero(mask)))
    return logits if clean is mask else np.where(mask == clean, logits, -logits)


class DuplicateFilter:
    """Masks of one picture that overlap little with each other."""

    def __init__(self, most_overlap: float) -> None:
        """Start without any.

        Args:
            most_overlap: the IoU that two of them may have.
        """
        self._most_overlap = most_overlap
        # bits: hundreds of masks are each compared with all before, and as numbers that took
        # ten times as long
        self._admitted = np.zeros((0, COMPARE_SIDE**2 // 64), np.uint64)

    def add_if_distinct(self, logits: np.ndarray) -> bool:
        """Add one more, unless it is like one that is here; return whether it was added.

        Args:
            logits: (h, w) float32, above 0 inside.
        """
        small = cv2.resize(logits, (COMPARE_SIDE, COMPARE_SIDE), interpolation=cv2.INTER_AREA)
        bits = np.packbits(small > 0).view(np.uint64)
        common = np.bitwise_count(self._admitted & bits).sum(1)
        either = np.bitwise_count(self._admitted | bits).sum(1)
        if (common > self._most_overlap * np.maximum(either, 1)).any():
            return False
        self._admitted = np.vstack([self._admitted, bits])
        return True


def mutual_ious(flat: torch.Tensor) -> torch.Tensor:
    """Measure how far each two of N masks are the same: (N, N) float32, 1 for the same.

    Args:
        flat: (N, P) float32, 0 or 1, of pictures of one size.
    """
    common = flat @ flat.T
    areas = flat.sum(1)
    return torch.as_tensor(common / (areas[:, None] + areas[None] - common).clamp(min=1))
