"""The crop of a segment: what CLIP sees of it and what a person is shown."""

from __future__ import annotations

import math

import cv2
import numpy as np

from src.crop_shape import CROP_SIDE, crop_box, fitted_size
from src.records import BoxXywh

# A larger frame is never blurred as a whole: with its crops it would be in memory three times.
AT_ONCE_PIXELS = 32_000_000
STRIP_PIXELS = 4_000_000


def blur(image_rgb: np.ndarray, kernel: int = 21) -> np.ndarray:
    """Blur a frame with a Gaussian of kernel x kernel pixels (OpenCV's sigma for it).

    Args:
        image_rgb: (H, W, 3) uint8 RGB.
        kernel: odd, in pixels; 1 leaves the frame as it is.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    return cv2.GaussianBlur(image_rgb, (kernel, kernel), 0)


def cut_crop(
    image_rgb: np.ndarray, blurred_rgb: np.ndarray, mask: np.ndarray, bbox_xywh: BoxXywh
) -> np.ndarray:
    """Lay a segment over its blurred frame and cut it out with a small margin.

    Args:
        image_rgb: (H, W, 3) uint8 RGB frame.
        blurred_rgb: the same frame, blurred (see `blur`).
        mask: (H, W) bool, true on the segment.
        bbox_xywh: the mask's box in pixels.

    Returns:
        (h, w, 3) uint8 RGB, a new array.
    """
    x, y, w, h = crop_box(bbox_xywh, (image_rgb.shape[1], image_rgb.shape[0]))
    window = np.s_[y : y + h, x : x + w]
    crop = blurred_rgb[window].copy()
    cv2.copyTo(image_rgb[window], mask[window].view(np.uint8), crop)
    return crop


def fitted(image_rgb: np.ndarray, side: int, quickly: bool = False) -> np.ndarray:
    """Shrink an image so that its longest side is at most `side` pixels; never enlarge.

    Args:
        quickly: where it shrinks to no less than half, interpolate between neighbours, which takes
            a fifth of the time and gives nearly the mean of the areas: at a half just that.
    """
    height, width = image_rgb.shape[:2]
    size_wh = fitted_size((width, height), side)
    if size_wh == (width, height):
        return image_rgb
    scale = side / max(height, width)
    how = cv2.INTER_LINEAR if quickly and scale >= 0.5 else cv2.INTER_AREA
    return cv2.resize(image_rgb, size_wh, interpolation=how)


def cut_one(image_rgb: np.ndarray, kernel: int, part: np.ndarray, bbox_xywh: BoxXywh) -> np.ndarray:
    """Cut a single segment out of a frame, as CropCutter does, without blurring all of the frame.

    Args:
        image_rgb: (H, W, 3) uint8 RGB.
        kernel: see `blur`.
        part: (h, w) bool, the mask within its box.
        bbox_xywh: the mask's box in pixels.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    height, width = image_rgb.shape[:2]
    x, y, w, h = bbox_xywh
    left, top, wide, high = crop_box(bbox_xywh, (width, height))
    if height * width > AT_ONCE_PIXELS:  # in strips, by the whole mask
        mask = np.zeros((height, width), bool)
        mask[y : y + h, x : x + w] = part
        return CropCutter(image_rgb, kernel).cut(mask, bbox_xywh)
    reach = kernel // 2  # the blur looks so far beyond what is cut
    above, before = min(reach, top), min(reach, left)
    around = image_rgb[top - above : top + high + reach, left - before : left + wide + reach]
    crop = blur(around, kernel)[above : above + high, before : before + wide].copy()
    inside = np.zeros((high, wide), np.uint8)
    inside[y - top : y - top + h, x - left : x - left + w] = part
    cv2.copyTo(image_rgb[top : top + high, left : left + wide], inside, crop)
    return fitted(crop, CROP_SIDE)


class CropCutter:
    """Cuts the segments of one frame out of it, at the size in which they are stored."""

    def __init__(self, image_rgb: np.ndarray, kernel: int) -> None:
        """Set the cut.

        Args:
            image_rgb: (H, W, 3) uint8 RGB.
            kernel: see `blur`.
        """
        self.image_rgb = image_rgb
        self.kernel = kernel
        self._blurred: np.ndarray | None = None

    def cut(self, mask: np.ndarray, bbox_xywh: BoxXywh) -> np.ndarray:
        """Cut one segment out, its longest side at most CROP_SIDE.

        Args:
            mask, bbox_xywh: see `cut_crop`.

        Returns:
            (h, w, 3) uint8 RGB.
        """
        height, width = self.image_rgb.shape[:2]
        if height * width > AT_ONCE_PIXELS:
            return self._in_strips(mask, crop_box(bbox_xywh, (width, height)))
        if self._blurred is None:
            self._blurred = blur(self.image_rgb, self.kernel)
        return fitted(cut_crop(self.image_rgb, self._blurred, mask, bbox_xywh), CROP_SIDE)

    def _in_strips(self, mask: np.ndarray, box_xywh: BoxXywh) -> np.ndarray:
        """Do the same a strip of the crop at a time, each shrunk by a whole number at once."""
        x, y, w, h = box_xywh
        shrink = max(1, max(w, h) // CROP_SIDE)
        rows = shrink * max(1, STRIP_PIXELS // (w * shrink))
        reach = self.kernel // 2  # the blur looks so far beyond what is cut
        left = max(0, x - reach)
        strips = []
        for top in range(y, y + h, rows):
            bottom = min(y + h, top + rows)
            above = max(0, top - reach)
            around = self.image_rgb[above : bottom + reach, left : x + w + reach]
            ground = blur(around, self.kernel)[
                top - above : bottom - above, x - left : x - left + w
            ]
            window = np.s_[top:bottom, x : x + w]
            strip = np.where(mask[window][..., None], self.image_rgb[window], ground)
            size_wh = math.ceil(w / shrink), math.ceil((bottom - top) / shrink)
            strips.append(cv2.resize(strip, size_wh, interpolation=cv2.INTER_AREA))
        return fitted(np.concatenate(strips), CROP_SIDE)
