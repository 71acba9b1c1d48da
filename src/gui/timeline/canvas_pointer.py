"""The pointer on the timeline: clicks go somewhere, drags mark, the wheel moves and zooms."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from src.gui.timeline.stored_picture import adds
from src.gui.timeline.timeline_canvas import SNAP, TimelineCanvas
from src.gui.widgets.key_bindings import CONTROL, SHIFT

WHEEL = 1.25  # of a step with Ctrl
_MOVE = 80  # pixels of the design that a step of the wheel moves by
_DRAG = 4  # from so many pixels on it is no click
_EDGE = 5  # so near to the edge of a range it is taken hold of
_SMALL = 3  # bars that are hard to hit may be missed by so much

Drag = Literal["range", "playhead", "pan", "lanes"]


@dataclass(frozen=True)
class PointerActions:
    """What the pointer asks of the panel.

    Attributes:
        go: goes to a time.
        choose: chooses a bar by its lane, its place there and the time that is meant, with others
            where asked.
        choose_nothing: chooses no bar any more.
        begin_of: chooses a bar, and goes to where it begins.
        mark: marks a range while it is being dragged; is told whether that has ended.
        hover: hears what time the pointer is at, and where on the canvas; None for nowhere.
    """

    go: Callable[[float], None]
    choose: Callable[[int, int, float, bool], None]
    choose_nothing: Callable[[], None]
    begin_of: Callable[[int, int], None]
    mark: Callable[[float, float, bool], None]
    hover: Callable[[float | None, int], None]


class CanvasPointer:
    """Holds what the pointer is doing on one canvas."""

    def __init__(self, canvas: TimelineCanvas, actions: PointerActions) -> None:
        self._canvas, self._actions = canvas, actions
        self._pressed: tuple[int, int] | None = None
        self._at = 0, 0
        self._drag: Drag | None = None
        self._fixed_s = 0.0  # the end of a range that stays
        bind = canvas.bind
        bind("<ButtonPress-1>", self._press)
        bind("<Double-Button-1>", self._double)
        bind("<B1-Motion>", self._move)
        bind("<ButtonRelease-1>", self._release)
        for button in (2, 3):
            bind(f"<ButtonPress-{button}>", self._press_other)
            bind(f"<B{button}-Motion>", self._move)
            bind(f"<ButtonRelease-{button}>", self._release)
        bind("<Button-4>", lambda event: self._wheel(event, 1))
        bind("<Button-5>", lambda event: self._wheel(event, -1))
        bind("<MouseWheel>", lambda event: self._wheel(event, 1 if event.delta > 0 else -1))
        bind("<Motion>", lambda event: self._hover(event.x, event.y))
        bind("<Leave>", lambda _: self._leave())

    # -- where things are

    def _x(self, x: int) -> int:
        """Return how far right of the beginning a place of the canvas is."""
        return x - self._canvas.left

    def _time(self, x: int) -> float:
        return self._canvas.scale_of_time.time_at(self._x(x))

    def _snapped(self, x: int) -> float:
        canvas = self._canvas
        reach = canvas.theme.px(SNAP) / canvas.scale_of_time.px_per_s
        return canvas.model.snapped(self._time(x), reach)

    def bar_at(self, x: int, y: int) -> tuple[int, int] | None:
        """Return the bar at a place, by its lane and its place there."""
        canvas = self._canvas
        number = canvas.rows.lane_at(y)
        if number is None or self._x(x) < 0:
            return None
        lane, reach = canvas.model.lanes[number], canvas.theme.px(_SMALL)
        reach_s = reach / canvas.scale_of_time.px_per_s
        for level in range(lane.levels):
            top, bottom = canvas.rows.bar(number, level, lane.levels)
            if top - 1 <= y <= bottom + 1:
                place = lane.at(self._time(x), level if lane.levels > 1 else None, reach_s)
                if place is not None:
                    return number, place
        return None

    def _edge_at(self, x: int, y: int) -> int | None:
        """Return which end of the range is at a place: 0 or 1."""
        canvas, marked = self._canvas, self._canvas.model.range
        if marked is None or y < canvas.rows.ruler[1]:
            return None
        away = [abs(canvas.scale_of_time.x_of(each) - self._x(x)) for each in marked]
        nearest = min((0, 1), key=lambda place: away[place])
        return nearest if away[nearest] <= canvas.theme.px(_EDGE) else None

    def _is_on_badge(self, x: int, y: int) -> bool:
        left, top, right, bottom = self._canvas.playhead.box
        return left <= x < right and top <= y < bottom

    # -- buttons

    def _press(self, event: tkinter.Event[tkinter.Misc]) -> None:
        canvas = self._canvas
        canvas.focus_set()
        self._stop_hover()
        self._pressed = self._at = event.x, event.y
        self._drag = None
        box = canvas.scrollbar_box()
        if box is not None and event.x >= box[0] and event.y >= canvas.rows.lanes_top:
            self._drag = "lanes"
        elif self._is_on_badge(event.x, event.y):
            self._drag = "playhead"
        elif (edge := self._edge_at(event.x, event.y)) is not None:
            assert canvas.model.range is not None
            self._fixed_s = canvas.model.range[1 - edge]

    def _press_other(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self._canvas.focus_set()
        self._stop_hover()
        self._pressed = self._at = event.x, event.y
        self._drag = "pan"
        self._canvas.configure(cursor="fleur")

    def _move(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if self._pressed is None:
            return
        canvas, (x, y) = self._canvas, self._pressed
        if self._drag is None:
            if abs(event.x - x) < canvas.theme.px(_DRAG) or self._x(x) < 0:
                return
            self._drag = "range"
            if self._edge_at(x, y) is None:
                self._fixed_s = self._snapped(x)
        dx, dy = event.x - self._at[0], event.y - self._at[1]
        self._at = event.x, event.y
        if self._drag == "pan":
            canvas.look(canvas.scale_of_time.moved(-dx))
            canvas.scroll_lanes(-dy)
        elif self._drag == "lanes":
            rows = canvas.rows
            canvas.scroll_lanes(round(dy * rows.lanes * rows.lane / max(1, rows.lanes_seen)))
        elif self._drag == "playhead":
            self._actions.go(self._canvas.exact(self._time(event.x)))
        else:
            self._beyond(event.x)
            self._actions.mark(self._fixed_s, self._snapped(event.x), False)

    def _beyond(self, x: int) -> None:
        """Show what comes when a range is dragged over the edge."""
        wide = self._canvas.scale_of_time.width_px
        over = min(0, self._x(x)) + max(0, self._x(x) - wide)
        if over:
            self._canvas.look(self._canvas.scale_of_time.moved(over / 4))

    def _release(self, event: tkinter.Event[tkinter.Misc]) -> None:
        pressed, drag = self._pressed, self._drag
        self._pressed = self._drag = None
        self._canvas.configure(cursor="")
        if pressed is None:
            return
        if drag == "range":
            self._actions.mark(self._fixed_s, self._snapped(event.x), True)
        elif drag is None:
            self._click(*pressed, adds=adds(event))

    def _click(self, x: int, y: int, adds: bool) -> None:
        canvas, bar = self._canvas, self.bar_at(x, y)
        time_s = canvas.exact(self._time(x))
        if self._x(x) < 0:
            self._click_name(y)
        elif bar is not None:
            self._actions.choose(*bar, time_s, adds)
            if not adds:
                self._actions.go(time_s)
        elif not adds:  # a hand that misses a second bar keeps the first
            if canvas.rows.part_at(y) == "lanes":
                self._actions.choose_nothing()
            self._actions.go(time_s)

    def _click_name(self, y: int) -> None:
        """Choose, of the lane whose name was clicked, the bar that is nearest."""
        canvas, number = self._canvas, self._canvas.rows.lane_at(y)
        if number is not None:
            place = canvas.model.lanes[number].nearest(canvas.model.playhead_s)
            if place is not None:
                bar = canvas.model.lanes[number].bars[place]
                now = canvas.model.playhead_s
                is_seen = bar.begin_s <= now <= bar.end_s
                self._actions.choose(number, place, now if is_seen else bar.begin_s, False)
                if not is_seen:
                    self._actions.go(bar.begin_s)

    def _double(self, event: tkinter.Event[tkinter.Misc]) -> None:
        bar = self.bar_at(event.x, event.y)
        self._pressed = None  # its release is no click
        if bar is not None and not adds(event):
            self._actions.begin_of(*bar)

    # -- the wheel

    def _wheel(self, event: tkinter.Event[tkinter.Misc], steps: int) -> str:
        canvas, state = self._canvas, int(event.state)
        move = canvas.theme.px(_MOVE)
        if state & CONTROL:
            canvas.zoom(WHEEL**steps, self._x(event.x))
        elif (
            not state & SHIFT
            and canvas.rows.most_scrolled
            and (canvas.rows.part_at(event.y) == "lanes")
        ):
            canvas.scroll_lanes(-steps * move)
        else:
            canvas.look(canvas.scale_of_time.moved(-steps * move))
        self._hover(event.x, event.y)
        return "break"

    # -- what the pointer is at

    def _hover(self, x: int, y: int) -> None:
        canvas = self._canvas
        if not canvas.model.frames or self._drag is not None:
            return
        if not 0 <= self._x(x) <= canvas.scale_of_time.width_px:
            over_name = self._x(x) < 0 and canvas.rows.lane_at(y) is not None
            canvas.configure(cursor="hand2" if over_name else "")
            self._stop_hover()
            return
        if self._is_on_badge(x, y) or self._edge_at(x, y) is not None:
            cursor = "sb_h_double_arrow"
        else:
            cursor = "hand2" if self.bar_at(x, y) is not None else ""
        if cursor != str(canvas["cursor"]):
            canvas.configure(cursor=cursor)
        canvas.playhead.show_hover(x, canvas.rows)
        self._actions.hover(self._time(x), x)

    def _stop_hover(self) -> None:
        self._canvas.playhead.show_hover(None, self._canvas.rows)
        self._actions.hover(None, 0)

    def _leave(self) -> None:
        self._canvas.configure(cursor="")
        self._stop_hover()
