"""The line at the moment that is looked at, with its time on a badge; and the range's edges."""

from __future__ import annotations

import tkinter

from PIL import Image, ImageTk

from src.gui.theme.pictures import rounded_mask
from src.gui.theme.theme import RADIUS_SMALL, SMALL, Theme
from src.gui.timeline.rows import NAMES, Rows
from src.gui.timeline.time_scale import TimeScale, clock_of

_BADGE, _INSIDE = 20, 8
_LINE = 2


class Playhead:
    """Items on a Canvas, which move without the picture below them being drawn again."""

    def __init__(self, canvas: tkinter.Canvas, theme: Theme) -> None:
        self._canvas, self._theme = canvas, theme
        c = theme.colours
        self._font = theme.canvas_font(canvas, SMALL, "medium")
        self._edges = [canvas.create_line(0, 0, 0, 0, fill=c.accent, width=1) for _ in range(2)]
        self._hover = canvas.create_line(0, 0, 0, 0, fill=c.hint, width=1, state="hidden")
        self._line = canvas.create_line(0, 0, 0, 0, fill=c.text, width=theme.px(_LINE))
        self._badge = canvas.create_image(0, 0, anchor="n")
        self._text = canvas.create_text(0, 0, font=self._font, fill=c.window)
        self._grounds: dict[int, ImageTk.PhotoImage] = {}
        self.box = (0, 0, 0, 0)  # of the badge, on the canvas

    def show(self, time_s: float, scale: TimeScale, rows: Rows) -> None:
        """Show a moment; nothing where it is not in sight."""
        canvas, px = self._canvas, self._theme.px
        offset, x = scale.x_of(time_s), 0
        seen = -1 <= offset <= scale.width_px + 1
        for item in (self._line, self._badge, self._text):
            canvas.itemconfigure(item, state="normal" if seen else "hidden")
            canvas.tag_raise(item)
        if not seen:
            self.box = (0, 0, 0, 0)
            return
        x = px(NAMES) + round(offset)
        text = clock_of(time_s)
        wide = self._font.measure(text) + 2 * px(_INSIDE)
        top = rows.ruler[1] - px(_BADGE) - px(2)
        left = min(max(px(NAMES) - px(8), x - wide // 2), int(canvas.winfo_width()) - wide)
        middle = left + wide // 2
        canvas.coords(self._line, x, rows.ruler[1] - px(4), x, rows.height)
        canvas.itemconfigure(self._badge, image=self._ground(wide))
        canvas.coords(self._badge, middle, top)
        canvas.itemconfigure(self._text, text=text)
        canvas.coords(self._text, middle, top + px(_BADGE) // 2)
        self.box = (left, top, left + wide, top + px(_BADGE))

    def show_range(self, range_s: tuple[float, float] | None, scale: TimeScale, rows: Rows) -> None:
        """Show where a range begins and ends."""
        canvas, names = self._canvas, self._theme.px(NAMES)
        for place, item in enumerate(self._edges):
            x = -1.0 if range_s is None else scale.x_of(range_s[place])
            seen = 0 <= x <= scale.width_px
            canvas.itemconfigure(item, state="normal" if seen else "hidden")
            canvas.coords(item, names + round(x), rows.ruler[1], names + round(x), rows.height)
            canvas.tag_raise(item)

    def show_hover(self, x: int | None, rows: Rows) -> None:
        """Show where the pointer is, in device pixels of the canvas; None for nowhere."""
        self._canvas.itemconfigure(self._hover, state="hidden" if x is None else "normal")
        if x is not None:
            self._canvas.coords(self._hover, x, rows.ruler[1], x, rows.height)

    def _ground(self, wide: int) -> ImageTk.PhotoImage:
        if wide not in self._grounds:
            c, px = self._theme.colours, self._theme.px
            ground = Image.new("RGB", (wide, px(_BADGE)), c.window)
            ground.paste(c.text, (0, 0), rounded_mask(ground.size, px(RADIUS_SMALL)))
            self._grounds[wide] = ImageTk.PhotoImage(ground)
        return self._grounds[wide]
