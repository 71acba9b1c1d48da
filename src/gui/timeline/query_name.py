"""What the timeline calls the search that its curve is of: as its chips are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from src.gui.core.session import Session
from src.gui.core.term_names import name_of_term, weight_of
from src.records import SearchResult
from src.search.query import Like, Query, Words

_UNKNOWN = "a segment"  # one that is gone, or is being looked up


def name_of_query(query: Query, files: Mapping[str, str]) -> str:
    """Write a search: words in quotation marks, examples as on their chips.

    Args:
        files: names of the files that segments are in, by their ids.
    """
    said = ""
    for term in query.terms:
        file_name = files.get(term.segment_id, _UNKNOWN) if isinstance(term, Like) else ""
        name = name_of_term(term, file_name)
        text = f"“{name}”" if isinstance(term, Words) else name
        sign = "−" if term.weight < 0 else "+" if said else ""
        said = " ".join(part for part in (said, sign, text, weight_of(term)) if part)
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
