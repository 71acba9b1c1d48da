"""Several hits at once: selected, labelled, and the label taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from src.gui.cards.card_grid import CardGrid
from src.gui.panel.bulk_labels import BulkLabels
from src.gui.panel.panel import PanelContext
from src.gui.panel.selection_bar import SelectionActions, SelectionBar, SelectionButton
from src.gui.search.chosen_hits import HitActions
from src.gui.search.results_line import HEIGHT, ResultsLine
from src.records import SearchHit

if TYPE_CHECKING:
    from src.gui.search.results import ResultsView


class HitSelection:
    """Shows a bar in the place of the line that counts hits, while some of them are selected."""

    def __init__(
        self,
        results: ResultsView,
        context: PanelContext,
        line: ResultsLine,
        grid: CardGrid,
        actions: HitActions,
    ) -> None:
        self._results, self._context, self._line, self._grid = results, context, line, grid
        self._actions = actions
        self._bar: SelectionBar | None = None  # made when first needed
        self._ids: list[str] = []
        self.labelling = BulkLabels(
            context.session, context.labels, self._find, self._say, self._labelled
        )
        self.labelling.bind_cards(grid)

    @property
    def hits(self) -> list[SearchHit]:
        shown = self._results.hits.hits
        return [shown[place] for place in sorted(self._grid.selection) if place < len(shown)]

    def changed(self, places: frozenset[int]) -> None:
        """Show or hide the bar, now that other cards are selected."""
        ids = [hit.segment.id for hit in self.hits]
        is_another, self._ids = ids != self._ids, ids
        if not places:
            self._hide()
            return
        bar = self._shown()
        bar.show(f"{len(places):,} selected")
        if is_another:
            bar.say("", can_undo=False)

    def keep(self, show: Callable[[], None]) -> None:
        """Let the same hits be selected after others are shown, as far as they are among them."""
        before, focused = set(self._ids), self._grid.focused
        shown = self._results.hits.hits
        focus = shown[focused].segment.id if focused is not None and focused < len(shown) else None
        said = self._bar.said if self._bar is not None else ""
        show()
        if not before and focus is None:
            return
        places = {hit.segment.id: place for place, hit in enumerate(self._results.hits.hits)}
        if focus in places:
            self._grid.focused = places[focus]
        kept = frozenset(places[key] for key in before if key in places)
        self._ids = [key for key in places if key in before]
        self._grid.select(kept)
        if before and not kept and said and self._bar is not None:
            self._shown().show_nothing_selected()

    def ask_for_label(self, places: Sequence[int]) -> None:
        """Select cards, and wait for the name of a label for them."""
        self._grid.select(frozenset(places))
        self._shown().entry.focus_field()

    # -- the bar

    def _hide(self) -> None:
        if self._bar is not None and self._bar.winfo_manager():
            self._bar.pack_forget()
            self._line.show()

    def _shown(self) -> SelectionBar:
        """Return the bar, in the place of the line."""
        if self._bar is None:
            self._bar = SelectionBar(
                self._line.master,
                self._results.theme,
                self._context.labels,
                SelectionActions(
                    self.labelling.give,
                    self.labelling.give_key,
                    self.labelling.undo,
                    lambda: self._grid.select(frozenset()),
                    self._grid.canvas.focus_set,
                    self._hide,
                ),
                [SelectionButton("Save crops", lambda: self._actions.save_crops(self.hits))],
                HEIGHT,
            )
        if not self._bar.winfo_manager():
            self._line.hide()
            self._bar.pack(fill="x", padx=self._line.margins)
        return self._bar

    # -- labels

    def _find(self) -> Callable[[], Sequence[str]] | None:
        ids = [hit.segment.id for hit in self.hits]
        return (lambda: ids) if ids else None

    def _say(self, text: str, can_undo: bool) -> None:
        bar = self._shown()
        if not self._grid.selection:
            bar.show_nothing_selected()
        bar.say(text, can_undo)

    def _labelled(self) -> None:
        self._shown().entry.set("")
        self._grid.canvas.focus_set()
