"""The window from outside: a rectangle selects cards, and all that are selected take a label."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from src.config import LibraryPaths
from src.library import MediaLibrary
from tests.e2e.desktop import State, Window
from tests.e2e.test_window_search import search

SMALL = 12  # pixels that a drag begins beside the cards


def labelled(window: Window, name: str) -> set[str]:
    """The segments that have a label by a person's word."""
    with closing(sqlite3.connect(LibraryPaths(window.library).metadata_db)) as db:
        rows = db.execute(
            "SELECT st.segment_id FROM segment_tags st JOIN tags t ON t.id = st.tag_id"
            " WHERE t.name = ? AND st.source = 'human'",
            (name,),
        )
        return {segment_id for (segment_id,) in rows}


def key_of(window: Window, name: str) -> str:
    """The key that gives a label, beside those that other tests have given in the same window."""
    with MediaLibrary(LibraryPaths(window.library), read_only=True) as library:
        return str([label.name for label in library.labels.list()].index(name) + 1)


def whole_frames(window: Window) -> set[str]:
    with closing(sqlite3.connect(LibraryPaths(window.library).metadata_db)) as db:
        return {key for (key,) in db.execute("SELECT id FROM segments WHERE kind = 'frame'")}


def drag_over(window: Window, first: State, last: State, holding: str = "") -> None:
    """Drag from beside a card to the middle of another one."""
    (x, y, _, _), (left, top, width, height) = first["box"], last["box"]
    middle = left + width // 2, top + height // 2
    drag = ["mousemove", x - SMALL, y + 5, "mousedown", 1]
    for step in (3, 2, 1):  # a hand moves on
        at = [x - SMALL + (middle[0] - x + SMALL) // step, y + 5 + (middle[1] - y - 5) // step]
        drag += ["mousemove", *at, "sleep", 0.05]
    drag += ["mouseup", 1]
    window.screen.do(*(["keydown", holding, *drag, "keyup", holding] if holding else drag))


def test_a_rectangle_selects_media_which_take_a_label_and_give_it_back(window: Window) -> None:
    cards = window.state()["cards"][:3]
    places = [card["place"] for card in cards]
    drag_over(window, cards[0], cards[1])
    window.wait("two", lambda s: s["selected"] == places[:2])
    drag_over(window, cards[2], cards[2], holding="shift")
    window.wait("three", lambda s: s["selected"] == places)
    window.wait_text("3 selected")
    drag_over(window, cards[1], cards[2])
    window.wait("others", lambda s: s["selected"] == places[1:])

    window.key("l")
    window.wait("the entry", lambda s: "entry:Label them all" in s["buttons"])
    window.type("beach day")
    window.key("Return")
    window.wait_text("2 frames labelled “beach day”.")
    assert len(labelled(window, "beach day")) == 2
    assert labelled(window, "beach day") < whole_frames(window)
    assert window.state()["selected"] == places[1:], "they stay selected for more"
    window.click("Undo")
    window.wait_text("Undone: 2 frames labelled “beach day”.")
    assert not labelled(window, "beach day")
    window.key("ctrl+shift+z")
    window.wait_text("2 frames labelled “beach day”.")
    assert len(labelled(window, "beach day")) == 2
    window.key("ctrl+a")
    window.wait("all", lambda s: len(s["selected"]) == s["count"])
    window.key(key_of(window, "beach day"))
    every = len(window.state()["selected"])
    window.wait_text(f"{every} frames labelled “beach day”.")
    assert labelled(window, "beach day") == whole_frames(window)
    window.key("ctrl+z", "ctrl+z")
    window.wait("both undone", lambda s: any("Undone: 2 frames" in t for t in s["texts"]))
    assert not labelled(window, "beach day")
    window.key("Escape")
    window.wait("none selected", lambda s: not s["selected"])


def test_a_drag_that_begins_on_a_card_selects_nothing_and_opens_nothing(window: Window) -> None:
    cards = window.state()["cards"][:2]
    (x, y, width, height), (left, top, _, _) = cards[0]["box"], cards[1]["box"]
    window.drag((x + width // 2, y + height // 2), (left + 40, top + 40))
    window.wait_still("nothing", lambda s: s["panel"] == "library" and not s["selected"])


def test_hits_take_a_label_by_a_key_and_from_the_menu(window: Window) -> None:
    cards = search(window, "something white kind:object")[:3]
    drag_over(window, cards[0], cards[1])
    chosen = {card["key"] for card in cards[:2]}
    window.wait("two", lambda s: s["selected"] == [0, 1])
    window.key("l")
    window.wait("the entry", lambda s: "entry:Label them all" in s["buttons"])
    window.type("snow")
    window.key("Return")
    window.wait_text("2 segments labelled “snow”.")
    assert labelled(window, "snow") == chosen
    window.key("Escape")
    window.wait("none selected", lambda s: not s["selected"])

    window.click_at(cards[2]["box"], button=3)
    window.key(*["Down"] * 5, "Return")
    window.wait("it", lambda s: s["selected"] == [2])
    window.type("sno")
    window.key("Tab", "Return")
    window.wait_text("1 segment labelled “snow”.")
    assert labelled(window, "snow") == chosen | {cards[2]["key"]}
    window.key("ctrl+z", "ctrl+z")
    window.wait_text("Undone: 2 segments labelled “snow”.")
    assert not labelled(window, "snow")
    window.key("Escape")
    window.wait("none selected", lambda s: not s["selected"])
    window.click("Clear")
    window.wait("no filter", lambda s: "Kind: objects" not in s["texts"])
