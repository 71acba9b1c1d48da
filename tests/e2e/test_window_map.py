"""The window from outside: the map is zoomed, a line selects, and what is selected goes on."""

from __future__ import annotations

import math

from tests.e2e.desktop import State, Window, look_for


def draw_round(window: Window, state: State) -> list[str]:
    """Draw a line round the point in the middle and those near it, which are returned."""
    x, y, width, height = state["map"]["box"]
    points = state["map"]["points"]
    middle = min(points.values(), key=lambda p: math.dist(p, (x + width / 2, y + height / 2)))
    near = sorted(points, key=lambda key: math.dist(points[key], middle))
    reach = [math.dist(points[key], middle) for key in near]
    count = max(range(2, 7), key=lambda n: reach[n] - reach[n - 1])  # the gap to the next is wide
    radius = 0.3 * reach[count - 1] + 0.7 * reach[count]
    turns = [2 * math.pi * step / 12 for step in range(13)]
    corners = [
        (round(middle[0] + radius * math.cos(a)), round(middle[1] + radius * math.sin(a)))
        for a in turns
    ]
    found = sorted(near[:count])
    for pause in (0.03, 0.1, 0.3, 0.9):  # a busy window hears only of the last move of several
        moves: list[object] = ["mousemove", *corners[0], "mousedown", 1]
        for corner in corners[1:]:
            moves += ["mousemove", *corner, "sleep", pause]
        window.screen.do(*moves, "mouseup", 1)
        if look_for(lambda: sorted(window.state()["map"]["selected"]) == found, 2):
            break
    return found


def the_map(window: Window) -> State:
    window.click("Map")
    window.wait_still("the map", lambda s: s["panel"] == "map" and s["map"]["points"])
    return window.state()


def test_a_line_selects_segments_which_are_results_then(window: Window) -> None:
    state = the_map(window)
    count = len(state["map"]["points"])
    assert f"{count:,} segments, near means alike" in state["texts"]
    some = draw_round(window, state)
    window.wait_still("some selected", lambda s: sorted(s["map"]["selected"]) == some)
    window.wait_text(f"{len(some)} selected")
    window.key("Escape")
    window.wait("none", lambda s: not s["map"]["selected"])

    draw_round(window, state)
    window.wait_still("the same again", lambda s: sorted(s["map"]["selected"]) == some)
    window.key("Return")
    window.wait("them as results", lambda s: s["panel"] == "text" and s["count"] == len(some))
    assert [chip["text"] for chip in window.state()["chips"]] == [f"{len(some)} segments"]
    assert {card["key"] for card in window.state()["cards"]} <= set(some)


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
