"""A line on a coloured ground that says what a person should know, in place."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from src.gui.theme.icons import icon
from src.gui.theme.theme import RADIUS, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, icon_label, label

NoticeKind = Literal["info", "success", "warn", "error"]
Action = tuple[str, Callable[[], object]]
_ICONS = {"info": "info", "success": "check", "warn": "info", "error": "warning"}


class Notice(ctk.CTkFrame):
    """Shown and hidden by its owner; the text can change while it is there."""

    def __init__(self, master: Any, theme: Theme, kind: NoticeKind = "warn") -> None:
        self.theme = theme
        ink, fill = self._colours(theme, kind)
        super().__init__(master, fg_color=fill, corner_radius=RADIUS, height=40)
        self.grid_columnconfigure(1, weight=1)
        self.grid_rowconfigure(0, weight=1, minsize=theme.px(40))
        self._icon = icon_label(self, _ICONS[kind], ink)
        self._icon.grid(row=0, column=0, padx=(12, 12))
        self._text = label(self, theme, "", anchor="w", justify="left")
        self._text.grid(row=0, column=1, sticky="w", pady=8)
        self._shown: list[str] = []  # its kind, and the words of its links
        self._actions: tuple[Action, ...] = ()
        self._buttons: list[Button] = []
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._wrap(), "+")

    def _wrap(self) -> None:
        """Wrap the text at the notice's width; it may grow by a line."""
        taken = 60 + sum(button.winfo_reqwidth() / self.theme.scale for button in self._buttons)
        width = self.winfo_width() / self.theme.scale - taken
        if width > 100:
            self._text.configure(wraplength=width)

    @property
    def text(self) -> str:
        return str(self._text.cget("text"))

    def say(self, text: str, kind: NoticeKind = "warn", *actions: Action) -> None:
        """Show a sentence, and links: their words, and what they do."""
        ink, fill = self._colours(self.theme, kind)
        self.configure(fg_color=fill)
        self._icon.configure(image=icon(_ICONS[kind], ink), fg_color=fill)
        self._text.configure(text=text, fg_color=fill)
        wanted = [kind, *(words for words, _ in actions)]
        same, self._shown, self._actions = wanted == self._shown, wanted, actions
        if not same:  # else a link would lose the focus whenever the sentence changes
            for button in self._buttons:
                button.destroy()
            self._buttons = [
                Button(self, self.theme, words, partial(self._act, place), kind="link", height=28)
                for place, (words, _) in enumerate(actions)
            ]
            for place, button in enumerate(self._buttons):
                button.grid(row=0, column=2 + place, padx=(8 if place == 0 else 0, 4))
        self._wrap()

    def _act(self, place: int) -> None:
        self._actions[place][1]()

    @staticmethod
    def _colours(theme: Theme, kind: NoticeKind) -> tuple[str, str]:
        c = theme.colours
        return {
            "info": (c.accent, c.selection),
            "success": (c.success, c.success_fill),
            "warn": (c.warn, c.warn_fill),
            "error": (c.error, c.error_fill),
        }[kind]
