"""The line above a video: a button back, the file with its facts, and where else it opens."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from src.gui.theme.theme import HEADER, NORMAL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, label, rule
from src.gui.widgets.tooltip import Tooltip

_BETWEEN = 72  # the parts, all together


@dataclass(frozen=True)
class HeaderActions:
    back: Callable[[], object]
    open_frame: Callable[[], object]
    open_file: Callable[[], object]


class TimelineHeader(ctk.CTkFrame):
    """A long name is shortened to what is left for it."""

    def __init__(self, master: Any, theme: Theme, actions: HeaderActions) -> None:
        super().__init__(master, fg_color="transparent", height=HEADER)
        c = theme.colours
        self.theme, self._full_name = theme, ""
        self.pack_propagate(False)
        self.back = Button(
            self, theme, "Library", actions.back, kind="quiet", icon_name="left", height=32
        )
        self.back.pack(side="left")
        rule(self, theme, 16).pack(side="left", padx=(theme.px(8), theme.px(12)))
        self._file_name = label(self, theme, "", weight="medium")
        self._file_name.pack(side="left")
        self._name_tip = Tooltip(self._file_name, theme, "")
        self._facts = label(self, theme, "", colour=c.text_2)
        self._facts.pack(side="left", padx=12)
        self._missing = label(self, theme, "", colour=c.error)
        self._missing.pack(side="left")
        self._open = Button(self, theme, "Open", actions.open_file, icon_name="open", height=32)
        self._open.pack(side="right")
        Tooltip(self._open, theme, "Open in the system's player at this moment")
        self._frame = Button(self, theme, "Open frame", actions.open_frame, height=32)
        self._frame.pack(side="right")
        Tooltip(self._frame, theme, "Show this frame with its segments and tags (Enter)")
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._fit_name(), "+")

    def show(self, name: str, facts: str, is_missing: bool) -> None:
        """Show a file, and whether it is not where it was."""
        self._full_name = name
        self._facts.configure(text=facts)
        self._missing.configure(text="Missing" if is_missing else "")
        self._open.set_enabled(not is_missing)
        self._fit_name()

    def offer_frame(self, offered: bool) -> None:
        self._frame.set_enabled(offered)

    def _fit_name(self) -> None:
        others = (part for part in self.pack_slaves() if part is not self._file_name)
        taken = sum(part.winfo_reqwidth() for part in others) + self.theme.px(_BETWEEN)
        font = self.theme.canvas_font(self, NORMAL, "medium")
        width = max(self.winfo_width() - taken, self.theme.px(80))
        short = shorten(self._full_name, font, width)
        self._file_name.configure(text=short)
        self._name_tip.text = "" if short == self._full_name else self._full_name
