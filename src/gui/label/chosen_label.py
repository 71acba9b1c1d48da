"""What can be done with the label that a person has chosen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from src.gui.label.label_editors import Box, choose_colour, edit_attributes
from src.label_records import Label

if TYPE_CHECKING:
    from src.gui.label.label_panel import LabelPanel


class ChosenLabel:
    """The entries of a label's context menu."""

    def __init__(self, label: Label, panel: LabelPanel) -> None:
        self.label, self._panel = label, panel

    def rename(self) -> None:
        self._panel.list.start_renaming(self.label.name)

    def colour(self) -> None:
        """Offer other colours below its row."""
        panel, name = self._panel, self.label.name
        change = partial(panel.commands.set_colour, name)
        choose_colour(panel.list, panel.theme, self._box, self.label.colour, change)

    def attributes(self) -> None:
        """Let its attributes be written below its row."""
        panel, name = self._panel, self.label.name
        save = partial(panel.commands.set_attributes, name)
        edit_attributes(panel.list, panel.theme, self._box, self.label, save)

    def merge(self) -> None:
        """Ask for the label that it becomes a part of."""
        self._panel.list.start_merging(self.label.name)

    @property
    def can_merge(self) -> bool:
        return len(self._panel.labels) > 1

    def move(self, step: int) -> None:
        """Move it up (-1) or down (1)."""
        self._panel.commands.move_by(self.label.name, step)

    def can_move(self, step: int) -> bool:
        names = [each.name for each in self._panel.labels]
        return 0 <= names.index(self.label.name) + step < len(names)

    def remove(self) -> None:
        self._panel.commands.remove(self.label.name)

    def import_names(self) -> None:
        self._panel.import_names()

    @property
    def _box(self) -> Box:
        """Where its row is on the screen."""
        rows = self._panel.list
        left, top, width, height = rows.box(self.label.name)
        return rows.winfo_rootx() + left, rows.winfo_rooty() + top, width, height
