"""Searches that a person has given a name."""

from __future__ import annotations

from dataclasses import dataclass

from src.database.metadata_db import MetadataDatabase
from src.errors import QueryError
from src.search.named_texts import NamedTexts
from src.search.query_text import parse_query


@dataclass(frozen=True)
class SavedSearch:
    """A search by its name; the text is as parse_query reads it."""

    name: str
    text: str


class SavedSearches:
    """See NamedTexts, which also tells what is wrong with a name."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self._texts = NamedTexts(metadata, "saved search")

    def all(self) -> tuple[SavedSearch, ...]:
        """List them from A to Z."""
        return tuple(SavedSearch(name, text) for name, text in self._texts.all().items())

    def get(self, name: str) -> SavedSearch:
        """Find one; QueryError where none is called so."""
        return SavedSearch(*self._texts.get(name))

    def save(self, name: str, text: str) -> None:
        """Keep a search under a name, in the place of what has it now.

        Raises:
            QueryError: the name is empty or very long, or the text is no search.
        """
        text = text.strip()
        if not text:
            raise QueryError("the search is empty; type what you are looking for")
        parse_query(text)
        self._texts.save(name, text)

    def change_name(self, name: str, new_name: str) -> None:
        """Give one another name; see NamedTexts."""
        self._texts.change_name(name, new_name)

    def forget(self, name: str) -> None:
        """Delete one; QueryError where none is called so."""
        self._texts.forget(name)
