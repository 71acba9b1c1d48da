"""A frame with one of its segments lit: the rest dimmed, the others in faint outline."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageTk

from src.gui.core.latest_work import Job, LatestWork
from src.gui.core.main_thread import MainThread
from src.gui.theme.pictures import rounded_mask
from src.gui.theme.theme import RADIUS, RADIUS_SMALL, SMALL, Theme
from src.gui.widgets.frame_drawing import on_window, outlines, part_of, segments_under
from src.gui.widgets.viewport import Viewport
from src.records import FrameView

_DIM = 0.42
_STEP = 1.25  # of the wheel
_DRAG = 4


@dataclass(frozen=True)
class Lit:
    """What to show of a frame: which segment, and how."""

    chosen: int
    dim: bool = True
    others: bool = True


def compose(
    view: FrameView, lit: Lit, port: Viewport, theme: Theme, full_rgb: np.ndarray | None = None
) -> Image.Image:
    """Draw the part of a frame that is seen: RGB, as large as `port.box`.

    Args:
        full_rgb: the frame in its own pixels, (H, W, 3) uint8; the stored one is smaller.
    """
    c, (frame_w, _) = theme.colours, port.frame_wh
    size_wh = port.box[2:]
    source = view.image_rgb if full_rgb is None else full_rgb
    image = part_of(Image.fromarray(source), port, source.shape[1] / frame_w)
    stored = view.image_rgb.shape[1] / frame_w
    whole = view.segments[lit.chosen].kind == "frame"
    if lit.dim and not whole:
        mask = Image.fromarray(view.masks[lit.chosen].astype(np.uint8) * 255)
        dark = Image.blend(Image.new("RGB", size_wh, c.window), image, _DIM)
        image = Image.composite(image, dark, part_of(mask, port, stored))
    if lit.others:
        others = [i for i in range(len(view.segments)) if i != lit.chosen]
        lines = _lines(view, others, port, 1.0 * theme.scale)
        image.paste("#C4C4CA", (0, 0), lines.point(lambda value: value * 6 // 10))
    if not whole:
        image.paste(c.on_accent, (0, 0), _lines(view, [lit.chosen], port, 5 * theme.scale))
        image.paste(c.accent, (0, 0), _lines(view, [lit.chosen], port, 3 * theme.scale))
    return image


def _lines(view: FrameView, which: list[int], port: Viewport, width_px: float) -> Image.Image:
    """Return the outlines of some segments, as an 'L' mask."""
    corner = port.box[:2]
    found = (_on_window(view, line, port) - corner for i in which for line in view.outlines[i])
    return outlines(found, port.box[2:], width_px)


def _on_window(view: FrameView, points: np.ndarray, port: Viewport) -> np.ndarray:
    """Return where an outline lies in the window, closed: (points + 1, 2) float."""
    return on_window(points * (port.frame_wh[0] / view.image_rgb.shape[1]), port)


class FramePicture(tkinter.Canvas):
    """The frame on the screen; segments light up under the pointer and can be clicked.

    The wheel zooms, and a frame larger than the picture is moved by dragging.
    """

    def __init__(
        self,
        master: Any,
        theme: Theme,
        main_thread: MainThread,
        on_choose: Callable[[str], None],
        read_full: Callable[[FrameView], np.ndarray | None],
        on_zoom: Callable[[float], None],
    ) -> None:
        """Make it empty.

        Args:
            read_full: reads a frame in its own pixels, in another thread; None where it can't be.
            on_zoom: called with device pixels for one of the frame's, once that is another.
        """
        super().__init__(master, bg=theme.colours.window, highlightthickness=0, bd=0)
        self.theme, self._main_thread, self._on_choose = theme, main_thread, on_choose
        self._read_full, self._on_zoom = read_full, on_zoom
        self.view: FrameView | None = None
        self.port: Viewport | None = None
        self._full_rgb: np.ndarray | None = None
        self._full_asked = False
        self._lit = Lit(0)
        self._word = ""
        self._asked = 0
        self._drawing = LatestWork(main_thread, self._drawing_job)
        self._photo: ImageTk.PhotoImage | None = None
        self._drawn: Viewport | None = None  # of the picture that is on the screen
        self._under: np.ndarray | None = None
        self._hover = -1
        self._pressed = -1
        self._dragged_from: tuple[int, int] | None = None
        self.outlined: tuple[int, ...] = ()
        self.bind("<Configure>", lambda _: self._resized())
        for event in ("<Motion>", "<Enter>"):  # <Enter>, since a click moves nothing
            self.bind(event, self._moved)
        self.bind("<Leave>", lambda _: self._light(-1))
        self.bind("<Button-1>", self._press)
        self.bind("<B1-Motion>", self._drag)
        self.bind("<ButtonRelease-1>", self._release)
        self.bind("<Button-4>", lambda event: self._wheel(event, 1))
        self.bind("<Button-5>", lambda event: self._wheel(event, -1))
        self.bind("<MouseWheel>", lambda event: self._wheel(event, 1 if event.delta > 0 else -1))

    def show(self, view: FrameView, lit: Lit, word: str) -> None:
        """Show a frame; another one as large as it fits.

        Args:
            word: what stands on the chosen segment.
        """
        if view is not self.view:
            self._under = segments_under(view)
        if self.view is None or view.image_rgb is not self.view.image_rgb:
            self.port, self._full_rgb, self._full_asked = None, None, False
        self.view, self._lit, self._word = view, lit, word
        self._resized()

    def clear(self) -> None:
        self._asked += 1
        self.view = self._drawn = None
        self.delete("all")

    # -- zoom

    def fit(self) -> None:
        """Show the whole frame as large as it goes."""
        if self.port is not None:
            self._look(Viewport.fitting(self.port.frame_wh, self.port.window_wh))

    def zoom(self, scale: float, at: tuple[float, float] | None = None) -> None:
        """Show the frame at another scale; see Viewport.zoomed."""
        if self.port is not None:
            self._look(self.port.zoomed(scale, at))

    def _wheel(self, event: tkinter.Event[tkinter.Misc], steps: int) -> str:
        if self.port is not None:
            self.zoom(self.port.scale * _STEP**steps, (event.x, event.y))
        return "break"

    def _look(self, port: Viewport) -> None:
        if port != self.port:
            self.port = port
            self._on_zoom(port.scale)
            self._want_full()
            self._compose()

    def _resized(self) -> None:
        if self.view is None or self.winfo_width() < 20 or self.winfo_height() < 20:
            return
        window_wh = self.winfo_width(), self.winfo_height()
        if self.port is None:
            self.port = Viewport.fitting(self.view.segments[0].frame_wh, window_wh)
        else:
            self.port = self.port.resized(window_wh)
        self._on_zoom(self.port.scale)
        self._compose()

    def _want_full(self) -> None:
        """Read the frame in its own pixels, once more of them are to be seen than are stored."""
        view, port = self.view, self.port
        assert view is not None and port is not None
        stored = view.image_rgb.shape[1] / port.frame_wh[0]
        if self._full_asked or port.scale <= stored * 1.05 or stored >= 1:
            return
        self._full_asked = True

        def read(full_rgb: np.ndarray | None) -> None:
            if self.view is not None and self.view.image_rgb is view.image_rgb:
                self._full_rgb = full_rgb
                self._compose()

        self._main_thread.run(lambda: self._read_full(view), read)

    # -- drawing

    def _compose(self) -> None:
        """Draw what is seen now, in another thread; while it draws, only the last wish counts."""
        self._drawing.ask()

    def _drawing_job(self) -> Job | None:
        view, lit, theme, port, full = self.view, self._lit, self.theme, self.port, self._full_rgb
        if view is None or port is None:
            return None
        self._asked += 1
        asked = self._asked

        def work() -> Image.Image:
            image = compose(view, lit, port, theme, full)
            ground = Image.new("RGB", image.size, theme.colours.window)
            ground.paste(image, (0, 0), rounded_mask(image.size, theme.px(RADIUS)))
            return ground

        def composed(image: Image.Image) -> None:
            if asked == self._asked:
                self._draw(image, port)

        return work, composed

    def _draw(self, image: Image.Image, port: Viewport) -> None:
        self.delete("all")
        self._photo, self._drawn = ImageTk.PhotoImage(image), port
        self.create_image(*port.box[:2], image=self._photo, anchor="nw")
        self._hover, self.outlined = -1, ()
        if self._word:
            self._label(port)

    def _label(self, port: Viewport) -> None:
        """Write the chosen segment's name beside it, inside the picture."""
        assert self.view is not None
        px, c = self.theme.px, self.theme.colours
        segment_x, segment_y, _, _ = self.view.segments[self._lit.chosen].bbox_xywh
        left, top, width, height = port.box
        font = self.theme.canvas_font(self, SMALL, "medium")
        wide, high = font.measure(self._word) + px(16), px(24)
        at_x, at_y = port.to_window(segment_x, segment_y)
        x = min(max(left + px(4), round(at_x)), left + width - wide - px(4))
        y = min(max(top + px(4), round(at_y) - high - px(6)), top + height - high - px(4))
        ground = Image.new("RGBA", (wide, high), c.accent)
        ground.putalpha(rounded_mask((wide, high), px(RADIUS_SMALL)))
        self._tag = ImageTk.PhotoImage(ground)
        self.create_image(x, y, image=self._tag, anchor="nw")
        self.create_text(x + wide // 2, y + high // 2, text=self._word, fill=c.on_accent, font=font)

    def outline(self, numbers: Sequence[int]) -> None:
        """Outline some segments, and no others, until the pointer comes to one."""
        self.outlined = tuple(numbers)
        self.delete("hover")
        view, port = self.view, self._drawn
        if view is None or port is None:
            return
        for points in (points for number in numbers for points in view.outlines[number]):
            line = _on_window(view, points, port).ravel().tolist()
            self.create_line(*line, fill="#FFFFFF", width=self.theme.px(1.5), tags="hover")

    # -- pointer

    def _moved(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self._light(self._at(event.x, event.y))

    def _at(self, x: int, y: int) -> int:
        """Return which segment lies there; -1 outside the picture."""
        port = self._drawn
        if self._under is None or port is None:
            return -1
        left, top, width, height = port.box
        if not (left <= x < left + width and top <= y < top + height):
            return -1
        rows, columns = self._under.shape
        frame_x, frame_y = port.to_frame(x + 0.5, y + 0.5)
        column = int(frame_x * columns / port.frame_wh[0])
        row = int(frame_y * rows / port.frame_wh[1])
        return int(self._under[min(max(0, row), rows - 1), min(max(0, column), columns - 1)])

    def _light(self, number: int) -> None:
        if number == self._hover or self.view is None:
            return
        self._hover = number
        self.configure(cursor="hand2" if number >= 0 else "")
        self.outline([] if number in (-1, self._lit.chosen) else [number])

    def _press(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self._pressed = self._at(event.x, event.y)
        self._dragged_from = event.x, event.y

    def _drag(self, event: tkinter.Event[tkinter.Misc]) -> None:
        """Move a frame that is larger than the picture."""
        if self._dragged_from is None or self.port is None or self.port.is_fitting:
            return
        dx, dy = event.x - self._dragged_from[0], event.y - self._dragged_from[1]
        if self._pressed >= 0 and max(abs(dx), abs(dy)) < self.theme.px(_DRAG):
            return  # a hand that clicks may shake
        self._pressed = -1
        self._dragged_from = event.x, event.y
        self.configure(cursor="fleur")
        self._look(self.port.moved(dx, dy))

    def _release(self, event: tkinter.Event[tkinter.Misc]) -> None:
        """Choose the segment that was clicked.

        The event says where that is: a window manager that takes the click first, to bring the
        window forward, makes the pointer leave the picture before it is pressed.
        """
        pressed, self._pressed, self._dragged_from = self._pressed, -1, None
        number = self._at(event.x, event.y)
        self.configure(cursor="hand2" if number >= 0 else "")
        if self.view is not None and number >= 0 and number == pressed:
            self._on_choose(self.view.segments[number].id)
