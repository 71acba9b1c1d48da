"""The window from outside: a query of several parts, what is folded away, going back."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

from PIL import Image

from src.config import LibraryPaths
from tests.e2e.desktop import Screen, State, Window, wait_until
from tests.e2e.test_window_search import search


def chips(state: State) -> list[str]:
    return [f"{chip['sign']}{chip['text']}{chip['weight']}" for chip in state["chips"]]


def test_parts_of_a_query_are_chips_to_turn_round_weigh_edit_and_remove(window: Window) -> None:
    search(window, "red -blue 2:circle in:scene")
    shown = window.wait_still("its parts", lambda s: s["chips"] if len(s["chips"]) == 2 else [])
    assert [chip["sign"] + chip["text"] for chip in shown] == ["−blue", "+circle"]
    assert "Folder: scene" in window.state()["texts"], "a button of the filter row has this part"

    window.click_at(shown[0]["sign_box"])
    window.wait_still("more blue", lambda s: chips(s) == ["+blue", "+circle× 2"])
    window.click_at(shown[1]["text_box"])
    window.key("Down", "Down", "Return")  # the second of the menu is a weight
    window.wait_still("another weight", lambda s: chips(s) == ["+blue", "+circle× 0.5"])
    box = window.state()["chips"][0]["close_box"]
    window.click_at(box)
    window.wait_still("no blue", lambda s: chips(s) == ["+circle× 0.5"])

    # backwards over the beginning of the words the last part is text again
    window.click_at(window.state()["buttons"]["entry:What are you looking for?"])
    window.key("Home", "BackSpace")
    window.wait(
        "it as text", lambda s: not s["chips"] and any("0.5:circle" in t for t in s["texts"])
    )
    window.click("Clear")
    window.wait("no folder", lambda s: "Folder: scene" not in s["texts"])


def test_one_goes_back_over_searches_to_where_one_was(window: Window) -> None:
    first = search(window, "something red")
    window.key("ctrl+f")
    search(window, "something blue")
    similar_to = window.state()["cards"][0]
    window.click_at(similar_to["box"], button=3)
    window.key("Down", "Down", "Return")
    window.wait_still("what is similar", lambda s: chips(s) == [f"+like {similar_to['name']}"])
    window.key("alt+Left")
    window.wait_still("blue again", lambda s: s["cards"] and s["searched"] == "something blue")
    window.click("Back")
    window.wait_still("red again", lambda s: s["cards"] == first and not s["chips"])


def test_what_is_likely_chance_is_folded_away(window: Window) -> None:
    strong = search(window, "something green", unfold=False)
    before = window.state()
    assert strong and "weaker hit" in before["weaker"]["words"]
    assert any(re.fullmatch(r"\d+ strong hits?", text) for text in before["texts"])
    window.click_at(before["weaker"]["fold"])
    window.wait_still("all of them", lambda s: s["count"] > before["count"])
    window.click_at(window.state()["weaker"]["fold"])
    window.wait_still("the strong ones", lambda s: s["cards"] == strong)


def test_a_word_that_is_wrong_is_said_under_it(window: Window) -> None:
    found = search(window, "something green")
    window.key("ctrl+f")
    window.type("green kind:thing")
    window.key("Return")
    window.wait("why", lambda s: any(t.startswith("Kind is") for t in s["texts"]))
    assert window.state()["cards"] == found, "what was found before stays"
    window.key("BackSpace")
    window.wait("no more", lambda s: not any(t.startswith("Kind is") for t in s["texts"]))


def test_several_hits_are_labelled_at_once_and_the_label_is_taken_back(window: Window) -> None:
    cards = search(window, "something white kind:object")
    chosen = cards[:2]
    for card in chosen:
        window.click_at(card["box"], holding="ctrl")
    window.wait_text(f"{len(chosen)} selected")
    window.key("l")
    window.wait("the entry", lambda s: "entry:Label them all" in s["buttons"])
    window.type("snow")
    window.key("Return")
    window.wait("done", lambda s: any("labelled “snow”" in t for t in s["texts"]))
    assert tagged(window, "snow") == {card["key"] for card in chosen}
    window.click("Undo")
    window.wait("undone", lambda s: any(t.startswith("Undone: ") for t in s["texts"]))
    assert not tagged(window, "snow")
    window.key("Escape")
    window.wait("none selected", lambda s: not s["selected"])
    window.click("Clear")
    window.wait("no filter", lambda s: "Kind: objects" not in s["texts"])


def test_the_crop_of_a_hit_is_copied_as_an_image(window: Window, screen: Screen) -> None:
    cards = search(window, "something white kind:object")
    window.click_at(cards[0]["box"], holding="ctrl")
    window.wait_text("1 selected")
    window.key("ctrl+c")
    wait_until("the copy", screen.copied.exists)
    with closing(sqlite3.connect(LibraryPaths(window.library).metadata_db)) as db:
        sql = "SELECT crop_path FROM segments WHERE id = ?"
        (name,) = db.execute(sql, (cards[0]["key"],)).fetchone()
    with Image.open(screen.copied) as copied, Image.open(window.library / name) as crop:
        assert copied.format == "PNG" and copied.tobytes() == crop.tobytes()
    window.key("Escape")
    window.wait("none selected", lambda s: not s["selected"])
    window.click("Clear")
    window.wait("no filter", lambda s: "Kind: objects" not in s["texts"])


def tagged(window: Window, name: str) -> set[str]:
    with closing(sqlite3.connect(LibraryPaths(window.library).metadata_db)) as db:
        rows = db.execute(
            "SELECT segment_id FROM segment_tags JOIN tags ON tags.id = tag_id WHERE name = ?",
            (name,),
        )
        return {segment_id for (segment_id,) in rows}


def test_a_frame_is_zoomed_by_the_wheel_and_moved_by_dragging(window: Window) -> None:
    window.click_at(window.state()["cards"][0]["box"])
    window.wait("the frame", lambda s: s["panel"] == "detail" and s["segment"])
    before = window.wait_still("its zoom", zoom)
    left, top, width, height = window.state()["picture"]
    window.screen.do("mousemove", left + width // 3, top + height // 3, "click", 4, "click", 4)
    near = window.wait_still("larger", lambda s: zoom(s) if zoom(s) != before else "")
    segment = window.state()["segment"]
    window.drag((left + width // 2, top + height // 2), (left + width // 4, top + height // 3))
    assert window.state()["segment"] == segment and zoom(window.state()) == near
    window.click("Fit")
    window.wait("the whole", lambda s: zoom(s) == before)


def test_a_picture_is_seen_alone_on_the_whole_screen(window: Window, screen: Screen) -> None:
    window.click_at(window.state()["cards"][0]["box"])
    window.wait("the frame", lambda s: s["panel"] == "detail" and s["segment"])
    before = window.wait_still("the window", lambda s: s["window"])
    window.key("F11")
    whole = [0, 0, *screen.picture().size]
    window.wait_still("all of the screen", lambda s: s["alone"] == whole)
    first = window.state()["segment"]
    window.key("Next")
    window.wait("the next photo", lambda s: s["segment"] not in ("", first))
    window.key("Left")
    window.wait("the first one", lambda s: s["segment"] == first)
    window.key("Escape")
    window.wait_still("the window again", lambda s: not s["alone"] and s["window"] == before)
    assert window.state()["panel"] == "detail"
    window.key("F11")
    window.wait_still("all of the screen", lambda s: s["alone"] == whole)
    window.key("ctrl+f")
    window.wait_still("the search", lambda s: s["panel"] == "text" and not s["alone"])


def zoom(state: State) -> str:
    return next((t for t in state["texts"] if t.endswith("%") and t[:-1].isdigit()), "")
