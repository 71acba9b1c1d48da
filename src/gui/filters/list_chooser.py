"""A list to tick some of, with an entry that leaves those that hold what is typed."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import ImageTk

from src.gui.theme.icons import icon_image
from src.gui.theme.theme import NORMAL, SMALL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.inputs import Choice, Entry
from src.gui.widgets.key_bindings import bind_key

_ROW, _ROWS, _WIDTH = 32, 7, 264
_INDENT = 8
LOADING = "Loading…"


@dataclass(frozen=True)
class Listed:
    """What can be ticked: how it is written in a filter, what is shown of it, and how many fit."""

    value: str
    text: str
    count: int | None = None


class ListChooser(ctk.CTkFrame):
    """Arrows move, Enter ticks, and each tick is told at once."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        placeholder: str,
        chosen: Sequence[str],
        on_change: Callable[[], object],
        modes: Sequence[str] = (),
        mode: str = "",
    ) -> None:
        """Make it; `show` gives it the list, which may come later.

        Args:
            chosen: the values that are ticked.
            on_change: called when another one is ticked, or another mode is chosen.
            modes: ways in which several ticks hold together, if there are several.
        """
        c = theme.colours
        super().__init__(master, fg_color=c.raised, corner_radius=0)
        self.theme, self._on_change = theme, on_change
        self.chosen = list(chosen)
        self._all: list[Listed] | None = None
        self._rows: list[Listed] = []
        self._first = self._at = 0
        self.entry = Entry(
            self,
            theme,
            placeholder,
            icon_name="search",
            height=32,
            on_change=self._typed,
            on_enter=self._entered,
        )
        self.entry.pack(fill="x", pady=(0, 4))
        self.list = tkinter.Canvas(
            self,
            bg=c.raised,
            highlightthickness=0,
            bd=0,
            takefocus=0,  # the entry has its keys
            width=theme.px(_WIDTH),
            height=theme.px(_ROW * _ROWS),
        )
        self.list.pack(fill="x")
        self._modes: Choice | None = None
        if modes:
            self._modes = Choice(self, theme, modes, lambda _: self._on_change())
            self._modes.value = mode or modes[0]
            self._modes._mark()
            self._modes.pack(anchor="w", pady=(4, 0))
        self._tick = ImageTk.PhotoImage(icon_image("check", c.accent, theme.px(16)))
        for event, rows in (("<Button-4>", -2), ("<Button-5>", 2)):
            self.list.bind(event, lambda _, rows=rows: self._scroll(rows))  # type: ignore[misc]
        self.list.bind("<MouseWheel>", lambda e: self._scroll(-2 if e.delta > 0 else 2))
        self.list.bind("<Motion>", lambda e: self._point(self._place(e.y)))
        self.list.bind("<ButtonRelease-1>", lambda e: self._flip(self._place(e.y)))
        self.list.bind("<Configure>", lambda _: self._draw_rows())
        field = self.entry.field._entry
        for key, step in (("Down", 1), ("Up", -1), ("Next", _ROWS), ("Prior", -_ROWS)):
            bind_key(field.bind, f"<{key}>", lambda _, step=step: self._step(step))  # type: ignore[misc]

    @property
    def mode(self) -> str:
        return "" if self._modes is None else self._modes.value

    def show(self, listed: Sequence[Listed]) -> None:
        """List what there is: what is ticked first, then in the order given."""
        known = {each.value: each for each in listed}
        ticked = [known.get(value, Listed(value, value)) for value in self.chosen]
        self._all = ticked + [each for each in listed if each.value not in self.chosen]
        self._typed(self.entry.text)

    @property
    def texts(self) -> list[str]:
        """What is listed now."""
        return [each.text for each in self._rows]

    def _typed(self, text: str) -> None:
        wanted = text.strip().casefold()
        self._rows = [each for each in self._all or () if wanted in each.text.casefold()]
        self._first = self._at = 0
        self._draw_rows()

    def _entered(self, _text: str) -> None:
        self._flip(self._at)

    def _flip(self, place: int) -> None:
        if not 0 <= place < len(self._rows):
            return
        self._at = place
        value = self._rows[place].value
        if value in self.chosen:
            self.chosen.remove(value)
        else:
            self.chosen.append(value)
        self._draw_rows()
        self._on_change()

    # -- moving

    def _place(self, y: int) -> int:
        return self._first + y // self.theme.px(_ROW)

    def _point(self, place: int) -> None:
        if place != self._at and place < len(self._rows):
            self._at = place
            self._draw_rows()

    def _step(self, step: int) -> str:
        self._at = min(max(0, self._at + step), max(0, len(self._rows) - 1))
        self._first = min(max(self._first, self._at - _ROWS + 1), self._at)
        self._draw_rows()
        return "break"

    def _scroll(self, rows: int) -> str:
        self._first = min(max(0, self._first + rows), max(0, len(self._rows) - _ROWS))
        self._draw_rows()
        return "break"

    # -- drawing

    def _draw_rows(self) -> None:
        canvas, c, px = self.list, self.theme.colours, self.theme.px
        font, small = self.theme.canvas_font(canvas, NORMAL), self.theme.canvas_font(canvas, SMALL)
        canvas.delete("all")
        width, high = canvas.winfo_width(), px(_ROW)
        if not self._rows:
            said = LOADING if self._all is None else "Nothing found" if self._all else "None yet"
            canvas.create_text(
                px(_INDENT), high // 2, text=said, anchor="w", font=font, fill=c.text_2
            )
        for row, each in enumerate(self._rows[self._first : self._first + _ROWS]):
            top = row * high
            if self._first + row == self._at:
                canvas.create_rectangle(0, top, width, top + high, fill=c.hover, outline="")
            middle = top + high // 2
            if each.value in self.chosen:
                canvas.create_image(px(_INDENT), middle, image=self._tick, anchor="w")
            right = width - px(_INDENT + 4)
            if each.count is not None:
                count = f"{each.count:,}"
                canvas.create_text(right, middle, text=count, anchor="e", font=small, fill=c.text_2)
                right -= small.measure(count) + px(8)
            left = px(_INDENT + 24)
            text = shorten(each.text, font, right - left)
            canvas.create_text(left, middle, text=text, anchor="w", font=font, fill=c.text)
        if len(self._rows) > _ROWS:
            all_high = high * _ROWS
            top = self._first * all_high // len(self._rows)
            share = _ROWS * all_high // len(self._rows)
            canvas.create_rectangle(
                width - px(3), top, width, top + share, fill=c.strong_border, outline=""
            )
