"""The attributes of the candidate that is chosen, in a row above the cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from src.gui.core.undoable_acts import Act
from src.gui.label.attribute_row import AttributeRow, Value

if TYPE_CHECKING:
    from src.gui.label.rank_tab import RankTab


class CardAttributes:
    """A row that is there while the label has attributes."""

    def __init__(self, master: Any, tab: RankTab) -> None:
        self._tab = tab
        self.row = AttributeRow(master, tab.theme, self._set)

    def offer(self) -> None:
        """Offer the attributes of the label that is chosen now."""
        tab, row = self._tab, self.row
        attributes = () if tab.label is None else tab.label.attributes
        row.offer(attributes)
        if attributes and not row.winfo_manager():
            row.pack(fill="x", pady=(8, 0), after=tab.strip)
        elif not attributes:
            row.pack_forget()
        self.show()

    def show(self) -> None:
        """Show what the chosen card has, once that is known."""
        tab, ids = self._tab, self._tab.chosen_ids()
        label = tab.label
        if label is None or not label.attributes or not ids:
            return
        labels, name = tab.session.library.labels, label.name

        def found(values: Mapping[str, Mapping[str, Mapping[str, str | float]]]) -> None:
            if tab.chosen_ids() == ids:
                self.row.show(values.get(ids[0], {}).get(name, {}))

        tab.session.main_thread.run(lambda: labels.attributes_of(ids[:1]), found)

    def _set(self, attribute: str, value: Value) -> None:
        """Set it on what is chosen; that it has the label is said by that."""
        tab, ids = self._tab, self._tab.chosen_ids()
        if tab.label is None or not ids:
            return
        labels, name = tab.session.library.labels, tab.label.name
        answers = tab.list.answers_of(ids)
        if new := [key for key in ids if key in answers and answers[key].answer != "accepted"]:
            tab.answering.accept(new)
        tab.tools.acts.do(
            Act(
                lambda: labels.set_attribute(ids, name, attribute, value),
                done=self.show,
                undone=self.show,
            )
        )
        tab.take_keys()
