"""The line over the map: how many segments it shows, what colours mean, and the zoom."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from src.counting import counted
from src.errors import QueryError
from src.gui.map.map_canvas import CLOSEST, FARTHEST
from src.gui.theme.theme import Theme
from src.gui.widgets.controls import Button, IconButton, label, panel_header
from src.gui.widgets.menu_button import MenuButton
from src.gui.widgets.slider import Slider
from src.search.query import Query
from src.search.query_text import parse_query

BY_TAG = "Tag"


@dataclass(frozen=True)
class MapHeaderActions:
    """What the header asks of the panel.

    Attributes:
        searched: gives the last search of the Search panel, as people type it.
        coloured: other colours were chosen.
        zoom: enlarges the map by a factor.
        zoom_to: shows the map at a scale.
        fit: shows all of the map.
    """

    searched: Callable[[], str]
    coloured: Callable[[], object]
    zoom: Callable[[float], object]
    zoom_to: Callable[[float], object]
    fit: Callable[[], object]


class MapHeader:
    """A line of facts, the choice of colours, and the zoom."""

    def __init__(self, master: Any, theme: Theme, actions: MapHeaderActions) -> None:
        self._actions = actions
        self._query = ""  # whose strengths are offered or shown
        c = theme.colours
        header = panel_header(master, theme, "Map")
        self._facts = label(header, theme, "", colour=c.text_2)
        self._facts.pack(side="left", padx=(12, 8))
        zoom = IconButton(header, theme, "plus", "Zoom in (+)", lambda: actions.zoom(1.5))
        zoom.pack(side="right")
        self._slider = Slider(
            header,
            theme,
            (math.log2(FARTHEST), math.log2(CLOSEST)),
            0.0,
            lambda value: actions.zoom_to(2**value),
            decimals=2,
            width=88,
        )
        self._slider.pack(side="right")
        out = IconButton(header, theme, "minus", "Zoom out (-)", lambda: actions.zoom(1 / 1.5))
        out.pack(side="right")
        Button(header, theme, "Fit", actions.fit, icon_name="fit", height=32).pack(
            side="right", padx=(0, 4)
        )
        self._by = MenuButton(header, theme, [BY_TAG], lambda _: actions.coloured(), width=192)
        self._by.pack(side="right")
        self._by_label = label(header, theme, "Colour by", colour=c.text_2)
        self._by_label.pack(side="right", padx=(8, 4))

    def fit(self, is_wide: bool) -> None:
        """Leave the facts the space they need, in a narrow window too."""
        if is_wide != bool(self._by_label.winfo_manager()):
            self._by_label.pack(side="right", padx=(8, 4)) if is_wide else (
                self._by_label.pack_forget()
            )

    def show_facts(self, count: int, is_arranging: bool) -> None:
        """Show how many segments there are on the map; nothing where there is no map."""
        more = ", near means alike" if self._by_label.winfo_manager() else ""
        if is_arranging:
            more = ", arranging…"
        self._facts.configure(text=f"{counted(count, 'segment')}{more}" if count else "")

    def show_scale(self, scale: float) -> None:
        """Show how many times larger than fitted the map is seen."""
        self._slider.set(math.log2(scale))

    # -- colours

    @property
    def chosen_query(self) -> Query | None:
        """The search whose strengths are the colours; None where tags are."""
        return None if self._by.value == BY_TAG else _terms_of(self._query)

    def choose_tags(self) -> None:
        """Let tags be the colours."""
        self._by.show(BY_TAG)

    def offer_colours(self) -> None:
        """Offer the last search as colours; one that they are of already stays up to date."""
        searched = self._actions.searched()
        query = _terms_of(searched)
        by_query = self._by.value != BY_TAG
        self._query = searched if query is not None else ""
        name = "" if query is None else _named(query)
        self._by.offer([BY_TAG, name] if name else [BY_TAG])
        if by_query:
            self._by.show(name or BY_TAG)


def _terms_of(text: str) -> Query | None:
    """Read a search; None where nothing in it can have a strength."""
    try:
        query = parse_query(text)
    except QueryError:
        return None
    return query if query.terms and not query.beside else None


def _named(query: Query) -> str:
    """Name the colours by a search: by its words, or by what else it is."""
    words = query.words
    if not words:
        return "Match for the search"
    return f"Match for “{words}”"
