"""The line above the candidates: which label, in which order, and what was answered here."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any

from src.gui.theme.theme import SMALL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import label
from src.gui.widgets.menu_button import MenuButton
from src.label_records import Label

BEST, DOUBTFUL = "Most alike first", "Doubtful first"


class RankHead(ctk.CTkFrame):
    """A long name loses its middle before anything else is left out."""

    def __init__(self, master: Any, theme: Theme, on_order: Callable[[str], object]) -> None:
        super().__init__(master, fg_color="transparent", corner_radius=0, height=44)
        self.pack_propagate(False)
        c = theme.colours
        self.theme, self._label_name, self._counts = theme, "", (0, 0)
        self._swatch = ctk.CTkFrame(self, width=12, height=12, corner_radius=3)
        self._swatch.pack(side="left", padx=(0, 8))
        self._name = label(self, theme, "", weight="medium")
        self._name.pack(side="left", padx=(0, 4))
        self._order = MenuButton(self, theme, [BEST, DOUBTFUL], on_order, height=28, width=172)
        self._order.pack(side="left")
        self._rejected = label(self, theme, "", size=SMALL, colour=c.error)
        self._rejected.pack(side="right", padx=(16, 0))
        self._accepted = label(self, theme, "", size=SMALL, colour=c.success)
        self._accepted.pack(side="right")
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._fit(), "+")

    @property
    def order(self) -> str:
        """Which of the two orders is chosen."""
        return self._order.value

    def show(self, about: Label | None, accepted: int, rejected: int) -> None:
        """Show a label, and how many cards below were accepted and rejected."""
        if about is not None:
            self._swatch.configure(fg_color=about.colour)
        self._accepted.configure(text=f"{accepted:,} accepted" if accepted else "")
        self._rejected.configure(text=f"{rejected:,} rejected" if rejected else "")
        self._label_name = "" if about is None else about.name
        self._fit()

    def _fit(self) -> None:
        font = self.theme.canvas_font(self, weight="medium")
        others = (self._order, self._accepted, self._rejected)
        taken = sum(each.winfo_reqwidth() for each in others) + self.theme.px(56)
        room = max(self.theme.px(40), self.winfo_width() - taken)
        self._name.configure(text=shorten(self._label_name, font, room))
