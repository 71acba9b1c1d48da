"""The Canvas items that show one card of a grid."""

from __future__ import annotations

import tkinter

from PIL import ImageTk

from src.gui.cards.card_view import CardSize, CardView
from src.gui.theme.theme import NORMAL, SMALL, Theme, shorten


class CardSlot:
    """A place on the screen; as the grid is scrolled, other cards come into it.

    Attributes:
        photo: the picture of the card, of size.slot_wh.
        shows: what is drawn in it; None for nothing.
    """

    def __init__(self, canvas: tkinter.Canvas, theme: Theme, size: CardSize) -> None:
        self._canvas, self._theme, self._size = canvas, theme, size
        self.photo = ImageTk.PhotoImage("RGB", size.slot_wh)
        self.items = [
            canvas.create_image(0, 0, image=self.photo, anchor="nw"),
            canvas.create_text(0, 0, anchor="w"),
            canvas.create_text(0, 0, anchor="w"),
            canvas.create_text(0, 0, anchor="e"),
        ]
        self.shows: tuple[object, ...] | None = None

    def hide(self) -> None:
        self.shows = None
        for item in self.items:
            self._canvas.coords(item, -10000, -10000)

    def write(self, view: CardView) -> None:
        """Write a card's lines: its name, its facts, and how strong it is or its mark."""
        if not self._size.text_height:
            return
        canvas, theme = self._canvas, self._theme
        colours, width = theme.colours, self._size.thumb_wh[0]
        normal, small = theme.canvas_font(canvas, NORMAL), theme.canvas_font(canvas, SMALL)
        _, name, facts, strength = self.items
        shown = shorten(view.name, normal, width)
        canvas.itemconfigure(name, text=shown, font=normal, fill=colours.text)
        shown, ink = shorten(view.facts, small, width, tail=0), getattr(colours, view.facts_colour)
        canvas.itemconfigure(facts, text=shown, font=small, fill=ink)
        canvas.itemconfigure(strength, text=view.mark or _how_strong(view), font=small)
        ink, anchor = (colours.accent, "w") if view.mark else (colours.text_2, "e")
        canvas.itemconfigure(strength, fill=ink, anchor=anchor)

    def place(self, x: int, y: int, view: CardView) -> None:
        """Move it to a place on the Canvas, by its top left corner."""
        px, m, coords = self._theme.px, self._size.margin, self._canvas.coords
        width, height = self._size.thumb_wh
        left, top = x + m, y + m + height
        first_line = top + px(18 if view.score is None and not view.mark else 38)
        picture, name, facts, strength = self.items
        coords(picture, x, y)
        coords(name, left, first_line)
        coords(facts, left, first_line + px(18))
        coords(strength, left if view.mark else left + width, top + px(16))


def _how_strong(view: CardView) -> str:
    if view.strength is not None:
        return f"{view.strength:.0%}"
    return "" if view.score is None else f"{view.score:.2f}"
