"""What stands in the sidebar in place of the button that adds, where nothing can be changed."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any

from src.gui.theme.theme import RADIUS, SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Focusable, icon_label, label
from src.gui.widgets.tooltip import Tooltip

_WRAP = 176
TIP = (
    "You can look, search and export here, and change nothing. A search finds what another program "
    "has stored when it begins; lists, counts and the map follow within some seconds."
)


class ReaderCard(Focusable):
    """As of when the library is shown, and what is known of the program that writes it.

    Attributes:
        title, text: what it says.
    """

    def __init__(self, master: Any, theme: Theme, on_press: Callable[[], None]) -> None:
        super().__init__(master, theme, on_press)
        c = theme.colours
        self.title = self.text = ""
        self._card = ctk.CTkFrame(
            self, fg_color=c.card, corner_radius=RADIUS, border_width=1, border_color=c.border
        )
        self._card.pack(fill="both", expand=True, padx=4, pady=4)
        self._card.grid_columnconfigure(0, weight=1)
        self._title = label(self._card, theme, "", size=SMALL, weight="medium")
        self._title.grid(row=0, column=0, sticky="w", padx=(12, 4), pady=(8, 0))
        arrow = icon_label(self._card, "down", c.text_2, 16)
        arrow.grid(row=0, column=1, padx=(0, 10), pady=(8, 0))
        self._text = label(
            self._card,
            theme,
            "",
            size=SMALL,
            colour=c.text_2,
            justify="left",
            anchor="w",
            wraplength=_WRAP,
        )
        self._text.grid(row=1, column=0, columnspan=2, sticky="nw", padx=12, pady=(2, 8))
        # two lines, whatever is said: what is below stays where it is
        self._card.grid_rowconfigure(1, minsize=theme.px(44))
        for part in (self._card, self._title, arrow, self._text):
            tkinter.Misc.bind(part, "<Button-1>", lambda _: on_press(), "+")
            for inner in part.winfo_children():
                tkinter.Misc.bind(inner, "<Button-1>", lambda _: on_press(), "+")
        Tooltip(self, theme, TIP)
        self.show("Read only", "Opening the library…")

    def show(self, title: str, text: str, is_wrong: bool = False) -> None:
        """Show a title and a line.

        Args:
            is_wrong: the library can't be followed any more.
        """
        if (title, text) != (self.title, self.text):
            self.title, self.text = title, text
            c = self.theme.colours
            self._title.configure(text=title)
            self._text.configure(text=text, text_color=c.warn if is_wrong else c.text_2)
