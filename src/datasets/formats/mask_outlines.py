"""Polygons in the files of datasets: made of masks, and filled to be masks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from src.datasets.polygons import MaskPart, fill_rings, mask_parts, union

# How a format that knows polygons is asked to write masks: the names are the same for all of them.
MASKS_AS = ("exact", "polygons")


def plain_parts(counts: bytes, size_wh: tuple[int, int]) -> list[np.ndarray] | None:
    """Outline a mask's parts, (N, 2) each; None where it has holes, which such a list can't say.

    Raises:
        DamagedMaskError: it is no mask of an image of that size.
    """
    parts: list[MaskPart] = mask_parts(counts, size_wh)
    return None if any(part.holes for part in parts) else [part.outer for part in parts]


def filled(polygons: Iterable[Sequence[Sequence[float]]], size_wh: tuple[int, int]) -> bytes:
    """Fill polygons, which lie on each other or beside each other, to one mask.

    Args:
        polygons: points x, y in pixels of the image.

    Raises:
        DamagedMaskError: they are too long, or there is no such image.
        ValueError: one has no three points, or a point is none.
    """
    masks = [fill_rings([_ring(points)], size_wh) for points in polygons]
    if not masks:
        raise ValueError("there is no polygon")
    return union(masks, size_wh)


def ellipse(x: float, y: float, across: float, down: float, degrees: float = 0) -> np.ndarray:
    """Outline an ellipse by its middle, its radii and how far it is turned: (N, 2)."""
    angles = np.linspace(0, 2 * np.pi, 128, endpoint=False)
    return turned(np.stack([across * np.cos(angles), down * np.sin(angles)], 1), x, y, degrees)


def turned(points: np.ndarray, x: float, y: float, degrees: float) -> np.ndarray:
    """Turn points about 0, 0, clockwise as an image is seen, and put that place at x, y: (N, 2)."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    placed: np.ndarray = points @ np.array([[cos, sin], [-sin, cos]]) + (x, y)
    return placed


def _ring(points: Sequence[Sequence[float]]) -> np.ndarray:
    try:
        ring = np.asarray(points, np.float64)
    except (TypeError, ValueError) as exc:
        raise ValueError("a point of a polygon is not a pair of numbers") from exc
    if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < 3:
        raise ValueError("a polygon has fewer than three points")
    return ring
