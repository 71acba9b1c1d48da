"""Conditions on segments: the one place where they become SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

FRAMES = "LEFT JOIN frames f ON f.id = s.frame_id"
_MEDIA = "LEFT JOIN media_files m ON m.id = f.media_file_id"


@dataclass(frozen=True)
class Condition:
    """What may stand behind WHERE, on `s` (segments), `f` (frames) and `m` (media_files).

    Attributes:
        sql: with a question mark for each value; true for what it leaves.
        values: a long list is one value: see LISTED.
        counted: a query for how many segments it leaves, where that takes less time than to list
            them; with the values by their numbers, ?1 and on.
    """

    sql: str
    values: tuple[object, ...] = ()
    counted: str = ""

    @property
    def joins(self) -> str:
        """What has to stand behind `segments s`: SQLite doesn't leave out what it needs not."""
        if re.search(r"\bm\.", self.sql):
            return f"{FRAMES} {_MEDIA}"
        return FRAMES if re.search(r"\bf\.", self.sql) else ""

    def one_by_one(self) -> Condition:
        """Write it for those who ask about a few segments, and not for all that it leaves.

        A list that it looks a segment up in is not made then; see one_by_one.
        """
        return Condition(self.sql.replace("/*+ ", "").replace(" +*/", ""), self.values)


def one_by_one(sql: str) -> str:
    """Write what ties a list in a condition to the segment it is asked about.

    `s.id IN (SELECT segment_id FROM segment_tags WHERE tag_id = 7` makes the list of all that have
    the tag, which is what is needed to begin with it. Asked about one segment at a time, with
    `one_by_one("segment_id = s.id")` behind it, SQLite looks up that segment alone.
    """
    return f" /*+ AND {sql} +*/"


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
    return Condition(
        f"SELECT s.id FROM segments s {condition.joins} WHERE {condition.sql}",
        condition.values,
        condition.counted,
    )
