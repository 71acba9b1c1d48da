"""The condition on copies of media files, and what leaves hidden ones out of searches."""

from __future__ import annotations

from dataclasses import dataclass

from src.database.conditions import Condition
from src.database.duplicate_groups import HIDDEN, IN_A_GROUP
from src.database.metadata_db import MetadataDatabase
from src.errors import QueryError
from src.search.filters import And, Filter, Leaf, Not, Or, leaf
from src.search.leaves import on_media
from src.search.tokens import Value

_STATES = {"duplicate": IN_A_GROUP, "hidden": HIDDEN}


@leaf("is", "is:duplicate")
@dataclass(frozen=True)
class Is(Leaf):
    """The media file is in a group of near-duplicates, or hidden as a copy."""

    states: tuple[str, ...]

    def condition(self) -> Condition:
        parts = (_STATES[state] for state in self.states)
        return Condition(on_media(f"({' OR '.join(f'id IN ({part})' for part in parts) or 0})"))

    @classmethod
    def read(cls, value: Value) -> Filter:
        states = value.listed()
        for each in states:
            if each not in _STATES:
                raise QueryError(f"is:{each} is not known; write {' or '.join(_STATES)}")
        return cls(states)

    def written(self) -> str:
        return f":{','.join(self.states) or 'none'}"


def without_hidden(where: Filter, metadata: MetadataDatabase) -> Filter:
    """Leave hidden copies out where there are any, unless a filter asks for copies."""
    if asks_for_copies(where) or not metadata.duplicates.hides_any():
        return where
    return where & ~Is(("hidden",))


def asks_for_copies(where: Filter) -> bool:
    """Return whether a filter has a condition on duplicates or hidden copies anywhere in it."""
    if isinstance(where, Not):
        return asks_for_copies(where.part)
    if isinstance(where, And | Or):
        return any(asks_for_copies(part) for part in where.parts)
    return isinstance(where, Is)
