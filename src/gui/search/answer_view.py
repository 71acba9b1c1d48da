"""Shows the answer to a search: its hits, and what is to be said of them."""

from __future__ import annotations

from functools import partial

from src.errors import QueryError
from src.gui.core.query_parts import can_be_written, has_ids, images_of
from src.gui.core.session import Session
from src.gui.core.wording import as_sentence
from src.gui.search import answers
from src.gui.search.query_entry import QueryEntry
from src.gui.search.results import NO_WORDS, ResultsView
from src.gui.search.search_notices import SearchNotices
from src.gui.search.suggestions import Suggestions
from src.records import SearchResult
from src.search.filters import EVERYTHING
from src.search.query import Query
from src.search.query_text import write_query


class AnswerView:
    """What was asked last, in its text form, and its answer in the parts of the panel."""

    def __init__(
        self,
        session: Session,
        entry: QueryEntry,
        suggestions: Suggestions,
        notices: SearchNotices,
        results: ResultsView,
    ) -> None:
        self._session, self._entry, self._suggestions = session, entry, suggestions
        self._notices, self._results = notices, results
        self.text = ""  # of the query whose hits are shown; "" where it has no text form
        self.readable = ""  # the same where it says something to a person, as an id does not

    def show(self, query: Query, result: SearchResult) -> None:
        """Show what was found, or why nothing was."""
        self.text = write_query(query) if can_be_written(query) else ""
        self.readable = "" if has_ids(query) else self.text
        if self.readable:
            self._suggestions.remember(self.readable)
        self._suggestions.show_chips(self.text)
        self._notices.show(answers.unknown_words(query, result))
        results = self._results
        if result.left_by_filter is not None or result.has_more:
            results.show(result, none=answers.NO_FIT)
            if result.has_more:
                count = self._session.library.browse.count_left
                results.count(partial(count, self.text, EVERYTHING))
        elif result.hits or result.known_words or not query.words:
            none = NO_WORDS if query.words or not images_of(query.terms) else answers.NO_IMAGES
            results.show(result, answers.similar_to(query, result), none)
        else:
            results.say(answers.nothing_understood(query, result))

    def say_wrong(self, exc: QueryError) -> None:
        """Say what is wrong under the word it is in; what was found before stays."""
        if exc.span is not None:
            self._entry.show_fault(exc.span, as_sentence(exc.short))
        else:
            self._results.forget()
            self._results.say(as_sentence(str(exc)))
