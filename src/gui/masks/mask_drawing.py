"""The pixels of a mask under edit, as far as they are seen; numbers and pictures only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from src.gui.theme.theme import Theme
from src.gui.widgets.frame_drawing import on_window, outlines, part_of
from src.gui.widgets.viewport import Viewport

Box = tuple[int, int, int, int]  # left, top, right, bottom
Points = Sequence[tuple[float, float]]

_DIM = 0.42
_LINE, _EDGE = 3.0, 5.0  # the outline, and with the dark line on each side
_BLUR = 1.5  # of a mask, for the outline; its steps are smoothed by it
_TINT = 0.4  # of the preview of a click
_OTHERS = "#C4C4CA", 0.6  # outlines of other segments


@dataclass(frozen=True)
class Layers:
    """What is seen of a frame without the mask: RGB, inside it and outside."""

    bright: Image.Image
    dark: Image.Image


def layers(
    image: Image.Image, lines: Sequence[np.ndarray], port: Viewport, theme: Theme, dim: bool
) -> Layers:
    """Draw what is seen of a frame, with the outlines of other segments.

    Args:
        image: the frame, or a smaller one of it.
        lines: outlines, each (N, 2), x and y in pixels of the frame.
        dim: whether what is outside the mask is darker.
    """
    bright = part_of(image, port, image.width / port.frame_wh[0])
    dark = bright
    if dim:
        ground = Image.new("RGB", bright.size, theme.colours.window)
        dark = Image.blend(ground, bright, _DIM)
    if lines:
        corner = port.box[:2]
        seen = (on_window(line, port) - corner for line in lines)
        colour, strength = _OTHERS
        alpha = outlines(seen, bright.size, theme.scale).point(lambda v: round(v * strength))
        bright, dark = bright.copy(), dark.copy()
        for layer in (bright, dark):
            layer.paste(colour, (0, 0), alpha)
    return Layers(bright, dark)


def seen_part(mask: np.ndarray, port: Viewport) -> np.ndarray:
    """Return the mask at the size it is seen: (H, W) bool -> (h, w) bool."""
    left, top, width, height = port.box
    high, wide = mask.shape
    x = port.left + (left + np.arange(width) + 0.5) / port.scale
    y = port.top + (top + np.arange(height) + 0.5) / port.scale
    columns = np.clip((x * (wide / port.frame_wh[0])).astype(int), 0, wide - 1)
    rows = np.clip((y * (high / port.frame_wh[1])).astype(int), 0, high - 1)
    return np.ascontiguousarray(mask[rows][:, columns])


def changed_box(before: np.ndarray, after: np.ndarray) -> Box | None:
    """Return the smallest box that holds all pixels in which two masks differ; None: they don't."""
    height, width = before.shape
    return _box_of(before != after, (0, 0, width, height))


def paint(mask: np.ndarray, points: Points, radius: float, erase: bool) -> Box | None:
    """Paint a stroke into a mask that is seen, in place.

    Args:
        mask: (h, w) bool.
        points: in pixels of the mask.

    Returns:
        The box that holds it; None where it lies outside.
    """
    height, width = mask.shape
    xs, ys = [x for x, _ in points], [y for _, y in points]
    reach = radius + 1
    x0, y0 = max(0, int(min(xs) - reach)), max(0, int(min(ys) - reach))
    x1, y1 = min(width, int(max(xs) + reach) + 1), min(height, int(max(ys) + reach) + 1)
    if x0 >= x1 or y0 >= y1:
        return None
    stroke = Image.new("1", (x1 - x0, y1 - y0))
    draw = ImageDraw.Draw(stroke)
    moved = [(x - x0, y - y0) for x, y in points]
    if len(moved) > 1:
        draw.line(moved, 1, max(1, round(2 * radius)))
    for x, y in moved:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), 1)
    part = mask[y0:y1, x0:x1]
    part[np.asarray(stroke)] = not erase
    return x0, y0, x1, y1


def render(
    ground: Layers,
    mask: np.ndarray,
    tint: np.ndarray | None,
    box: Box,
    theme: Theme,
    colour: str | None = None,
) -> tuple[Image.Image, tuple[int, int]]:
    """Draw a part of what is seen, and a little round it that changes with it.

    Args:
        mask: (h, w) bool, as large as the ground.
        tint: (h, w) bool, the pixels that a click would turn.
        colour: of the outline; the accent when None.

    Returns:
        An RGB picture, and where its left upper corner lies.
    """
    height, width = mask.shape
    part = _grown(box, round(_EDGE / 2 * theme.scale) + 2, width, height)
    c = theme.colours
    dark, bright = ground.dark.crop(part), ground.bright.crop(part)
    image = dark.copy()
    if (inside := _as_image(mask, part)) is not None:
        image.paste(bright, (0, 0), inside)
    if tint is not None:
        _draw_tint(image, bright, dark, (tint, mask), part, theme)
    lines = (_EDGE, c.on_accent), (_LINE, colour or c.accent)
    _draw_line(image, mask, part, theme.scale, lines)
    return image, part[:2]


def _draw_tint(
    image: Image.Image,
    bright: Image.Image,
    dark: Image.Image,
    tint_and_mask: tuple[np.ndarray, np.ndarray],
    part: Box,
    theme: Theme,
) -> None:
    """Draw what would be added in the accent's colour, and what would go as if it had gone."""
    tint, mask = tint_and_mask
    if (added := _as_image(tint & ~mask, part)) is not None:
        image.paste(bright, (0, 0), added)
        image.paste(theme.colours.accent, (0, 0), added.point(lambda v: round(v * _TINT)))
    if (taken := _as_image(tint & mask, part)) is not None:
        image.paste(dark, (0, 0), taken)
    _draw_line(image, tint, part, theme.scale, ((1.5, theme.colours.accent),))


def _as_image(mask: np.ndarray, box: Box) -> Image.Image | None:
    """Return a part of a mask as an 'L' picture; None of an empty one."""
    x0, y0, x1, y1 = box
    part = mask[y0:y1, x0:x1]
    return Image.fromarray(part.astype(np.uint8) * 255) if part.any() else None


def close_up(
    image: Image.Image,
    mask: np.ndarray,
    about: Box,
    size_wh: tuple[int, int],
    theme: Theme,
    colour: str,
) -> Image.Image:
    """Draw a mask with what is round it, small.

    Args:
        image: the frame.
        mask: (H, W) bool, of the frame.
        about: what is to be seen at least, in pixels of the frame.
        colour: of the outline.
    """
    x0, y0, x1, y1 = about
    wide, high = max(1, x1 - x0), max(1, y1 - y0)
    scale = min(size_wh[0] / wide, size_wh[1] / high) * 0.84
    scale = max(scale, min(size_wh[0] / image.width, size_wh[1] / image.height))
    left, top = (x0 + x1 - size_wh[0] / scale) / 2, (y0 + y1 - size_wh[1] / scale) / 2
    port = Viewport(image.size, size_wh, scale, left, top).moved(0, 0)
    ground = layers(image, (), port, theme, dim=bool(mask.any()))
    width, height = port.box[2:]
    picture, _ = render(ground, seen_part(mask, port), None, (0, 0, width, height), theme, colour)
    whole = Image.new("RGB", size_wh, theme.colours.window)
    whole.paste(picture, port.box[:2])
    return whole


def _draw_line(
    image: Image.Image,
    mask: np.ndarray,
    box: Box,
    scale: float,
    lines: Sequence[tuple[float, str]],
) -> None:
    """Draw the outline of a mask into a picture of a box.

    Blurred, a mask says how far away its edge is: so the line is smooth, and quickly drawn.

    Args:
        lines: how wide, and in which colour, one over the other.
    """
    blur = _BLUR * scale
    reach = round(3 * blur) + 1
    wider = _grown(box, reach, mask.shape[1], mask.shape[0])
    found = _box_of(mask, wider)
    if found is None:
        return
    # what lies further away than the line is wide need not be blurred
    a, b, right, bottom = _grown(found, reach, mask.shape[1], mask.shape[0])
    soft = Image.fromarray(mask[b:bottom, a:right].astype(np.uint8) * 255)
    soft = soft.filter(ImageFilter.GaussianBlur(blur))
    for width, colour in lines:
        strength = soft.point(_strengths(scale, width))
        image.paste(colour, (a - box[0], b - box[1]), strength)


def _box_of(mask: np.ndarray, box: Box) -> Box | None:
    """Return the smallest box, inside one, that holds what is set of a mask; None: nothing is."""
    x0, y0, x1, y1 = box
    part = mask[y0:y1, x0:x1]
    rows = np.flatnonzero(part.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(part.any(axis=0))
    return (
        x0 + int(columns[0]),
        y0 + int(rows[0]),
        x0 + int(columns[-1]) + 1,
        y0 + int(rows[-1]) + 1,
    )


@cache
def _strengths(scale: float, width: float) -> list[int]:
    """Return how strong a line is where a blurred edge has each of its 256 values."""
    edge = NormalDist(0, _BLUR * scale)
    values = (min(max(value / 255, 1e-6), 1 - 1e-6) for value in range(256))
    away = (abs(edge.inv_cdf(value)) for value in values)
    return [round(255 * min(max(width * scale / 2 + 0.5 - far, 0), 1)) for far in away]


def _grown(box: Box, by: int, width: int, height: int) -> Box:
    x0, y0, x1, y1 = box
    return max(0, x0 - by), max(0, y0 - by), min(width, x1 + by), min(height, y1 + by)


def joined(first: Box | None, second: Box | None) -> Box | None:
    """Return the smallest box that holds both."""
    if first is None or second is None:
        return first or second
    return (
        min(first[0], second[0]),
        min(first[1], second[1]),
        max(first[2], second[2]),
        max(first[3], second[3]),
    )
