"""Rounded corners over any picture, which no widget of Tk can have of its own."""

from __future__ import annotations

import tkinter
from typing import Literal

from PIL import Image, ImageTk

from src.gui.theme.pictures import ring_mask, rounded_mask
from src.gui.theme.theme import Theme

_PLACES: tuple[tuple[Literal["nw", "ne", "se", "sw"], float, float], ...] = (
    ("nw", 0.0, 0.0),
    ("ne", 1.0, 0.0),
    ("se", 1.0, 1.0),
    ("sw", 0.0, 1.0),
)


class Corners:
    """Four small pictures over the corners of a square frame: its own, and what lies behind."""

    def __init__(
        self, frame: tkinter.Misc, theme: Theme, fill: str, border: str, radius: int
    ) -> None:
        self._frame, self._theme = frame, theme
        self._fill, self._border, self._radius = fill, border, theme.px(radius)
        self._labels = [tkinter.Label(frame, bd=0, bg=fill) for _ in _PLACES]
        self._photos: list[ImageTk.PhotoImage] = []

    def match(self, behind: Image.Image | None, at: tuple[int, int]) -> None:
        """Redraw them.

        Args:
            behind: a picture of what lies behind the frame; without one its corners are square.
            at: where in it the frame's top left corner lies.
        """
        size_wh, side = (self._frame.winfo_width(), self._frame.winfo_height()), self._radius
        if behind is None or min(size_wh) < 2 * side:
            return
        self._photos.clear()
        for label, (anchor, x, y) in zip(self._labels, _PLACES, strict=True):
            left = round(x * (size_wh[0] - side))
            top = round(y * (size_wh[1] - side))
            box = left + at[0], top + at[1], left + at[0] + side, top + at[1] + side
            picture = corner(behind.crop(box), self._fill, self._border, anchor, self._theme.scale)
            photo = ImageTk.PhotoImage(picture)
            self._photos.append(photo)
            label.configure(image=photo)
            label.place(relx=x, rely=y, anchor=anchor, bordermode="outside")
            label.lift()


def corner(behind: Image.Image, fill: str, border: str, anchor: str, scale: float) -> Image.Image:
    """Draw one corner of a rounded frame over a picture of its size: "nw", "ne", "se" or "sw"."""
    side = behind.width
    whole = 3 * side, 3 * side
    x, y = (2 * side if "e" in anchor else 0), (2 * side if "s" in anchor else 0)
    box = x, y, x + side, y + side
    picture = behind.convert("RGB")
    picture.paste(fill, (0, 0), rounded_mask(whole, side).crop(box))
    line = max(1, round(scale))
    picture.paste(border, (0, 0), ring_mask(whole, side, line).crop(box))
    return picture
