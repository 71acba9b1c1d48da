"""What else is known of a segment with a label: its attributes, in one compact row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import label
from src.gui.widgets.inputs import Entry
from src.gui.widgets.menu_button import MenuButton
from src.label_records import LabelAttribute

NOTHING = "–"
Value = str | float | None


class AttributeRow(ctk.CTkFrame):
    """A menu for each choice, and an entry for each number, about the card that has the focus."""

    def __init__(
        self, master: Any, theme: Theme, on_change: Callable[[str, Value], object]
    ) -> None:
        super().__init__(master, fg_color="transparent", corner_radius=0)
        self.theme, self._on_change = theme, on_change
        self._attributes: Sequence[LabelAttribute] = ()
        self._menus: dict[str, MenuButton] = {}
        self._entries: dict[str, Entry] = {}
        self._values: Mapping[str, str | float] = {}

    def offer(self, attributes: Sequence[LabelAttribute]) -> None:
        """Offer the attributes of another label."""
        if tuple(attributes) == tuple(self._attributes):
            return
        self._attributes = tuple(attributes)
        for child in self.winfo_children():
            child.destroy()
        self._menus.clear()
        self._entries.clear()
        for attribute in attributes:
            name = attribute.name
            said = label(self, self.theme, name, size=SMALL, colour=self.theme.colours.text_2)
            said.pack(side="left", padx=(0, 4))
            if attribute.kind == "choice":
                change = partial(self._chosen, name)
                menu = MenuButton(
                    self, self.theme, [NOTHING, *attribute.choices], change, height=28
                )
                menu.pack(side="left", padx=(0, 8))
                self._menus[name] = menu
            else:
                entry = Entry(
                    self, self.theme, "Number", height=28, on_enter=partial(self._typed, name)
                )
                entry.field.configure(width=72)
                entry.pack(side="left", padx=(0, 12))
                self._entries[name] = entry

    def show(self, values: Mapping[str, str | float]) -> None:
        """Show what a segment has."""
        self._values = values
        for name, menu in self._menus.items():
            menu.show(str(values.get(name, NOTHING)))
        for name, entry in self._entries.items():
            value = values.get(name)
            entry.set("" if value is None else f"{value:g}" if isinstance(value, float) else value)
            entry.set_error(False)

    def _chosen(self, name: str, value: str) -> None:
        self._on_change(name, None if value == NOTHING else value)

    def _typed(self, name: str, text: str) -> None:
        try:
            value = number_of(text)
        except ValueError:
            self._entries[name].set_error(True)
            return
        self._entries[name].set_error(False)
        self._on_change(name, value)


def number_of(text: str) -> float | None:
    """Read a number as people type it, with a comma too; None for nothing.

    Raises:
        ValueError: it is no number.
    """
    text = text.strip().replace(",", ".")
    if not text:
        return None
    value = float(text)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("no finite number")
    return value
