"""The photo with the mask under edit: zoomed, moved, and drawn anew only where it changes."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageTk

from src.gui.core.latest_work import Job, LatestWork
from src.gui.core.main_thread import MainThread
from src.gui.masks.mask_drawing import (
    Box,
    Layers,
    changed_box,
    joined,
    layers,
    paint,
    render,
    seen_part,
)
from src.gui.theme.pictures import rounded_mask
from src.gui.theme.theme import RADIUS, Theme
from src.gui.widgets.viewport import Size, Viewport

_STEP = 1.25  # of the wheel


@dataclass
class Stroke:
    """A stroke of brush or eraser, in pixels of the frame."""

    radius: float
    erase: bool
    points: list[tuple[float, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Scene:
    """What lies under the mask.

    Attributes:
        image: the frame, or a smaller one of it until it has been read.
        frame_wh: of the frame, in its own pixels.
        lines: outlines of other segments, in pixels of the frame.
        dim: whether what is outside the mask is darker, once there is a mask.
    """

    image: Image.Image
    frame_wh: Size
    lines: Sequence[np.ndarray] = ()
    dim: bool = True


class MaskCanvas(tkinter.Canvas):
    """Shows a scene and a mask; strokes that no editor has answered yet are drawn over that."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        main_thread: MainThread,
        on_drawn: Callable[[], None],
    ) -> None:
        """Make it empty.

        Args:
            on_drawn: called whenever the photo lies elsewhere, to put what lies on it there.
        """
        super().__init__(master, bg=theme.colours.window, highlightthickness=0, bd=0, takefocus=1)
        self.theme, self._on_drawn = theme, on_drawn
        self.port: Viewport | None = None
        self.drawn: Viewport | None = None  # of what is on the screen
        self._scene: Scene | None = None
        self._mask = np.zeros((1, 1), bool)
        self._layers: Layers | None = None
        self._is_dim = False  # what is on the screen, or being drawn
        self._seen = np.zeros((1, 1), bool)
        self._tint: np.ndarray | None = None
        self._photo: ImageTk.PhotoImage | None = None
        self._corners: list[ImageTk.PhotoImage] = []
        self._strokes: list[Stroke] = []
        self._stale: Box | None = None
        self._flush_waits = False
        self._drawing = LatestWork(main_thread, self._drawing_job)
        self.bind("<Configure>", lambda _: self._resized())
        self.bind("<Button-4>", lambda event: self._wheel(event, 1))
        self.bind("<Button-5>", lambda event: self._wheel(event, -1))
        self.bind("<MouseWheel>", lambda event: self._wheel(event, 1 if event.delta > 0 else -1))

    # -- what is shown

    def show(self, scene: Scene, mask: np.ndarray) -> None:
        """Show a scene and a mask, (H, W) bool, of the frame or smaller; another frame fits in."""
        other = self._scene is None or scene.frame_wh != self._scene.frame_wh
        self._scene, self._mask, self._tint = scene, mask, None
        if other:
            self.port = None
        self._resized()

    def clear(self) -> None:
        self._scene = self._layers = self._photo = self.port = self.drawn = None
        self._strokes.clear()
        self.delete("all")

    def show_mask(self, mask: np.ndarray) -> None:
        """Show another mask of the same frame."""
        self._mask = mask
        if self._layers is None or self.drawn is None:
            return
        before, self._seen = self._seen, self._seen_now(self.drawn)
        self._mark_stale(changed_box(before, self._seen))
        self._dim_or_not()

    def show_tint(self, mask: np.ndarray | None) -> None:
        """Show what a click would make of the mask, (H, W) bool, or nothing."""
        if self._layers is None or self.drawn is None or (mask is None and self._tint is None):
            return
        none = np.zeros_like(self._seen)
        before = none if self._tint is None else self._tint
        self._tint = None if mask is None else seen_part(mask, self.drawn) != self._seen
        self._mark_stale(changed_box(before, none if self._tint is None else self._tint))

    # -- strokes

    def begin_stroke(self, radius: float, erase: bool) -> Stroke:
        """Begin a stroke; radius in pixels of the frame."""
        self._strokes.append(Stroke(radius, erase))
        return self._strokes[-1]

    def extend(self, stroke: Stroke, at: tuple[float, float]) -> None:
        """Draw a stroke on, to a place of the frame."""
        last = stroke.points[-1:]
        stroke.points.append(at)
        if self.drawn is not None and self._layers is not None:
            self._mark_stale(self._paint(self._seen, [*last, at], stroke, self.drawn))
            self._dim_or_not()

    def forget_stroke(self, stroke: Stroke) -> None:
        """Let the mask that is shown next speak for a stroke."""
        if stroke in self._strokes:
            self._strokes.remove(stroke)

    def _paint(
        self,
        seen: np.ndarray,
        points: Sequence[tuple[float, float]],
        stroke: Stroke,
        port: Viewport,
    ) -> Box | None:
        left, top = port.box[:2]
        places = [port.to_window(x, y) for x, y in points]
        on_picture = [(x - left, y - top) for x, y in places]
        return paint(seen, on_picture, stroke.radius * port.scale, stroke.erase)

    def _seen_now(self, port: Viewport) -> np.ndarray:
        """Return the mask at the size it is seen, with the strokes that it does not hold yet."""
        seen = seen_part(self._mask, port)
        for stroke in self._strokes:
            if stroke.points:
                self._paint(seen, stroke.points, stroke, port)
        return seen

    # -- zoom

    def fit(self) -> None:
        """Show the whole frame as large as it goes."""
        if self.port is not None:
            self._look(Viewport.fitting(self.port.frame_wh, self.port.window_wh))

    def zoom(self, scale: float, at: tuple[float, float] | None = None) -> None:
        """Show the frame at another scale; see Viewport.zoomed."""
        if self.port is not None:
            self._look(self.port.zoomed(scale, at))

    def move(self, dx: float, dy: float) -> None:
        """Move the frame by device pixels."""
        if self.port is not None:
            self._look(self.port.moved(dx, dy))

    def to_frame(self, x: float, y: float) -> tuple[float, float] | None:
        """Return which place of the frame lies at a place of the canvas; None beside the frame."""
        port = self.drawn
        if port is None:
            return None
        left, top, width, height = port.box
        if not (left <= x < left + width and top <= y < top + height):
            return None
        return self.inside(x, y)

    def inside(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of the frame at a place of the canvas, or the nearest to it."""
        assert self.drawn is not None
        frame_x, frame_y = self.drawn.to_frame(x + 0.5, y + 0.5)
        wide, high = self.drawn.frame_wh
        return min(max(frame_x, 0.0), wide - 1e-3), min(max(frame_y, 0.0), high - 1e-3)

    def _wheel(self, event: tkinter.Event[tkinter.Misc], steps: int) -> str:
        if self.port is not None:
            self.zoom(self.port.scale * _STEP**steps, (event.x, event.y))
        return "break"

    def _look(self, port: Viewport) -> None:
        if port != self.port:
            self.port = port
            self._compose()

    def _resized(self) -> None:
        window_wh = self.winfo_width(), self.winfo_height()
        if self._scene is None or min(window_wh) < 20:
            return
        if self.port is None:
            self.port = Viewport.fitting(self._scene.frame_wh, window_wh)
        else:
            self.port = self.port.resized(window_wh)
        self._compose()

    # -- drawing

    def _compose(self) -> None:
        """Draw what is seen now, in another thread; while it draws, only the last wish counts."""
        self._drawing.ask()

    @property
    def _should_dim(self) -> bool:
        """Whether there is anything that the rest can be told from; it may be out of sight."""
        painted = any(stroke.points and not stroke.erase for stroke in self._strokes)
        return self._scene is not None and self._scene.dim and (painted or bool(self._mask.any()))

    def _dim_or_not(self) -> None:
        """Draw all of it again where the first of a mask has come, or the last has gone."""
        if self._should_dim != self._is_dim:
            self._compose()

    def _drawing_job(self) -> Job | None:
        scene, port, theme = self._scene, self.port, self.theme
        if scene is None or port is None:
            return None
        dim = self._is_dim = self._should_dim

        def work() -> Layers:
            return layers(scene.image, scene.lines, port, theme, dim)

        def composed(found: Layers) -> None:
            if self._scene is not None and port.frame_wh == self._scene.frame_wh:
                self._draw(found, port)
                self._dim_or_not()

        return work, composed

    def _draw(self, found: Layers, port: Viewport) -> None:
        self._layers, self.drawn, self._tint, self._stale = found, port, None, None
        self._seen = self._seen_now(port)
        left, top, width, height = port.box
        image, _ = render(found, self._seen, None, (0, 0, width, height), self.theme)
        if self._photo is None or (self._photo.width(), self._photo.height()) != image.size:
            self._photo = ImageTk.PhotoImage(image)
            self._draw_corners((width, height))
        else:
            self._photo.paste(image)
        self.delete("photo")
        self.create_image(left, top, image=self._photo, anchor="nw", tags="photo")
        side = self.theme.px(RADIUS)
        for number, corner in enumerate(self._corners):
            x = left if number % 2 == 0 else left + width - side
            y = top if number < 2 else top + height - side
            self.create_image(x, y, image=corner, anchor="nw", tags="photo")
        self.tag_lower("photo")
        self._on_drawn()

    def _draw_corners(self, size_wh: Size) -> None:
        """Make what rounds the photo's corners, and stays when parts of it are drawn again."""
        side = self.theme.px(RADIUS)
        if min(size_wh) < 2 * side:
            self._corners = []
            return
        hole = rounded_mask((2 * side, 2 * side), side).point(lambda value: 255 - value)
        cover = Image.new("RGBA", hole.size, self.theme.colours.window)
        cover.putalpha(hole)
        self._corners = [
            ImageTk.PhotoImage(cover.crop((x, y, x + side, y + side)))
            for y in (0, side)
            for x in (0, side)
        ]

    def _mark_stale(self, box: Box | None) -> None:
        """Have a part drawn again as soon as nothing else is to be done."""
        self._stale = joined(self._stale, box)
        if self._stale is not None and not self._flush_waits:
            self._flush_waits = True
            self.after_idle(self._flush)

    def _flush(self) -> None:
        self._flush_waits = False
        box, self._stale = self._stale, None
        if box is None or self._layers is None or self._photo is None:
            return
        image, (x, y) = render(self._layers, self._seen, self._tint, box, self.theme)
        part = ImageTk.PhotoImage(image)
        # Tk draws only what is copied there; Pillow's own paste knows the whole picture alone
        self.tk.call(str(self._photo), "copy", str(part), "-to", x, y)
