"""What stands in the place of candidates where there are none: a sentence, and what to do."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from functools import partial
from typing import Any

from src.gui.theme.theme import TITLE, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, ButtonKind, label

Way = tuple[str, Callable[[], object]]


class InPlace(ctk.CTkFrame):
    """A title, a sentence, one main button, and one other way."""

    def __init__(self, master: Any, theme: Theme) -> None:
        super().__init__(master, fg_color="transparent", corner_radius=0)
        self.theme = theme
        self._middle = ctk.CTkFrame(self, fg_color="transparent")
        self._middle.place(relx=0.5, rely=0.45, anchor="center")
        self._title = label(self._middle, theme, "", size=TITLE, weight="medium")
        self._title.pack(pady=(0, 8))
        self._sentence = label(
            self._middle, theme, "", colour=theme.colours.text_2, wraplength=420, justify="center"
        )
        self._sentence.pack(pady=(0, 20))
        self._ways: tuple[Way | None, ...] = ()
        self._buttons: list[Button] = []

    def say(
        self, title: str, sentence: str, main: Way | None = None, other: Way | None = None
    ) -> None:
        """Say what is to be known and done here."""
        self._title.configure(text=title)
        self._sentence.configure(text=sentence)
        before, self._ways = self._ways, (main, other)
        if [way and way[0] for way in before] == [way and way[0] for way in self._ways]:
            return
        for button in self._buttons:
            button.destroy()
        self._buttons.clear()
        kinds: tuple[ButtonKind, ...] = ("main", "link")
        for place, (kind, way) in enumerate(zip(kinds, self._ways, strict=True)):
            if way is not None:
                button = Button(
                    self._middle, self.theme, way[0], partial(self._go, place), kind=kind
                )
                button.pack()
                self._buttons.append(button)

    def take_keys(self) -> None:
        """Give the keyboard to the main button, so that Enter is enough; without one, hold it."""
        tkinter.Misc.focus_set(self._buttons[0] if self._buttons else self)

    def _go(self, place: int) -> None:
        way = self._ways[place]
        if way is not None:
            way[1]()
