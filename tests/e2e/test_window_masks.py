"""A mask is changed in the window by clicks, brush, eraser and polygon; kept, or left as it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.desktop import Start, State, Window

NUMBERS = ("area", "bbox_xywh")


@pytest.fixture
def library(filled: Path, tmp_path: Path) -> Path:
    return shutil.copytree(filled, tmp_path / "library")


def mask_of(
    window: Window, what: str, is_it: Callable[[State], bool] = lambda _: True, **wanted: Any
) -> State:
    """Wait until the mask under edit is as wanted, and no step is on its way."""

    def shown(state: State) -> State:
        mask: State = state["mask"]
        is_so = mask and not mask["busy"] and all(mask[k] == v for k, v in wanted.items())
        return mask if is_so and is_it(mask) else {}

    return window.wait_still(what, shown)


def at(window: Window, x: float, y: float) -> tuple[int, int]:
    """Return where a place of the frame lies on the screen, as shares of its width and height."""
    mask = mask_of(window, "the photo where it stays")
    (wide, high), scale = mask["frame_wh"], mask["scale"]
    left, top = mask["corner"]
    return round(left + x * wide * scale), round(top + y * high * scale)


def click(window: Window, x: float, y: float, button: int = 1) -> None:
    window.screen.do("mousemove", *at(window, x, y), "click", button)


def drag(window: Window, start: tuple[float, float], end: tuple[float, float]) -> None:
    window.drag(at(window, *start), at(window, *end))


def open_photo(window: Window) -> None:
    """Open the first photo; its frame as a whole is what is chosen."""
    window.wait("the models", lambda s: s["models_ready"])
    window.click_at(window.wait_still("cards", lambda s: s["cards"] and s["cards"][0]["box"]))
    window.wait_still("the photo", lambda s: s["segment"] and s["picture"])


def test_a_segment_is_clicked_painted_kept_and_found_after_a_restart(
    start: Start, library: Path
) -> None:
    window = start(library)
    open_photo(window)
    window.key("n")
    mask_of(window, "a new segment", tool="click", prepared=True, area=0)
    click(window, 0.5, 0.5)
    clicked = mask_of(window, "a click", points_inside=1)
    assert clicked["area"] > 0 and not clicked["allowed"]["delete"]
    click(window, 0.05, 0.05, button=3)
    mask_of(window, "what is not meant", points_inside=1, points_outside=1)
    click(window, 0.55, 0.5)
    mask_of(window, "a third click", points_inside=2)

    window.key("b")
    before = mask_of(window, "the brush", tool="brush")
    drag(window, (0.1, 0.8), (0.6, 0.8))
    painted = mask_of(window, "a stroke", strokes=1)
    assert painted["area"] > before["area"]
    window.key("e")
    drag(window, (0.3, 0.7), (0.3, 0.9))
    erased = mask_of(window, "the eraser", strokes=2)
    assert erased["area"] < painted["area"]
    window.key("ctrl+z")
    mask_of(window, "one undone", area=painted["area"], can_redo=True)
    window.key("ctrl+shift+z")
    kept = mask_of(window, "it again", area=erased["area"], can_redo=False)

    window.click("entry:What is it?")
    window.type("thing")
    window.key("Return")
    window.key("Return")
    segment = window.wait_still("the segment", lambda s: not s["mask"] and s["segment"])
    window.wait_text("thing", "Edit mask")
    window.close()

    window = start(library)
    open_photo(window)
    left, top, width, height = window.state()["picture"]
    wide, high = kept["frame_wh"]
    scale = min(width / wide, height / high)
    x = left + (width - wide * scale) / 2 + 0.5 * wide * scale
    window.screen.do("mousemove", round(x), round(top + 0.8 * high * scale), "click", 1)
    window.wait("the same segment", lambda s: s["segment"] == segment)
    window.wait_text("thing")
    window.key("e")
    again = mask_of(window, "its mask", segment=segment)
    assert {n: again[n] for n in NUMBERS} == {n: kept[n] for n in NUMBERS}


def test_a_polygon_is_drawn_and_its_points_are_dragged(start: Start, library: Path) -> None:
    window = start(library)
    open_photo(window)
    window.key("n")
    mask = mask_of(window, "a new segment", tool="click", prepared=True)
    window.key("p")
    mask_of(window, "the polygon", tool="polygon")
    for x, y in ((0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6)):
        click(window, x, y)
    window.key("Return")
    drawn = mask_of(window, "a square", lambda mask: mask["area"] > 0, can_undo=True)
    wide, high = mask["frame_wh"]
    assert drawn["area"] == pytest.approx(0.4 * wide * 0.4 * high, rel=0.1)
    drag(window, (0.6, 0.6), (0.9, 0.9))
    mask_of(window, "a point dragged", lambda mask: mask["area"] > 1.3 * drawn["area"])
    window.key("ctrl+z")
    mask_of(window, "the square", area=drawn["area"])
    window.key("Return")
    window.wait("it is kept", lambda s: not s["mask"] and s["segment"])


def test_escape_and_every_other_way_out_ask_first_and_leave_nothing(window: Window) -> None:
    open_photo(window)
    window.key("n")
    mask_of(window, "a new segment", tool="click", prepared=True)
    before = window.state()["texts"]
    window.key("p")
    click(window, 0.2, 0.2)
    window.key("Escape")  # drops the corner, no more
    mask_of(window, "still there", can_undo=False)
    window.key("b")
    drag(window, (0.2, 0.5), (0.7, 0.5))
    mask_of(window, "a stroke", strokes=1, asks=False)

    window.click("Library")
    mask_of(window, "the question", asks=True)
    window.click("Continue editing")
    mask_of(window, "no question", asks=False, strokes=1)
    window.key("alt+F4")
    mask_of(window, "the question", asks=True)
    window.key("ctrl+z")
    mask_of(window, "no question and no stroke", asks=False, area=0)
    window.key("ctrl+shift+z")
    mask_of(window, "the stroke", strokes=1)
    window.key("Escape")
    mask_of(window, "the question", asks=True)
    window.key("Escape")
    window.wait_still("the photo as it was", lambda s: not s["mask"] and s["panel"] == "detail")
    assert "New segment" in before and "Edit mask" in window.state()["texts"]
    window.key("n")
    mask_of(window, "nothing of it is left", area=0, can_undo=False)
    window.key("Escape")
    window.wait("the photo", lambda s: not s["mask"] and s["panel"] == "detail")
