"""Searches that a person has given a name. They are rows of the library's `info`.

So they have checksums, and go with every backup and recovery, as whatever else is there.
"""

from __future__ import annotations

from dataclasses import dataclass

from src.database.metadata_db import MetadataDatabase
from src.database.text_normalization import casefold_key, normalize_text
from src.errors import QueryError
from src.search.query_text import parse_query

LONGEST_NAME = 80
_KEY = "saved search "


@dataclass(frozen=True)
class SavedSearch:
    """A search by its name; the text is as parse_query reads it."""

    name: str
    text: str


class SavedSearches:
    """Names are what they are in whichever case: two that differ in nothing else are one."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self._metadata = metadata

    def all(self) -> tuple[SavedSearch, ...]:
        """List them from A to Z."""
        found = self._metadata.connection.read().execute(
            "SELECT * FROM info WHERE substr(key, 1, ?) = ?", (len(_KEY), _KEY)
        )
        saved = (
            SavedSearch(row["key"].removeprefix(_KEY), row["value"])
            for row in self._metadata.rows.checked("info", found)
        )
        return tuple(sorted(saved, key=lambda each: casefold_key(each.name)))

    def get(self, name: str) -> SavedSearch:
        """Find one.

        Raises:
            QueryError: none is called so.
        """
        found = self._called(name)
        if found is None:
            raise QueryError(f'there is no saved search "{name}"')
        return found

    def save(self, name: str, text: str) -> None:
        """Keep a search under a name, in the place of what has it now.

        Raises:
            QueryError: the name is empty or very long, or the text is no search.
        """
        name, text = _checked(name), text.strip()
        if not text:
            raise QueryError("the search is empty; type what you are looking for")
        parse_query(text)
        self._put(self._called(name), SavedSearch(name, text))

    def change_name(self, name: str, new_name: str) -> None:
        """Give one another name.

        Raises:
            QueryError: there is none of the name, or one of the new name, or that is empty or very
                long.
        """
        old, new_name = self.get(name), _checked(new_name)
        if self._called(new_name) not in (None, old):
            raise QueryError(f'there is a saved search "{new_name}"; choose another name')
        self._put(old, SavedSearch(new_name, old.text))

    def forget(self, name: str) -> None:
        """Delete one.

        Raises:
            QueryError: none is called so.
        """
        self._metadata.forget_info(_KEY + self.get(name).name)

    def _called(self, name: str) -> SavedSearch | None:
        key = casefold_key(normalize_text(name))
        return next((each for each in self.all() if casefold_key(each.name) == key), None)

    def _put(self, old: SavedSearch | None, new: SavedSearch) -> None:
        with self._metadata.connection.write():
            if old is not None:
                self._metadata.forget_info(_KEY + old.name)
            self._metadata.set_info(_KEY + new.name, new.text)


def _checked(name: str) -> str:
    name = normalize_text(name)
    if not name:
        raise QueryError("a saved search needs a name")
    if len(name) > LONGEST_NAME:
        raise QueryError(f"the name of a saved search has at most {LONGEST_NAME} characters")
    return name
