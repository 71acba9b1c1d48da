"""Where keys lead in a grid of cards, without a window."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from src.gui.cards.card_keys import CardKeys
from src.gui.cards.grid_layout import GridLayout
from tests.gui.key_event import PRESSED


class Grid(SimpleNamespace):
    """What CardKeys asks of a grid: 5 columns, and as many cards as a test wants."""

    def __init__(self, count: int, focused: int | None = None) -> None:
        self.bound: dict[str, Callable[[object], object]] = {}
        canvas = SimpleNamespace(bind=self.bound.__setitem__)
        super().__init__(
            canvas=canvas,
            layout=GridLayout(count, columns=5, pitch=100),
            rows_seen=3,
            count=count,
            focused=focused,
            first_seen=0,
            bound=self.bound,
            show_focus=lambda seen: None,
            scroll_to_card=lambda card: None,
            refresh=lambda: None,
        )
        CardKeys(self)  # type: ignore[arg-type]

    def press(self, key: str) -> int | None:
        self.bound[f"<{key}>"](PRESSED)
        focused: int | None = self.focused
        return focused


@pytest.mark.parametrize(
    ("count", "at", "key", "to"),
    [
        (12, None, "Right", 0),
        (12, 3, "Right", 4),
        (12, 0, "Left", 0),
        (12, 7, "Up", 2),
        (12, 2, "Up", 2),
        (12, 8, "Down", 11),
        (12, 11, "Down", 11),
        (12, 3, "Next", 11),
        (12, 11, "Prior", 0),
        (12, 7, "Home", 0),
        (12, 7, "End", 11),
        (5, 2, "Home", 0),  # one full row: as many cards as columns
        (5, 2, "End", 4),
        (0, None, "Down", None),
    ],
)
def test_keys_lead_where_they_should(count: int, at: int | None, key: str, to: int | None) -> None:
    assert Grid(count, at).press(key) == to
