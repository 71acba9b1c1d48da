"""What the timeline calls the search that its curve is of: as its chips are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from src.gui.core.session import Session
from src.gui.search.query_parts import QueryParts
from src.records import SearchResult
from src.search.query import Like, Query, Words

_UNKNOWN = "a segment"  # one that is gone, or is being looked up


def name_of_query(query: Query, files: Mapping[str, str]) -> str:
    """Write a search: words in quotation marks, examples as on their chips.

    Args:
        files: names of the files that segments are in, by their ids.
    """
    chips = QueryParts(query.terms).chips(
        lambda segment_id: (files.get(segment_id, _UNKNOWN), None), lambda _: ""
    )
    said = ""
    for term, chip in zip(query.terms, chips, strict=True):
        text = f"“{chip.text}”" if isinstance(term, Words) else chip.text
        text += f" {chip.weight}" if chip.weight else ""
        if said:
            said += f" {chip.sign} {text}"
        else:
            said = text if chip.sign == "+" else f"{chip.sign} {text}"
    return said


class QueryName:
    """Says what a search is called: at once, and again once the files of examples are known."""

    def __init__(self, session: Session, say: Callable[[str], object]) -> None:
        """Prepare it.

        Args:
            say: gets the name; "" where nothing is searched for.
        """
        self._session, self._say = session, say
        self._query: Query | None = None
        self._files: dict[str, str] = {}

    def show(self, query: Query | None) -> None:
        """Say what a search is called; None for none."""
        self._query = query
        terms = () if query is None else query.terms
        self._say_name()
        ids = [term.segment_id for term in terms if isinstance(term, Like)]
        ids = [each for each in ids if each not in self._files]
        if ids:
            library = self._session.library
            self._session.main_thread.run(lambda: library.segments(ids), self._looked_up)

    def _looked_up(self, found: SearchResult) -> None:
        self._files.update((hit.segment.id, hit.segment.media_path.name) for hit in found)
        self._say_name()

    def _say_name(self) -> None:
        self._say("" if self._query is None else name_of_query(self._query, self._files))
