"""Outlines of a mask that a person drags, and the pixels that turn by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from src.datasets.polygons import counts_of_cut, cut_mask, fill_rings, mask_parts, rings_of
from src.errors import DamagedMaskError, QueryError
from src.labels.edit_history import NO_BOX, NewPart
from src.models.mask_rle import decode_rle
from src.records import BoxXywh


def checked(rings: Sequence[np.ndarray | Sequence[tuple[float, float]]]) -> list[np.ndarray]:
    """Return rings as arrays of their own: (N, 2) float64 each.

    Raises:
        QueryError: one has fewer than three corners, or a corner that is no place.
    """
    found = []
    for ring in rings:
        corners = np.array(ring, np.float64)
        if corners.ndim != 2 or corners.shape[1:] != (2,) or len(corners) < 3:
            raise QueryError("an outline needs at least three corners, each with an x and a y")
        if not np.isfinite(corners).all():
            raise QueryError("an outline has a corner that is no place in the frame")
        found.append(corners)
    return found


def filled(
    rings: Sequence[Sequence[tuple[float, float]]], size_wh: tuple[int, int]
) -> tuple[np.ndarray, BoxXywh] | None:
    """Fill rings by the even-odd rule: (h, w) bool and its box; None where no pixel is in them.

    Raises:
        QueryError: see checked.
    """
    part, box = cut_mask(_filled(checked(rings), size_wh), size_wh)
    return (part, box) if part.size else None


def outlined(part: NewPart, size_wh: tuple[int, int]) -> list[np.ndarray]:
    """Outline a mask: its parts and their holes, with as few corners as fill it again, nearly."""
    x, y, _, _ = part.bbox_xywh
    return rings_of(mask_parts(counts_of_cut(part.mask, x, y, size_wh), size_wh))


def turned(
    old: Sequence[np.ndarray], new: Sequence[np.ndarray], mask: np.ndarray
) -> tuple[BoxXywh, np.ndarray]:
    """Find which pixels of a mask turn when its outlines become others.

    Where the outlines are as they were, pixels stay: outlines are not as exact as a mask.

    Args:
        old, new: the outlines.
        mask: (H, W) bool.

    Returns:
        A box, and which pixels in it turn: (h, w) bool.
    """
    size_wh = mask.shape[1], mask.shape[0]
    same = Counter(map(_key, old)) & Counter(map(_key, new))
    differing = [*_without(old, same), *_without(new, same)]
    between, box = cut_mask(_filled(differing, size_wh), size_wh)
    if not between.size:
        return NO_BOX, np.zeros((0, 0), bool)
    x, y, w, h = box
    inside = decode_rle(_filled([ring - (x, y) for ring in new], (w, h)), (w, h))
    return box, between & (mask[y : y + h, x : x + w] != inside)


def _filled(rings: Sequence[np.ndarray], size_wh: tuple[int, int]) -> bytes:
    try:
        return fill_rings(rings, size_wh)
    except DamagedMaskError as exc:
        raise QueryError(f"an outline can't be filled: {exc}") from exc


def _key(ring: np.ndarray) -> bytes:
    return ring.tobytes()


def _without(rings: Sequence[np.ndarray], left_out: Counter[bytes]) -> list[np.ndarray]:
    left, found = Counter(left_out), []
    for ring in rings:
        if left[_key(ring)]:
            left[_key(ring)] -= 1
        else:
            found.append(ring)
    return found
