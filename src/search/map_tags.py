"""Which tags the points of a map are coloured by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from src.database.connection import Connection
from src.search.segment_map import SegmentMap


@dataclass(frozen=True)
class MapTags:
    """The most frequent tags of a map's segments.

    Attributes:
        names: K of them, the most frequent first.
        has: (N, K) bool, which point has which of them.
        groups: (N,) int64, of each point the place of the surest it has; -1 for none of them.
    """

    names: tuple[str, ...]
    has: np.ndarray
    groups: np.ndarray

    @property
    def counts(self) -> list[int]:
        """How many points have each tag."""
        return [int(count) for count in self.has.sum(axis=0)]

    @property
    def others(self) -> int:
        """How many points have none of them."""
        return int((self.groups < 0).sum())


def tags_of_map(connection: Connection, segment_map: SegmentMap, most: int) -> MapTags:
    """Find the most frequent tags of a map's segments, up to so many."""
    place = {segment_id: at for at, segment_id in enumerate(segment_map.segment_ids)}
    db = connection.read()
    # what a person has said is surest, and comes last
    rows = db.execute(
        "SELECT segment_id, tag_id FROM segment_tags ORDER BY source = 'human', confidence"
    )
    rows.row_factory = None
    pairs = [(place[of], tag_id) for of, tag_id in rows if of in place]
    points, tag_ids = np.array(pairs, np.int64).reshape(-1, 2).T
    found, counts = np.unique(tag_ids, return_counts=True)
    frequent = found[np.argsort(-counts, kind="stable")[:most]]
    has = np.zeros((len(segment_map), len(frequent)), bool)
    groups = np.full(len(segment_map), -1, np.int64)
    for column, tag_id in enumerate(frequent):
        has[points[tag_ids == tag_id], column] = True
    is_frequent = np.isin(tag_ids, frequent)
    columns = {int(tag_id): column for column, tag_id in enumerate(frequent)}
    for point, tag_id in zip(points[is_frequent], tag_ids[is_frequent], strict=True):
        groups[point] = columns[int(tag_id)]
    names = dict(map(tuple, db.execute("SELECT id, name FROM tags")))
    return MapTags(tuple(names[int(tag_id)] for tag_id in frequent), has, groups)
