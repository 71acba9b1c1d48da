"""What frames look like, in numbers: how alike two are, and how sharp one is."""

from __future__ import annotations

import cv2
import numpy as np

from src.processing.video_processor import dhash_of_grey
from src.records import FrameLook

# The longest side at which sharpness is measured, in pixels: the frame itself and its stored crop,
# whose longest side is at most 1024, give nearly the same there.
SHARPNESS_SIDE = 256
# Of the 64 bits of two pictures' dHash half differ by chance; light, colours and compression
# change few of them.
SAME_PICTURE_BITS = 10


def look_of(image_rgb: np.ndarray) -> FrameLook:
    """Measure a frame.

    Sharpness is the variance of the Laplacian (Pech-Pacheco et al. 2000) of the grey frame with
    its longest side brought to SHARPNESS_SIDE: about 0 for a blurred frame, hundreds for a sharp
    one.

    Args:
        image_rgb: (H, W, 3) uint8 RGB.
    """
    grey = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY)
    scale = SHARPNESS_SIDE / max(grey.shape)
    size_wh = [max(1, round(side * scale)) for side in (grey.shape[1], grey.shape[0])]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(grey, size_wh, interpolation=how)
    sharpness = float(cv2.Laplacian(small, cv2.CV_64F).var())
    return FrameLook(f"{dhash_of_grey(grey):016x}", round(sharpness, 3))


def is_same_picture(old_look: int | None, new_look: int) -> bool:
    """Return whether two frames of one number are the same picture, by their dHashes.

    Args:
        old_look: None where nobody looked, which is taken for the same.
    """
    return old_look is None or (old_look ^ new_look).bit_count() <= SAME_PICTURE_BITS
