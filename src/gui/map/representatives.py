"""Which segments stand for their part of the map as thumbnails; numbers only."""

from __future__ import annotations

import math

import numpy as np

from src.search.map_picture import MapView

MOST = 40
_MOST_WHOLE = 14  # where the whole map is seen, which thumbnails must not cover


def representatives(
    points: np.ndarray, shown: np.ndarray, view: MapView, cell_px: float, side_px: float
) -> list[int]:
    """Choose the points that get a thumbnail: of the fullest cells the one nearest the middle.

    Cells belong to the map, and are halved each time it is seen at twice the size: a map that is
    moved keeps its thumbnails.

    Args:
        points: (N, 2) float32, as of SegmentMap.
        shown: (N,) bool, which of them may stand for others.
        cell_px: the least side of a cell.
        side_px: thumbnails are at least so far from each other, in x or in y.

    Returns:
        Their places, of the fullest cell first.
    """
    pixels = view.to_pixels(points)
    half = side_px / 2  # a thumbnail is seen whole
    farthest = np.array(view.size_wh) - half
    inside = shown & ((pixels >= half) & (pixels <= farthest)).all(axis=1)
    seen = np.flatnonzero(inside)
    if not len(seen):
        return []
    level = math.floor(math.log2(view.scale))
    side = cell_px / min(view.size_wh) * 2.0**-level
    cells = np.floor(points[seen] / side).astype(np.int64)
    _, cell, counts = np.unique(
        cells[:, 0] * (1 << 31) + cells[:, 1], return_inverse=True, return_counts=True
    )
    middles = np.stack(
        [np.bincount(cell, points[seen, axis]) / counts for axis in range(2)], axis=1
    )
    off = ((points[seen] - middles[cell]) ** 2).sum(axis=1)
    order = np.lexsort((off, cell))
    nearest = seen[order[np.cumsum(counts) - counts]]
    most = round(min(MOST, _MOST_WHOLE * max(1.0, view.scale)))
    chosen: list[int] = []
    for place in nearest[np.argsort(-counts, kind="stable")]:
        others = np.abs(pixels[chosen] - pixels[place]).max(axis=1, initial=0.0)
        if not (others < side_px).any():
            chosen.append(int(place))
            if len(chosen) == most:
                break
    return chosen


def nearest_point(
    pixels: np.ndarray, shown: np.ndarray, x: float, y: float, reach_px: float
) -> int | None:
    """Find the point that a pointer is at: (N, 2) pixels; None where none is so near."""
    near = np.flatnonzero(shown & (np.abs(pixels - (x, y)) <= reach_px).all(axis=1))
    if not len(near):
        return None
    off = ((pixels[near] - (x, y)) ** 2).sum(axis=1)
    best = int(off.argmin())
    return int(near[best]) if off[best] <= reach_px**2 else None
