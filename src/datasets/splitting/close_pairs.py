"""The most similar media files on different sides of a split, for a person to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from src.datasets.annotations import SPLITS
from src.datasets.splitting.pictures import Pictures
from src.errors import GivenUp
from src.records import Split

# How far the embeddings of a close pair are apart, of those of an average pair.
CLOSE_DISTANCE = 0.15
# So many of the closest are listed.
MOST_LISTED = 500
# Rows of a product of embeddings, and pairs of pictures that are held at once.
_ROWS, _MOST_HELD = 512, 100_000


@dataclass(frozen=True)
class ClosePair:
    """Two media files on different sides, and their frames that are most similar.

    Attributes:
        media_ids, segment_ids: of the files, and of those whole frames.
        similarity: the cosine of the frames' embeddings.
    """

    media_ids: tuple[int, int]
    segment_ids: tuple[str, str]
    similarity: float


@dataclass(frozen=True)
class ClosePairs:
    """What is similar across a split.

    Attributes:
        pairs: the closest first, MOST_LISTED at most.
        files: how many media files have a close one on another side, listed or not.
        above: the similarity from which on two are close.
    """

    pairs: tuple[ClosePair, ...]
    files: int
    above: float


def close_pairs(
    pictures: Pictures,
    side_of: Mapping[int, Split],
    above: float | None = None,
    wanted: Callable[[], bool] = lambda: True,
) -> ClosePairs:
    """Compare all frames of each side with all of the others.

    Args:
        above: a similarity; when None the one of CLOSE_DISTANCE, for the CLIP in use.

    Raises:
        GivenUp: it is not wanted any more.
    """
    least = 1 - CLOSE_DISTANCE * pictures.typical if above is None else above
    media_sides = np.array(
        [
            SPLITS.index(side_of[each]) if each in side_of else -1
            for each in pictures.media_ids.tolist()
        ],
        np.int64,
    )
    sides = np.where(pictures.is_embedded, media_sides[pictures.media], -1)
    is_close = np.zeros(len(pictures.media_ids), bool)
    found = np.empty((3, 0))
    for one, other in combinations(range(len(SPLITS)), 2):
        rows, columns = np.flatnonzero(sides == one), np.flatnonzero(sides == other)
        there = pictures.embeddings[columns]
        for start in range(0, len(rows) if len(columns) else 0, _ROWS):
            if not wanted():
                raise GivenUp
            some = rows[start : start + _ROWS]
            cosines = pictures.embeddings[some] @ there.T
            row, column = np.divmod(np.flatnonzero(cosines >= least), len(columns))
            is_close[pictures.media[some[row]]] = True
            is_close[pictures.media[columns[column]]] = True
            pairs = np.stack((cosines[row, column], some[row], columns[column]))
            found = np.concatenate((found, pairs), axis=1)
            if found.shape[1] > _MOST_HELD:
                closest = np.argpartition(-found[0], _MOST_HELD // 2)
                found = found[:, closest[: _MOST_HELD // 2]]
    return ClosePairs(_listed(pictures, found), int(is_close.sum()), float(least))


def _listed(pictures: Pictures, found: np.ndarray) -> tuple[ClosePair, ...]:
    """Make pairs of (3, K) cosines and places of pictures, one of each two media files."""
    listed = dict[tuple[int, int], ClosePair]()
    for at in np.lexsort((found[2], found[1], -found[0])):
        first, second = int(found[1, at]), int(found[2, at])
        one, other = pictures.media_ids[pictures.media[[first, second]]].tolist()
        segments = pictures.segment_ids[first], pictures.segment_ids[second]
        pair = ClosePair((one, other), segments, float(found[0, at]))
        listed.setdefault((one, other), pair)
        if len(listed) == MOST_LISTED:
            break
    return tuple(listed.values())
