"""The crop of a segment: what CLIP sees of it and what a person is shown."""

from __future__ import annotations

import cv2
import numpy as np

from src.records import BoxXywh

# A margin of both kinds: the first keeps thin segments recognisable, the second
# lets a small segment look small, which is all CLIP can know of its size.
MARGIN_OF_SEGMENT = 0.10
MARGIN_OF_FRAME = 0.02


def blur(image_rgb: np.ndarray, kernel: int = 21) -> np.ndarray:
    """Blur a frame with a Gaussian of kernel x kernel pixels (OpenCV's sigma for it).

    Args:
        image_rgb: (H, W, 3) uint8 RGB.
        kernel: odd, in pixels; 1 leaves the frame as it is.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    return cv2.GaussianBlur(image_rgb, (kernel, kernel), 0)


def crop_box(bbox_xywh: BoxXywh, frame_wh: tuple[int, int]) -> BoxXywh:
    """Widen a segment's box by the crop's margin, kept inside the frame."""
    x, y, w, h = bbox_xywh
    frame_w, frame_h = frame_wh
    margin = round(MARGIN_OF_SEGMENT * max(w, h) + MARGIN_OF_FRAME * min(frame_w, frame_h))
    left, top = max(0, x - margin), max(0, y - margin)
    right, bottom = min(frame_w, x + w + margin), min(frame_h, y + h + margin)
    return left, top, right - left, bottom - top


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
    return np.where(mask[window][..., None], image_rgb[window], blurred_rgb[window])
