"""A button that shows the choice made and opens the others below it."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from typing import Any

import customtkinter as ctk

from src.gui.icons import icon
from src.gui.theme import NORMAL, RADIUS, Theme
from src.gui.widgets.controls import RING, Focusable


class MenuButton(Focusable):
    """One of several, chosen from a menu."""

    def __init__(
        self,
        master: Any,
        look: Theme,
        names: Sequence[str],
        on_change: Callable[[str], object],
        *,
        height: int = 32,
        width: int | None = None,
        value: str | None = None,
    ) -> None:
        super().__init__(master, look, self._open)
        c = look.colours
        self.value = value or names[0]
        self._names, self._on_change = list(names), on_change
        font = look.font()
        wide = max(font.measure(name) for name in names) + 56 if width is None else width
        self._button = ctk.CTkButton(
            self,
            text=self.value,
            command=self._open,
            height=height,
            width=wide,
            corner_radius=RADIUS,
            fg_color=c.raised,
            hover_color=c.hover,
            text_color=c.text,
            border_width=1,
            border_color=c.border,
            font=font,
            image=icon("down", c.text_2, 16),
            compound="right",
            anchor="w" if width is not None else "center",
        )
        self._button.pack(fill="both", expand=True, padx=RING, pady=RING)

    def choose(self, name: str) -> None:
        if name != self.value:
            self.value = name
            self._button.configure(text=name)
            self._on_change(name)

    def _open(self) -> None:
        c = self.look.colours
        menu = tkinter.Menu(
            self,
            tearoff=False,
            bg=c.raised,
            fg=c.text,
            activebackground=c.hover,
            activeforeground=c.text,
            bd=0,
            relief="flat",
            activeborderwidth=self.look.px(4),
            font=self.look.canvas_font(self, NORMAL),
            selectcolor=c.accent,
        )
        for name in self._names:
            mark = "✓  " if name == self.value else "     "
            menu.add_command(label=mark + name, command=lambda name=name: self.choose(name))  # type: ignore[misc]
        x = self._button.winfo_rootx()
        menu.tk_popup(x, self._button.winfo_rooty() + self._button.winfo_height() + self.look.px(4))
        menu.grab_release()
