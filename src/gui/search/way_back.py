"""The buttons over a search: back to the one before, and to keep it under a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from src.gui.core.query_parts import QueryParts
from src.gui.core.session import Session
from src.gui.search.results import Visit
from src.gui.search.save_search import SaveSearchButton
from src.gui.theme.theme import Theme
from src.gui.widgets.controls import Button
from src.gui.widgets.tooltip import Tooltip

MOST_BACK = 50  # searches that one can go back to


@dataclass(frozen=True)
class Searched:
    """What was searched for, and by which way into the panel."""

    words: str
    parts: QueryParts
    way: str

    def is_same(self, other: Searched) -> bool:
        """Return whether both are one search, by whichever way."""
        return (self.words, self.parts) == (other.words, other.parts)


@dataclass(frozen=True)
class Earlier:
    """A search that a person can return to."""

    searched: Searched
    visit: Visit


@dataclass(frozen=True)
class Elsewhere:
    """Another panel that a search was begun in; returning shows it as it was."""

    go: Callable[[], object]


class WayBack:
    """Remembers searches and where they began; shows the buttons that there is a use for."""

    def __init__(
        self,
        header: Any,
        theme: Theme,
        session: Session,
        hint: str,
        on_back: Callable[[], object],
        query: Callable[[], str],
    ) -> None:
        """Build the buttons, with nothing to go back to.

        Args:
            query: gives the search that is shown in its text form; "" where it has none.
        """
        self._earlier: list[Earlier | Elsewhere] = []
        self._query = query
        self.back = Button(
            header, theme, "Back", on_back, kind="quiet", icon_name="left", height=32
        )
        Tooltip(self.back, theme, hint)
        self.save = SaveSearchButton(header, theme, session, query)

    def remember(self, earlier: Earlier | Elsewhere) -> None:
        self._earlier = [*self._earlier, earlier][-MOST_BACK:]
        self.place()

    def pop(self) -> Earlier | Elsewhere | None:
        """Return what was before and forget it; None where there is nothing."""
        earlier = self._earlier.pop() if self._earlier else None
        self.place()
        return earlier

    def place(self) -> None:
        """Show the way back where there is one, and the way to keep what is shown."""
        self.save.pack_forget()
        self.back.pack_forget()
        if self._query():
            self.save.pack(side="right")
        if self._earlier:
            self.back.pack(side="right")
