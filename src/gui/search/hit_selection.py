"""Several hits at once: selected, tagged, and the tag taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from src.gui.cards.card_grid import CardGrid
from src.gui.core.session import Session
from src.gui.core.tag_act import TagAct
from src.gui.search.chosen_hits import HitActions
from src.gui.search.results_line import ResultsLine
from src.gui.search.selection_bar import SelectionBar
from src.records import SearchHit

if TYPE_CHECKING:
    from src.gui.search.results import ResultsView


class HitSelection:
    """Shows a bar in the place of the line that counts hits, while some of them are selected."""

    def __init__(
        self,
        results: ResultsView,
        session: Session,
        line: ResultsLine,
        grid: CardGrid,
        actions: HitActions,
    ) -> None:
        self._results, self._line, self._grid = results, line, grid
        self._actions = actions
        self._bar: SelectionBar | None = None  # made when first needed
        self._tagging = TagAct(session, lambda text, can_undo: self._made().say(text, can_undo))

    @property
    def hits(self) -> list[SearchHit]:
        shown = self._results.hits.hits
        return [shown[place] for place in sorted(self._grid.selection) if place < len(shown)]

    def changed(self, places: frozenset[int]) -> None:
        """Show or hide the bar, now that other cards are selected."""
        if not places:
            if self._bar is not None and self._bar.winfo_manager():
                self._bar.pack_forget()
                self._line.show()
            return
        bar = self._made()
        bar.show(len(places))
        self._tagging.forget()
        if not bar.winfo_manager():
            self._line.hide()
            bar.pack(fill="x", padx=self._line.margins)

    def ask_for_tag(self, places: Sequence[int]) -> None:
        """Select cards, and wait for the name of a tag for them."""
        self._grid.select(frozenset(places))
        self._made().entry.focus_field()

    def _made(self) -> SelectionBar:
        if self._bar is None:
            self._bar = SelectionBar(
                self._line.master,
                self._results.theme,
                self._tag,
                self._tagging.undo,
                lambda: self._actions.save_crops(self.hits),
                lambda: self._grid.select(frozenset()),
            )
        return self._bar

    def _tag(self, name: str) -> None:
        def added() -> None:
            self._made().entry.set("")
            self._grid.canvas.focus_set()

        self._tagging.tag([hit.segment.id for hit in self.hits], name, added)
