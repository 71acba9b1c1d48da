"""Conditions on segments: the one place where they become SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

# A segment always has a frame, and that a media file. With LEFT JOIN SQLite leaves out a table that
# the condition does not ask for.
SEGMENTS = """
    segments s LEFT JOIN frames f ON f.id = s.frame_id
    LEFT JOIN media_files m ON m.id = f.media_file_id
"""


@dataclass(frozen=True)
class Condition:
    """What may stand behind WHERE, on `s` (segments), `f` (frames) and `m` (media_files).

    Attributes:
        sql: with a question mark for each value; true for what it leaves.
        values: a long list is one value: see LISTED.
    """

    sql: str
    values: tuple[object, ...] = ()


class SegmentCondition(Protocol):
    """What can be asked of segments; `src.search.filters.Filter` is what people ask."""

    def __bool__(self) -> bool:
        """Return whether it leaves any segment out."""
        ...

    def condition(self) -> Condition: ...


def segment_ids_where(where: SegmentCondition | None) -> Condition:
    """Write the query for the ids of the segments that a condition leaves.

    As a list that an id is looked up in, it takes less time than a join with these tables.
    """
    condition = where.condition() if where else Condition("1")
    return Condition(f"SELECT s.id FROM {SEGMENTS} WHERE {condition.sql}", condition.values)
