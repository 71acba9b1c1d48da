"""A plane on which segments that are alike lie close together: the map of a library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from src.database.embedding_store import EmbeddingStore
from src.database.quantized import turned
from src.search.filters import EVERYTHING, Filter
from src.search.umap_points import umap_points

# How segments are placed. UMAP needs a package that is not there by default.
Layout = Literal["pca", "umap"]
# Embeddings that the axes are computed from, spread over all of them; more change nothing to be
# seen.
MOST_FITTED = 50_000
# Points further out than this share of all, at each side, are drawn at the edge.
_OUTSIDE = 0.001
# Fewer have no neighbourhoods to speak of.
LEAST_BY_UMAP = 5


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
        embedding_ids: (N,) int64, the rows of their embeddings.
        layout: by which they were placed.
    """

    segment_ids: tuple[str, ...]
    points: np.ndarray
    embedding_ids: np.ndarray
    layout: Layout = "pca"

    def __len__(self) -> int:
        return len(self.segment_ids)


class SegmentMaps:
    """Makes maps of a library, and keeps the last one of each layout while nothing changes."""

    def __init__(self, store: EmbeddingStore) -> None:
        self._store = store
        self._last: dict[Layout, tuple[int, Filter, SegmentMap]] = {}

    def make(self, where: Filter = EVERYTHING, layout: Layout = "pca") -> SegmentMap:
        """Compute the map of what a filter leaves; by PCA a second or two for 100,000 segments.

        The axes are those of all of that, so that a map of a few shows in what they differ.

        Raises:
            StoppedError, MediaLibraryError: see umap_points.
        """
        if not self.is_made(where, layout):
            version = self._store.connection.version()
            self._last[layout] = version, where, self._made(where, layout)
        return self._last[layout][2]

    def is_made(self, where: Filter = EVERYTHING, layout: Layout = "pca") -> bool:
        """Return whether a map is known without computing it."""
        last = self._last.get(layout)
        return last is not None and last[:2] == (self._store.connection.version(), where)

    def _made(self, where: Filter, layout: Layout) -> SegmentMap:
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
        blocks = partial(_blocks, store, wanted)
        if layout == "pca" or len(wanted) < LEAST_BY_UMAP:
            place, points = _projected(blocks, len(wanted))
        else:
            places, parts = zip(*blocks(), strict=True)
            place, points = np.concatenate(places), umap_points(np.concatenate(parts))
        ids = tuple(found[at][1] for at in place)
        return SegmentMap(ids, fitted_to_square(points), wanted[place], layout)

    def scores(self, segment_map: SegmentMap, embedding: np.ndarray) -> np.ndarray:
        """Score each point by its embedding in eight bits, which is near enough for a colour.

        Args:
            embedding: (D,) float32 of length 1.

        Returns:
            (N,) float32 cosine similarities; -1 where the embedding is gone by now.
        """
        order = np.argsort(segment_map.embedding_ids)
        (query,) = turned(np.asarray(embedding, np.float32)[None])
        scores = np.full(len(segment_map), -1, np.float32)
        for place, matrix in _blocks(self._store, segment_map.embedding_ids[order]):
            scores[order[place]] = matrix @ query
        return scores


def _blocks(store: EmbeddingStore, wanted: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Read embeddings, as `turned` makes them, block by block: places in `wanted`, and (n, D).

    Args:
        wanted: (N,) int64, rows of embeddings in ascending order.
    """
    for part in store.scan.parts(store.model_id):
        ids = part.block.ids[: part.count]
        here = np.flatnonzero(np.isin(ids, wanted))
        if len(here):
            scales = part.block.scales[here, None]
            yield np.searchsorted(wanted, ids[here]), part.block.rows[here] * scales


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
