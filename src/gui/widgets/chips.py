"""A row of words to click on, as many as there is room for."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import customtkinter as ctk

from src.gui.theme import NORMAL, RADIUS, SMALL, Theme
from src.gui.widgets.controls import RING, Focusable, label, rule

HEIGHT = 40
_BETWEEN = 29  # a line between groups, with what lies beside it
Group = tuple[str, Sequence[tuple[str, str]]]


class _Chip(Focusable):
    def __init__(
        self, master: Any, look: Theme, text: str, count: str, on_click: Callable[[], None]
    ) -> None:
        super().__init__(master, look, on_click)
        c = look.colours
        self._body = ctk.CTkFrame(
            self, fg_color=c.card, corner_radius=RADIUS, border_width=1, border_color=c.control
        )
        self._body.pack(padx=RING, pady=RING)
        word = label(self._body, look, text)
        word.pack(side="left", padx=(12, 12 if not count else 8), pady=5)
        parts = [self._body, word]
        if count:
            number = label(self._body, look, count, size=SMALL, colour=c.text_2)
            number.pack(side="left", padx=(0, 12))
            parts.append(number)
        for part in parts:
            part.bind("<Button-1>", lambda _: on_click(), add="+")
            part.bind("<Enter>", lambda _: self._body.configure(fg_color=c.raised), add="+")
            part.bind("<Leave>", lambda _: self._body.configure(fg_color=c.card), add="+")


class ChipRow(ctk.CTkFrame):
    """Groups of chips in one line; what does not fit is left out, never cut."""

    def __init__(self, master: Any, look: Theme, on_click: Callable[[str], None]) -> None:
        super().__init__(master, fg_color="transparent", height=HEIGHT)
        self.pack_propagate(False)
        self.look, self._on_click = look, on_click
        self._groups: Sequence[Group] = ()
        self._drawn: tuple[object, ...] = ()
        self._parts: list[tkinter.Misc] = []
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._lay_out(), add="+")

    def show(self, groups: Sequence[Group]) -> None:
        self._groups = [(name, list(chips)) for name, chips in groups if chips]
        self._lay_out()

    def _lay_out(self) -> None:
        room = self.winfo_width() / self.look.scale
        chosen = self._fitting(room)
        if (now := tuple((name, tuple(chips)) for name, chips in chosen)) == self._drawn:
            return
        self._drawn = now
        for part in self._parts:
            part.destroy()
        self._parts.clear()
        c = self.look.colours
        for number, (name, chips) in enumerate(chosen):
            if number:
                line = rule(self, self.look, 16)
                line.pack(side="left", padx=(12, 16))
                self._parts.append(line)
            title = label(self, self.look, name, size=SMALL, colour=c.text_2)
            title.pack(side="left", padx=(0, 8))
            self._parts.append(title)
            for text, count in chips:
                chip = _Chip(self, self.look, text, count, partial(self._on_click, text))
                chip.pack(side="left")
                self._parts.append(chip)

    def _fitting(self, room: float) -> list[Group]:
        normal, small = self.look.font(NORMAL), self.look.font(SMALL)

        def chip_width(text: str, count: str) -> float:
            beside = small.measure(count) + 8 if count else 0
            return float(normal.measure(text) + 24 + 2 * RING + beside)

        return fitting(self._groups, room, lambda name: small.measure(name) + 8, chip_width)


def fitting(
    groups: Sequence[Group],
    room: float,
    name_width: Callable[[str], float],
    chip_width: Callable[[str, str], float],
) -> list[Group]:
    """Leave out what there is no room for: a chip that is too long hides no other one.

    Each group but the last takes half of the room at most, so that those after it are seen.
    """
    chosen: list[Group] = []
    for number, (name, chips) in enumerate(groups, start=1):
        head = name_width(name) + (_BETWEEN if chosen else 0)
        left = (room if number == len(groups) else room / 2) - head
        kept, taken = [], head
        for text, count in chips:
            width = chip_width(text, count)
            if width <= left:
                kept.append((text, count))
                left, taken = left - width, taken + width
        if kept:
            chosen.append((name, kept))
            room -= taken
    return chosen
