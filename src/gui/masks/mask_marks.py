"""What lies on the photo under edit: clicks, the brush, a box, the points of a polygon, hints."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageTk

from src.gui.masks.editor import Click, Ring
from src.gui.masks.mask_canvas import MaskCanvas
from src.gui.theme.theme import Theme
from src.gui.widgets.frame_drawing import on_window

_TIMES = 4
_SIGN = 20  # of a click
_POINT = 4  # of a polygon, its radius
_LIGHT, _DARK = "#FFFFFF", "#161618"


class MaskMarks:
    """Items of the canvas, given in pixels of the frame; `place` puts them where that lies now."""

    def __init__(self, canvas: MaskCanvas, theme: Theme) -> None:
        self._canvas, self.theme = canvas, theme
        self._signs: dict[bool, ImageTk.PhotoImage] = {}
        self._clicks: Sequence[Click] = ()
        self._rings: Sequence[Ring] = ()
        self._open: Ring = ()
        self._hovered: Sequence[np.ndarray] = ()

    def clear(self) -> None:
        self._clicks = self._rings = self._open = self._hovered = ()
        self.hide_brush()
        self.hide_box()
        self.place()

    def place(self) -> None:
        """Draw all again; the photo lies elsewhere."""
        self._place_hover()
        self._place_rings()
        self._place_clicks()

    # -- clicks

    def show_clicks(self, clicks: Sequence[Click]) -> None:
        self._clicks = clicks
        self._place_clicks()

    def _place_clicks(self) -> None:
        self._canvas.delete("click")
        port = self._canvas.drawn
        if port is not None:
            for x, y, inside in self._clicks:
                at_x, at_y = port.to_window(x, y)
                self._canvas.create_image(at_x, at_y, image=self._sign(inside), tags="click")

    def _sign(self, inside: bool) -> ImageTk.PhotoImage:
        if inside not in self._signs:
            c, side = self.theme.colours, self.theme.px(_SIGN)
            image = Image.new("RGBA", (side * _TIMES, side * _TIMES))
            draw, unit = ImageDraw.Draw(image), side * _TIMES / _SIGN
            ink = _DARK
            for edge, colour in ((0, ink), (1.5, c.success if inside else c.error)):
                far = (_SIGN - edge) * unit
                draw.ellipse((edge * unit, edge * unit, far - 1, far - 1), colour)
            middle, reach, line = _SIGN / 2 * unit, 4.5 * unit, round(1.8 * unit)
            draw.line((middle - reach, middle, middle + reach, middle), ink, line)
            if inside:
                draw.line((middle, middle - reach, middle, middle + reach), ink, line)
            small = image.resize((side, side), Image.Resampling.LANCZOS)
            self._signs[inside] = ImageTk.PhotoImage(small)
        return self._signs[inside]

    # -- the segment under the pointer

    def show_hover(self, lines: Sequence[np.ndarray]) -> None:
        """Outline a segment, each line (N, 2) in pixels of the frame; none of them: no segment."""
        self._hovered = lines
        self._place_hover()

    def _place_hover(self) -> None:
        self._canvas.delete("hover")
        port = self._canvas.drawn
        if port is not None:
            for line in self._hovered:
                places = on_window(line, port).ravel().tolist()
                width = self.theme.px(1.5)
                self._canvas.create_line(*places, fill=_LIGHT, width=width, tags="hover")

    # -- the brush

    def show_brush(self, x: float, y: float, radius_px: float, erases: bool) -> None:
        """Show how wide the brush is, round a place of the canvas."""
        reach = max(radius_px, 2.0)
        box = x - reach, y - reach, x + reach, y + reach
        if not self._canvas.find_withtag("brush"):
            for width, colour in ((3, _DARK), (1.5, _LIGHT)):
                self._canvas.create_oval(
                    *box, outline=colour, width=self.theme.px(width), tags="brush"
                )
        for item in self._canvas.find_withtag("brush"):
            self._canvas.coords(item, *box)
        light = self._canvas.find_withtag("brush")[-1]
        colour = self.theme.colours.error if erases else _LIGHT
        self._canvas.itemconfigure(light, outline=colour)
        self._canvas.tag_raise("brush")

    def hide_brush(self) -> None:
        self._canvas.delete("brush")

    # -- a box

    def show_box(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Show a box that is being drawn, in pixels of the canvas."""
        self.hide_box()
        for width, colour in ((3, _DARK), (1.5, self.theme.colours.accent)):
            self._canvas.create_rectangle(
                x0, y0, x1, y1, outline=colour, width=self.theme.px(width), tags="box"
            )

    def hide_box(self) -> None:
        self._canvas.delete("box")

    # -- polygons

    def show_rings(self, rings: Sequence[Ring], begun: Ring = ()) -> None:
        """Show polygons with the points that they are dragged by, and one that is not closed."""
        self._rings, self._open = rings, begun
        self._place_rings()

    def _place_rings(self) -> None:
        canvas = self._canvas
        canvas.delete("ring")
        port = canvas.drawn
        if port is None:
            return
        c, px = self.theme.colours, self.theme.px
        for ring, is_closed in [*((ring, True) for ring in self._rings), (self._open, False)]:
            places = [port.to_window(x, y) for x, y in ring]
            if len(places) > 1:
                corners = [*places, places[0]] if is_closed else places
                flat = [value for corner in corners for value in corner]
                for width, colour in ((3, _DARK), (1.5, c.accent)):
                    canvas.create_line(*flat, fill=colour, width=px(width), tags="ring")
            reach = px(_POINT)
            for x, y in _apart(places, 2.5 * reach):
                box = x - reach, y - reach, x + reach, y + reach
                canvas.create_oval(
                    *box, fill=_LIGHT, outline=c.accent_pressed, width=px(1.5), tags="ring"
                )


def _apart(places: Sequence[tuple[float, float]], least: float) -> list[tuple[float, float]]:
    """Return the places that lie apart from the one before; closer in there are more."""
    kept: list[tuple[float, float]] = []
    for place in places:
        if not kept or math.dist(place, kept[-1]) >= least:
            kept.append(place)
    return kept
