"""A frame with the segments that have some labels, each outlined in the colour of its label."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageTk

from src.gui.core.main_thread import MainThread
from src.gui.theme.pictures import contain, rounded_mask
from src.gui.theme.theme import NORMAL, RADIUS, Theme
from src.records import FrameView

_SHARP = 2  # outlines are drawn at twice the size and shrunk, since Tk's own are jagged
_LINE, _CASING = 3, 5
_REST_MS = 60  # while the window is resized


def compose(
    view: FrameView, colours: Mapping[int, str], size_wh: tuple[int, int], theme: Theme
) -> Image.Image:
    """Draw a frame as large as it fits, with outlines.

    Args:
        colours: of the segments that are outlined, by their number in the view.
        size_wh: that it fits into, in device pixels.
    """
    image = contain(view.image_rgb, size_wh)
    scale = image.width / view.image_rgb.shape[1]
    for width, of in ((_CASING, dict.fromkeys(colours, theme.colours.on_accent)), (_LINE, colours)):
        for number, colour in of.items():
            lines = _lines(view, number, image.size, scale, width * theme.scale)
            image.paste(colour, (0, 0), lines)
    ground = Image.new("RGB", image.size, theme.colours.window)
    ground.paste(image, (0, 0), rounded_mask(image.size, theme.px(RADIUS)))
    return ground


def _lines(
    view: FrameView, number: int, size_wh: tuple[int, int], scale: float, line_px: float
) -> Image.Image:
    """Return the outlines of a segment, as an 'L' mask; of the whole frame its border."""
    width, height = size_wh
    large = Image.new("L", (width * _SHARP, height * _SHARP), 0)
    draw, line = ImageDraw.Draw(large), round(line_px * _SHARP)
    if view.segments[number].kind == "frame":
        draw.rectangle((0, 0, width * _SHARP - 1, height * _SHARP - 1), None, 255, line)
    for points in view.outlines[number]:
        closed = np.concatenate([points, points[:1]]) * scale * _SHARP
        draw.line([*closed.ravel(), *closed[:1].ravel()], 255, line, "curve")
    return large.resize(size_wh, Image.Resampling.BOX)


class ReviewPicture(tkinter.Canvas):
    """Drawn in another thread; a click on a segment opens it."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        main_thread: MainThread,
        on_open: Callable[[str], object],
    ) -> None:
        super().__init__(
            master, bg=theme.colours.window, highlightthickness=0, bd=0, takefocus=1, height=1
        )
        self.theme, self._main_thread, self._on_open = theme, main_thread, on_open
        self.view: FrameView | None = None
        self._colours: Mapping[int, str] = {}
        self._photo: ImageTk.PhotoImage | None = None
        self._box = (0, 0, 0, 0)  # of the picture: left, top, width, height
        self._asked = 0
        self._waits: str | None = None
        self.sentence = ""
        self.bind("<Configure>", lambda _: self._later())
        self.bind("<Button-1>", lambda _: self.focus_set())
        self.bind("<Motion>", self._moved)
        self.bind("<Leave>", lambda _: self.configure(cursor=""))
        self.bind("<ButtonRelease-1>", self._clicked)

    def show(self, view: FrameView, colours: Mapping[int, str]) -> None:
        """Show a frame; see compose."""
        if view is not self.view or dict(colours) != self._colours or self.sentence:
            self.view, self._colours, self.sentence = view, dict(colours), ""
            self._compose()

    def say(self, sentence: str) -> None:
        """Show a sentence in place of a frame."""
        if sentence != self.sentence or self.view is not None:
            self._asked += 1
            self.view, self._photo, self.sentence = None, None, sentence
            self._draw_sentence()

    @property
    def outlined(self) -> list[int]:
        """The numbers of the segments that are outlined."""
        return sorted(self._colours) if self.view is not None else []

    def _later(self) -> None:
        if self._waits is not None:
            self.after_cancel(self._waits)
        self._waits = self.after(_REST_MS, self._rested)

    def _rested(self) -> None:
        self._waits = None
        self._compose() if self.view is not None else self._draw_sentence()

    def _draw_sentence(self) -> None:
        self.delete("all")
        width, height = self.winfo_width(), self.winfo_height()
        self.create_text(
            width // 2,
            round(height * 0.42),
            text=self.sentence,
            width=max(1, width - self.theme.px(48)),
            justify="center",
            font=self.theme.canvas_font(self, NORMAL),
            fill=self.theme.colours.text_2,
        )

    def _compose(self) -> None:
        view, colours, theme = self.view, dict(self._colours), self.theme
        size = self.winfo_width(), self.winfo_height()
        if view is None or min(size) < 20:
            return
        self._asked += 1
        asked = self._asked

        def composed(image: Image.Image) -> None:
            if asked == self._asked:
                self._draw(image)

        self._main_thread.run(lambda: compose(view, colours, size, theme), composed)

    def _draw(self, image: Image.Image) -> None:
        self.delete("all")
        self._photo = ImageTk.PhotoImage(image)
        left = (self.winfo_width() - image.width) // 2
        self._box = left, 0, image.width, image.height
        self.create_image(left, 0, image=self._photo, anchor="nw")

    def _at(self, x: int, y: int) -> str | None:
        """Return the segment there: the smallest, which is the one meant."""
        view, (left, top, width, height) = self.view, self._box
        if view is None or not (left <= x < left + width and top <= y < top + height):
            return None
        rows, columns = view.masks.shape[1:]
        row, column = (y - top) * rows // height, (x - left) * columns // width
        # segments come largest first
        number = max(int(each) for each in np.flatnonzero(view.masks[:, row, column]))
        return view.segments[number].id

    def _moved(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self.configure(cursor="hand2" if self._at(event.x, event.y) is not None else "")

    def _clicked(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if (segment_id := self._at(event.x, event.y)) is not None:
            self._on_open(segment_id)
