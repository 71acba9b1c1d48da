"""Masks of all sorts for small images: holes, islands, one pixel, the whole frame, the borders."""

from __future__ import annotations

from functools import cache

import numpy as np

from src.datasets.polygons import counts_of_cut

WIDTH, HEIGHT = SIZE = (64, 48)


@cache
def drawn_masks() -> tuple[np.ndarray, ...]:
    """Draw a few dozens of masks (48, 64) bool, the same each time."""
    rng = np.random.default_rng(27)
    masks = [_disc(32, 24, 20) & ~_disc(30, 22, 8), _disc(14, 14, 9) | _disc(45, 30, 12)]
    masks.append(_disc(32, 24, 20) & ~_disc(32, 24, 14) | _disc(32, 24, 6))  # an island in a hole
    masks.append(np.ones((HEIGHT, WIDTH), bool))
    masks.append(_box(10, 7, 1, 1))
    masks += [_box(0, 0, 1, 1), _box(63, 47, 1, 1), _box(0, 5, 64, 1), _box(7, 0, 1, 48)]
    masks += [_box(0, 0, 20, 48), _box(44, 30, 20, 18), _disc(0, 0, 30), _disc(63, 47, 12)]
    masks.append(np.eye(HEIGHT, WIDTH, dtype=bool))  # pixels that touch by their corners
    masks.append(~_box(20, 20, 1, 1))
    masks.append(np.indices((HEIGHT, WIDTH)).sum(0) % 2 == 0)
    masks += [rng.random((HEIGHT, WIDTH)) < share for share in (0.02, 0.5, 0.95)]
    for _ in range(20):
        mask = np.zeros((HEIGHT, WIDTH), bool)
        for _ in range(rng.integers(1, 5)):
            mask |= _disc(*rng.integers((0, 0, 2), (64, 48, 22)))
        for _ in range(rng.integers(0, 4)):
            mask &= ~_disc(*rng.integers((0, 0, 1), (64, 48, 8)))
        masks.append(mask if mask.any() else _disc(32, 24, 5))
    return tuple(masks)


@cache
def drawn_counts() -> tuple[bytes, ...]:
    """Give the masks as compressed RLE counts."""
    return tuple(counts_of_cut(mask, 0, 0, SIZE) for mask in drawn_masks())


def iou(mask: np.ndarray, other: np.ndarray) -> float:
    return float((mask & other).sum() / max(1, (mask | other).sum()))


def _box(x: int, y: int, w: int, h: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y : y + h, x : x + w] = True
    return mask


def _disc(x: int, y: int, radius: int) -> np.ndarray:
    row, column = np.indices((HEIGHT, WIDTH))
    inside: np.ndarray = (column - x) ** 2 + (row - y) ** 2 <= radius**2
    return inside
