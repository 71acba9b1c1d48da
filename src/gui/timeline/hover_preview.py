"""A small picture of the frame that the pointer is at, above the timeline."""

from __future__ import annotations

import tkinter
from pathlib import Path

from PIL import ImageTk

from src.gui.core.thumbnails import Thumbnails
from src.gui.theme.theme import SMALL, Theme
from src.gui.widgets.drawn_canvas import DrawnCanvas

_HIGH, _WIDEST = 90, 180
_INSIDE, _LINE = 4, 20


class HoverPreview(DrawnCanvas):
    """Placed over its master while the pointer is on the timeline."""

    def __init__(self, master: tkinter.Misc, theme: Theme, thumbnails: Thumbnails) -> None:
        super().__init__(master, bg=theme.colours.raised)
        self.theme, self._thumbnails = theme, thumbnails
        self._source: Path | None = None
        self._size = 1, 1
        self.text = ""
        self._photo: ImageTk.PhotoImage | None = None

    def show(self, source: Path, ratio: float, text: str, middle: int, bottom: int) -> None:
        """Show a frame.

        Args:
            ratio: of its width to its height.
            text: its time.
            middle, bottom: where the preview goes in its master, in device pixels.
        """
        px = self.theme.px
        wide = min(px(_WIDEST), max(px(50), round(px(_HIGH) * ratio)))
        self._size, self._source, self.text = (wide, px(_HIGH)), source, text
        outer_w, outer_h = wide + 2 * px(_INSIDE), px(_HIGH + _INSIDE + _LINE)
        most = max(0, self.master.winfo_width() - outer_w - px(8))
        left = min(max(px(8), middle - outer_w // 2), most)
        self._thumbnails.want(self, [(source, self._size)])
        self.configure(width=outer_w, height=outer_h)
        self.place(x=left, y=bottom - outer_h, width=outer_w, height=outer_h)
        self.tk.call("raise", str(self))  # a Canvas raises its items by lift
        self._draw()

    def hide(self) -> None:
        if self._source is not None:
            self._source = None
            self._thumbnails.want(self, [])
            self.place_forget()

    def _draw(self) -> None:
        self.erase()
        if self._source is None:
            return
        px, c = self.theme.px, self.theme.colours
        wide, high = self._size
        inside = px(_INSIDE)
        picture = self._thumbnails.get(self._source, self._size)
        if picture is None:
            self.create_rectangle(
                inside, inside, inside + wide, inside + high, fill=c.card, outline=""
            )
        else:
            self.put(inside, inside, picture)
        self.create_text(
            inside + wide // 2,
            inside + high + px(_LINE) // 2 - 1,
            text=self.text,
            fill=c.text,
            font=self.theme.canvas_font(self, SMALL),
        )
        line = max(1, round(self.theme.scale))
        self.create_rectangle(
            0, 0, wide + 2 * inside - line, high + inside + px(_LINE) - line, outline=c.control
        )
