"""A frame with one of its segments lit: the rest dimmed, the others in faint outline."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageTk

from src.gui.core.main_thread import MainThread
from src.gui.theme.pictures import contain, rounded_mask
from src.gui.theme.theme import RADIUS, RADIUS_SMALL, SMALL, Theme
from src.records import FrameView

_DIM = 0.42
_SHARP = 2  # outlines are drawn at twice the size and shrunk, since Tk's own are jagged


@dataclass(frozen=True)
class Lit:
    """What to show of a frame: which segment, and how."""

    chosen: int
    dim: bool = True
    others: bool = True


def compose(view: FrameView, lit: Lit, size_wh: tuple[int, int], theme: Theme) -> Image.Image:
    """Draw a frame: RGB, as large as fits into size_wh."""
    c = theme.colours
    image = contain(view.image_rgb, size_wh)
    whole = view.segments[lit.chosen].kind == "frame"
    if lit.dim and not whole:
        mask = Image.fromarray(view.masks[lit.chosen].astype(np.uint8) * 255)
        dark = Image.blend(Image.new("RGB", image.size, c.window), image, _DIM)
        image = Image.composite(image, dark, mask.resize(image.size, Image.Resampling.BILINEAR))
    scale = image.width / view.image_rgb.shape[1]
    if lit.others:
        others = [i for i in range(len(view.segments)) if i != lit.chosen]
        lines = _lines(view, others, image.size, scale, 1.0 * theme.scale)
        image.paste("#C4C4CA", (0, 0), lines.point(lambda value: value * 6 // 10))
    if not whole:
        image.paste(
            c.on_accent, (0, 0), _lines(view, [lit.chosen], image.size, scale, 5 * theme.scale)
        )
        image.paste(
            c.accent, (0, 0), _lines(view, [lit.chosen], image.size, scale, 3 * theme.scale)
        )
    return image


def _lines(
    view: FrameView, which: list[int], size_wh: tuple[int, int], scale: float, width_px: float
) -> Image.Image:
    """Return the outlines of some segments, as an 'L' mask."""
    large = Image.new("L", (size_wh[0] * _SHARP, size_wh[1] * _SHARP), 0)
    draw = ImageDraw.Draw(large)
    for number in which:
        for points in view.outlines[number]:
            closed = np.concatenate([points, points[:2]]) * scale * _SHARP
            draw.line(closed.ravel().tolist(), 255, max(1, round(width_px * _SHARP)), "curve")
    return large.resize(size_wh, Image.Resampling.BOX)


class FramePicture(tkinter.Canvas):
    """The frame on the screen; segments light up under the pointer and can be clicked."""

    def __init__(
        self, master: Any, theme: Theme, main_thread: MainThread, on_choose: Callable[[str], None]
    ) -> None:
        super().__init__(master, bg=theme.colours.window, highlightthickness=0, bd=0)
        self.theme, self._main_thread, self._on_choose = theme, main_thread, on_choose
        self.view: FrameView | None = None
        self._lit = Lit(0)
        self._word = ""
        self._asked = 0
        self._photo: ImageTk.PhotoImage | None = None
        self._box = (0, 0, 0, 0)
        self._under: np.ndarray | None = None
        self._hover = -1
        self._pressed = -1
        self.outlined: tuple[int, ...] = ()
        self.bind("<Configure>", lambda _: self._compose())
        for event in ("<Motion>", "<Enter>"):  # <Enter>, since a click moves nothing
            self.bind(event, self._moved)
        self.bind("<Leave>", lambda _: self._light(-1))
        self.bind("<Button-1>", self._press)
        self.bind("<ButtonRelease-1>", self._release)

    def show(self, view: FrameView, lit: Lit, word: str) -> None:
        """Show a frame.

        Args:
            word: what stands on the chosen segment.
        """
        if view is not self.view:
            # the smallest segment under a pixel is the one meant; segments come largest first
            self._under = np.zeros(view.masks.shape[1:], np.int16)
            for number, mask in enumerate(view.masks):
                self._under[mask] = number
        self.view, self._lit, self._word = view, lit, word
        self._compose()

    def clear(self) -> None:
        self._asked += 1
        self.view = None
        self.delete("all")

    def _compose(self) -> None:
        if self.view is None or self.winfo_width() < 20 or self.winfo_height() < 20:
            return
        self._asked += 1
        asked, view, lit, theme = self._asked, self.view, self._lit, self.theme
        size_wh = self.winfo_width(), self.winfo_height()

        def work() -> Image.Image:
            image = compose(view, lit, size_wh, theme)
            ground = Image.new("RGB", image.size, theme.colours.window)
            ground.paste(image, (0, 0), rounded_mask(image.size, theme.px(RADIUS)))
            return ground

        self._main_thread.run(
            work, lambda image: self._draw(image) if asked == self._asked else None
        )

    def _draw(self, image: Image.Image) -> None:
        self.delete("all")
        self._photo = ImageTk.PhotoImage(image)
        left, top = (self.winfo_width() - image.width) // 2, 0
        self._box = left, top, image.width, image.height
        self.create_image(left, top, image=self._photo, anchor="nw")
        self._hover, self.outlined = -1, ()
        if self._word:
            self._label()

    def _label(self) -> None:
        """Write the chosen segment's name beside it, inside the picture."""
        assert self.view is not None
        px, c = self.theme.px, self.theme.colours
        x, y, _, _ = self.view.segments[self._lit.chosen].bbox_xywh
        left, top, width, _ = self._box
        scale = width / self.view.segments[self._lit.chosen].frame_wh[0]
        font = self.theme.canvas_font(self, SMALL, "medium")
        wide, high = font.measure(self._word) + px(16), px(24)
        x = min(max(left + px(4), left + round(x * scale)), left + width - wide - px(4))
        y = max(top + px(4), top + round(y * scale) - high - px(6))
        ground = Image.new("RGBA", (wide, high), c.accent)
        ground.putalpha(rounded_mask((wide, high), px(RADIUS_SMALL)))
        self._tag = ImageTk.PhotoImage(ground)
        self.create_image(x, y, image=self._tag, anchor="nw")
        self.create_text(x + wide // 2, y + high // 2, text=self._word, fill=c.on_accent, font=font)

    def _moved(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self._light(self._at(event.x, event.y))

    def _at(self, x: int, y: int) -> int:
        """Return which segment lies there; -1 outside the picture."""
        left, top, width, height = self._box
        if self._under is None or not (left <= x < left + width and top <= y < top + height):
            return -1
        rows, columns = self._under.shape
        return int(self._under[(y - top) * rows // height, (x - left) * columns // width])

    def _light(self, number: int) -> None:
        if number == self._hover or self.view is None:
            return
        self._hover = number
        self.configure(cursor="hand2" if number >= 0 else "")
        self.outline([] if number in (-1, self._lit.chosen) else [number])

    def outline(self, numbers: Sequence[int]) -> None:
        """Outline some segments, and no others, until the pointer comes to one."""
        self.outlined = tuple(numbers)
        self.delete("hover")
        if self.view is None:
            return
        left, top, width, _ = self._box
        scale = width / self.view.image_rgb.shape[1]
        for points in (points for number in numbers for points in self.view.outlines[number]):
            closed = np.concatenate([points, points[:1]]) * scale + (left, top)
            self.create_line(
                *closed.ravel().tolist(), fill="#FFFFFF", width=self.theme.px(1.5), tags="hover"
            )

    def _press(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self._pressed = self._at(event.x, event.y)

    def _release(self, event: tkinter.Event[tkinter.Misc]) -> None:
        """Choose the segment that was clicked.

        The event says where that is: a window manager that takes the click first, to bring the
        window forward, makes the pointer leave the picture before it is pressed.
        """
        pressed, self._pressed = self._pressed, -1
        number = self._at(event.x, event.y)
        if self.view is not None and number >= 0 and number == pressed:
            self._on_choose(self.view.segments[number].id)
