"""What stands in the sidebar in place of the button that adds, where nothing can be changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from src.gui.theme.theme import Theme
from src.gui.widgets.info_card import InfoCard
from src.gui.widgets.tooltip import Tooltip

# Two lines, whatever is said: what is below stays where it is.
_TEXT_HEIGHT = 44
TIP = (
    "You can look, search and export here, and change nothing. A search finds what another program "
    "has stored when it begins; lists, counts and the map follow within some seconds."
)


def reader_card(master: Any, theme: Theme, on_press: Callable[[], None]) -> InfoCard:
    """Return a card for as of when the library is shown, and what is known of its writer."""
    card = InfoCard(
        master, theme, on_press, arrow="down", wrap=176, padding=8, text_height=_TEXT_HEIGHT
    )
    Tooltip(card, theme, TIP)
    card.show("Read only", "Opening the library…")
    return card
