"""The keyboard in a grid of cards."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from src.gui.widgets.key_bindings import bind_key

if TYPE_CHECKING:
    from src.gui.cards.card_grid import CardGrid


class CardKeys:
    """Arrows move the focus, Enter opens, Space selects."""

    def __init__(self, grid: CardGrid) -> None:
        self._grid = grid
        bind = grid.canvas.bind
        for key, step in (("Left", -1), ("Right", 1)):
            bind_key(bind, f"<{key}>", partial(self._move, step))
        bind("<<TraverseIn>>", lambda _: self._arrive())
        bind_key(bind, "<Up>", lambda _: self._row(-1))
        bind_key(bind, "<Down>", lambda _: self._row(1))
        bind_key(bind, "<Prior>", lambda _: self._row(-grid.rows_seen))
        bind_key(bind, "<Next>", lambda _: self._row(grid.rows_seen))
        bind_key(bind, "<Home>", lambda _: self._move(-grid.count))
        bind_key(bind, "<End>", lambda _: self._move(grid.count))
        bind_key(bind, "<Return>", lambda _: self._open())
        bind_key(bind, "<KP_Enter>", lambda _: self._open())
        bind_key(bind, "<space>", lambda _: self._toggle())
        bind_key(bind, "<Control-a>", lambda _: self._select_all())

    def _arrive(self) -> None:
        """Show which card has the focus, now that Tab has reached the grid."""
        if self._grid.count and self._grid.focused is None:
            self._grid.focused = self._grid.first_seen
        self._grid.show_focus(True)
        self._grid.refresh()

    def _move(self, step: int, _event: object = None) -> str:
        focused = self._grid.focused
        return self._go(0 if focused is None else focused + step)

    def _row(self, rows: int) -> str:
        """Go up or down: not above the first row, nor past the last card."""
        focused = self._grid.focused
        return self._go(0 if focused is None else self._grid.layout.beside(focused, rows))

    def _go(self, card: int) -> str:
        grid = self._grid
        if grid.count:
            grid.focused = min(max(0, card), grid.count - 1)
            grid.show_focus(True)
            grid.scroll_to_card(grid.focused)
            grid.refresh()
        return "break"

    def _open(self) -> str:
        if self._grid.focused is not None:
            self._grid.actions.open(self._grid.focused)
        return "break"

    def _toggle(self) -> str:
        if self._grid.focused is not None:
            self._grid.toggle(self._grid.focused)
        return "break"

    def _select_all(self) -> str:
        if self._grid.actions.selected is not None:
            self._grid.select(frozenset(range(self._grid.count)))
        return "break"
