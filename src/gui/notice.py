"""A line on a coloured ground that says what a person should know, in place."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any, Literal

import customtkinter as ctk

from src.gui.icons import icon
from src.gui.theme import RADIUS, Theme
from src.gui.widgets.controls import Button, icon_label, label

NoticeKind = Literal["info", "success", "warn", "error"]
_ICONS = {"info": "info", "success": "check", "warn": "info", "error": "warning"}


class Notice(ctk.CTkFrame):
    """Shown and hidden by its owner; the text can change while it is there."""

    def __init__(self, master: Any, look: Theme, kind: NoticeKind = "warn") -> None:
        self.look = look
        ink, fill = self._colours(look, kind)
        super().__init__(master, fg_color=fill, corner_radius=RADIUS, height=40)
        self.grid_columnconfigure(1, weight=1)
        self.grid_rowconfigure(0, weight=1, minsize=look.px(40))
        self._icon = icon_label(self, _ICONS[kind], ink)
        self._icon.grid(row=0, column=0, padx=(12, 12))
        self._text = label(self, look, "", anchor="w", justify="left")
        self._text.grid(row=0, column=1, sticky="w", pady=8)
        self._button: Button | None = None
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._wrap(), "+")

    def _wrap(self) -> None:
        """Break the text where the notice ends; it grows by a line then."""
        taken = 60 + (
            0 if self._button is None else self._button.winfo_reqwidth() / self.look.scale
        )
        room = self.winfo_width() / self.look.scale - taken
        if room > 100:
            self._text.configure(wraplength=room)

    @property
    def text(self) -> str:
        return str(self._text.cget("text"))

    def say(
        self,
        text: str,
        kind: NoticeKind = "warn",
        action: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        ink, fill = self._colours(self.look, kind)
        self.configure(fg_color=fill)
        self._icon.configure(image=icon(_ICONS[kind], ink), fg_color=fill)
        self._text.configure(text=text, fg_color=fill)
        if self._button is not None:
            self._button.destroy()
            self._button = None
        if action is not None:
            self._button = Button(self, self.look, action[0], action[1], kind="link", height=28)
            self._button.grid(row=0, column=2, padx=(8, 4))
        self._wrap()

    @staticmethod
    def _colours(look: Theme, kind: NoticeKind) -> tuple[str, str]:
        c = look.colours
        return {
            "info": (c.accent, c.selection),
            "success": (c.success, c.success_fill),
            "warn": (c.warn, c.warn_fill),
            "error": (c.error, c.error_fill),
        }[kind]
