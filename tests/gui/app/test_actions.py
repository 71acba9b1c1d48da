"""What can be done in the window is listed once, without a window."""

from __future__ import annotations

from src.config import APPLICATION_FOLDER
from src.gui.app.actions import actions, key_sequence, shortcuts, sidebar_rows
from src.gui.app.panel_list import PANELS


def test_keys_are_those_of_tk() -> None:
    assert key_sequence("Ctrl O") == "<Control-o>"
    assert key_sequence("Ctrl ,") == "<Control-comma>"
    assert key_sequence("Page Up") == "<Prior>" and key_sequence("Page Down") == "<Next>"
    assert key_sequence("Escape") == "<Escape>" and key_sequence("F11") == "<F11>"
    assert key_sequence("Ctrl Shift Z") == "<Control-Shift-Z>"


def test_nothing_is_declared_twice() -> None:
    keys = [keys for keys, _ in shortcuts()]
    assert len(set(keys)) == len(keys)
    names = [action.key for action in actions()]
    assert len(set(names)) == len(names)
    assert len({spec.key for spec in PANELS}) == len(PANELS)


def test_the_sidebar_has_the_panels_then_what_else_has_a_row() -> None:
    rows = [action.name for action in sidebar_rows()]
    assert rows == ["Library", "Search by Tag", "Search by Image", "Export Dataset"]


def test_readme_names_all_keys() -> None:
    readme = (APPLICATION_FOLDER / "README.md").read_text(encoding="utf-8")
    for keys, name in shortcuts():
        written = keys.replace("Ctrl ", "Ctrl+").replace(",", "comma")
        assert written in readme, name
