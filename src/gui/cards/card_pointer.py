"""The pointer over a grid of cards."""

from __future__ import annotations

import sys
import tkinter
from typing import TYPE_CHECKING, NamedTuple

from src.gui.cards.card_rectangle import CardRectangle
from src.gui.widgets.key_bindings import CONTROL, SHIFT, bind_key

if TYPE_CHECKING:
    from src.gui.cards.card_grid import CardGrid

WHEEL_PX = 80
_TICK_PX = 34
_NO_CLICK = -1  # in the place of the card that was pressed


class Spot(NamedTuple):
    """What lies under the pointer: a card, and which part of it that does something of its own."""

    card: int
    button: bool = False
    tick: bool = False
    group: bool = False


class CardPointer:
    """A click opens, buttons in a card act, its corner and Ctrl select, Shift selects a range.

    A rectangle that is dragged from the ground beside the cards selects those that it touches.
    """

    def __init__(self, grid: CardGrid) -> None:
        self._grid = grid
        self._at: tuple[int, int] | None = None
        self._pressed: int | None = None
        self.rectangle = CardRectangle(grid)
        self.over: Spot | None = None
        bind = grid.canvas.bind
        for event in ("<Motion>", "<Enter>"):  # <Enter>, since a click moves nothing
            bind(event, lambda event: self._look((event.x, event.y)))
        bind("<Leave>", lambda _: self._look(None))
        bind("<Button-1>", self._press)
        bind("<B1-Motion>", self._drag)
        bind("<ButtonRelease-1>", self._release)
        bind_key(bind, "<Escape>", lambda _: self._escape())
        bind("<Button-2>" if sys.platform == "darwin" else "<Button-3>", self._menu)
        self.scroll_over(grid.canvas)

    def scroll_over(self, widget: tkinter.Misc) -> None:
        """Scroll the cards by the wheel over a widget."""
        grid, px = self._grid, self._grid.theme.px
        widget.bind("<MouseWheel>", lambda event: grid.scroll_by(-px(WHEEL_PX) * _steps(event)))
        widget.bind("<Button-4>", lambda _: grid.scroll_by(-px(WHEEL_PX)))
        widget.bind("<Button-5>", lambda _: grid.scroll_by(px(WHEEL_PX)))

    def refresh(self) -> None:
        """Look again at what is under the pointer: the cards have moved."""
        self.rectangle.follow()
        self._look(self._at)

    def _look(self, at: tuple[int, int] | None) -> None:
        self._at = at
        over = None if at is None or self.rectangle.is_drawn else self._spot(*at)
        if over != self.over:
            self.over = over
            self._grid.canvas.configure(cursor="hand2" if over else "")
            self._grid.refresh()

    def _spot(self, x: int, y: int) -> Spot | None:
        grid = self._grid
        card = grid.card_at(x, y)
        if card is None:
            return None
        left, top, _, _ = grid.box(card)
        size, reach = grid.size, grid.theme.px(_TICK_PX)
        view = grid.view(card)
        box, group = grid.painter.button_box(view, size), grid.painter.group_box(view, size)
        at = x - left + size.margin, y - top + size.margin
        over = box is not None and _inside(box[0], at)
        in_corner = x - left <= reach and y - top <= reach
        return Spot(card, over, in_corner, group is not None and _inside(group, at))

    def _press(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self._grid.canvas.focus_set()
        self._pressed = self._grid.card_at(event.x, event.y)
        if self._pressed is None and self._grid.actions.selected is not None:
            self.rectangle.begin((event.x, event.y), bool(int(event.state) & (SHIFT | CONTROL)))

    def _drag(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self.rectangle.lead_to((event.x, event.y))

    def _escape(self) -> str | None:
        """Take a rectangle back; what is released then is no click."""
        if not self.rectangle.cancel():
            return None
        self._pressed = _NO_CLICK
        return "break"

    def _release(self, event: tkinter.Event[tkinter.Misc]) -> None:
        grid = self._grid
        if self.rectangle.end():
            self._look((event.x, event.y))
            return
        pressed, self._pressed = self._pressed, None
        if grid.card_at(event.x, event.y) != pressed:
            return  # released elsewhere than pressed: cancelled
        grid.show_focus(False)
        spot = self._spot(event.x, event.y)
        if spot is None:
            grid.select(frozenset())
            return
        card, before = spot.card, grid.focused
        grid.focused = card
        selects, state = grid.actions.selected is not None, int(event.state)
        if spot.button and grid.actions.button is not None:
            grid.actions.button(card)
        elif spot.group and grid.actions.group is not None:
            grid.actions.group(card)
        elif selects and state & SHIFT:
            low, high = sorted((card if before is None else before, card))
            grid.select(grid.selection | frozenset(range(low, high + 1)))
        elif selects and (state & CONTROL or grid.selection or spot.tick):
            grid.toggle(card)
        else:
            (grid.actions.click or grid.actions.open)(card)
        grid.refresh()

    def _menu(self, event: tkinter.Event[tkinter.Misc]) -> None:
        grid = self._grid
        card = grid.card_at(event.x, event.y)
        if card is not None and grid.actions.menu is not None:
            grid.canvas.focus_set()
            grid.focused = card
            grid.actions.menu(card, event.x_root, event.y_root)


def _steps(event: tkinter.Event[tkinter.Misc]) -> float:
    return event.delta / (1 if sys.platform == "darwin" else 120)


def _inside(box: tuple[int, int, int, int], at: tuple[int, int]) -> bool:
    return box[0] <= at[0] <= box[2] and box[1] <= at[1] <= box[3]
