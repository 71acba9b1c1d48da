"""The line over the hits: how many, and where."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from typing import Any

from src.gui.theme.theme import NORMAL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, label
from src.gui.widgets.inputs import Choice
from src.gui.widgets.tooltip import Tooltip

HEIGHT = 36
CARDS, ALONG = "Cards", "Along videos"  # the ways to look at results
_LEAST = 64  # pixels of the design that are worth words
NEW_SEGMENTS, NEW_IN_SHORT = "New segments: search again", "Update"


class ResultsLine(ctk.CTkFrame):
    """What does not fit is shortened, so that buttons stay whole."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        margins: tuple[int, int],
        on_again: Callable[[], None],
        on_leave: Callable[[], object],
        on_way: Callable[[str], object],
    ) -> None:
        super().__init__(master, fg_color="transparent", height=HEIGHT)
        self.margins = margins
        self.pack_propagate(False)
        self.theme = theme
        self.show()
        self.ways = Choice(self, theme, [CARDS, ALONG], on_way)
        self._offers_ways = self._is_in_group = False
        self._leave = Button(
            self, theme, "All results", on_leave, kind="quiet", icon_name="left", height=24
        )
        self._count = label(self, theme, "", weight="medium")
        self._count.pack(side="left")
        self._where = label(self, theme, "", colour=theme.colours.text_2)
        self._where.pack(side="left", padx=8)
        self._again = Button(self, theme, NEW_SEGMENTS, on_again, kind="link", height=24)
        Tooltip(self._again, theme, NEW_SEGMENTS)
        self._wheres: Sequence[str] = ("",)
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._fit(), "+")

    def hide(self) -> None:
        self.pack_forget()

    def show(self) -> None:
        self.pack(fill="x", padx=self.margins)

    def say(self, count: str, wheres: Sequence[str] = ("",), in_group: bool = False) -> None:
        """Say how many there are.

        Args:
            wheres: what goes on after it, the longest wording first.
            in_group: offer the way back to all results.
        """
        self._count.configure(text=count)
        self._wheres = wheres
        self._is_in_group = in_group
        self._place_ways()
        if in_group != bool(self._leave.winfo_manager()):
            if in_group:
                self._leave.pack(side="left", before=self._count, padx=(0, 8))
            else:
                self._leave.pack_forget()
        self._fit()

    def offer_ways(self, offered: bool) -> None:
        """Offer both ways to look at results, where there are any."""
        self._offers_ways = offered
        self._place_ways()

    def _place_ways(self) -> None:
        shown = self._offers_ways and not self._is_in_group
        if shown and not self.ways.winfo_manager():
            self.ways.pack(side="right")
        elif not shown:
            self.ways.pack_forget()

    def offer_again(self, offered: bool) -> None:
        """Offer to search again, once there is more to find than before."""
        if offered == bool(self._again.winfo_manager()):
            return
        if offered:
            self._again.pack(side="left", after=self._where)
        else:
            self._again.pack_forget()
        self._fit()

    def _fit(self) -> None:
        px, theme = self.theme.px, self.theme
        font, medium = theme.canvas_font(self, NORMAL), theme.canvas_font(self, NORMAL, "medium")
        width = self.winfo_width() - medium.measure(self._count.cget("text")) - px(16)
        if self._leave.winfo_manager():
            width -= self._leave.winfo_reqwidth() + px(8)
        if self.ways.winfo_manager():
            width -= self.ways.winfo_reqwidth() + px(8)
        offers_again = self._again.winfo_manager()
        again = {text: medium.measure(text) + px(24) for text in (NEW_SEGMENTS, NEW_IN_SHORT)}
        if offers_again:
            text = NEW_SEGMENTS if again[NEW_SEGMENTS] <= width else NEW_IN_SHORT
            self._again.set_text(text)
            width -= again[text]
        fitting = (text for text in self._wheres if font.measure(text) <= width)
        text = next(fitting, self._wheres[-1])
        # a few letters say nothing
        said = shorten(text, font, width, tail=0) if width >= px(_LEAST) else ""
        self._where.configure(text=said)
