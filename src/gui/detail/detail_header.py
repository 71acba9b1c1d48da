"""The line above a segment: a button back, the file, and buttons to the next and previous one."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from functools import partial
from typing import Any

from src.gui.theme.theme import HEADER, NORMAL, SMALL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, IconButton, label, rule
from src.gui.widgets.tooltip import Tooltip

_BETWEEN = 72  # the parts, all together


class DetailHeader(ctk.CTkFrame):
    """As high as the headers of other panels; a long name is shortened to what is left for it."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        back: Callable[[], None],
        go: Callable[[int], None],
        hint: Callable[[str], str],
    ) -> None:
        """Make it.

        Args:
            back: goes back to the previous panel.
            go: goes to the next (1) or the previous (-1).
            hint: looks up the tooltip of an action by its key.
        """
        super().__init__(master, fg_color="transparent", height=HEADER)
        c = theme.colours
        self.theme, self._full_name = theme, ""
        self.pack_propagate(False)
        self.back = Button(self, theme, "Library", back, kind="quiet", icon_name="left", height=32)
        self.back.pack(side="left")
        rule(self, theme, 16).pack(side="left", padx=(theme.px(8), theme.px(12)))
        self._file_name = label(self, theme, "", weight="medium")
        self._file_name.pack(side="left")
        self._name_tip = Tooltip(self._file_name, theme, "")
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._fit_name(), "+")
        self._moment = label(self, theme, "", colour=c.text_2)
        self._moment.pack(side="left", padx=12)
        self._missing = label(self, theme, "", colour=c.error)
        self._missing.pack(side="left")
        self._said = label(self, theme, "", size=SMALL, colour=c.text_2)
        self._said.pack(side="left", padx=(12, 0))
        self.next = IconButton(self, theme, "right", hint("next"), partial(go, 1), kind="plain")
        self.next.pack(side="right")
        self.previous = IconButton(
            self, theme, "left", hint("previous"), partial(go, -1), kind="plain"
        )
        self.previous.pack(side="right")
        self._place = label(self, theme, "", colour=c.text_2)
        self._place.pack(side="right", padx=8)

    def show_moment(self, text: str) -> None:
        """Show which moment or page of its file the frame is."""
        self._moment.configure(text=text)
        self._fit_name()

    def show_file(self, name: str, is_missing: bool) -> None:
        self._full_name = name
        self._missing.configure(text="Missing" if is_missing else "")
        self._fit_name()

    def say(self, text: str) -> None:
        """Show what a person has just done, or taken back."""
        self._said.configure(text=text)
        self._fit_name()

    def show_place(self, word: str, here: int, count: int) -> None:
        """Show the position among results, photos or frames.

        Args:
            word: for one of them; "" shows nothing.
            here: from 0.
        """
        self._place.configure(text=f"{word} {here + 1:,} of {count:,}" if word else "")
        self.previous.set_enabled(here > 0)
        self.next.set_enabled(here + 1 < count)
        self._fit_name()

    def _fit_name(self) -> None:
        """Shorten a long name to what the other parts of the line leave."""
        if not self._full_name:
            return
        others = (part for part in self.pack_slaves() if part is not self._file_name)
        taken = sum(part.winfo_reqwidth() for part in others) + self.theme.px(_BETWEEN)
        font = self.theme.canvas_font(self, NORMAL, "medium")
        width = max(self.winfo_width() - taken, self.theme.px(80))
        short = shorten(self._full_name, font, width)
        self._file_name.configure(text=short)
        self._name_tip.text = "" if short == self._full_name else self._full_name
