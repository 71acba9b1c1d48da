"""What a brush touches on its way."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from src.errors import QueryError
from src.records import BoxXywh

# OpenCV draws at fractions of a pixel, given as whole numbers of this many bits.
_SHIFT = 3
LARGEST_RADIUS = 4000.0


def stroke_mask(
    points: Sequence[tuple[float, float]], radius: float, size_wh: tuple[int, int]
) -> tuple[np.ndarray, BoxXywh] | None:
    """Draw a stroke with a round brush.

    Args:
        points: the way of its middle, in pixels of the frame; 0, 0 is the corner of the first.
        radius: in the same; one of less than a pixel still marks the pixels it goes over.
        size_wh: of the frame.

    Returns:
        What it touches, (h, w) bool, and the box of that; None where it is all outside.

    Raises:
        QueryError: there are no points, or a number is none that can be drawn.
    """
    way = np.asarray(points, np.float64)
    if way.ndim != 2 or way.shape[1:] != (2,) or not len(way) or not np.isfinite(way).all():
        raise QueryError("a stroke needs points, each with an x and a y")
    if not 0 < radius <= LARGEST_RADIUS:
        raise QueryError(
            f"a brush has a radius of more than 0 and at most {LARGEST_RADIUS:,.0f} px"
        )
    width, height = size_wh
    # a way far outside would not fit OpenCV's numbers
    way = way.clip(-4 * LARGEST_RADIUS, np.array([width, height]) + 4 * LARGEST_RADIUS)
    reach = math.ceil(radius) + 1
    left, top = np.maximum(np.floor(way.min(0)).astype(int) - reach, 0).tolist()
    right, bottom = np.minimum(np.ceil(way.max(0)).astype(int) + reach, size_wh).tolist()
    if right <= left or bottom <= top:
        return None
    drawn = np.zeros((bottom - top, right - left), np.uint8)
    # centres of pixels lie at halves, and at whole numbers for OpenCV
    at = np.rint((way - 0.5 - (left, top)) * (1 << _SHIFT)).astype(np.int32)
    if len(at) > 1:
        thickness = max(1, round(2 * radius))
        cv2.polylines(drawn, [at[:, None]], False, 1, thickness, cv2.LINE_8, _SHIFT)
    if radius >= 1:
        size = round(radius * (1 << _SHIFT))
        for x, y in at.tolist():
            cv2.circle(drawn, (x, y), size, 1, cv2.FILLED, cv2.LINE_8, _SHIFT)
    elif len(at) == 1:
        x, y = np.floor(way[0] - (left, top)).astype(int).tolist()
        if 0 <= y < drawn.shape[0] and 0 <= x < drawn.shape[1]:
            drawn[y, x] = 1
    x, y, w, h = cv2.boundingRect(drawn)
    if not w:
        return None
    return drawn[y : y + h, x : x + w].view(bool), (left + x, top + y, w, h)
