"""The image that is searched for, and the part of it that is marked."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageTk

from src.gui.theme.pictures import contain, rounded_mask
from src.gui.theme.theme import RADIUS, Theme
from src.records import BoxXywh

_HANDLE = 7
_LEAST = 8  # a smaller drag is a click, and marks nothing
_CORNERS = {
    "nw": (0, 0),
    "n": (1, 0),
    "ne": (2, 0),
    "e": (2, 1),
    "se": (2, 2),
    "s": (1, 2),
    "sw": (0, 2),
    "w": (0, 1),
}
Rectangle = tuple[float, float, float, float]


class ImageQuery(tkinter.Canvas):
    """Shows an image; dragging on it marks a part, whose edges and inside can be moved."""

    def __init__(self, master: Any, theme: Theme, on_change: Callable[[], None]) -> None:
        super().__init__(
            master,
            bg=theme.colours.card,
            highlightthickness=0,
            bd=0,
            cursor="crosshair",
            width=1,
            height=1,
        )
        self.theme, self._on_change = theme, on_change
        self.image_rgb: np.ndarray | None = None
        self._part: Rectangle | None = None  # left, top, right, bottom in pixels of the image
        self._drag: tuple[str, float, float, Rectangle | None] | None = None
        self._place = (0, 0, 1.0)  # left, top on the Canvas, and its pixels for one of the image
        self._bright: Image.Image | None = None
        self._dark: Image.Image | None = None
        self._photo: ImageTk.PhotoImage | None = None
        self.bind("<Configure>", lambda _: self._fit())
        self.bind("<Button-1>", self._pressed)
        self.bind("<B1-Motion>", self._dragged)
        self.bind("<ButtonRelease-1>", lambda _: self._released())

    def show(self, image_rgb: np.ndarray | None) -> None:
        """Show another image, (H, W, 3) uint8 RGB, with nothing marked; None for none."""
        self.image_rgb, self._part = image_rgb, None
        self._fit()
        self._on_change()

    @property
    def part(self) -> BoxXywh | None:
        """The marked part in pixels of the image; None for the whole."""
        if self._part is None:
            return None
        left, top, right, bottom = (round(value) for value in self._part)
        return left, top, right - left, bottom - top

    def mark(self, part: Rectangle | None) -> None:
        self._part = part
        self._draw()
        self._on_change()

    def _fit(self) -> None:
        if self.image_rgb is None or self.winfo_width() < 20:
            self.delete("all")
            return
        c = self.theme.colours
        self._bright = contain(self.image_rgb, (self.winfo_width(), self.winfo_height()))
        self._dark = Image.blend(Image.new("RGB", self._bright.size, c.window), self._bright, 0.4)
        left = (self.winfo_width() - self._bright.width) // 2
        top = (self.winfo_height() - self._bright.height) // 2
        self._place = left, top, self._bright.width / self.image_rgb.shape[1]
        self._draw()

    def _draw(self) -> None:
        self.delete("all")
        if self._bright is None or self._dark is None or self.image_rgb is None:
            return
        c, px = self.theme.colours, self.theme.px
        image = self._bright
        box = self._on_canvas()
        left, top, _ = self._place
        if box is not None:
            image = self._dark.copy()
            inner = tuple(
                round(v) for v in (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
            )
            image.paste(self._bright.crop(inner), inner[:2])  # type: ignore[arg-type]
        ground = Image.new("RGB", image.size, c.card)
        ground.paste(image, (0, 0), rounded_mask(image.size, px(RADIUS)))
        self._photo = ImageTk.PhotoImage(ground)
        self.create_image(left, top, image=self._photo, anchor="nw")
        if box is not None:
            self.create_rectangle(*box, outline=c.accent, width=px(2))
            half = px(_HANDLE) / 2
            for x, y in self._handles(box).values():
                self.create_rectangle(
                    x - half, y - half, x + half, y + half, fill=c.accent, outline=c.on_accent
                )

    def _on_canvas(self) -> Rectangle | None:
        if self._part is None:
            return None
        left, top, scale = self._place
        a, b, c, d = self._part
        return left + a * scale, top + b * scale, left + c * scale, top + d * scale

    def _handles(self, box: Rectangle) -> dict[str, tuple[float, float]]:
        xs = (box[0], (box[0] + box[2]) / 2, box[2])
        ys = (box[1], (box[1] + box[3]) / 2, box[3])
        return {name: (xs[i], ys[j]) for name, (i, j) in _CORNERS.items()}

    def _in_image(self, x: float, y: float) -> tuple[float, float]:
        assert self.image_rgb is not None
        left, top, scale = self._place
        height, width = self.image_rgb.shape[:2]
        return min(max(0.0, (x - left) / scale), width), min(max(0.0, (y - top) / scale), height)

    def _pressed(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if self.image_rgb is None:
            return
        x, y = self._in_image(event.x, event.y)
        box = self._on_canvas()
        how = "new"
        if box is not None:
            reach = self.theme.px(_HANDLE + 2)
            for name, (hx, hy) in self._handles(box).items():
                if abs(event.x - hx) <= reach and abs(event.y - hy) <= reach:
                    how = name
            if how == "new" and box[0] < event.x < box[2] and box[1] < event.y < box[3]:
                how = "move"
        self._drag = (how, x, y, self._part)

    def _dragged(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if self._drag is None or self.image_rgb is None:
            return
        how, x0, y0, before = self._drag
        x, y = self._in_image(event.x, event.y)
        if how == "new" or before is None:
            if max(abs(x - x0), abs(y - y0)) * self._place[2] >= self.theme.px(_LEAST):
                self.mark((min(x, x0), min(y, y0), max(x, x0), max(y, y0)))
            return
        left, top, right, bottom = before
        if how == "move":
            height, width = self.image_rgb.shape[:2]
            dx = min(max(x - x0, -left), width - right)
            dy = min(max(y - y0, -top), height - bottom)
            self.mark((left + dx, top + dy, right + dx, bottom + dy))
            return
        if "w" in how:
            left = min(x, right - 2)
        if "e" in how:
            right = max(x, left + 2)
        if "n" in how:
            top = min(y, bottom - 2)
        if "s" in how:
            bottom = max(y, top + 2)
        self.mark((left, top, right, bottom))

    def _released(self) -> None:
        self._drag = None
