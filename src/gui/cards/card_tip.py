"""What a card says in full, where its lines are cut, and what its number counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src.gui.theme.theme import NORMAL, SMALL
from src.gui.widgets.tooltip import Tooltip

if TYPE_CHECKING:
    from src.gui.cards.card_grid import CardGrid


class CardTip:
    """A tooltip under the card that the pointer is over."""

    def __init__(self, grid: CardGrid) -> None:
        self._grid = grid
        self._tip = Tooltip(grid.canvas, grid.theme, "")
        self._card: int | None = None

    def refresh(self) -> None:
        """Show it for the card that is under the pointer now, where there is more to say."""
        grid = self._grid
        over = grid.pointer_over
        card = None if over is None or over >= grid.count else over
        if card != self._card:
            self._card = card
            words = "" if card is None else self._cut_words(card)
            alike = 0 if card is None else grid.view(card).alike
            text = "\n".join(filter(None, (words, counted_in(alike))))
            left, _, _, bottom = (0, 0, 0, 0) if card is None else grid.box(card)
            self._tip.say(text, (left, bottom + grid.size.text_height))

    def _cut_words(self, card: int) -> str:
        """Return what a card's lines say in full, where one of them is cut; else nothing."""
        grid = self._grid
        view, width = grid.view(card), grid.size.thumb_wh[0]
        normal = grid.theme.canvas_font(grid, NORMAL)
        small = grid.theme.canvas_font(grid, SMALL)
        fits = normal.measure(view.name) <= width and small.measure(view.facts) <= width
        return "" if fits else f"{view.name}\n{view.facts}".strip()


def counted_in(alike: int) -> str:
    """Say what the number on a card counts; "" where it has none.

    Args:
        alike: how many hits the card stands for beside its own.
    """
    if not alike:
        return ""
    return f"{alike + 1:,} hits of one thing, weaker ones too.\nClick the number to see each."
