"""Texts that a person has given a name: searches and recipes. They are rows of `info`.

So they have checksums, and go with every backup and recovery, as whatever else is there.
"""

from __future__ import annotations

from src.database.metadata_db import MetadataDatabase
from src.database.text_normalization import casefold_key, normalize_text
from src.errors import QueryError

LONGEST_NAME = 80


class NamedTexts:
    """Names are what they are in whichever case: two that differ in nothing else are one."""

    def __init__(self, metadata: MetadataDatabase, kind: str) -> None:
        """Set which they are.

        Args:
            kind: what one is called, such as "saved search"; their rows begin with it.
        """
        self._metadata, self._kind, self._key = metadata, kind, f"{kind} "

    def all(self) -> dict[str, str]:
        """List them from A to Z: names and texts."""
        found = self._metadata.connection.read().execute(
            "SELECT * FROM info WHERE substr(key, 1, ?) = ?", (len(self._key), self._key)
        )
        rows = self._metadata.rows.checked("info", found)
        texts = {row["key"].removeprefix(self._key): row["value"] for row in rows}
        return dict(sorted(texts.items(), key=lambda each: casefold_key(each[0])))

    def get(self, name: str) -> tuple[str, str]:
        """Find one by its name: the name as it was given, and the text.

        Raises:
            QueryError: none is called so.
        """
        known = self._called(name)
        if known is None:
            raise QueryError(f'there is no {self._kind} "{name}"')
        return known, self.all()[known]

    def save(self, name: str, text: str) -> None:
        """Keep a text under a name, in the place of what has it now.

        Raises:
            QueryError: the name is empty or very long.
        """
        name = self._checked(name)
        self._put(self._called(name), name, text)

    def change_name(self, name: str, new_name: str) -> None:
        """Give one another name.

        Raises:
            QueryError: there is none of the name, or one of the new name, or that is empty or very
                long.
        """
        (old, text), new_name = self.get(name), self._checked(new_name)
        if self._called(new_name) not in (None, old):
            raise QueryError(f'there is a {self._kind} "{new_name}"; choose another name')
        self._put(old, new_name, text)

    def forget(self, name: str) -> None:
        """Delete one.

        Raises:
            QueryError: none is called so.
        """
        self._metadata.forget_info(self._key + self.get(name)[0])

    def _called(self, name: str) -> str | None:
        key = casefold_key(normalize_text(name))
        return next((each for each in self.all() if casefold_key(each) == key), None)

    def _put(self, old: str | None, name: str, text: str) -> None:
        with self._metadata.connection.write():
            if old is not None:
                self._metadata.forget_info(self._key + old)
            self._metadata.set_info(self._key + name, text)

    def _checked(self, name: str) -> str:
        name = normalize_text(name)
        if not name:
            raise QueryError(f"a {self._kind} needs a name")
        if len(name) > LONGEST_NAME:
            raise QueryError(f"the name of a {self._kind} has at most {LONGEST_NAME} characters")
        return name
