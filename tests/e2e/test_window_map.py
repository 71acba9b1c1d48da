"""The window from outside: the map is zoomed, a line selects, and what is selected goes on."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from tests import fake_umap
from tests.e2e.desktop import Screen, Start, State, Window, look_for


def draw_round(
    window: Window, state: State, about: str, before: Sequence[str] = (), adds: bool = False
) -> list[str]:
    """Draw a line round a point and those near it, and wait until they are selected.

    Args:
        before: what is selected already, and stays so where the line adds.
    """
    points = state["map"]["points"]
    near = sorted(points, key=lambda key: math.dist(points[key], points[about]))
    reach = [math.dist(points[key], points[about]) for key in near]
    count = max(range(2, 7), key=lambda n: reach[n] - reach[n - 1])  # the gap to the next is wide
    radius = 0.3 * reach[count - 1] + 0.7 * reach[count]
    x, y = points[about]
    left, top, width, height = state["map"]["box"]
    # it begins on the side of the map's middle, and so on the map
    first = math.atan2(top + height / 2 - y, left + width / 2 - x)
    turns = [first + 2 * math.pi * step / 12 for step in range(13)]
    corners = [(round(x + radius * math.cos(a)), round(y + radius * math.sin(a))) for a in turns]
    wanted = sorted({*near[:count], *before} if adds else near[:count])
    for pause in (0.03, 0.1, 0.3, 0.9):  # a busy window hears only of the last move of several
        moves: list[object] = ["mousemove", *corners[0], "mousedown", 1]
        for corner in corners[1:]:
            moves += ["mousemove", *corner, "sleep", pause]
        moves += ["mouseup", 1]
        window.screen.do(*(["keydown", "shift", *moves, "keyup", "shift"] if adds else moves))
        if look_for(lambda: sorted(window.state()["map"]["selected"]) == wanted, 2):
            break
    window.wait_still("what the line is round", lambda s: sorted(s["map"]["selected"]) == wanted)
    return wanted


def in_the_middle(state: State) -> str:
    x, y, width, height = state["map"]["box"]
    points: dict[str, list[int]] = state["map"]["points"]
    return min(points, key=lambda key: math.dist(points[key], (x + width / 2, y + height / 2)))


def is_near(state: State, key: str, place: list[int]) -> bool:
    return math.dist(state["map"]["points"][key], place) < 3


def the_map(window: Window) -> State:
    window.click("Map")
    window.wait_still("the map", lambda s: s["panel"] == "map" and s["map"]["points"])
    return window.state()


def test_a_line_selects_segments_which_are_results_then(window: Window) -> None:
    state = the_map(window)
    count = len(state["map"]["points"])
    assert f"{count:,} segments, near means alike" in state["texts"]
    middle = in_the_middle(state)
    some = draw_round(window, state, middle)
    window.wait_text(f"{len(some)} selected")
    window.key("Escape")
    window.wait("none", lambda s: not s["map"]["selected"])

    draw_round(window, state, middle)
    points = state["map"]["points"]
    far = max(points, key=lambda key: math.dist(points[key], points[middle]))
    some = draw_round(window, state, far, some, adds=True)
    window.key("Return")
    window.wait("them as results", lambda s: s["panel"] == "text" and s["count"] == len(some))
    assert [chip["text"] for chip in window.state()["chips"]] == [f"{len(some)} segments"]
    assert {card["key"] for card in window.state()["cards"]} <= set(some)


def test_the_map_is_arranged_by_umap_where_that_is_asked_for(
    start: Start, filled: Path, screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = fake_umap.install(tmp_path / "packages")
    monkeypatch.setitem(screen.environment, "PYTHONPATH", str(packages))
    library = shutil.copytree(filled, tmp_path / "library")
    monkeypatch.setattr(screen, "popen", subprocess.Popen)  # which reads PYTHONPATH
    window = start(library)
    window.wait("the models", lambda s: s["models_ready"])
    by_pca = the_map(window)["map"]["points"]
    window.click("Arrange by UMAP")
    by_umap = window.wait_still(
        "another layout", lambda s: s["map"]["points"] if s["map"]["points"] != by_pca else {}
    )
    assert by_umap.keys() == by_pca.keys()
    window.click("Arrange by UMAP")
    window.wait_still("the first one", lambda s: s["map"]["points"] == by_pca)


def test_the_map_is_zoomed_moved_and_leads_to_a_segment(window: Window) -> None:
    state = the_map(window)
    x, y, width, height = state["map"]["box"]
    window.screen.do("mousemove", x + width // 2, y + height // 2, "click", 4, "click", 4)
    near = window.wait_still(
        "it larger", lambda s: s["map"] if s["map"]["scale"] > 1.3 * state["map"]["scale"] else {}
    )
    window.key("Right")
    at = next(iter(near["points"]))
    window.wait("it moved", lambda s: s["map"]["points"][at][0] < near["points"][at][0] - 30)
    for button, key in ((1, "space"), (2, ""), (3, "")):
        before = window.state()["map"]["points"][at]
        left, top = x + width // 2, y + height // 2
        drag = ["mousemove", left, top, "mousedown", button, "mousemove", left + 40, top + 20]
        drag += ["mouseup", button]
        window.screen.do(*(["keydown", key, "sleep", 0.05, *drag, "keyup", key] if key else drag))
        moved = [before[0] + 40, before[1] + 20]
        window.wait(f"it moved by button {button}", partial(is_near, key=at, place=moved))
    assert window.state()["map"]["selected"] == state["map"]["selected"]
    window.click("Fit")
    whole = window.wait_still("all of it", lambda s: s["map"]["points"])
    assert whole == state["map"]["points"]
    # a point at the edge, which no thumbnail lies over
    left, top = min(whole.values())
    window.screen.do("mousemove", left, top, "click", 1)
    opened = window.wait("the segment", lambda s: s["segment"])
    assert opened in whole
    window.click("Map")
    window.wait("the map again", lambda s: s["panel"] == "map")
