"""What stands over cards while some of them are selected: a label for all, and what else can be."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from src.gui.core.known_labels import KEYS, KnownLabels
from src.gui.theme.theme import Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, label
from src.gui.widgets.label_entry import LabelEntry
from src.gui.widgets.label_keys import LabelKeys
from src.gui.widgets.tooltip import Tooltip

_SAID_FOR_MS = 8000
_ENTRY_WIDTH, _NARROW_ENTRY = 168, 136
_WIDE = 700  # from so many pixels of the design on there is space for all


@dataclass(frozen=True)
class SelectionActions:
    """What a bar asks of its owner.

    Attributes:
        give: gives a label to all that is selected.
        give_key: gives that of a key from 1 to 9.
        clear: selects nothing.
        leave: gives the keyboard back to the cards.
        hide: is called when there is nothing more to say, and nothing is selected.
    """

    give: Callable[[str], object]
    give_key: Callable[[int], object]
    undo: Callable[[], object]
    clear: Callable[[], object]
    leave: Callable[[], object]
    hide: Callable[[], object]


@dataclass(frozen=True)
class SelectionButton:
    """A button for what else can be done with all that is selected.

    Attributes:
        short: what it says where there is little space.
        writes: it changes the library.
    """

    text: str
    press: Callable[[], object]
    icon: str | None = None
    short: str = ""
    writes: bool = False


class SelectionBar(ctk.CTkFrame):
    """Shown and hidden by its owner, in the place of a line that says what there is."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        labels: KnownLabels,
        actions: SelectionActions,
        buttons: Sequence[SelectionButton] = (),
        height: int = 36,
    ) -> None:
        super().__init__(master, fg_color="transparent", height=height)
        self.pack_propagate(False)
        self._theme, self._labels, self._actions = theme, labels, actions
        self._texts = buttons
        self._waits: str | None = None
        self._is_wide = True
        self._count = label(self, theme, "", weight="medium")
        self._count.pack(side="left", padx=(0, 8))
        self.entry = LabelEntry(
            self, theme, "Label them all", labels.suggest, actions.give, actions.leave, height=30
        )
        self.entry.configure(width=_ENTRY_WIDTH)
        self.entry.grid_propagate(False)
        self.entry.pack(side="left", padx=(0, 12))
        # from the right, what is made first is cut last where there is little space
        self._clear = Button(self, theme, "Clear", actions.clear, kind="quiet", height=26)
        self._clear.pack(side="right")
        self._buttons = [
            Button(self, theme, each.text, each.press, icon_name=each.icon, height=26)
            for each in buttons
        ]
        for button in reversed(self._buttons):
            button.pack(side="right")
        writing = (b for b, each in zip(self._buttons, buttons, strict=True) if each.writes)
        labels.only_to_give(self.entry, *writing)
        self._undo = Button(self, theme, "Undo", actions.undo, kind="link", height=24)
        self.keys = LabelKeys(self, theme, height - 2 * RING, actions.give_key)
        self._tip = Tooltip(self.keys, theme, "")
        self.keys.pack(side="left", fill="x", expand=True)
        labels.changed.append(self._show_labels)
        self._show_labels()
        tkinter.Misc.bind(self, "<Configure>", lambda event: self._fit(event.width), "+")

    def _fit(self, width_px: int) -> None:
        """Leave what is said the space it needs, in a narrow window too."""
        is_wide = width_px >= self._theme.px(_WIDE)
        if is_wide == self._is_wide:
            return
        self._is_wide = is_wide
        self.entry.configure(width=_ENTRY_WIDTH if is_wide else _NARROW_ENTRY)
        for button, said in zip(self._buttons, self._texts, strict=True):
            button.set_text(said.text if is_wide else said.short or said.text)
        if self._count.winfo_manager():
            self._show_clear()

    def _show_clear(self) -> None:
        """Show the button where there is space for it; Escape does the same."""
        if not self._is_wide:
            self._clear.pack_forget()
        elif not self._clear.winfo_manager():
            first: tkinter.Misc = self._buttons[-1] if self._buttons else self.keys
            self._clear.pack(side="right", before=first)

    def _show_labels(self) -> None:
        self.keys.show(self._labels.labels[:KEYS])

    def show(self, text: str) -> None:
        """Show what is selected: "3 selected"."""
        self._forget()
        self._count.configure(text=text)
        if not self._count.winfo_manager():
            self._count.pack(side="left", padx=(0, 8), before=self.keys)
            self.entry.pack(side="left", padx=(0, 12), before=self.keys)
            for button in reversed(self._buttons):
                button.pack(side="right", before=self.keys)
            self._show_clear()
        self._show_labels()

    def show_nothing_selected(self) -> None:
        """Show for a while what was done last, and no more."""
        for part in (self._count, self.entry, self._clear, *self._buttons):
            part.pack_forget()
        self.keys.show(())
        self._forget()
        self._waits = self.after(_SAID_FOR_MS, self._hide)

    def say(self, text: str, can_undo: bool) -> None:
        """Say what was done, or why it can't be."""
        self.keys.say(text)
        self._tip.text = text
        if can_undo and not self._undo.winfo_manager():
            self._undo.pack(side="right", before=self.keys)
        elif not can_undo:
            self._undo.pack_forget()

    @property
    def said(self) -> str:
        return self.keys.said

    def _hide(self) -> None:
        self._waits = None
        self.say("", False)
        self._actions.hide()

    def _forget(self) -> None:
        if self._waits is not None:
            self.after_cancel(self._waits)
            self._waits = None
