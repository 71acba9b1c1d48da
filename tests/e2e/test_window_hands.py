"""The window from outside: what hands do to it, under a window manager that takes each click first.

openbox grabs the button to bring a window forward: the pointer leaves the window before it is told
of the click, although it has not moved.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from src.config import LibraryPaths
from tests.e2e.desktop import LOOK_EVERY_S, Window, look_for


def middles(window: Window, frame_segment: str) -> list[tuple[int, int]]:
    """Where on the screen the middle of each segment of a frame lies, the smallest first."""
    with closing(sqlite3.connect(LibraryPaths(window.library).metadata_db)) as db:
        found = db.execute(
            "SELECT s.x, s.y, s.w, s.h, f.width, f.height FROM segments s JOIN frames f"
            " ON f.id = s.frame_id WHERE s.kind = 'object' AND f.id ="
            " (SELECT frame_id FROM segments WHERE id = ?) ORDER BY s.area",
            (frame_segment,),
        ).fetchall()
    left, top, width, height = window.wait_still("the picture", lambda s: s["picture"])
    places = []
    for x, y, w, h, frame_w, frame_h in found:
        scale = min(width / frame_w, height / frame_h)
        beside = (width - frame_w * scale) / 2
        places.append(
            (round(left + beside + (x + w / 2) * scale), round(top + (y + h / 2) * scale))
        )
    return places


def test_a_click_on_a_segment_in_its_frame_opens_it_though_the_pointer_is_still(
    window: Window,
) -> None:
    window.click_at(window.state()["cards"][0]["box"])
    frame = window.wait("the frame", lambda s: s["panel"] == "detail" and s["segment"])
    window.wait_text("Segments in this frame")
    for place in middles(window, frame):
        window.screen.do("mousemove", *place)
        if look_for(lambda: window.state()["outlined"], 20 * LOOK_EVERY_S):
            break
    else:
        raise AssertionError("no segment lights up under the pointer")
    window.screen.do("click", 1)
    window.wait("that segment", lambda s: s["segment"] not in ("", frame))
