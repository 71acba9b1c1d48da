"""A crop shown large beside the pointer, with two lines of words."""

from __future__ import annotations

import tkinter
from pathlib import Path

from PIL import ImageTk

from src.gui.core.thumbnails import Thumbnails
from src.gui.theme.theme import SMALL, Theme, shorten

_PICTURE_WH = (176, 132)
_INSIDE, _LINES, _AWAY = 8, 52, 30  # around the picture, for the text, from the point
TAG = "hover"  # of all its items


class HoverCard:
    """Items on a Canvas."""

    def __init__(self, canvas: tkinter.Canvas, theme: Theme, thumbnails: Thumbnails) -> None:
        self._canvas, self._theme, self._thumbnails = canvas, theme, thumbnails
        self._photo: ImageTk.PhotoImage | None = None

    @property
    def height(self) -> int:
        """Of the card, in device pixels."""
        px = self._theme.px
        return px(_PICTURE_WH[1]) + px(_INSIDE) + px(_LINES)

    def show(self, crop: Path, lines: tuple[str, str], x: int, y: int, first_tail: int = 9) -> None:
        """Show a crop that lies at a pixel.

        Args:
            lines: what is known of it, the first one brighter.
            first_tail: characters of the first line's ending that stay where it is cut.
        """
        self.hide()
        canvas, px, c = self._canvas, self._theme.px, self._theme.colours
        size = px(_PICTURE_WH[0]), px(_PICTURE_WH[1])
        self._thumbnails.want(self, [(crop, size)])
        picture = self._thumbnails.get(crop, size)
        inside = px(_INSIDE)
        wide, high = size[0] + 2 * inside, self.height
        is_left = x + px(_AWAY) + wide >= canvas.winfo_width()
        left = x - px(_AWAY) - wide if is_left else x + px(_AWAY)
        top = max(0, min(y - high // 2, canvas.winfo_height() - high - px(4)))
        canvas.create_rectangle(
            left, top, left + wide, top + high, fill=c.card, outline=c.border, tags=TAG
        )
        if picture is not None:
            self._photo = ImageTk.PhotoImage(picture)
            canvas.create_image(
                left + inside, top + inside, anchor="nw", image=self._photo, tags=TAG
            )
        font = self._theme.canvas_font(canvas, SMALL)
        texts = (lines[0], c.text, first_tail), (lines[1], c.text_2, 0)
        for line, (text, colour, tail) in enumerate(texts):
            canvas.create_text(
                left + inside,
                top + size[1] + px(16 + 20 * line),
                anchor="nw",
                text=shorten(text, font, size[0], tail),
                font=font,
                fill=colour,
                tags=TAG,
            )

    def hide(self) -> None:
        self._canvas.delete(TAG)
