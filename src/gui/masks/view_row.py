"""Below the photo under edit: what of it is shown, what is waited for, and how large it is."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from functools import partial
from typing import Any

from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, label
from src.gui.widgets.inputs import Check

_OTHERS, _OTHERS_SHORT = "Outline other segments", "Outline others"
_NARROW = 440


class ViewRow(ctk.CTkFrame):
    """Two boxes to tick at the left; the scale and two buttons at the right."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        on_change: Callable[[], None],
        on_zoom: Callable[[float | None], None],
    ) -> None:
        """Make it.

        Args:
            on_change: something else is to be shown.
            on_zoom: the photo is to be seen at a scale; None for as large as it fits.
        """
        super().__init__(master, fg_color="transparent")
        c, self.theme = theme.colours, theme
        self._dim = Check(self, theme, "Dim the rest", True, lambda _: on_change())
        self._dim.pack(side="left")
        self._others = Check(self, theme, _OTHERS, True, lambda _: on_change())
        self._others.pack(side="left", padx=4)
        for text, scale in (("100 %", 1.0), ("Fit", None)):
            go = partial(on_zoom, scale)
            Button(self, theme, text, go, kind="quiet", height=24).pack(side="right")
        self._scale = label(self, theme, "", size=SMALL, colour=c.text_2)
        self._scale.pack(side="right", padx=8)
        self._waits = label(self, theme, "", size=SMALL, colour=c.text_2)
        self._waits.pack(side="left", padx=8)
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._fit(), "+")

    def _fit(self) -> None:
        """Say less where there is no space for more."""
        is_narrow = self.winfo_width() < self.theme.px(_NARROW)
        self._others.set_text(_OTHERS_SHORT if is_narrow else _OTHERS)
        if is_narrow:
            self._scale.pack_forget()
        elif not self._scale.winfo_manager():
            self._scale.pack(side="right", padx=8)

    @property
    def dim(self) -> bool:
        return self._dim.value

    @property
    def others(self) -> bool:
        return self._others.value

    def show_scale(self, scale: float) -> None:
        self._scale.configure(text=f"{scale:.0%}")

    def say(self, text: str) -> None:
        """Say what is being waited for."""
        self._waits.configure(text=text)
