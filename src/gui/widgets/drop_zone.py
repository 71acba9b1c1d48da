"""A place where files can be dropped."""

from __future__ import annotations

import tkinter
from typing import Any

from PIL import ImageTk

from src.gui.theme.pictures import dashed_zone
from src.gui.theme.theme import RADIUS_LARGE, Theme
from src.gui.theme.toolkit import ctk


class DropZone(ctk.CTkFrame):
    """An area with a dashed border, redrawn when its size changes."""

    def __init__(self, master: Any, theme: Theme) -> None:
        super().__init__(master, fg_color=theme.colours.drop_zone, corner_radius=0)
        self.theme = theme
        self._border = tkinter.Label(self, bd=0, bg=theme.colours.window)
        self._border.place(x=0, y=0, relwidth=1, relheight=1)
        self._photo: ImageTk.PhotoImage | None = None
        self._border.bind("<Configure>", self._resized)

    def _resized(self, event: tkinter.Event[tkinter.Misc]) -> None:
        c = self.theme.colours
        if event.width > 40 and event.height > 40:
            self._photo = ImageTk.PhotoImage(
                dashed_zone(
                    (event.width, event.height),
                    c.drop_zone,
                    c.strong_border,
                    c.window,
                    self.theme.px(RADIUS_LARGE),
                    self.theme.scale,
                )
            )
            self._border.configure(image=self._photo)
