"""Several lines to type in."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any

from src.gui.theme.theme import RADIUS, Theme
from src.gui.theme.toolkit import ctk


class TextBox(ctk.CTkTextbox):
    """Lines of text with a border as an entry has; Tab leaves it."""

    def __init__(
        self, master: Any, theme: Theme, on_change: Callable[[], object], height: int = 72
    ) -> None:
        c = theme.colours
        super().__init__(
            master,
            height=height,
            width=200,
            fg_color=c.card,
            corner_radius=RADIUS,
            border_width=1,
            border_color=c.strong_border,
            border_spacing=2,
            font=theme.font(),
            text_color=c.text,
            wrap="none",
            scrollbar_button_color=c.strong_border,
            scrollbar_button_hover_color=c.hint,
        )
        self.theme, self._on_change = theme, on_change
        self._textbox.configure(
            selectbackground=c.accent, selectforeground=c.on_accent, insertbackground=c.text
        )
        self._last = ""
        self._is_wrong = False
        self.bind("<KeyRelease>", lambda _: self._changed(), add="+")
        self.bind("<FocusIn>", lambda _: self._draw_border(True), add="+")
        self.bind("<FocusOut>", lambda _: self._draw_border(False), add="+")
        self.bind("<Tab>", lambda _: self._leave(self._textbox.tk_focusNext()))
        self.bind("<Shift-Tab>", lambda _: self._leave(self._textbox.tk_focusPrev()))
        if self.tk.call("tk", "windowingsystem") == "x11":
            self.bind("<ISO_Left_Tab>", lambda _: self._leave(self._textbox.tk_focusPrev()))

    @property
    def text(self) -> str:
        return str(self.get("1.0", "end-1c"))

    def set(self, text: str) -> None:
        """Show a text; nothing is called."""
        self.delete("1.0", "end")
        self.insert("1.0", text)
        self._last = self.text

    def set_error(self, is_wrong: bool) -> None:
        self._is_wrong = is_wrong
        self._draw_border(self.focus_get() is self._textbox)

    def _changed(self) -> None:
        if self.text != self._last:
            self._last = self.text
            self._on_change()

    def _leave(self, to: tkinter.Misc | None) -> str:
        if to is not None:
            to.focus_set()
        return "break"

    def _draw_border(self, has_focus: bool) -> None:
        c = self.theme.colours
        plain = c.accent if has_focus else c.strong_border
        self.configure(
            border_width=2 if has_focus else 1, border_color=c.error if self._is_wrong else plain
        )
