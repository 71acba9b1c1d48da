"""Several hits at once: selected, tagged, and the tag taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from src.counting import counted
from src.errors import is_of_a_person
from src.gui.cards.card_grid import CardGrid
from src.gui.core.session import Session
from src.gui.core.wording import as_sentence
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
        self._results, self._session, self._line, self._grid = results, session, line, grid
        self._actions = actions
        self._bar: SelectionBar | None = None  # made when first needed
        self._batch: str | None = None  # of the act on tags that can be undone

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
        self._batch = None
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
                self._undo,
                lambda: self._actions.save_crops(self.hits),
                lambda: self._grid.select(frozenset()),
            )
        return self._bar

    def _tag(self, name: str) -> None:
        library, ids = self._session.library, [hit.segment.id for hit in self.hits]

        def add() -> None:
            batch: str | None = None
            for segment_id in ids:
                batch = library.add_tag(segment_id, name, batch)
            self._batch = batch

        def added() -> None:
            bar = self._made()
            bar.entry.set("")
            bar.say(f"{counted(len(ids), 'segment')} tagged “{name.strip()}”.", can_undo=True)
            self._grid.canvas.focus_set()

        def failed(exc: Exception) -> None:
            if not is_of_a_person(exc):
                raise exc
            self._made().say(as_sentence(str(exc)), can_undo=False)

        if name.strip():
            self._session.change(add, added, failed, "Couldn't add the tag")

    def _undo(self) -> None:
        library, batch = self._session.library, self._batch
        if batch is None:
            return
        self._batch = None
        self._session.change(
            lambda: library.undo(batch),
            lambda: self._made().say("Undone.", can_undo=False),
            fails="Couldn't undo",
        )
