"""One line of the table of models: what is known of it, one action, and a download's bar."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any

from src.gui.models.model_row_view import ModelRowView, Verb
from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, label, progress_bar

# Widths of the columns beside the name, which takes the rest.
SIZE, SPEED, STATE, ACTION = 92, 132, 116, 120
_FACTS = SIZE + SPEED + STATE


class ModelLine(ctk.CTkFrame):
    """Shows a ModelRowView; widgets stay when only words change, and so does the focus."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        on_verb: Callable[[Verb], None],
        on_measure: Callable[[], None],
    ) -> None:
        c = theme.colours
        super().__init__(master, fg_color="transparent", corner_radius=0)
        self.theme, self._on_verb = theme, on_verb
        self.view: ModelRowView | None = None
        self.grid_columnconfigure(0, weight=1)
        self.grid_rowconfigure(0, minsize=theme.px(60))
        for column, width in enumerate((SIZE, SPEED, STATE, ACTION), start=1):
            self.grid_columnconfigure(column, minsize=theme.px(width))
        self._name, self._purpose = self._two_lines(0)
        self._size, self._licence = self._two_lines(1, SMALL)
        self._speed, _ = self._two_lines(2, SMALL)
        self._measure = Button(
            self._speed.master, theme, "", on_measure, kind="link", height=20, size=SMALL
        )
        self._state = label(self, theme, "", size=SMALL, anchor="w")
        self._state.grid(row=0, column=3, sticky="w")
        self.button = Button(self, theme, "", self._act, height=32, width=104)
        self._problem = label(self, theme, "", size=SMALL, colour=c.error, justify="left")
        self._doing = label(self, theme, "", size=SMALL, colour=c.text_2, anchor="w")
        self._bar: ctk.CTkProgressBar | None = None
        self._inside = 0.0
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._wrap(), "+")

    def show(self, view: ModelRowView) -> None:
        if view == self.view:
            return
        c = self.theme.colours
        self.view = view
        self._name.configure(text=view.name)
        self._purpose.configure(text=view.purpose)
        self._show_facts(view)
        self._show_download(view)
        self._state.configure(
            text=("✓ " if view.in_use else "") + view.state,
            text_color=c.accent if view.in_use else c.error if view.problem else c.text_2,
        )
        if view.verb is None:
            self.button.grid_remove()
        else:
            self.button.set_text(view.button)
            self.button.set_enabled(view.enabled)
            self.button.grid(row=0, column=4, sticky="e", padx=(0, 8))
        self._problem.configure(text=view.problem)
        if view.problem:
            self._problem.grid(
                row=1, column=0, columnspan=5, sticky="w", padx=(16, 12), pady=(0, 10)
            )
        else:
            self._problem.grid_remove()

    def _show_facts(self, view: ModelRowView) -> None:
        self._size.configure(text=view.size)
        self._licence.configure(text=view.licence)
        self._speed.configure(text=view.speed)
        if view.measure:
            self._measure.set_text(view.measure)
            self._measure.set_enabled(view.measure != "Measuring…")
            self._measure.pack(anchor="w")
        else:
            self._measure.pack_forget()

    def _show_download(self, view: ModelRowView) -> None:
        """Show a bar and its words in place of the facts, while the model is downloaded."""
        facts = (self._size.master, self._speed.master, self._state)
        if view.fraction is None:
            if self._bar is not None:
                self._bar.destroy()
                self._bar = None
                self._doing.grid_remove()
                for part in facts:
                    part.grid()
            return
        c = self.theme.colours
        if self._bar is None:
            for part in facts:
                part.grid_remove()
            self._bar = progress_bar(self, self.theme)
            self._bar.grid(row=0, column=1, columnspan=3, sticky="sew", padx=(0, 16), pady=(0, 18))
            self._doing.grid(row=0, column=1, columnspan=3, sticky="new", pady=(14, 0))
        # CustomTkinter draws a dot for nothing
        self._bar.configure(progress_color=c.accent if view.fraction else c.hover)
        self._bar.set(view.fraction)
        self._doing.configure(text=view.doing)

    def _two_lines(self, column: int, size: int = 14) -> tuple[ctk.CTkLabel, ctk.CTkLabel]:
        words = ctk.CTkFrame(self, fg_color="transparent")
        words.grid(row=0, column=column, sticky="w", padx=(16 if column == 0 else 0, 8), pady=8)
        first = label(words, self.theme, "", size=size, anchor="w", justify="left")
        second = label(
            words,
            self.theme,
            "",
            size=SMALL,
            colour=self.theme.colours.text_2,
            anchor="w",
            justify="left",
        )
        if column == 2:  # a link lies below, whose words begin further to the right
            first.pack(anchor="w", padx=12)
        else:
            first.pack(anchor="w")
            second.pack(anchor="w")
        return first, second

    def _wrap(self) -> None:
        """Break long words where the line ends."""
        width = self.winfo_width() / self.theme.scale
        inside = width - _FACTS - ACTION - 24
        if inside > 60 and inside != self._inside:
            self._inside = inside
            self._name.configure(wraplength=inside)
            self._purpose.configure(wraplength=inside)
            self._problem.configure(wraplength=width - 28)

    def _act(self) -> None:
        if self.view is not None and self.view.verb is not None:
            self._on_verb(self.view.verb)
