"""Line icons, drawn at four times their size and shrunk."""

from __future__ import annotations

import math
import tkinter
from collections.abc import Callable
from functools import cache

from PIL import Image, ImageDraw

from src.gui.theme.toolkit import ctk

_TIMES = 4
_GRID = 20  # the design's icon is 20 pixels, with lines of 1.5
_LINE = 1.5

Point = tuple[float, float]


class _Pen:
    """Draws in units of the icon's grid, with round ends."""

    def __init__(self, size: int, colour: str) -> None:
        self.image = Image.new("RGBA", (size * _TIMES, size * _TIMES), colour + "00")
        self._draw = ImageDraw.Draw(self.image)
        self._unit = size * _TIMES / _GRID
        self._colour = colour

    def line(self, *points: Point, width: float = _LINE) -> None:
        scaled = [(x * self._unit, y * self._unit) for x, y in points]
        self._draw.line(scaled, self._colour, round(width * self._unit), joint="curve")
        radius = width * self._unit / 2
        for x, y in scaled:
            self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), self._colour)

    def closed(self, *points: Point) -> None:
        self.line(*points, points[0], points[1])

    def circle(self, x: float, y: float, radius: float, fill: bool = False) -> None:
        u, half = self._unit, _LINE / 2
        reach = radius if fill else radius + half
        box = ((x - reach) * u, (y - reach) * u, (x + reach) * u, (y + reach) * u)
        if fill:
            self._draw.ellipse(box, self._colour)
        else:
            self._draw.ellipse(box, None, self._colour, round(_LINE * u))

    def arc(self, x: float, y: float, radius: float, start: float, end: float) -> None:
        steps = [math.radians(start + (end - start) * i / 24) for i in range(25)]
        self.line(*((x + radius * math.cos(a), y + radius * math.sin(a)) for a in steps))

    def box(
        self, left: float, top: float, right: float, bottom: float, radius: float = 1.5
    ) -> None:
        u, half = self._unit, _LINE / 2
        self._draw.rounded_rectangle(
            ((left - half) * u, (top - half) * u, (right + half) * u, (bottom + half) * u),
            (radius + half) * u,
            None,
            self._colour,
            round(_LINE * u),
        )

    def polygon(self, *points: Point) -> None:
        self._draw.polygon([(x * self._unit, y * self._unit) for x, y in points], self._colour)


def _plus(pen: _Pen) -> None:
    pen.line((10, 3.5), (10, 16.5))
    pen.line((3.5, 10), (16.5, 10))


def _grid(pen: _Pen) -> None:
    for left in (2.75, 11.5):
        for top in (2.75, 11.5):
            pen.box(left, top, left + 5.75, top + 5.75)


def _grid_small(pen: _Pen) -> None:
    for left in (4.5, 11):
        for top in (4.5, 11):
            pen.box(left, top, left + 4.5, top + 4.5, 1)


def _search(pen: _Pen) -> None:
    pen.circle(8.5, 8.5, 5.5)
    pen.line((12.8, 12.8), (17.2, 17.2))


def _image(pen: _Pen) -> None:
    pen.box(2.75, 3.5, 17.25, 16.5, 2)
    pen.line((3, 14), (7.5, 9.5), (11, 13), (13, 11), (17, 15))
    pen.circle(13, 7.2, 1.2, fill=True)


def _export(pen: _Pen) -> None:
    pen.line((10, 12.5), (10, 3))
    pen.line((6.3, 6.5), (10, 2.8), (13.7, 6.5))
    pen.line((3, 12.5), (3, 15.5), (4.5, 17), (15.5, 17), (17, 15.5), (17, 12.5))


def _download(pen: _Pen) -> None:
    pen.line((10, 3), (10, 12.5))
    pen.line((6.3, 9), (10, 12.7), (13.7, 9))
    pen.line((3, 12.5), (3, 15.5), (4.5, 17), (15.5, 17), (17, 15.5), (17, 12.5))


def _sliders(pen: _Pen) -> None:
    pen.line((2, 6.5), (10.3, 6.5))
    pen.line((15, 6.5), (18, 6.5))
    pen.circle(12.6, 6.5, 2.1)
    pen.line((2, 13.5), (5, 13.5))
    pen.line((9.7, 13.5), (18, 13.5))
    pen.circle(7.4, 13.5, 2.1)


def _folder(pen: _Pen) -> None:
    pen.closed(
        (2.75, 5),
        (4, 3.75),
        (7.5, 3.75),
        (9.5, 6),
        (16, 6),
        (17.25, 7.25),
        (17.25, 15),
        (16, 16.25),
        (4, 16.25),
        (2.75, 15),
    )


def _close(pen: _Pen) -> None:
    pen.line((5, 5), (15, 15))
    pen.line((15, 5), (5, 15))


def _check(pen: _Pen) -> None:
    pen.line((4.5, 10.5), (8.5, 14.5), (15.5, 6))


def _warning(pen: _Pen) -> None:
    pen.closed((10, 3), (18, 16.7), (2, 16.7))
    pen.line((10, 8), (10, 11.5))
    pen.circle(10, 14, 0.9, fill=True)


def _info(pen: _Pen) -> None:
    pen.circle(10, 10, 7)
    pen.line((10, 9.5), (10, 13.5))
    pen.circle(10, 6.7, 0.9, fill=True)


def _retry(pen: _Pen) -> None:
    pen.arc(10, 10, 6, -20, 280)
    pen.polygon((13.2, 8.6), (18.6, 8.6), (16.6, 3.4))


def _left(pen: _Pen) -> None:
    pen.line((12, 5), (7, 10), (12, 15))


def _right(pen: _Pen) -> None:
    pen.line((8, 5), (13, 10), (8, 15))


def _down(pen: _Pen) -> None:
    pen.line((5, 8), (10, 13), (15, 8))


def _similar(pen: _Pen) -> None:
    pen.circle(7.4, 10, 4.6)
    pen.circle(12.6, 10, 4.6)


def _open(pen: _Pen) -> None:
    pen.line((9, 4), (4.5, 4), (3.5, 5), (3.5, 15.5), (4.5, 16.5), (15, 16.5), (16, 15.5), (16, 11))
    pen.line((9.5, 10.5), (16.7, 3.3))
    pen.line((12, 3.2), (16.8, 3.2), (16.8, 8))


def _play(pen: _Pen) -> None:
    pen.polygon((6, 4), (16, 10), (6, 16))


def _pause(pen: _Pen) -> None:
    pen.line((7, 5), (7, 15), width=2.5)
    pen.line((13, 5), (13, 15), width=2.5)


def _paste(pen: _Pen) -> None:
    pen.box(4, 4.5, 16, 17, 2)
    pen.box(7.5, 2.75, 12.5, 6, 1)


def _trash(pen: _Pen) -> None:
    pen.line((3.5, 5.5), (16.5, 5.5))
    pen.line((7.5, 5.2), (7.5, 3.2), (12.5, 3.2), (12.5, 5.2))
    pen.line((5, 5.5), (5.8, 16.8), (14.2, 16.8), (15, 5.5))
    pen.line((8.3, 9), (8.3, 13.5))
    pen.line((11.7, 9), (11.7, 13.5))


def _copies(pen: _Pen) -> None:
    pen.box(7, 7, 16, 16, 2)
    pen.line((4, 12.8), (4, 5.5), (5.5, 4), (12.8, 4))


def _minus(pen: _Pen) -> None:
    pen.line((4.5, 10), (15.5, 10))


def _bookmark(pen: _Pen) -> None:
    pen.closed((5, 3), (15, 3), (15, 17), (10, 13), (5, 17))


def _map(pen: _Pen) -> None:
    for x, y, radius in (
        (4.2, 4.8, 1.5),
        (8.6, 7.2, 1.2),
        (5.2, 10.2, 1.2),
        (14.8, 4.6, 1.3),
        (11.6, 12.4, 1.5),
        (16, 10.8, 1.2),
        (14.6, 15.8, 1.5),
        (6.4, 15.6, 1.4),
    ):
        pen.circle(x, y, radius, fill=True)


def _fit(pen: _Pen) -> None:
    for x, across in ((3.5, 1), (16.5, -1)):
        for y, down in ((3.5, 1), (16.5, -1)):
            pen.line((x, y + 4 * down), (x, y), (x + 4 * across, y))


def _ring(pen: _Pen) -> None:
    pen.circle(10, 10, 6.5)


def _tag(pen: _Pen) -> None:
    pen.closed((3, 4), (4, 3), (10, 3), (17, 10), (17, 11), (11, 17), (10, 17), (3, 10))
    pen.circle(7, 7, 1.2, fill=True)


def _undo(pen: _Pen) -> None:
    pen.line((7, 3.8), (3.5, 7.3), (7, 10.8))
    pen.line((3.8, 7.3), (12.2, 7.3))
    pen.arc(12.2, 11.6, 4.3, -90, 90)
    pen.line((12.2, 15.9), (7, 15.9))


def _redo(pen: _Pen) -> None:
    pen.line((13, 3.8), (16.5, 7.3), (13, 10.8))
    pen.line((16.2, 7.3), (7.8, 7.3))
    pen.arc(7.8, 11.6, 4.3, -90, -270)
    pen.line((7.8, 15.9), (13, 15.9))


def _pointer(pen: _Pen) -> None:
    pen.closed((5, 2.8), (15.4, 10.6), (10.4, 11.4), (7.4, 15.8))


def _click(pen: _Pen) -> None:
    pen.line((6.5, 3), (6.5, 10))
    pen.line((3, 6.5), (10, 6.5))
    pen.line((11.5, 14.5), (17, 14.5))


def _box(pen: _Pen) -> None:
    for along in (3.2, 8.5, 13.8):
        for side in (3.5, 16.5):
            pen.line((along, side), (along + 3, side))
            pen.line((side, along), (side, along + 3))


def _brush(pen: _Pen) -> None:
    pen.line((16.8, 3.2), (8.6, 11.4))
    pen.closed((8.2, 11), (9.4, 13.2), (8, 15.8), (3.4, 16.6), (5, 14.4), (5.6, 11.8))


def _eraser(pen: _Pen) -> None:
    pen.closed((11.6, 3.4), (16.6, 8.4), (9, 16), (6.6, 16), (3.4, 12.8), (3.4, 11.6))
    pen.line((7.4, 7.6), (12.4, 12.6))


def _polygon(pen: _Pen) -> None:
    corners = ((10, 3.2), (16.6, 8.2), (14, 16.2), (6, 16.2), (3.4, 8.2))
    pen.closed(*corners)
    for x, y in corners:
        pen.circle(x, y, 1.7, fill=True)


def _merge(pen: _Pen) -> None:
    pen.line((4, 3.5), (10, 10.5), (16, 3.5))
    pen.line((10, 10.5), (10, 16.5))
    pen.line((7, 13.7), (10, 16.8), (13, 13.7))


def _timeline(pen: _Pen) -> None:
    pen.line((2.5, 5.5), (9.5, 5.5))
    pen.line((6, 10), (17.5, 10))
    pen.line((2.5, 14.5), (9.5, 14.5))
    pen.line((13, 2.5), (13, 17.5))


def _split(pen: _Pen) -> None:
    pen.line((10, 3), (10, 9))
    pen.line((4, 15.8), (10, 9), (16, 15.8))
    pen.line((3.6, 12), (3.6, 16.2), (7.6, 16.2))
    pen.line((16.4, 12), (16.4, 16.2), (12.4, 16.2))


_DRAWN: dict[str, Callable[[_Pen], None]] = {
    "plus": _plus,
    "grid": _grid,
    "grid-small": _grid_small,
    "search": _search,
    "image": _image,
    "export": _export,
    "download": _download,
    "sliders": _sliders,
    "folder": _folder,
    "close": _close,
    "check": _check,
    "warning": _warning,
    "info": _info,
    "retry": _retry,
    "left": _left,
    "right": _right,
    "down": _down,
    "similar": _similar,
    "open": _open,
    "play": _play,
    "pause": _pause,
    "paste": _paste,
    "trash": _trash,
    "copies": _copies,
    "minus": _minus,
    "bookmark": _bookmark,
    "map": _map,
    "fit": _fit,
    "ring": _ring,
    "tag": _tag,
    "undo": _undo,
    "redo": _redo,
    "pointer": _pointer,
    "click": _click,
    "box": _box,
    "brush": _brush,
    "eraser": _eraser,
    "polygon": _polygon,
    "merge": _merge,
    "split": _split,
    "timeline": _timeline,
}


@cache
def icon_image(name: str, colour: str, size_px: int) -> Image.Image:
    """Return an icon as a picture with transparency, for a Canvas or another picture."""
    pen = _Pen(size_px, colour)
    _DRAWN[name](pen)
    return pen.image.resize((size_px, size_px), Image.Resampling.LANCZOS)


def icon(name: str, colour: str, size: int = _GRID) -> ctk.CTkImage:
    """Return an icon for a widget; it follows the widget's scale."""
    # kept by the window, since a picture dies with the window it was made for
    window = tkinter._get_default_root()  # type: ignore[attr-defined]
    kept: dict[tuple[str, str, int], ctk.CTkImage] = window.__dict__.setdefault("icons_made", {})
    key = (name, colour, size)
    if key not in kept:
        kept[key] = ctk.CTkImage(icon_image(name, colour, size * _TIMES), size=(size, size))
    return kept[key]


def logo(size_px: int) -> Image.Image:
    """Return the application's own picture: a segment's outline and its heart."""
    side = size_px * _TIMES
    image = Image.new("RGBA", (side, side), "#1E2E4800")
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, side - 1, side - 1), side * 0.22, "#1E2E48")
    points = blob_outline(side * 0.5, side * 0.5, side * 0.29)
    draw.line([*points, points[0], points[1]], "#7AB0FF", round(side * 0.075), joint="curve")
    heart = side * 0.075
    draw.ellipse(
        (side * 0.53 - heart, side * 0.47 - heart, side * 0.53 + heart, side * 0.47 + heart),
        "#7AB0FF",
    )
    return image.resize((size_px, size_px), Image.Resampling.LANCZOS)


def blob_outline(x: float, y: float, radius: float) -> list[Point]:
    """Return the outline of the logo's segment: a hill with a foot to one side."""
    # Half-width and height over the angle, as a few harmonics.
    points = []
    for step in range(120):
        angle = 2 * math.pi * step / 120
        reach = radius * (1 + 0.10 * math.cos(2 * angle + 2.3) + 0.10 * math.cos(3 * angle - 1.2))
        points.append((x + reach * math.cos(angle), y + 0.86 * reach * math.sin(angle)))
    return points
