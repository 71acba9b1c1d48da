"""Which embeddings a filter leaves: a few all at once, of many only the nearest, one by one."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from src.database.conditions import Condition, SegmentCondition
from src.database.connection import Connection
from src.database.giving_up import giving_up
from src.database.rows import LISTED
from src.errors import GivenUp

# So many rows are looked up at once at most; of more the nearest are asked about.
MOST_GATHERED = 20_000
# Steps of SQLite's machine after which a filter that is not through is taken for one that leaves
# many, or is slow to list: those that 20,000 rows take, some 50 ms.
MOST_STEPS = 500_000


@dataclass
class KnownFilter:
    """What is known of the last filter, as long as nothing in the library has changed.

    Attributes:
        key: of the filter, and of the library as it was.
        ids: (N,) int64, the row ids that it leaves; None where nobody has listed them.
        mask: (N,) float32, the same as marks on all rows, where they are many; see Search.mask_of.
        asked: about how many rows it was asked so far.
    """

    key: tuple[object, ...]
    ids: np.ndarray | None = None
    mask: np.ndarray | None = None
    asked: int = 0


@dataclass(frozen=True)
class FilteredRows:
    """The embeddings of one model whose segments a condition leaves."""

    connection: Connection
    model_id: int
    where: SegmentCondition

    def few(self) -> np.ndarray | None:
        """List them, if they are few and soon found.

        Returns:
            (N,) int64 row ids, ascending; None where they are more than 20,000, or it takes long.
        """
        try:
            with giving_up(self.connection.read(), lambda: False, MOST_STEPS):
                ids = self._ids(f" LIMIT {MOST_GATHERED + 1}")
        except GivenUp:
            return None
        return ids if len(ids) <= MOST_GATHERED else None

    def all(self) -> np.ndarray:
        """List them, however many they are: (N,) int64 row ids, ascending."""
        return self._ids("")

    def _ids(self, limit: str) -> np.ndarray:
        condition = self.where.condition()
        rows = self.connection.read().execute(
            f"SELECT e.id FROM segments s {condition.joins} CROSS JOIN embeddings e"
            f" ON e.segment_id = s.id AND e.model_id = ? WHERE {condition.sql}{limit}",
            (self.model_id, *condition.values),
        )
        rows.row_factory = None
        return np.sort(np.fromiter((row[0] for row in rows), np.int64))

    def keep(self, ids: list[int]) -> list[int]:
        """Give those of some row ids that are among them."""
        condition = self.one_by_one
        rows = self.connection.read().execute(
            f"SELECT e.id FROM {LISTED} wanted CROSS JOIN embeddings e ON e.id = wanted.value"
            f" CROSS JOIN segments s ON s.id = e.segment_id {condition.joins}"
            f" WHERE e.model_id = ? AND {condition.sql}",
            (json.dumps(ids), self.model_id, *condition.values),
        )
        return [row["id"] for row in rows]

    @property
    def one_by_one(self) -> Condition:
        return self.where.condition().one_by_one()
