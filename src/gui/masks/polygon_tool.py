"""Polygons by hand: corner after corner, and the points of an outline dragged, added, removed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from src.gui.masks.editor import Ring
from src.gui.widgets.viewport import Viewport

Point = tuple[float, float]
_REACH = 8  # so near to a point the pointer is at it, in pixels of the design
_EDGE = 6  # and to a line
LEAST = 3  # points of a polygon


@dataclass(frozen=True)
class PolygonActions:
    """What the tool asks of its owner; all places in pixels of the frame.

    Attributes:
        draw: shows closed polygons, and one that is begun.
        closed: a new polygon is complete.
        changed: points of the outline lie elsewhere, or there are others.
    """

    draw: Callable[[Sequence[Ring], Ring], None]
    closed: Callable[[Ring], None]
    changed: Callable[[Sequence[Ring]], None]


class PolygonTool:
    """The points of the outline, and of a polygon that is being drawn. No widgets."""

    def __init__(self, scale: float, actions: PolygonActions) -> None:
        """Make it without points.

        Args:
            scale: device pixels of a pixel of the design.
        """
        self._scale, self._actions = scale, actions
        self.rings: list[list[Point]] = []
        self.begun: list[Point] = []
        self._held: tuple[int, int] | None = None  # the ring and the point that are dragged
        self._moved = False

    @property
    def is_drawing(self) -> bool:
        return bool(self.begun)

    def show(self, rings: Sequence[Ring]) -> None:
        """Take over the outline as it is now."""
        self.rings, self._held = [list(ring) for ring in rings], None
        self._draw()

    def clear(self) -> None:
        self.rings, self.begun, self._held = [], [], None
        self._draw()

    def _draw(self, pointer: Point | None = None) -> None:
        begun = [*self.begun, pointer] if self.begun and pointer else self.begun
        self._actions.draw(self.rings, begun)

    # -- what the pointer does; places in pixels of the canvas, `at` in those of the frame

    def press(self, x: float, y: float, at: Point, port: Viewport, removes: bool) -> None:
        """Take hold of a point, or add a corner; or remove the point that is there."""
        if self.begun:
            self._press_begun(x, y, at, port, removes)
            return
        held = self._point_at(x, y, port)
        if removes:
            if held is not None and len(self.rings[held[0]]) > LEAST:
                del self.rings[held[0]][held[1]]
                self._actions.changed(self.rings)
                self._draw()
            return
        if held is None and (edge := self._edge_at(x, y, port)) is not None:
            ring, after = edge
            self.rings[ring].insert(after + 1, at)
            held, self._moved = (ring, after + 1), True
        if held is None:
            self.begun = [at]
        self._held = held
        self._draw(at)

    def _press_begun(self, x: float, y: float, at: Point, port: Viewport, removes: bool) -> None:
        if removes:
            self.begun.pop()
        elif len(self.begun) >= LEAST and self._is_near(x, y, self.begun[0], port):
            self.close()
            return
        else:
            self.begun.append(at)
        self._draw(at)

    def drag(self, at: Point) -> None:
        if self._held is not None:
            ring, point = self._held
            self.rings[ring][point] = at
            self._moved = True
            self._draw()

    def release(self) -> None:
        held, moved, self._held, self._moved = self._held, self._moved, None, False
        if held is not None and moved:
            self._actions.changed(self.rings)

    def hover(self, at: Point) -> None:
        """Draw the line to the pointer."""
        if self.begun:
            self._draw(at)

    def close(self) -> bool:
        """Complete the polygon that is begun; returns whether it has enough corners."""
        if len(self.begun) < LEAST:
            return False
        ring, self.begun = self.begun, []
        self._draw()
        self._actions.closed(ring)
        return True

    def cancel(self) -> bool:
        """Drop the polygon that is begun, or let go of a point; returns whether there was one."""
        was = bool(self.begun)
        self.begun = []
        self._draw()
        return was

    def _is_near(self, x: float, y: float, point: Point, port: Viewport) -> bool:
        return math.dist((x, y), port.to_window(*point)) <= _REACH * self._scale

    def _point_at(self, x: float, y: float, port: Viewport) -> tuple[int, int] | None:
        found = (
            (math.dist((x, y), port.to_window(*point)), ring, place)
            for ring, points in enumerate(self.rings)
            for place, point in enumerate(points)
        )
        nearest = min(found, default=None)
        if nearest is None or nearest[0] > _REACH * self._scale:
            return None
        return nearest[1:]

    def _edge_at(self, x: float, y: float, port: Viewport) -> tuple[int, int] | None:
        """Return the ring and the point before the edge that the pointer is at."""
        found = (
            (
                _distance((x, y), port.to_window(*points[place - 1]), port.to_window(*point)),
                ring,
                place - 1,
            )
            for ring, points in enumerate(self.rings)
            for place, point in enumerate(points)
        )
        nearest = min(found, default=None)
        if nearest is None or nearest[0] > _EDGE * self._scale:
            return None
        ring, before = nearest[1:]
        return ring, before % len(self.rings[ring])


def _distance(at: Point, start: Point, end: Point) -> float:
    """Return how far a place is from a line between two points."""
    length = math.dist(start, end)
    if length == 0:
        return math.dist(at, start)
    dx, dy = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    along = min(max((at[0] - start[0]) * dx + (at[1] - start[1]) * dy, 0.0), length)
    return math.dist(at, (start[0] + along * dx, start[1] + along * dy))
