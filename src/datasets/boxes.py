"""Boxes of annotations: x, y, width and height in pixels of their image."""

from __future__ import annotations

import math
from collections.abc import Sequence

from src.records import BoxXywh

# A number of so much is none that anybody measured; arithmetic with larger ones ends in infinity.
TOO_MUCH = 1e15


def box_iou(box: BoxXywh, other: BoxXywh) -> float:
    """Measure how far two boxes are the same, 0 to 1; 0 where one is empty."""
    (x, y, w, h), (left, top, width, height) = box, other
    across = min(x + w, left + width) - max(x, left)
    down = min(y + h, top + height) - max(y, top)
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (w * h + width * height - shared)


def whole_box(box: Sequence[float], size_wh: tuple[int, int]) -> BoxXywh:
    """Bring a box x, y, w, h to whole pixels, and cut off what lies outside the image.

    Raises:
        ValueError: nothing of it is inside.
    """
    x, y, w, h = box
    if not all(abs(each) < TOO_MUCH for each in box) or w <= 0 or h <= 0:
        raise ValueError("a box has no area, or none that can be measured")
    left, top = math.floor(x + 0.5), math.floor(y + 0.5)
    right, bottom = max(math.floor(x + w + 0.5), left + 1), max(math.floor(y + h + 0.5), top + 1)
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, size_wh[0]), min(bottom, size_wh[1])
    if right <= left or bottom <= top:
        raise ValueError("a box lies outside its image")
    return left, top, right - left, bottom - top
