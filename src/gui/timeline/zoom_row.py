"""The line above the timeline: how many lanes there are, and how large the time is seen."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any

from src.counting import counted
from src.gui.theme.theme import SMALL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, label
from src.gui.widgets.slider import Slider
from src.gui.widgets.tooltip import Tooltip

HEIGHT = 40


class ZoomRow(ctk.CTkFrame):
    """A slider from the whole video to single frames, and a button for the whole."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        on_zoom: Callable[[float], object],
        on_fit: Callable[[], object],
    ) -> None:
        super().__init__(master, fg_color="transparent", height=HEIGHT)
        self.pack_propagate(False)
        c = theme.colours
        label(self, theme, "Timeline", weight="medium").pack(side="left")
        self._lanes = label(self, theme, "", colour=c.text_2)
        self._lanes.pack(side="left", padx=12)
        self._warning = label(self, theme, "", size=SMALL, colour=c.warn)
        self._warning.pack(side="left")
        fit = Button(self, theme, "Fit", on_fit, height=32)
        fit.pack(side="right")
        Tooltip(fit, theme, "Show the whole video (0)")
        self._slider = Slider(self, theme, (0.0, 1.0), 0.0, on_zoom, decimals=3, width=128)
        self._slider.pack(side="right")
        label(self, theme, "Zoom", size=SMALL, colour=c.text_2).pack(side="right", padx=(0, 4))
        # last, so that a long sentence is cut and nothing else
        self._said = label(self, theme, "", size=SMALL, colour=c.text_2, anchor="w")
        self._said.pack(side="left", fill="x", expand=True, padx=(0, 8))
        self._sentence, self._theme = "", theme
        tkinter.Misc.bind(self._said, "<Configure>", lambda _: self._fit_sentence(), "+")

    def show(self, lanes: int, warning: str) -> None:
        """Show how many lanes there are, and what else there is to know of the video."""
        self._lanes.configure(text=counted(lanes, "lane") if lanes else "")
        self._warning.configure(text=warning)

    def say(self, text: str) -> None:
        """Show what was done last, where there is no line for it at the foot."""
        self._sentence = text
        self._fit_sentence()

    def _fit_sentence(self) -> None:
        font, wide = self._theme.canvas_font(self, SMALL), self._said.winfo_width()
        self._said.configure(text=shorten(self._sentence, font, wide, tail=0))

    def show_zoom(self, zoom: float) -> None:
        """Show how far it is zoomed in, from 0 to 1."""
        if abs(zoom - self._slider.value) > 0.0005:
            self._slider.set(zoom)
