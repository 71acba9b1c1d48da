"""A grid of cards on one Canvas: as many items as are seen, however many cards there are."""

from __future__ import annotations

import tkinter
from math import ceil, floor
from typing import Literal

from src.gui.cards.card_keys import CardKeys
from src.gui.cards.card_pointer import CardPointer
from src.gui.cards.card_slot import CardSlot
from src.gui.cards.card_tip import CardTip
from src.gui.cards.card_view import (
    MARGIN,
    CardActions,
    CardFlags,
    CardPainter,
    CardSize,
    CardSource,
    CardView,
)
from src.gui.cards.grid_layout import GridLayout
from src.gui.core.thumbnails import Thumbnails
from src.gui.theme.theme import LEFT, RIGHT, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.scrolled import scrollbar

GAP = 16
WISH = 184
CardKind = Literal["media", "hit", "crop"]
# Of each kind: the height of its words, and the gap to the next row.
_TEXT_HEIGHT = {"media": 44, "hit": 64, "crop": 0}
_ROW_GAP = {"media": 24, "hit": 20, "crop": GAP}


class CardGrid(ctk.CTkFrame):
    """Cards in as many columns as fit, scrolled by rows of pixels."""

    def __init__(
        self,
        master: tkinter.Misc,
        theme: Theme,
        painter: CardPainter,
        thumbnails: Thumbnails,
        actions: CardActions,
        kind: CardKind = "media",
        margins: tuple[int, int] = (LEFT, RIGHT),
        wish: int = WISH,
    ) -> None:
        super().__init__(master, fg_color=theme.colours.window, corner_radius=0)
        self.theme, self.painter, self.thumbnails, self.actions = (
            theme,
            painter,
            thumbnails,
            actions,
        )
        self.wish = wish
        self._kind, self._margins = kind, margins
        self._source: CardSource | None = None
        self._offset = 0
        self._split: int | None = None
        self.band: tkinter.Misc | None = None  # lies across the grid where cards are split
        self._band: tuple[int, int] | None = None  # its item on the Canvas, and its height
        self._slots: list[CardSlot] = []
        self._selected: set[int] = set()
        self.focused: int | None = None
        self._focus_seen = False
        self._redraw_waits = False
        self.canvas = tkinter.Canvas(
            self, bg=theme.colours.window, highlightthickness=0, bd=0, takefocus=1
        )
        self.canvas.pack(fill="both", expand=True)
        self._bar = scrollbar(self, theme, self._scroll_command)
        self._bar_shown = False
        self._measure(1)
        CardKeys(self)
        self._pointer = CardPointer(self)
        self._tip = CardTip(self)
        self.canvas.bind("<Configure>", self._resized)
        self.canvas.bind("<FocusIn>", lambda _: self.refresh())
        self.canvas.bind("<FocusOut>", lambda _: self.show_focus(False))

    # -- what is shown

    def show(self, source: CardSource, keep_place: bool = False, split: int | None = None) -> None:
        """Show other cards, from the top unless the place is to be kept.

        Args:
            split: how many of them lie above the band; None hides it.
        """
        self._source, self._split = source, split
        if not keep_place:
            self._pointer.rectangle.end()
            self._offset, self.focused = 0, None
            self.select(frozenset())
        elif self.focused is not None and self.focused >= len(source):
            self.focused = len(source) - 1 if len(source) else None
        self.refresh()

    def refresh(self) -> None:
        """Draw again what is seen, soon; many calls make one drawing."""
        if not self._redraw_waits:
            self._redraw_waits = True
            self.after_idle(self._redraw)

    def return_to(self, card: int | None) -> None:
        """Return the keyboard to the card that was opened; None for the one it had."""
        if card is not None and card != self.focused and card < self.count:
            self.focused = card
            self.scroll_to_card(card)
        self.canvas.focus_set()
        self.show_focus(True)

    def set_band(self, band: tkinter.Misc, height: int) -> None:
        """Give the widget that lies across the grid where cards are split; its master is `canvas`.

        Args:
            height: in device pixels.
        """
        item = self.canvas.create_window(0, 0, window=band, anchor="nw", height=height)  # type: ignore[call-overload]
        self.band, self._band = band, (item, height)
        self._pointer.scroll_over(band)

    @property
    def place(self) -> int:
        """How far it is scrolled, in device pixels."""
        return self._offset

    def scroll_to(self, place: int) -> None:
        """Scroll to a place that it had before."""
        self._offset = place
        self.refresh()

    def set_wish(self, width: int) -> None:
        """Set the card width wished for, keeping the card at the top where it is."""
        top = self.first_seen
        self.wish = width
        self._measure(self.canvas.winfo_width())
        self._offset = self.layout.top(top)
        self.refresh()

    @property
    def pointer_over(self) -> int | None:
        """The card under the pointer."""
        over = self._pointer.over
        return None if over is None else over.card

    @property
    def waits(self) -> bool:
        """Whether a drawing is still to come."""
        return self._redraw_waits

    @property
    def count(self) -> int:
        return 0 if self._source is None else len(self._source)

    @property
    def selection(self) -> frozenset[int]:
        return frozenset(self._selected)

    def select(self, cards: frozenset[int]) -> None:
        if cards != self._selected:
            self._selected = set(cards)
            if self.actions.selected is not None:
                self.actions.selected(cards)
            self.refresh()

    def toggle(self, card: int) -> None:
        if self.actions.selected is not None:
            self.select(self.selection ^ {card})

    def visible(self) -> list[tuple[int, CardView, tuple[int, int, int, int]]]:
        """List the cards that are seen: number, view, box of the thumbnail on the Canvas."""
        first, last = self._seen()
        views = [] if self._source is None else self._source.views(first, last)
        return [(card, view, self.box(card)) for card, view in enumerate(views, start=first)]

    def view(self, card: int) -> CardView:
        """Return what a card shows; there is one of that number."""
        assert self._source is not None
        return self._source.views(card, card + 1)[0]

    # -- geometry, in device pixels

    def _measure(self, width: int) -> None:
        px = self.theme.px
        left, right = self._margins
        inside = max(1, width - px(left) - px(right))
        # one more column where its cards are hardly narrower than wished for
        self._columns = max(1, int((inside + px(GAP)) / px(self.wish + GAP) + 0.1))
        cell = (inside - (self._columns - 1) * px(GAP)) / self._columns
        shape = 1 if self._kind == "crop" else 3 / 4
        thumb_wh = max(8, int(cell)), max(6, round(cell * shape))
        text = px(_TEXT_HEIGHT[self._kind])
        self.size = CardSize(thumb_wh, text, px(MARGIN))
        self._step = cell + px(GAP)
        self._pitch = thumb_wh[1] + text + px(_ROW_GAP[self._kind])
        for slot in self._slots:
            self.canvas.delete(*slot.items)
        self._slots.clear()

    @property
    def layout(self) -> GridLayout:
        """Where the cards lie."""
        band = 0 if self._band is None else self._band[1]
        return GridLayout(self.count, self._columns, self._pitch, self._split, band)

    def _at(self, card: int) -> tuple[int, int]:
        """Return the top left corner of a card's slot on the Canvas."""
        layout = self.layout
        left = self.theme.px(self._margins[0]) - self.size.margin
        x = left + layout.place(card)[1] * self._step
        return round(x), layout.top(card) - self._offset

    def box(self, card: int) -> tuple[int, int, int, int]:
        """Return the box of a card's thumbnail on the Canvas: left, top, right, bottom."""
        x, y = self._at(card)
        width, height = self.size.thumb_wh
        m = self.size.margin
        return x + m, y + m, x + m + width, y + m + height

    def card_at(self, x: int, y: int) -> int | None:
        """Return the card whose thumbnail or words lie at a place on the Canvas."""
        for card in range(*self._seen()):
            left, top, right, bottom = self.box(card)
            if left <= x <= right and top <= y <= bottom + self.size.text_height:
                return card
        return None

    def cards_in(self, box: tuple[int, int, int, int]) -> frozenset[int]:
        """Return the cards that a box touches, their words too.

        Args:
            box: left, top, right and bottom; heights are from the top of all cards.
        """
        layout, margin, (width, height) = self.layout, self.size.margin, self.size.thumb_wh
        left, top, right, bottom = box
        x = self.theme.px(self._margins[0])
        columns = range(
            max(0, ceil((left - x - width) / self._step)),
            min(self._columns, floor((right - x) / self._step) + 1),
        )
        return layout.within(
            layout.rows_in(top - margin, bottom - margin, height + self.size.text_height), columns
        )

    @property
    def first_seen(self) -> int:
        return self._seen()[0]

    @property
    def columns(self) -> int:
        return self._columns

    @property
    def rows_seen(self) -> int:
        return max(1, self.canvas.winfo_height() // self._pitch)

    def _bottom(self) -> int:
        """Return the largest offset."""
        content = self.layout.height + self.size.margin
        return max(0, content - self.canvas.winfo_height())

    def _seen(self) -> tuple[int, int]:
        top = max(0, self._offset - self.size.margin)
        return self.layout.seen(top, self._offset + self.canvas.winfo_height())

    # -- drawing

    def _redraw(self) -> None:
        self._redraw_waits = False
        if self._source is None or self.canvas.winfo_width() <= 1:
            return
        self._offset = min(max(0, self._offset), self._bottom())
        first, last = self._seen()
        views = self._source.views(first, last)
        self.thumbnails.want(
            self, [(view.thumbnail, self.size.thumb_wh) for view in views if view.thumbnail]
        )
        need = (self.canvas.winfo_height() // self._pitch + 3) * self._columns
        while len(self._slots) < need:
            self._slots.append(CardSlot(self.canvas, self.theme, self.size))
        used = set()
        for card, view in enumerate(views, start=first):
            slot = self._slots[card % len(self._slots)]
            used.add(card % len(self._slots))
            self._fill(slot, card, view)
        for number, slot in enumerate(self._slots):
            if number not in used and slot.shows is not None:
                slot.hide()
        self._place_band()
        self._draw_bar()
        self._pointer.refresh()
        self._tip.refresh()
        if last == self.count and self.actions.end_seen is not None:
            self.actions.end_seen()

    def _fill(self, slot: CardSlot, card: int, view: CardView) -> None:
        x, y = self._at(card)
        over = self._pointer.over
        spot = over if over is not None and over.card == card else None
        flags = CardFlags(
            hover=spot is not None,
            focus=self.focused == card and self._focus_seen,
            selected=card in self._selected,
            selecting=self.actions.selected is not None,
            button_hover=spot is not None and spot.button,
            group_hover=spot is not None and spot.group,
        )
        source = view.thumbnail
        picture = None if source is None else self.thumbnails.get(source, self.size.thumb_wh)
        shows = (view, flags, id(picture) if picture is not None else None)
        if slot.shows != shows:
            slot.photo.paste(self.painter.paint(view, flags, picture, self.size))
            slot.write(view)
            slot.shows = shows
        slot.place(x, y, view)

    def _place_band(self) -> None:
        if self._band is None:
            return
        item, height = self._band
        px, margins = self.theme.px, self._margins
        if self._split is None:
            self.canvas.itemconfigure(item, state="hidden")
            return
        width = self.canvas.winfo_width() - px(margins[0]) - px(margins[1])
        self.canvas.itemconfigure(item, state="normal", width=max(1, width), height=height)
        top = self.size.margin + self.layout.band_top - self._offset
        self.canvas.coords(item, px(margins[0]), top)

    def _draw_bar(self) -> None:
        bottom = self._bottom()
        if (bottom > 0) != self._bar_shown:
            self._bar_shown = bottom > 0
            if self._bar_shown:
                self._bar.place(relx=1.0, x=-6, rely=0.0, relheight=1.0, anchor="ne")
            else:
                self._bar.place_forget()
        if bottom:
            content = bottom + self.canvas.winfo_height()
            self._bar.set(
                self._offset / content, (self._offset + self.canvas.winfo_height()) / content
            )

    # -- scrolling

    def scroll_by(self, px: float) -> None:
        before = self._offset
        self._offset = min(max(0, round(self._offset + px)), self._bottom())
        if self._offset != before:
            self.refresh()

    def scroll_to_card(self, card: int) -> None:
        """Scroll a card into view, no further than needed."""
        top = self.layout.top(card)
        below = top + self.size.slot_wh[1] - self.canvas.winfo_height()
        self.scroll_by(min(top, max(self._offset, below)) - self._offset)

    def _scroll_command(self, verb: str, amount: str, unit: str = "") -> None:
        content = self._bottom() + self.canvas.winfo_height()
        if verb == "moveto":
            self.scroll_by(float(amount) * content - self._offset)
        else:
            self.scroll_by(float(amount) * self.canvas.winfo_height() * 0.9)

    def _resized(self, event: tkinter.Event[tkinter.Misc]) -> None:
        top, at_top = self.first_seen, self._offset == 0
        columns, size = self._columns, self.size
        self._measure(event.width)
        if (columns, size) != (self._columns, self.size):
            self._offset = 0 if at_top else self.layout.top(top)
        self.refresh()

    def show_focus(self, seen: bool) -> None:
        """Show the focus ring, as the keyboard does, or hide it, as the pointer does."""
        if seen != self._focus_seen:
            self._focus_seen = seen
            self.refresh()
