"""A card that says something in a title and a few small words, and opens more when pressed."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any

from src.gui.theme.theme import RADIUS, SMALL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Focusable, icon_label, label

# What a title has beside the arrow in a card as wide as the sidebar; a longer one is shortened.
_TITLE = 156


class InfoCard(Focusable):
    """A title with an arrow beside it, and a text below.

    Attributes:
        title, text: what it says, whole.
    """

    def __init__(
        self,
        master: Any,
        theme: Theme,
        on_press: Callable[[], None],
        *,
        arrow: str = "right",
        wrap: int = 180,
        padding: int = 11,
        text_height: int = 0,
    ) -> None:
        """Make it empty.

        Args:
            arrow: an icon: where what it opens comes from.
            wrap: how wide a line of the text may be.
            padding: above and below its words.
            text_height: that is kept for the text, whatever is said.
        """
        super().__init__(master, theme, on_press)
        c = theme.colours
        self.title = self.text = ""
        self._padding = padding
        self._card = ctk.CTkFrame(
            self, fg_color=c.card, corner_radius=RADIUS, border_width=1, border_color=c.border
        )
        self._card.pack(fill="both", expand=True, padx=4, pady=4)
        self._card.grid_columnconfigure(0, weight=1)
        self._card.grid_rowconfigure(1, minsize=theme.px(text_height))
        self._title = label(self._card, theme, "", size=SMALL, weight="medium")
        self._title.grid(row=0, column=0, sticky="w", padx=(12, 4), pady=(padding, 2))
        sign = icon_label(self._card, arrow, c.text_2, 16)
        sign.grid(row=0, column=1, padx=(0, 10), pady=(padding, 2))
        self._text = label(
            self._card,
            theme,
            "",
            size=SMALL,
            colour=c.text_2,
            justify="left",
            anchor="w",
            wraplength=wrap,
        )
        self._text.grid(row=1, column=0, columnspan=2, sticky="nw", padx=12, pady=(0, padding))
        for part in (self._card, self._title, sign, self._text):
            for inner in (part, *part.winfo_children()):
                tkinter.Misc.bind(inner, "<Button-1>", lambda _: on_press(), "+")

    def show(self, title: str, text: str, is_wrong: bool = False) -> None:
        """Show a title and a text.

        Args:
            is_wrong: something should be done.
        """
        if (title, text) != (self.title, self.text):
            self.title, self.text = title, text
            c, font = self.theme.colours, self.theme.canvas_font(self, SMALL, "medium")
            self._title.configure(text=shorten(title, font, self.theme.px(_TITLE)))
            self._text.configure(text=text, text_color=c.warn if is_wrong else c.text_2)

    def show_title_alone(self, alone: bool) -> None:
        """Hide what is said below the title, or show it again."""
        if alone:
            self._text.grid_remove()
        else:
            self._text.grid()
        self._title.grid_configure(pady=(self._padding, self._padding if alone else 2))

    def mark(self, here: bool) -> None:
        """Show that what it opens is shown, or not."""
        c = self.theme.colours
        self._card.configure(fg_color=c.raised if here else c.card)
