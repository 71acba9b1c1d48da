"""Parts of a frame, and outlines on it, at the size they are seen."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageDraw

from src.gui.widgets.viewport import Viewport
from src.records import FrameView

_SHARP = 2  # outlines are drawn at twice the size and shrunk, since Tk's own are jagged


def part_of(image: Image.Image, port: Viewport, scale: float) -> Image.Image:
    """Cut out what is seen, at the size it is seen.

    Args:
        scale: pixels of the image for one of the frame.
    """
    wide, high = image.size
    left, top, right, bottom = (value * scale for value in port.part)
    left, top = min(left, wide - 1), min(top, high - 1)
    box = left, top, max(left + 1e-3, min(wide, right)), max(top + 1e-3, min(high, bottom))
    how = Image.Resampling.BILINEAR if image.mode == "L" else Image.Resampling.LANCZOS
    return image.resize(port.box[2:], how, box=box, reducing_gap=2.0)


def segments_under(view: FrameView) -> np.ndarray:
    """Return which segment of a frame is meant by a click on each pixel of its masks.

    Returns:
        (h, w) int16: the place in `view.segments` of the smallest segment there; 0 is the whole
        frame.
    """
    under = np.zeros(view.masks.shape[1:], np.int16)
    for number, mask in enumerate(view.masks):  # the largest come first
        under[mask] = number
    return under


def on_window(points: np.ndarray, port: Viewport) -> np.ndarray:
    """Return where an outline lies in the window, closed: (points + 1, 2) float.

    Args:
        points: (N, 2), x and y in pixels of the frame.
    """
    closed = np.concatenate([points, points[:1]])
    return np.asarray((closed - (port.left, port.top)) * port.scale)


def outlines(lines: Iterable[np.ndarray], size_wh: tuple[int, int], width_px: float) -> Image.Image:
    """Return closed lines as an 'L' mask.

    Args:
        lines: each (N, 2), x and y in pixels of the mask, its first point again at the end.
    """
    width, height = size_wh
    large = Image.new("L", (width * _SHARP, height * _SHARP), 0)
    draw = ImageDraw.Draw(large)
    for line in lines:
        corners = line * _SHARP
        draw.line([*corners.ravel(), *corners[:1].ravel()], 255, round(width_px * _SHARP), "curve")
    return large.resize((width, height), Image.Resampling.BOX)
