"""What the panels that search have in common."""

from __future__ import annotations

from collections.abc import Sequence

from src.gui.cards.card_grid import CardGrid
from src.gui.panel.panel import Panel
from src.gui.search.hit_cards import each_of
from src.gui.search.results import ResultsView
from src.records import SearchHit


class SearchPanel(Panel):
    """A panel that shows what a search has found."""

    results: ResultsView

    def shown(self) -> None:
        self.results.refresh()

    def step_back(self) -> bool:
        return self.results.step_back()

    def refresh_thumbnails(self) -> None:
        self.results.refresh_thumbnails()

    @property
    def card_grid(self) -> CardGrid:
        return self.results.grid_view

    @property
    def found(self) -> Sequence[SearchHit]:
        return each_of(self.results.hits.hits)
