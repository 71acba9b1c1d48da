"""What stands over the results while some of them are selected: a tag for all, and their crops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from src.gui.search.results_line import HEIGHT
from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, label
from src.gui.widgets.inputs import Entry


class SelectionBar(ctk.CTkFrame):
    """Shown and hidden by its owner, in the place of the line that counts hits."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        on_tag: Callable[[str], None],
        on_undo: Callable[[], None],
        on_save: Callable[[], None],
        on_clear: Callable[[], None],
    ) -> None:
        super().__init__(master, fg_color="transparent", height=HEIGHT)
        self.pack_propagate(False)
        self._count = label(self, theme, "", weight="medium")
        self._count.pack(side="left", padx=(0, 8))
        self.entry = Entry(self, theme, "Tag them all", height=30, on_enter=on_tag)
        self.entry.configure(width=180)
        self.entry.grid_propagate(False)
        self.entry.pack(side="left", padx=(0, 4))
        Button(self, theme, "Save crops", on_save, height=26).pack(side="left")
        Button(self, theme, "Clear", on_clear, kind="quiet", height=26).pack(side="left")
        self._said = label(self, theme, "", size=SMALL, colour=theme.colours.text_2)
        self._said.pack(side="left", padx=(8, 0))
        self._undo = Button(self, theme, "Undo", on_undo, kind="link", height=24)

    def show(self, count: int) -> None:
        self._count.configure(text=f"{count:,} selected")
        self.say("", can_undo=False)

    def say(self, text: str, can_undo: bool) -> None:
        """Say what was done, or why it can't be."""
        self._said.configure(text=text)
        if can_undo and not self._undo.winfo_manager():
            self._undo.pack(side="left", after=self._said)
        elif not can_undo:
            self._undo.pack_forget()
