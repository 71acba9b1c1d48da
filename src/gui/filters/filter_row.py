"""The row of buttons that narrow a search, or the library: each writes a condition of a filter."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from PIL import Image, ImageTk

from src.gui.core.session import Session
from src.gui.filters.choosers import Box, Choosers
from src.gui.filters.date_strip import DateStrip
from src.gui.filters.fitting import Words, fitting
from src.gui.filters.row_buttons import DATE, SEGMENT_BUTTONS, RowButton, split, with_condition
from src.gui.theme.icons import icon_image
from src.gui.theme.pictures import ring_mask, rounded_mask
from src.gui.theme.theme import NORMAL, RADIUS, RADIUS_LARGE, Theme, shorten
from src.gui.widgets.controls import RING, ground_of
from src.gui.widgets.key_bindings import bind_key
from src.gui.widgets.popup import show_menu
from src.search.filters import EVERYTHING, Filter, all_of

_BODY = 32
_INSIDE, _ARROW, _GAP = 12, 16, 8
_LONGEST = 168  # of what a button says behind its name
MORE, CLEAR = "More", "Clear"


@dataclass(frozen=True)
class _Stop:
    """Something in the row that can be pressed.

    Attributes:
        key: of its button; MORE or CLEAR.
        left, width: of its body, in device pixels.
        is_set: whether it asks for something.
    """

    key: str
    text: str
    left: int
    width: int
    is_set: bool


class FilterRow(tkinter.Frame):
    """Shows which conditions of a filter belong to its buttons, and gives a new filter.

    Pack it with `theme.px(LEFT - RING)` and `theme.px(RIGHT - RING)`: Tk's own frames are not
    scaled, and focus rings lie in the margin. Below the buttons a strip to choose dates opens.
    """

    def __init__(
        self,
        master: Any,
        theme: Theme,
        session: Session,
        on_change: Callable[[Filter], object],
        buttons: Sequence[RowButton] = SEGMENT_BUTTONS,
        place_strip: Callable[[tkinter.Misc], object] | None = None,
    ) -> None:
        """Make it, empty.

        Args:
            on_change: gets the whole filter as a person has changed it.
            place_strip: puts the strip of dates into `master` by its grid, where that has a line
                of its own for it; else it lies below the buttons.
        """
        super().__init__(master, bg=ground_of(master))
        self.theme, self._session, self._on_change = theme, session, on_change
        self._buttons = buttons
        self._strip_master = self if place_strip is None else master
        self._place_strip = place_strip or self._place_below
        self.grid_columnconfigure(0, weight=1)
        self.filter = EVERYTHING
        self._owned: dict[str, Filter] = {}
        self.canvas = tkinter.Canvas(
            self,
            bg=ground_of(master),
            height=theme.px(_BODY + 2 * RING),
            width=1,
            highlightthickness=0,
            bd=0,
            takefocus=1,
        )
        self.canvas.grid(row=0, column=0, sticky="ew")
        self._choosers = Choosers(self.canvas, theme, session, self._choose)
        self._strip: DateStrip | None = None  # made when it is first opened
        self._stops: list[_Stop] = []
        self._more: list[int] = []
        self._drawn: tuple[object, ...] = ()
        self._photo: ImageTk.PhotoImage | None = None
        self._waits = False
        self._hover, self._at = "", 0
        bind = self.canvas.bind
        for event in ("<Configure>", "<FocusIn>", "<FocusOut>"):
            bind(event, lambda _: self._refresh())
        for event in ("<Motion>", "<Enter>"):
            bind(event, lambda e: self._point(self._key_at(e.x)))
        bind("<Leave>", lambda _: self._point(""))
        bind("<ButtonRelease-1>", lambda e: self._clicked(self._key_at(e.x)))
        for key, step in (("Left", -1), ("Right", 1), ("Home", -99), ("End", 99)):
            bind_key(bind, f"<{key}>", partial(self._step, step))
        for key in ("Return", "KP_Enter", "space", "Down"):
            bind_key(bind, f"<{key}>", lambda _: self._press_focused())

    def show(self, where: Filter) -> None:
        """Show another filter; nobody is told of it."""
        self.filter = where
        self._owned = split(where, self._buttons)[0]
        if self._strip is not None:
            self._strip.show(where)
        self._refresh()

    @property
    def owned(self) -> Filter:
        """What of the filter the buttons show."""
        return all_of(list(self._owned.values()))

    @property
    def unowned(self) -> Filter:
        """What of the filter no button shows."""
        return split(self.filter, self._buttons)[1]

    @property
    def said(self) -> list[str]:
        """What the buttons say that are in sight."""
        return [stop.text for stop in self._stops]

    @property
    def boxes(self) -> dict[str, Box]:
        """Where the bodies of the buttons lie on the screen, by what they say."""
        return {stop.text: self._box(stop) for stop in self._stops}

    def box(self, key: str) -> Box:
        """Return where the body of a button lies on the screen."""
        return self._box(next(stop for stop in self._stops if stop.key == key))

    def _box(self, stop: _Stop) -> Box:
        left, top = self.canvas.winfo_rootx(), self.canvas.winfo_rooty()
        return left + stop.left, top + self._top, stop.width, self.theme.px(_BODY)

    # -- what a person does

    def press(self, key: str) -> None:
        """Open what a button is for; its condition is chosen there."""
        if key == CLEAR:
            self._change(self.unowned)
        elif key == MORE:
            self._open_more()
        elif key == DATE.key:
            self._open_strip()
        elif self._session.is_open:
            at = key if any(stop.key == key for stop in self._stops) else MORE
            self._choosers.open(key, self._owned.get(key, EVERYTHING), self.box(at))

    def close_strip(self) -> bool:
        """Put the strip of dates away; returns whether there was one to be seen."""
        if self._strip is None or not self._strip.winfo_manager():
            return False
        self._strip.grid_forget()
        self.canvas.focus_set()
        return True

    def _open_more(self) -> None:
        buttons = [self._buttons[place] for place in self._more]
        left, top, width, height = self.box(MORE)
        show_menu(
            self.canvas,
            self.theme,
            [
                (self._words(each).forms[0], partial(self._press_later, each.key))
                for each in buttons
            ],
            left,
            top + height + self.theme.px(4),
            width=width,
            above=top - self.theme.px(4),
        )

    def _press_later(self, key: str) -> None:
        """Press a button once the menu that named it has gone."""
        self.after_idle(self.press, key)

    def _open_strip(self) -> None:
        if self.close_strip() or not self._session.is_open:
            return
        if self._strip is None:
            self._strip = DateStrip(
                self._strip_master, self.theme, self._session, self._choose, self.close_strip
            )
        self._place_strip(self._strip)
        self._strip.open(self.filter)

    def _place_below(self, strip: tkinter.Misc) -> None:
        px = self.theme.px
        strip.grid(row=1, column=0, sticky="ew", padx=px(RING), pady=(px(4), 0))  # type: ignore[attr-defined]

    def _choose(self, key: str, condition: Filter) -> None:
        """Put what was chosen for a button into the filter; the keyboard stays where it is."""
        focus = self.focus_get()
        button = next(button for button in self._buttons if button.key == key)
        self._change(with_condition(self.filter, button, condition))
        if focus is not None and focus.winfo_exists():
            focus.focus_set()

    def _change(self, where: Filter) -> None:
        if str(where) != str(self.filter):
            self.show(where)
            self._on_change(where)

    # -- pointer and keys

    def _key_at(self, x: int) -> str:
        found = (stop.key for stop in self._stops if 0 <= x - stop.left < stop.width)
        return next(found, "")

    def _point(self, key: str) -> None:
        if key != self._hover:
            self._hover = key
            self.canvas.configure(cursor="hand2" if key else "")
            self._refresh()

    def _clicked(self, key: str) -> None:
        if key:
            self.canvas.focus_set()  # what opens gives the keyboard back to it
            self._at = next(n for n, stop in enumerate(self._stops) if stop.key == key)
            self.press(key)

    @property
    def _focused(self) -> int:
        return min(max(0, self._at), len(self._stops) - 1)

    def _step(self, step: int, _event: object) -> str:
        self._at = min(max(0, self._focused + step), len(self._stops) - 1)
        self._refresh()
        return "break"

    def _press_focused(self) -> str:
        if self._stops:
            self.press(self._stops[self._focused].key)
        return "break"

    # -- drawing

    @property
    def _top(self) -> int:
        return (self.canvas.winfo_height() - self.theme.px(_BODY)) // 2

    def _refresh(self) -> None:
        """Draw again, soon; many calls make one drawing."""
        if not self._waits:
            self._waits = True
            self.after_idle(self._draw)

    def _words(self, button: RowButton) -> Words:
        condition = self._owned.get(button.key)
        if condition is None:
            return Words((button.name, button.short))
        font = self.theme.canvas_font(self.canvas, NORMAL)
        said = shorten(button.said(condition), font, self.theme.px(_LONGEST))
        return Words((f"{button.name}: {said}", f"{button.short}: {said}", button.short), True)

    def _draw(self) -> None:
        self._waits = False
        width = self.canvas.winfo_width()
        if width <= 1:
            return
        words = [self._words(button) for button in self._buttons]
        has_focus = self.focus_get() is self.canvas and self.theme.shows_focus
        now = (tuple(words), self._hover, self._at if has_focus else -1, width)
        if now == self._drawn:
            return
        self._drawn = now
        self._place(words, width)
        self._paint(has_focus)

    def _place(self, words: Sequence[Words], width: int) -> None:
        """Find out where everything lies."""
        px, font = self.theme.px, self.theme.canvas_font(self.canvas, NORMAL)
        around, gap = px(2 * _INSIDE + _ARROW), px(_GAP)
        clear = font.measure(CLEAR) + px(_INSIDE)
        room = width - 2 * px(RING) + gap
        if any(each.is_set for each in words):
            room -= clear + gap
        said, self._more = fitting(
            words,
            room,
            lambda text: font.measure(text) + around + gap,
            font.measure(MORE) + around + gap,
        )
        self._stops, left = [], px(RING)
        for place, text in said.items():
            button, wide = self._buttons[place], font.measure(text) + around
            self._stops.append(_Stop(button.key, text, left, wide, words[place].is_set))
            left += wide + gap
        if self._more:
            is_set = any(words[place].is_set for place in self._more)
            self._stops.append(_Stop(MORE, MORE, left, font.measure(MORE) + around, is_set))
        if any(each.is_set for each in words):
            self._stops.append(_Stop(CLEAR, CLEAR, width - px(RING) - clear, clear, False))

    def _paint(self, has_focus: bool) -> None:
        c, px, canvas = self.theme.colours, self.theme.px, self.canvas
        high, ring, top = px(_BODY), px(RING), self._top
        row = Image.new("RGB", (canvas.winfo_width(), canvas.winfo_height()), str(canvas["bg"]))
        canvas.delete("all")
        font = self.theme.canvas_font(canvas, NORMAL)
        for number, stop in enumerate(self._stops):
            at, size, is_over = (stop.left, top), (stop.width, high), stop.key == self._hover
            is_link = stop.key == CLEAR
            ink = c.accent if stop.is_set or is_link else c.text
            if not is_link:
                fill, over = (
                    (c.selection, c.selection_hover) if stop.is_set else (c.raised, c.hover)
                )
                row.paste(over if is_over else fill, at, rounded_mask(size, px(RADIUS)))
                line = c.accent if stop.is_set else c.control
                row.paste(line, at, ring_mask(size, px(RADIUS), self.theme.scale))
                arrow = icon_image("down", c.accent if stop.is_set else c.text_2, px(_ARROW))
                x = stop.left + stop.width - px(_INSIDE - 2) - arrow.width
                row.paste(arrow, (x, top + (high - arrow.height) // 2), arrow)
            elif is_over:
                row.paste(c.raised, at, rounded_mask(size, px(RADIUS)))
            if has_focus and number == self._focused:
                around = stop.width + 2 * ring, high + 2 * ring
                mask = ring_mask(around, px(RADIUS_LARGE), 2 * self.theme.scale)
                row.paste(c.accent, (stop.left - ring, top - ring), mask)
            inside = px(_INSIDE) // 2 if is_link else px(_INSIDE)
            canvas.create_text(
                stop.left + inside, top + high // 2, text=stop.text, anchor="w", font=font, fill=ink
            )
        self._photo = ImageTk.PhotoImage(row)
        canvas.tag_lower(canvas.create_image(0, 0, image=self._photo, anchor="nw"))
