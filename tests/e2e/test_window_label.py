"""Labelling in the real window: by keys alone, in bulk, taken back, and kept."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.desktop import Start, State, Window

LABEL = "red circle"


def to_the_labels(window: Window) -> None:
    """Go to the panel by its key."""
    window.wait("the models", lambda s: s["models_ready"])
    window.key("ctrl+l")
    window.wait("the panel", lambda s: s["panel"] == "label")


def answers(state: State) -> list[str]:
    return [card["answer"] for card in state["cards"]]


def is_saved(state: State) -> bool:
    return not state["label"]["saving"] and not state["label"]["ranking"]


def wait_answers(window: Window, *wanted: str) -> None:
    """Wait until the first cards have these answers, and all is saved and ranked."""
    window.wait_still(
        f"the answers {wanted}",
        lambda s: is_saved(s) and answers(s)[: len(wanted)] == list(wanted),
    )


def wait_count(window: Window, name: str, count: int) -> None:
    window.wait_still(
        f"{count} of {name}",
        lambda s: s["label"]["rows"].get(name, {}).get("count") == count,
    )


def test_a_label_is_given_by_keys_alone_and_kept(
    start: Start, filled: Path, tmp_path: Path
) -> None:
    library = shutil.copytree(filled, tmp_path / "library")
    window = start(library)
    to_the_labels(window)
    window.wait_text("Make your first label", "New label")
    window.key("Return")
    window.screen.wait_still()
    window.type(LABEL)
    window.key("Return")
    window.wait_still("candidates", lambda s: s["cards"] and s["label"]["focused"] == 0)
    assert window.state()["label"]["chosen"] == LABEL

    window.key("a", "x", "a")
    wait_answers(window, "accepted", "rejected", "accepted", "")
    wait_count(window, LABEL, 2)
    window.key("ctrl+z", "ctrl+z")
    wait_answers(window, "accepted", "", "", "")
    window.key("ctrl+shift+z")
    wait_answers(window, "accepted", "rejected", "", "")
    wait_count(window, LABEL, 1)

    window.key("Home", "Down")
    columns = window.wait_still("another row", lambda s: s["label"]["focused"])
    window.key("shift+a")
    row = ["accepted"] * columns
    first = ["accepted", "rejected", *[""] * (columns - 2)]
    window.wait_still(
        "an accepted row",
        lambda s: is_saved(s) and answers(s)[: 2 * columns] == first + row,
    )
    wait_count(window, LABEL, 1 + columns)
    window.key("ctrl+z")
    window.wait_still("no row", lambda s: is_saved(s) and answers(s)[: 2 * columns] != first + row)
    wait_count(window, LABEL, 1)
    window.key("ctrl+shift+z")
    wait_count(window, LABEL, 1 + columns)

    key = window.state()["cards"][0]["key"]
    window.key("Home", "Return")
    window.wait_still("the segment", lambda s: s["panel"] == "detail" and s["segment"] == key)
    window.wait_text(LABEL)
    window.key("Escape")
    window.wait_still(
        "the cards again", lambda s: s["panel"] == "label" and s["label"]["focused"] == 0
    )
    wait_answers(window, "accepted", "rejected")
    window.close()

    window = start(library)
    to_the_labels(window)
    wait_count(window, LABEL, 1 + columns)
    window.wait_still("candidates", lambda s: s["cards"] and is_saved(s))
    assert key not in [card["key"] for card in window.state()["cards"]]

    window.click_at(window.state()["label"]["rows"][LABEL]["box"], button=3)
    window.screen.wait_still()
    window.key("Down", "Up", "Return")  # the last entry deletes
    window.wait_still("no label", lambda s: LABEL not in s["label"]["rows"])
    said = f"“{LABEL}” removed from {1 + columns} segments."
    assert window.state()["label"]["said"] == said and not window.state()["dialog"]
    window.click("Undo")
    wait_count(window, LABEL, 1 + columns)
