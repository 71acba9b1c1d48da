"""A stored frame of the video with what is chosen in it outlined; the others light up on hover."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageTk

from src.gui.core.latest_work import Job, LatestWork
from src.gui.core.main_thread import MainThread
from src.gui.theme.pictures import rounded_mask
from src.gui.theme.theme import RADIUS, Theme
from src.gui.widgets.frame_drawing import on_window, outlines, part_of, segments_under
from src.gui.widgets.key_bindings import CONTROL
from src.gui.widgets.viewport import Viewport
from src.records import FrameView

_LINE, _DARK = 3.0, 1.0  # of what is chosen: the line, and a dark one on each side


class StoredPicture(tkinter.Canvas):
    """As large as it fits, in the middle; a click chooses a segment."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        main_thread: MainThread,
        on_choose: Callable[[str, bool], None],
    ) -> None:
        """Make it empty.

        Args:
            on_choose: gets the segment that was clicked on, and whether beside what is chosen.
        """
        super().__init__(master, bg=theme.colours.window, highlightthickness=0, bd=0)
        self.theme, self._on_choose = theme, on_choose
        self.view: FrameView | None = None
        self._chosen: frozenset[str] = frozenset()
        self._drawing = LatestWork(main_thread, self._drawing_job)
        self._photo: ImageTk.PhotoImage | None = None
        self._drawn: tuple[FrameView, Viewport] | None = None
        self._under: np.ndarray | None = None
        self._hover = -1
        self.bind("<Configure>", lambda _: self._drawing.ask())
        self.bind("<Motion>", lambda event: self._light(self.number_at(event.x, event.y)))
        self.bind("<Leave>", lambda _: self._light(-1))
        self.bind("<ButtonRelease-1>", self._click)

    def show(self, view: FrameView | None, chosen: Collection[str]) -> None:
        """Show a frame, with some of its segments outlined; nothing where there is none."""
        if view is self.view and frozenset(chosen) == self._chosen:
            return
        self.view, self._chosen = view, frozenset(chosen)
        if view is None:
            self.delete("all")
            self._drawn = self._photo = None
        else:
            self._drawing.ask()

    def _drawing_job(self) -> Job | None:
        view, chosen, theme = self.view, self._chosen, self.theme
        size_wh = self.winfo_width(), self.winfo_height()
        if view is None or min(size_wh) < 20:
            return None

        # while it plays another frame comes every second: the window's thread makes none of it
        known = self._under if self._drawn is not None and self._drawn[0] is view else None

        def work() -> tuple[Image.Image, Viewport, np.ndarray]:
            under = segments_under(view) if known is None else known
            return *compose(view, chosen, size_wh, theme), under

        def composed(made: tuple[Image.Image, Viewport, np.ndarray]) -> None:
            if view is self.view:
                self._draw(view, *made)

        return work, composed

    def _draw(self, view: FrameView, image: Image.Image, port: Viewport, under: np.ndarray) -> None:
        self.delete("all")
        self._under = under
        self._photo, self._drawn, self._hover = ImageTk.PhotoImage(image), (view, port), -1
        left, top = port.box[:2]
        self.create_image(left, top, image=self._photo, anchor="nw")

    # -- pointer

    def number_at(self, x: int, y: int) -> int:
        """Return which segment lies there; -1 outside the picture."""
        if self._under is None or self._drawn is None:
            return -1
        view, port = self._drawn
        left, top, width, height = port.box
        if view is not self.view or not (left <= x < left + width and top <= y < top + height):
            return -1
        rows, columns = self._under.shape
        row, column = (y - top) * rows // height, (x - left) * columns // width
        return int(self._under[min(row, rows - 1), min(column, columns - 1)])

    def segment_at(self, x: int, y: int) -> str:
        """Return the segment at a place; "" where there is none but the frame as a whole."""
        number = self.number_at(x, y)
        return self._drawn[0].segments[number].id if self._drawn is not None and number > 0 else ""

    def _light(self, number: int) -> None:
        """Outline the segment under the pointer; of a frame as a whole there is no outline."""
        if number == self._hover or self._drawn is None:
            return
        self._hover = number
        self.light_on(self, number)

    def light_on(self, canvas: tkinter.Canvas, number: int) -> None:
        """Outline a segment on this picture, or on one of the same size that lies over it."""
        canvas.delete("hover")
        canvas.configure(cursor="hand2" if number > 0 else "")
        if self._drawn is None or number <= 0:
            return
        view, port = self._drawn
        if view.segments[number].id not in self._chosen:
            for line in _outlines(view, [number], port):
                canvas.create_line(
                    *line.ravel().tolist(), fill="#FFFFFF", width=self.theme.px(1.5), tags="hover"
                )

    def _click(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if segment_id := self.segment_at(event.x, event.y):
            self._on_choose(segment_id, adds(event))


def adds(event: tkinter.Event[tkinter.Misc]) -> bool:
    """Return whether a click adds to what is chosen: with Ctrl."""
    return bool(int(event.state) & CONTROL)


def compose(
    view: FrameView, chosen: Collection[str], size_wh: tuple[int, int], theme: Theme
) -> tuple[Image.Image, Viewport]:
    """Draw a frame as large as it fits into a size, with round corners; and where that is."""
    rows, columns = view.image_rgb.shape[:2]
    port = Viewport.fitting((columns, rows), size_wh)
    image = part_of(Image.fromarray(view.image_rgb), port, 1.0)
    lit = [n for n, segment in enumerate(view.segments) if segment.id in chosen]
    if lit:
        corner = np.array(port.box[:2], np.float64)
        lines = [line - corner for line in _outlines(view, lit, port)]
        for colour, width in (
            (theme.colours.on_accent, _LINE + 2 * _DARK),
            (theme.colours.accent, _LINE),
        ):
            image.paste(colour, (0, 0), outlines(lines, image.size, width * theme.scale))
    ground = Image.new("RGB", image.size, theme.colours.window)
    ground.paste(image, (0, 0), rounded_mask(image.size, theme.px(RADIUS)))
    return ground, port


def _outlines(view: FrameView, which: Sequence[int], port: Viewport) -> list[np.ndarray]:
    """Return the closed outlines of some segments, in pixels of the window."""
    return [on_window(points, port) for number in which for points in view.outlines[number]]
