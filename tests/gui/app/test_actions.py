"""What can be done in the window is listed once, without a window."""

from __future__ import annotations

import tkinter
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from src.config import APPLICATION_FOLDER
from src.gui.app.actions import (
    ACTIONS,
    Action,
    actions,
    hint,
    key_sequence,
    menu_actions,
    shortcuts,
    sidebar_rows,
)
from src.gui.app.panel_list import PANELS
from src.gui.app.panels import Panels
from src.gui.library.chosen_card import ChosenCard
from src.gui.library.library_panel import CARD_MENU


class Root(SimpleNamespace):
    """A window of which one thing has the keyboard."""

    def focus_get(self) -> Any:
        return self.focus


class Typed(tkinter.Entry):
    """An entry without a screen."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get(self) -> str:
        return self.text


@pytest.mark.parametrize(
    ("focus", "is_undone"), [(Typed("dog"), False), (Typed(""), True), (None, True)]
)
def test_what_was_done_is_undone_from_an_entry_that_is_empty_alone(
    focus: object, is_undone: bool
) -> None:
    panels = Panels.__new__(Panels)
    panels._root = Root(focus=focus)
    window: Any = SimpleNamespace(panels=panels)
    for action in (each for each in ACTIONS if each.key in ("undo", "redo")):
        assert action.enabled(window) is is_undone


def test_keys_are_those_of_tk() -> None:
    assert key_sequence("Ctrl O") == "<Control-o>"
    assert key_sequence("Ctrl ,") == "<Control-comma>"
    assert key_sequence("Page Up") == "<Prior>" and key_sequence("Page Down") == "<Next>"
    assert key_sequence("Escape") == "<Escape>" and key_sequence("F11") == "<F11>"
    assert key_sequence("Ctrl Shift Z") == "<Control-Shift-Z>"


def test_nothing_is_declared_twice() -> None:
    keys = [action.keys for action in shortcuts()]
    assert len(set(keys)) == len(keys)
    names = [action.key for action in actions()]
    assert len(set(names)) == len(names)
    assert len({spec.key for spec in PANELS}) == len(PANELS)


def test_the_sidebar_has_the_panels_then_what_else_has_a_row() -> None:
    rows = [action.name for action in sidebar_rows()]
    panels = ["Library", "Search by Tag", "Search by Image", "Label", "Map", "Duplicates"]
    assert rows == [*panels, "Export Dataset"]


def test_readme_names_all_keys() -> None:
    readme = (APPLICATION_FOLDER / "README.md").read_text(encoding="utf-8")
    for action in shortcuts():
        written = action.keys.replace(",", "comma")
        for modifier in ("Ctrl", "Shift"):
            written = written.replace(f"{modifier} ", f"{modifier}+")
        assert written in readme, action.name


def test_a_window_that_only_reads_has_no_action_that_writes() -> None:
    window = window_with(chosen("failed", True, True, []))
    assert "Retry" in [action.name for action in menu_actions(CARD_MENU, window)]
    window.session.read_only = True
    names = [action.name for action in menu_actions(CARD_MENU, window)]
    assert names == ["Show error", "Show in folder"]
    for key in ("add", "settings", "label", "remove-selected", "edit-mask", "rename-search"):
        action = next(each for each in actions() if each.key == key)
        assert action.writes and not action.can_run(window)
    others = {"library", "map", "duplicates", "export", "paste", "open-hit", "save-crops"}
    assert not any(each.writes for each in actions() if each.key in others)


def window_with(card: ChosenCard | None) -> Any:
    panels = SimpleNamespace(library=SimpleNamespace(chosen=card))
    return SimpleNamespace(panels=panels, session=SimpleNamespace(read_only=False))


def chosen(status: str, is_stopped: bool, is_missing: bool, done: list[Any]) -> ChosenCard:
    """A card with a poster; what is done with it is written down."""
    media: Any = SimpleNamespace(id=7, path=Path("photo.jpg"), status=status)
    card: Any = SimpleNamespace(media=media, poster=Path("crop.jpg"))
    names = "open show_failure retry remove remove_missing show_in_folder".split()

    def writes(name: str) -> Any:
        return lambda *given: done.append((name, *given))

    actions: Any = SimpleNamespace(**{name: writes(name) for name in names})
    return ChosenCard(card, is_stopped, is_missing, actions)


LABEL, COPY, ALWAYS = "Label…", "Copy image", ["Show in folder", "Remove from library…"]


@pytest.mark.parametrize(
    ("status", "is_stopped", "is_missing", "names"),
    [
        ("done", False, False, ["Open", LABEL, COPY, *ALWAYS]),
        ("done", False, True, ["Open", LABEL, COPY, *ALWAYS, "Remove all missing files…"]),
        ("pending", True, False, ["Open", LABEL, "Continue with this file", COPY, *ALWAYS]),
        ("failed", False, False, ["Show error", "Retry", *ALWAYS]),
    ],
)
def test_a_cards_menu_holds_what_can_be_done_with_it(
    status: str, is_stopped: bool, is_missing: bool, names: Sequence[str]
) -> None:
    window = window_with(chosen(status, is_stopped, is_missing, []))
    assert [action.name for action in menu_actions(CARD_MENU, window)] == names
    assert menu_actions(CARD_MENU, window_with(None)) == []


def test_the_entries_of_a_cards_menu_are_about_that_card() -> None:
    done: list[Any] = []
    window = window_with(chosen("failed", False, True, done))
    for action in menu_actions(CARD_MENU, window):
        action.run(window)
    path = Path("photo.jpg")
    assert [name for name, *_ in done] == (
        "show_failure retry show_in_folder remove remove_missing".split()
    )
    assert done[1:4] == [("retry", [path]), ("show_in_folder", path), ("remove", [7])]


def test_an_action_is_in_the_menu_and_has_its_keys_by_one_registration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rotate = Action("rotate", "Rotate", lambda _: None, "Ctrl R", menu=CARD_MENU)
    monkeypatch.setattr("src.gui.app.actions.ACTIONS", [*ACTIONS, rotate])
    assert rotate in menu_actions(CARD_MENU, window_with(None))
    assert rotate in shortcuts() and key_sequence(rotate.keys) == "<Control-r>"
    assert hint("rotate") == "Rotate (Ctrl R)"


def test_buttons_say_the_keys_of_what_they_do() -> None:
    assert hint("next") == "Next (Page Down)" and hint("previous") == "Previous (Page Up)"
