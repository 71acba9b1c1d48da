"""What the pointer does on the photo under edit: with each tool, each button, and Space held."""

from __future__ import annotations

import sys
import tkinter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from src.gui.masks.mask_canvas import MaskCanvas, Stroke
from src.gui.masks.mask_marks import MaskMarks
from src.gui.masks.polygon_tool import PolygonTool
from src.gui.masks.tools import BOX, CLICK, ERASER, PAINTING, PICKING, POLYGON
from src.gui.widgets.key_bindings import bind_key

_DRAG = 4  # from so many pixels on it is no click
_LEAST_BOX = 3  # pixels of the frame
_ALT = {"win32": 0x20000, "darwin": 0x10}.get(sys.platform, 0x8)
# A key that is held is released and pressed again and again.
_REST_MS = 80
_CURSORS = {CLICK.key: "crosshair", BOX.key: "crosshair", POLYGON.key: "crosshair"}


@dataclass(frozen=True)
class PointerActions:
    """What the pointer asks of its owner; all places in pixels of the frame.

    Attributes:
        click: a click says what is inside, or outside.
        box: a box was drawn: left, top, right, bottom.
        stroke: a stroke has ended; it is on the canvas until the owner forgets it.
        pick: the segment there is meant.
        rest: the pointer is there, or, with None, nowhere on the photo; and a click would take
            away what is there.
    """

    click: Callable[[float, float, bool], None]
    box: Callable[[float, float, float, float], None]
    stroke: Callable[[Stroke], None]
    pick: Callable[[float, float], None]
    rest: Callable[[tuple[float, float] | None, bool], None]


class MaskPointer:
    """Its tool and the size of the brush, in pixels of the frame, are set by its owner."""

    def __init__(
        self,
        canvas: MaskCanvas,
        marks: MaskMarks,
        polygon: PolygonTool,
        actions: PointerActions,
    ) -> None:
        self._canvas, self._marks, self._polygon, self._actions = canvas, marks, polygon, actions
        self.tool = ""
        self.is_on = False  # whether there is anything to change yet
        self.size = 12
        self._at = 0, 0
        self._is_there = False
        self._button = 0  # that is held
        self._from = 0, 0
        self._dragged = self._pans = self._space = self._removes = False
        self._stroke: Stroke | None = None
        self._waits: str | None = None
        for event in ("<Motion>", "<Enter>"):
            canvas.bind(event, self._moved)
        canvas.bind("<Leave>", lambda _: self._left())
        for button in (1, 2, 3):
            canvas.bind(f"<ButtonPress-{button}>", partial(self._press, button))
            canvas.bind(f"<B{button}-Motion>", self._drag)
            canvas.bind(f"<ButtonRelease-{button}>", partial(self._release, button))
        bind_key(canvas.bind, "<KeyPress-space>", lambda _: self._hold_space())
        canvas.bind("<KeyRelease-space>", lambda _: self._release_space())

    @property
    def is_drawing(self) -> bool:
        return self._button > 0 or self._polygon.is_drawing

    def use(self, tool: str, size: int) -> None:
        """Take another tool, or a brush of another size."""
        if tool != self.tool:
            self._polygon.cancel()
        self.tool, self.size = tool, size
        self._show_cursor()
        self._hint(False)

    def cancel(self) -> bool:
        """Drop what is being drawn; returns whether there was anything."""
        was, stroke = self._button > 0 and not self._pans, self._stroke
        self._button, self._stroke = 0, None
        self._marks.hide_box()
        if stroke is not None:
            self._canvas.forget_stroke(stroke)
        return self._polygon.cancel() or was

    # -- buttons

    def _press(self, button: int, event: tkinter.Event[tkinter.Misc]) -> str:
        self._canvas.focus_set()
        if self._button or self._canvas.drawn is None:
            return "break"
        self._at = self._from = event.x, event.y
        self._pans = self._space or button == 2
        self._removes = button == 3 or bool(int(event.state) & _ALT)
        self._dragged = False
        at = self._canvas.to_frame(event.x, event.y)
        if self._pans:
            self._button = button
            self._show_cursor()
        elif self.is_on and at is not None:
            self._button = button
            self._begin(event, at)
        return "break"

    def _begin(self, event: tkinter.Event[tkinter.Misc], at: tuple[float, float]) -> None:
        self._actions.rest(None, False)
        port = self._canvas.drawn
        assert port is not None
        if self.tool in PAINTING:
            erase = (self.tool == ERASER.key) != self._removes
            self._stroke = self._canvas.begin_stroke(self.size / 2, erase)
            self._canvas.extend(self._stroke, at)
            self._marks.show_brush(event.x, event.y, self._reach, erase)
        elif self.tool == POLYGON.key:
            self._polygon.press(event.x, event.y, at, port, self._removes)

    def _drag(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if not self._button or self._canvas.drawn is None:
            return
        before, self._at = self._at, (event.x, event.y)
        far = max(abs(event.x - self._from[0]), abs(event.y - self._from[1]))
        self._dragged = self._dragged or far >= self._canvas.theme.px(_DRAG)
        if self._pans:
            self._canvas.move(event.x - before[0], event.y - before[1])
        elif self._stroke is not None:
            self._canvas.extend(self._stroke, self._canvas.inside(event.x, event.y))
            self._marks.show_brush(event.x, event.y, self._reach, self._stroke.erase)
        elif self.tool == POLYGON.key:
            self._polygon.drag(self._canvas.inside(event.x, event.y))
        elif self.tool in (CLICK.key, BOX.key) and self._dragged:
            self._marks.show_box(*self._from, event.x, event.y)

    def _release(self, button: int, event: tkinter.Event[tkinter.Misc]) -> str:
        if button != self._button:
            return "break"
        self._button = 0
        stroke, self._stroke = self._stroke, None
        if self._pans:
            self._pans = False
            self._show_cursor()
        elif stroke is not None:
            self._actions.stroke(stroke)
        elif self.tool == POLYGON.key:
            self._polygon.release()
        elif self.tool in (CLICK.key, BOX.key) and self._dragged:
            self._boxed(event)
        elif self.tool == CLICK.key:
            x, y = self._canvas.inside(*self._from)
            self._actions.click(x, y, not self._removes)
        elif self.tool in PICKING and not self._dragged:
            self._actions.pick(*self._canvas.inside(*self._from))
        return "break"

    def _boxed(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self._marks.hide_box()
        (x0, y0), (x1, y1) = self._canvas.inside(*self._from), self._canvas.inside(event.x, event.y)
        if min(abs(x1 - x0), abs(y1 - y0)) >= _LEAST_BOX:
            self._actions.box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))

    # -- moving about

    def _moved(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self._at, self._is_there = (event.x, event.y), True
        if not self._button:
            self._hint(bool(int(event.state) & _ALT))

    def _left(self) -> None:
        self._is_there = False
        self._marks.hide_brush()
        self._actions.rest(None, False)

    @property
    def _reach(self) -> float:
        """The radius of the brush, in pixels of the canvas."""
        port = self._canvas.drawn
        return self.size / 2 * (1.0 if port is None else port.scale)

    def _hint(self, removes: bool) -> None:
        """Show what a press of the button would do there."""
        x, y = self._at
        at = self._canvas.to_frame(x, y)
        if not self._is_there or at is None or self._space or not self.is_on:
            self._marks.hide_brush()
            self._actions.rest(None, False)
            return
        if self.tool in PAINTING:
            self._marks.show_brush(x, y, self._reach, (self.tool == ERASER.key) != removes)
        else:
            self._marks.hide_brush()
        if self.tool == POLYGON.key:
            self._polygon.hover(at)
        self._actions.rest(at, removes)

    def refresh(self) -> None:
        """Show the brush as wide as it is by now: the photo may be seen at another scale."""
        if not self._button:
            self._hint(False)

    def _show_cursor(self) -> None:
        moves = self._space or self._pans
        none = "none" if self.tool in PAINTING else "hand2"
        self._canvas.configure(cursor="fleur" if moves else _CURSORS.get(self.tool, none))

    # -- Space

    def _hold_space(self) -> str:
        self._rest_no_more()
        if not self._space:
            self._space = True
            self._show_cursor()
            self._hint(False)
        return "break"

    def _release_space(self) -> None:
        self._rest_no_more()
        self._waits = self._canvas.after(_REST_MS, self._leave_space)

    def _leave_space(self) -> None:
        self._waits, self._space = None, False
        self._show_cursor()
        self._hint(False)

    def _rest_no_more(self) -> None:
        if self._waits is not None:
            self._canvas.after_cancel(self._waits)
            self._waits = None
