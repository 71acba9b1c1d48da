"""Typing in the search: the hand is not held up by suggestions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from src.gui.core.session import Listeners
from src.gui.panel.panel import PanelContext
from src.gui.search.text_search_panel import TextSearchPanel
from src.gui.widgets.chips import ChipRow
from src.gui.widgets.overlay import Overlay
from tests.e2e.test_dialogs import overlay

__all__ = ["overlay"]

TYPED = "the big red dog barks"


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The chips of each drawing that was made."""
    made: list[list[str]] = []
    draw = ChipRow._draw

    def drawn(row: ChipRow) -> None:
        draw(row)
        made.append(row.shown)

    monkeypatch.setattr(ChipRow, "_draw", drawn)
    return made


@pytest.fixture
def panel(overlay: Overlay, drawings: list[list[str]]) -> TextSearchPanel:
    """The panel of a library with some tags, ready to be typed in."""
    session: Any = SimpleNamespace(signals=Listeners(), is_open=False, models_ready=False)
    nothing: Any = SimpleNamespace(want=lambda *_: None)
    work: Any = SimpleNamespace(changed=[], offer=None)
    root, theme = overlay.root, overlay.theme
    root.geometry("1000x600")
    context = PanelContext(root, theme, session, nothing, nothing)
    panel = TextSearchPanel(context, nothing, nothing, nothing, work)
    panel.pack(fill="both", expand=True)
    panel._counted({"red": 7, "black": 5, "barrel": 4})
    root.update()
    assert drawings[-1] == ["red", "black", "barrel"]
    panel.entry.field.focus_force()
    root.update()
    drawings.clear()
    return panel


def test_suggestions_are_drawn_once_when_the_hand_rests(
    panel: TextSearchPanel, drawings: list[list[str]]
) -> None:
    for character in TYPED:
        name = "space" if character == " " else character
        for kind in ("KeyPress", "KeyRelease"):
            panel.entry.field._entry.event_generate(f"<{kind}-{name}>")
    assert panel.entry.text == TYPED and not drawings
    while not drawings:
        panel.tk.dooneevent()
    panel.update()
    assert len(drawings) == 1
    panel.entry.set("something bla")
    while len(drawings) < 2:
        panel.tk.dooneevent()
    assert drawings[-1] == ["something black"]


def test_chips_are_chosen_by_pointer_and_by_keys(
    panel: TextSearchPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[str] = []
    row = panel.chips
    monkeypatch.setattr(row, "_on_click", chosen.append)
    left, top, width, height = row.box("black")
    row.event_generate("<Button-1>", x=left + width // 2, y=top + height // 2)
    row.event_generate("<Button-1>", x=left - 2, y=top)  # between two
    row.focus_force()
    row.update()
    for key in ("Right", "Right", "Right", "Return", "Left", "space"):
        row.event_generate(f"<KeyPress-{key}>")
    assert chosen == ["black", "barrel", "black"]
