"""A plane on which segments that are alike lie close together: the map of a library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from src.database.embedding_store import EmbeddingStore
from src.search.filters import EVERYTHING, Filter

# Embeddings that the axes are computed from, spread over all of them; more change nothing to be
# seen.
MOST_FITTED = 50_000
# Points further out than this share of all, at each side, are drawn at the edge.
_OUTSIDE = 0.001


@dataclass(frozen=True)
class Projection:
    """The two directions in which embeddings differ most (PCA, Pearson 1901).

    Attributes:
        mean: (D,) float32.
        axes: (D, 2) float32, orthogonal and of length 1.
    """

    mean: np.ndarray
    axes: np.ndarray

    @classmethod
    def fit(cls, matrix: np.ndarray) -> Projection:
        """Compute it from (N, D) float32; each axis points to where its largest number is."""
        if len(matrix) < 2:
            dimensions = matrix.shape[1]
            return cls(np.zeros(dimensions, np.float32), np.eye(dimensions, 2, dtype=np.float32))
        mean = matrix.mean(axis=0)
        centred = matrix - mean
        _, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))
        axes = vectors[:, [-1, -2]]
        # else the map would be turned over by chance
        axes *= np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
        return cls(mean.astype(np.float32), axes.astype(np.float32))

    def points(self, matrix: np.ndarray) -> np.ndarray:
        """Project (N, D): (N, 2) float32."""
        return np.asarray(matrix @ self.axes - self.mean @ self.axes, np.float32)


def fitted_to_square(points: np.ndarray) -> np.ndarray:
    """Move and scale points (N, 2) so that they fill a square of 0 to 1, with their proportions."""
    if not len(points):
        return points
    low, high = np.quantile(points, [_OUTSIDE, 1 - _OUTSIDE], axis=0)
    size = float(max(*(high - low), 1e-9))
    return np.asarray(np.clip((points - (low + high) / 2) / size + 0.5, 0, 1), np.float32)


@dataclass(frozen=True)
class SegmentMap:
    """Where the segments that a filter leaves lie.

    Attributes:
        segment_ids: N of them.
        points: (N, 2) float32, x to the right and y down, 0 to 1.
    """

    segment_ids: tuple[str, ...]
    points: np.ndarray


class SegmentMaps:
    """Makes maps of a library, and keeps the last one as long as nothing changes."""

    def __init__(self, store: EmbeddingStore) -> None:
        self._store = store
        self._last: tuple[int, Filter, SegmentMap] | None = None

    def make(self, where: Filter = EVERYTHING) -> SegmentMap:
        """Compute the map of what a filter leaves, a second or two for 100,000 segments.

        The axes are those of all of that, so that a map of a few shows in what they differ.
        """
        version = self._store.connection.version()
        if self._last is None or self._last[:2] != (version, where):
            self._last = version, where, self._made(where)
        return self._last[2]

    def _made(self, where: Filter) -> SegmentMap:
        store, condition = self._store, where.condition()
        model_id = store.model_id
        rows = store.connection.read().execute(
            f"SELECT e.id, s.id FROM segments s {condition.joins} CROSS JOIN embeddings e"
            f" ON e.segment_id = s.id AND e.model_id = ? WHERE {condition.sql} ORDER BY e.id",
            (model_id, *condition.values),
        )
        rows.row_factory = None
        found = rows.fetchall()
        wanted = np.array([row[0] for row in found], np.int64)
        parts = store.scan.parts(model_id)

        def blocks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            """Read what is wanted of each block: places in `found`, and embeddings."""
            for part in parts:
                ids = part.block.ids[: part.count]
                here = np.flatnonzero(np.isin(ids, wanted))
                if len(here):
                    scales = part.block.scales[here, None]
                    yield np.searchsorted(wanted, ids[here]), part.block.rows[here] * scales

        place, points = _projected(blocks, len(wanted))
        ids = tuple(found[at][1] for at in place)
        return SegmentMap(ids, fitted_to_square(points))


def _projected(
    blocks: Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a projection to embeddings, then project them: places (N,) and points (N, 2)."""
    step = max(1, -(-count // MOST_FITTED))
    some = [matrix[::step] for _, matrix in blocks()]
    if not some:
        return np.empty(0, np.int64), np.empty((0, 2), np.float32)
    projection = Projection.fit(np.concatenate(some))
    places, points = zip(
        *((place, projection.points(matrix)) for place, matrix in blocks()), strict=True
    )
    return np.concatenate(places), np.concatenate(points)
