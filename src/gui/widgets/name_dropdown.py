"""An entry for a name that opens below a control; Enter saves, Escape does not."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, label
from src.gui.widgets.dropdown import Dropdown
from src.gui.widgets.inputs import Entry


class NameDropdown(Dropdown):
    """Stays open until its owner closes it, or says what is wrong with the name."""

    def __init__(
        self,
        below: tkinter.Misc,
        theme: Theme,
        title: str,
        name: str,
        on_save: Callable[[str], object],
        hint: str = "",
    ) -> None:
        """Open it below a control, at its right end.

        Args:
            name: a first proposal.
            on_save: gets the name that was typed, which is not empty.
            hint: what is good to know, below the entry.
        """
        super().__init__(below, theme)
        c = theme.colours
        self._theme, self._on_save = theme, on_save
        body = ctk.CTkFrame(self, fg_color=c.raised, corner_radius=0)
        body.pack(padx=theme.px(12), pady=theme.px(12))
        label(body, theme, title, size=SMALL, colour=c.text_2).grid(
            row=0, column=0, columnspan=2, sticky="w", pady=(0, 4)
        )
        self._note = label(
            body, theme, hint, size=SMALL, colour=c.text_2, wraplength=300, justify="left"
        )
        self.entry = Entry(body, theme, "Name", height=32, on_enter=lambda _: self._save())
        self.entry.field.configure(width=220)
        self.entry.set(name)
        self.entry.grid(row=1, column=0, padx=(0, 4))
        Button(body, theme, "Save", self._save, height=32).grid(row=1, column=1)
        self._note.grid(row=2, column=0, columnspan=2, sticky="w", pady=(4, 0))
        x, y = below.winfo_rootx() + below.winfo_width(), below.winfo_rooty()
        first = self.entry.field._entry
        self.open(x, y + below.winfo_height(), y, first, from_right=True)
        self.entry.focus_field()  # with all of it selected, to be typed over

    def say_wrong(self, sentence: str) -> None:
        """Say why it can't have this name."""
        if self.winfo_exists():
            self._note.configure(text=sentence, text_color=self._theme.colours.error)
            self.entry.set_error(True)

    def _save(self) -> None:
        name = self.entry.text.strip()
        if name:
            self._on_save(name)
