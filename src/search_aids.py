"""What helps a person to search: saved searches, and what completion and filters offer."""

from __future__ import annotations

from src.open_library import OpenLibrary
from src.search.completion import Names, SearchFacts
from src.search.saved_searches import SavedSearch, SavedSearches


class SearchAids(OpenLibrary):
    """The verbs beside `search` itself; a part of MediaLibrary."""

    def search_facts(self) -> SearchFacts:
        """Gather what `complete` suggests from: tags, folders, cameras, times, recent searches."""
        return SearchFacts(
            Names(self.metadata.tag_counts().items()),
            Names(self.browse.folders().items()),
            Names(self.browse.cameras().items()),
            self.browse.captured_between(),
            self.settings.recent_searches,
        )

    def saved_searches(self) -> tuple[SavedSearch, ...]:
        """List the searches that a person has kept, from A to Z."""
        return self._saved.all()

    def saved_search(self, name: str) -> SavedSearch:
        """Find a saved search by its name, in whichever case.

        Raises:
            QueryError: none is called so.
        """
        return self._saved.get(name)

    def save_search(self, name: str, text: str) -> None:
        """Keep a search in the library, in the place of what has the name now.

        Raises:
            QueryError: the name is empty or very long, or the text is no search.
            DatabaseError: the library was opened for reading only.
        """
        self._saved.save(name, text)

    def rename_search(self, name: str, new_name: str) -> None:
        """Give a saved search another name.

        Raises:
            QueryError: there is none of the name, or one of the new name, or that is empty or very
                long.
            DatabaseError: the library was opened for reading only.
        """
        self._saved.rename(name, new_name)

    def forget_search(self, name: str) -> None:
        """Delete a saved search.

        Raises:
            QueryError: none is called so.
            DatabaseError: the library was opened for reading only.
        """
        self._saved.forget(name)

    @property
    def _saved(self) -> SavedSearches:
        return SavedSearches(self.metadata)
