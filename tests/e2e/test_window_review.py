"""The window from outside: frames are reviewed by keys, and disagreements are walked through."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from src.config import LibraryPaths
from tests.e2e.desktop import State, Window
from tests.e2e.test_window_search import search
from tests.e2e.test_window_selection import labelled


def ask(window: Window, sql: str, *values: object) -> list[Any]:
    with closing(sqlite3.connect(LibraryPaths(window.library).metadata_db)) as db:
        return db.execute(sql, values).fetchall()


def said_of_frames(window: Window, label: str) -> list[bool]:
    """What a person has said of frames, for a label."""
    rows = ask(
        window,
        "SELECT d.has_tag FROM decisions d JOIN tags t ON t.id = d.tag_id WHERE t.name = ?"
        " AND d.frame_id IS NOT NULL AND d.undone_at IS NULL ORDER BY d.frame_id",
        label,
    )
    return [bool(has) for (has,) in rows]


def give(window: Window, cards: Sequence[State], label: str) -> None:
    """Label hits that are shown."""
    for card in cards:
        window.click_at(card["box"], holding="ctrl")
    window.wait("them", lambda s: s["selected"] == [card["place"] for card in cards])
    window.key("l")
    window.wait("the entry", lambda s: "entry:Label them all" in s["buttons"])
    window.type(label)
    window.key("Return")
    window.wait("the label", lambda s: any(f"labelled “{label}”" in t for t in s["texts"]))
    window.key("Escape")
    window.wait("none selected", lambda s: not s["selected"])


def open_tab(window: Window, tab: str) -> None:
    window.key("ctrl+l")
    window.wait_still("the panel", lambda s: s["panel"] == "label")
    window.click(tab)
    window.wait(tab, lambda s: s["label_tab"] == tab)


def look_for(window: Window, label: str) -> None:
    """Tick a label at the left, and no other one."""
    rows = window.wait_still("labels", lambda s: s["review"]["labels"] and s["review"]["rows"])
    for name in {label}.symmetric_difference(window.state()["review"]["labels"]):
        window.click_at(rows[name])
    window.wait("it alone", lambda s: s["review"]["labels"] == [label])


def looks_at(state: State, frame: str, **wanted: object) -> bool:
    seen = state["review"]
    return bool(
        seen["frame"] and seen["frame"] != frame and all(seen[k] == v for k, v in wanted.items())
    )


def test_frames_are_reviewed_by_keys_alone_and_undone(window: Window) -> None:
    card = search(window, "something white kind:object")[0]
    give(window, [card], "snow")
    frames = len(ask(window, "SELECT id FROM frames"))
    open_tab(window, "Review")
    look_for(window, "snow")
    first = window.wait_still("a frame", lambda s: s["review"]["frame"])
    window.wait_text(f"0 of {frames} frames looked at", "Not looked at yet")
    shown = {0: first}
    for number in range(1, frames + 1):
        marked = ask(
            window,
            "SELECT 1 FROM segments s JOIN segments f ON f.frame_id = s.frame_id"
            " WHERE f.id = ? AND s.id = ?",
            shown[number - 1],
            card["key"],
        )
        assert window.state()["review"]["outlined"] == len(marked)
        if number == 2:
            window.key("x")
            window.wait_text("Looked at: some have no mark")
            window.key("n")
        else:
            window.key("a")
        if number < frames:
            window.wait_text(f"{number} of {frames} frames looked at", "Not looked at yet")
            before = shown[number - 1]
            shown[number] = window.wait_still(
                "the next", lambda s, b=before: s["review"]["frame"] if looks_at(s, b) else ""
            )
    window.wait("the last", lambda s: s["review"]["is_last"])
    window.wait_text(f"{frames} of {frames} frames looked at")
    assert len(set(shown.values())) == frames
    assert sorted(said_of_frames(window, "snow")) == sorted([True] + [False] * (frames - 1))

    window.key("p")
    window.wait("the one before", lambda s: s["review"]["frame"] == shown[frames - 2])
    window.key(*["ctrl+z"] * frames)
    window.wait("the first", lambda s: s["review"]["frame"] == first)
    window.wait_text(f"0 of {frames} frames looked at", "Not looked at yet")
    assert said_of_frames(window, "snow") == []

    window.key("o")
    window.wait("the frame", lambda s: s["panel"] == "detail" and s["segment"] == first)
    window.key("Escape")
    window.wait("the tab", lambda s: s["label_tab"] == "Review" and s["review"]["frame"] == first)
    take_back(window, "snow", 1)


def take_back(window: Window, label: str, acts: int) -> None:
    """Undo what was labelled in the results, where a person would: at the cards."""
    window.go_home()
    window.click("Search by Tag")
    cards = window.wait_still("the hits", lambda s: s["cards"] if s["panel"] == "text" else [])
    window.click_at(cards[0]["box"], holding="ctrl")  # the keys are for the cards then
    window.wait("one", lambda s: s["selected"])
    window.key(*["ctrl+z"] * acts)
    window.wait("no label", lambda s: not labelled(window, label))
    window.key("Escape")
    window.wait("none selected", lambda s: not s["selected"])
    window.click("Clear")
    window.wait("no filter", lambda s: "Kind: objects" not in s["texts"])


def test_disagreements_are_answered_one_by_one_and_do_not_come_back(window: Window) -> None:
    ((model_says, _), *_) = ask(
        window,
        "SELECT t.name, count(*) FROM segment_tags st JOIN tags t ON t.id = st.tag_id"
        " JOIN segments s ON s.id = st.segment_id WHERE st.source = 'auto'"
        " AND st.confidence >= 0.95 AND s.kind = 'object' GROUP BY t.name ORDER BY 2 DESC",
    )
    hits = search(window, f"kind:object tag:{model_says}>=0.95")
    give(window, hits[:2], "balloon")
    give(window, hits[2:3], model_says)  # a model's tag is a label once a person uses it
    open_tab(window, "Disagreements")
    rows = window.wait_still("them", lambda s: s["disagreements"])
    assert {tuple(row["says"]) for row in rows} == {("“balloon”", f"“{model_says}”")}
    assert len(rows) == 2 and [row["chosen"] for row in rows] == [True, False]
    window.key("s")
    window.wait("the other", lambda s: [r["chosen"] for r in s["disagreements"]] == [False, True])
    window.key("Up", "k")
    window.wait("one kept", lambda s: [r["answered"] for r in s["disagreements"]] == [True, False])
    assert [row["chosen"] for row in window.state()["disagreements"]] == [False, True]
    window.key("t")
    window.wait("both", lambda s: all(r["answered"] for r in s["disagreements"]))
    kept, taken = (row["segment"] for row in rows)
    window.wait("it saved", lambda s: taken in labelled(window, model_says))
    assert labelled(window, "balloon") == {kept}

    window.click("Review")
    window.click("Disagreements")
    window.wait("none", lambda s: s["label_tab"] == "Disagreements" and not s["disagreements"])
    window.key("ctrl+z", "ctrl+z")
    window.wait("both again", lambda s: len(s["disagreements"]) == 2)
    assert labelled(window, "balloon") == {kept, taken}
    window.key("b")
    window.wait("neither", lambda s: sum(r["answered"] for r in s["disagreements"]) == 1)
    window.wait("one left", lambda s: len(labelled(window, "balloon")) == 1)
    window.key("ctrl+z")
    window.wait("undone", lambda s: not any(r["answered"] for r in s["disagreements"]))
    assert labelled(window, "balloon") == {kept, taken}
    take_back(window, "balloon", 2)
