"""Typing in the search: the hand is not held up by suggestions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from src.gui.core.known_labels import KnownLabels
from src.gui.core.session import Listeners
from src.gui.panel.panel import PanelContext
from src.gui.search.search_panel import SearchPanel
from src.gui.widgets.completion_list import CompletionList
from src.gui.widgets.overlay import Overlay
from src.search.completion import Names, SearchFacts
from tests.e2e.test_dialogs import overlay

__all__ = ["overlay"]

TYPED = "the big red dog ba"


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The suggestions of each drawing that was made."""
    made: list[list[str]] = []
    draw = CompletionList._draw

    def drawn(shown: CompletionList) -> None:
        draw(shown)
        made.append([each.text for each in shown.suggestions])

    monkeypatch.setattr(CompletionList, "_draw", drawn)
    return made


@pytest.fixture
def panel(overlay: Overlay, drawings: list[list[str]]) -> SearchPanel:
    """The panel of a library with some tags, ready to be typed in."""
    session: Any = SimpleNamespace(
        read_only=False,
        only_to_write=lambda *_: None,
        signals=Listeners(),
        is_open=False,
        models_ready=False,
        tell_content_changed=lambda: None,
    )
    nothing: Any = SimpleNamespace(want=lambda *_: None, open_timeline=lambda *_: None)
    work: Any = SimpleNamespace(changed=[], offer=None)
    root, theme = overlay.root, overlay.theme
    root.geometry("1000x600")
    context = PanelContext(root, theme, session, nothing, nothing, KnownLabels(session))
    panel = SearchPanel(context, nothing, nothing, work, nothing, nothing, nothing)
    panel.pack(fill="both", expand=True)
    panel.suggestions.know(SearchFacts(Names({"red": 7, "black": 5, "barrel": 4}.items())))
    root.update()
    assert panel.suggestions.chips.shown == ["red", "black", "barrel"]
    panel.entry.field.focus_force()
    root.update()
    drawings.clear()
    return panel


def keys(panel: SearchPanel, *names: str) -> None:
    for name in names:
        for kind in ("KeyPress", "KeyRelease"):
            panel.entry.field._entry.event_generate(f"<{kind}-{name}>")


def rests(panel: SearchPanel, drawings: list[list[str]]) -> list[str]:
    """Wait until suggestions are drawn."""
    while not drawings:
        panel.tk.dooneevent()
    return drawings.pop()


def test_suggestions_are_drawn_once_when_the_hand_rests(
    panel: SearchPanel, drawings: list[list[str]]
) -> None:
    keys(panel, *("space" if character == " " else character for character in TYPED))
    assert panel.entry.text == TYPED and not drawings
    assert rests(panel, drawings) == ["tag:barrel"] and not drawings


def test_a_suggestion_is_chosen_by_keys_and_by_the_pointer(
    panel: SearchPanel, drawings: list[list[str]]
) -> None:
    keys(panel, "k", "i", "n")
    assert "kind:" in rests(panel, drawings)
    keys(panel, "Tab")
    assert panel.entry.text == "kind:"
    assert "object" in rests(panel, drawings), "the values follow the field"
    keys(panel, "Down", "Down", "Up", "Return")
    chosen = panel.entry.text
    assert chosen.startswith("kind:") and chosen.endswith(" ")
    panel.entry.set("")
    keys(panel, "r", "e")
    drawings.clear()
    rests(panel, drawings)
    shown = panel.suggestions.list
    panel.update()
    left, top, width, height = shown.row(0)
    shown.event_generate("<Button-1>", x=left + width // 2, y=top + height // 2)
    assert panel.entry.text == "tag:red "
    keys(panel, "b", "a")
    drawings.clear()
    rests(panel, drawings)
    keys(panel, "Escape")
    assert not shown.is_open and panel.entry.text == "tag:red ba"


def test_chips_are_chosen_by_pointer_and_by_keys(
    panel: SearchPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[str] = []
    row = panel.suggestions.chips
    monkeypatch.setattr(row, "_on_click", chosen.append)
    left, top, width, height = row.box("black")
    row.event_generate("<Button-1>", x=left + width // 2, y=top + height // 2)
    row.event_generate("<Button-1>", x=left - 2, y=top)  # between two
    row.focus_force()
    row.update()
    for key in ("Right", "Right", "Right", "Return", "Left", "space"):
        row.event_generate(f"<KeyPress-{key}>")
    assert chosen == ["black", "barrel", "black"]
