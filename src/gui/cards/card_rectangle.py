"""A rectangle that is dragged over the cards of a grid, and selects those that it touches."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from src.gui.cards.card_grid import CardGrid

_DRAG = 4  # from so many pixels on it is no click
_EDGE = 32  # so near to an edge, and beyond it, the cards are scrolled
_TICK_MS = 16
_SLOWEST, _FASTEST = 4, 60  # pixels a tick


class CardRectangle:
    """Begun on ground that is empty; the grid is scrolled where it is led to an edge."""

    def __init__(self, grid: CardGrid) -> None:
        self._grid = grid
        self._from: tuple[int, int] | None = None  # x, and y from the top of all cards
        self._at = (0, 0)  # where the pointer is on the Canvas
        self._item: int | None = None
        self._before: frozenset[int] = frozenset()  # what was selected when it was begun
        self._kept: frozenset[int] = frozenset()  # what stays selected beside what it touches
        self._made: frozenset[int] = frozenset()  # the selection that it has made last
        self._tick: str | None = None

    @property
    def is_drawn(self) -> bool:
        """Whether it is more than a click by now."""
        return self._item is not None

    def begin(self, at: tuple[int, int], adds: bool) -> None:
        """Begin it at a place on the Canvas.

        Args:
            adds: whether what is selected already stays so.
        """
        self._from, self._at = (at[0], at[1] + self._grid.place), at
        self._before = self._made = self._grid.selection
        self._kept = self._before if adds else frozenset()

    def lead_to(self, at: tuple[int, int]) -> None:
        """Draw it to where the pointer is, and select what it touches."""
        if self._from is None:
            return
        self._at = at
        if not self.is_drawn:
            dx, dy = at[0] - self._from[0], at[1] + self._grid.place - self._from[1]
            if max(abs(dx), abs(dy)) < self._grid.theme.px(_DRAG):
                return  # a hand that clicks may shake
            colours = self._grid.theme.colours
            width = max(1, self._grid.theme.px(1.5))
            self._item = self._grid.canvas.create_rectangle(
                0, 0, 0, 0, outline=colours.accent, width=width
            )
        self._select()
        if self._tick is None and self._speed():
            self._scroll()

    def end(self) -> bool:
        """Let go of it, with what it has selected; returns whether it was more than a click."""
        was_drawn = self.is_drawn
        self._from = None
        if self._tick is not None:
            self._grid.canvas.after_cancel(self._tick)
            self._tick = None
        if self._item is not None:
            self._grid.canvas.delete(self._item)
            self._item = None
        return was_drawn

    def cancel(self) -> bool:
        """Let go of it, with what was selected before; returns whether it was more than a click."""
        if not self.end():
            return False
        self._grid.select(self._before)
        return True

    def follow(self) -> None:
        """Select what it touches now: the cards under it have been scrolled, or are others."""
        if self.is_drawn:
            self._select()

    def _select(self) -> None:
        grid = self._grid
        if grid.selection != self._made:  # somebody else has changed it: the cards are others
            self._before = self._kept = grid.selection
        left, top, right, bottom = self._box()
        self._made = self._kept | grid.cards_in((left, top, right, bottom))
        # or the keys would be about a card that is not selected
        if self._made and grid.focused not in self._made:
            grid.focused = min(self._made)
        grid.select(self._made)
        self._place()

    def _box(self) -> tuple[int, int, int, int]:
        """Return its left, top, right and bottom; heights are from the top of all cards."""
        assert self._from is not None
        (x0, y0), (x1, y1) = self._from, (self._at[0], self._at[1] + self._grid.place)
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def _place(self) -> None:
        canvas, place = self._grid.canvas, self._grid.place
        left, top, right, bottom = self._box()
        assert self._item is not None
        canvas.coords(self._item, left, top - place, right, bottom - place)
        canvas.tag_raise(self._item)

    # -- at the edges

    def _speed(self) -> int:
        """Return by how much the cards are scrolled in a tick: more, the further it is led out."""
        height, edge = self._grid.canvas.winfo_height(), self._grid.theme.px(_EDGE)
        y = self._at[1]
        beyond = y - edge if y < edge else max(0, y - (height - edge))
        if not beyond:
            return 0
        speed = self._grid.theme.px(min(_FASTEST, max(_SLOWEST, abs(beyond) // 2)))
        return speed if beyond > 0 else -speed

    def _scroll(self) -> None:
        """Scroll a step, and again after a tick, as long as the pointer is at an edge."""
        self._tick = None
        speed, before = self._speed(), self._grid.place
        if not self.is_drawn or not speed:
            return
        self._grid.scroll_by(speed)
        if self._grid.place != before:
            self._select()
        self._tick = self._grid.canvas.after(_TICK_MS, self._scroll)
