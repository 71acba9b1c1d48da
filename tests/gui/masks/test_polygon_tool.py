"""Polygons by hand: corners, dragged points, added and removed ones."""

from __future__ import annotations

import pytest

from src.gui.masks.editor import Ring
from src.gui.masks.polygon_tool import PolygonActions, PolygonTool
from src.gui.widgets.viewport import Viewport

PORT = Viewport.fitting((200, 100), (400, 200))  # a pixel of the frame is two of the window
SQUARE = [(20.0, 20.0), (60.0, 20.0), (60.0, 60.0), (20.0, 60.0)]


class Told:
    def __init__(self) -> None:
        self.closed: list[Ring] = []
        self.changed: list[list[Ring]] = []


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def tool(told: Told) -> PolygonTool:
    def changed(rings: object) -> None:
        told.changed.append([list(ring) for ring in rings])  # type: ignore[attr-defined]

    return PolygonTool(1.0, PolygonActions(lambda *_: None, told.closed.append, changed))


def press(tool: PolygonTool, x: float, y: float, removes: bool = False) -> None:
    """Press and let go, at a place of the frame."""
    tool.press(*PORT.to_window(x, y), (x, y), PORT, removes)
    tool.release()


def test_a_click_on_the_first_corner_closes_it(tool: PolygonTool, told: Told) -> None:
    for x, y in ((10, 10), (50, 10), (50, 50)):
        press(tool, x, y)
        assert tool.is_drawing
    press(tool, 11, 11)
    assert told.closed == [[(10, 10), (50, 10), (50, 50)]] and not tool.is_drawing


def test_a_polygon_of_two_corners_is_none(tool: PolygonTool, told: Told) -> None:
    press(tool, 10, 10)
    press(tool, 50, 10)
    assert not tool.close() and tool.is_drawing
    press(tool, 90, 90, removes=True)  # takes the last corner back
    assert tool.begun == [(10, 10)]
    assert tool.cancel() and not tool.is_drawing and told.closed == []
    assert not tool.cancel()


def test_a_point_is_dragged(tool: PolygonTool, told: Told) -> None:
    tool.show([SQUARE])
    tool.press(*PORT.to_window(61, 59), (61, 59), PORT, False)
    tool.drag((70, 70))
    tool.drag((80, 80))
    assert told.changed == []
    tool.release()
    assert told.changed == [[[(20, 20), (60, 20), (80, 80), (20, 60)]]]


def test_a_press_on_a_point_alone_changes_nothing(tool: PolygonTool, told: Told) -> None:
    tool.show([SQUARE])
    press(tool, 20, 20)
    assert told.changed == [] and not tool.is_drawing


def test_a_press_on_an_edge_adds_a_point(tool: PolygonTool, told: Told) -> None:
    tool.show([SQUARE])
    press(tool, 20, 40)  # the edge that closes the ring
    assert told.changed == [[[*SQUARE, (20, 40)]]]


def test_a_point_is_removed_as_long_as_three_stay(tool: PolygonTool, told: Told) -> None:
    tool.show([SQUARE])
    press(tool, 60, 20, removes=True)
    assert told.changed == [[[(20, 20), (60, 60), (20, 60)]]]
    press(tool, 20, 20, removes=True)
    assert len(told.changed) == 1
