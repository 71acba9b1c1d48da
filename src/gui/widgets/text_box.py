"""Several lines to type in."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any

from src.gui.theme.theme import RADIUS, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.key_bindings import bind_key


class TextBox(ctk.CTkFrame):
    """Lines of text with a border as an entry has; Tab leaves it.

    CustomTkinter's own looks for a scrollbar again and again, even once it is destroyed.

    Attributes:
        field: what is typed in.
    """

    def __init__(
        self, master: Any, theme: Theme, on_change: Callable[[], object], lines: int = 3
    ) -> None:
        c = theme.colours
        super().__init__(
            master,
            fg_color=c.card,
            corner_radius=RADIUS,
            border_width=1,
            border_color=c.strong_border,
        )
        self.theme, self._on_change = theme, on_change
        self.field = tkinter.Text(
            self,
            height=lines,
            width=1,
            bg=c.card,
            fg=c.text,
            bd=0,
            highlightthickness=0,
            font=theme.canvas_font(self),
            wrap="none",
            undo=True,
            selectbackground=c.accent,
            selectforeground=c.on_accent,
            insertbackground=c.text,
        )
        self.field.pack(fill="both", expand=True, padx=theme.px(10), pady=theme.px(8))
        self._last = ""
        self._is_wrong = False
        for event, answer in (
            ("<KeyRelease>", lambda _: self._changed()),
            ("<FocusIn>", lambda _: self._draw_border(True)),
            ("<FocusOut>", lambda _: self._draw_border(False)),
        ):
            self.field.bind(event, answer, "+")
        bind_key(self.field.bind, "<Control-a>", lambda _: self._select_all())
        self.field.bind("<Tab>", lambda _: self._leave(self.field.tk_focusNext()))
        self.field.bind("<Shift-Tab>", lambda _: self._leave(self.field.tk_focusPrev()))
        if self.tk.call("tk", "windowingsystem") == "x11":
            self.field.bind("<ISO_Left_Tab>", lambda _: self._leave(self.field.tk_focusPrev()))

    def _select_all(self) -> str:
        """Select all, as in an entry; Tk's own would go to the beginning of the line."""
        self.field.tag_add("sel", "1.0", "end-1c")
        self.field.mark_set("insert", "end-1c")
        return "break"

    @property
    def text(self) -> str:
        return self.field.get("1.0", "end-1c")

    def set(self, text: str) -> None:
        """Show a text; nothing is called."""
        self.field.delete("1.0", "end")
        self.field.insert("1.0", text)
        self._last = self.text

    def set_error(self, is_wrong: bool) -> None:
        self._is_wrong = is_wrong
        self._draw_border(self.focus_get() is self.field)

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
