"""Frames that hold several things at once: each is as good as the worst of its best scores.

As in exact_search, eight bits say of every row how near it may be, and so of every frame how good
it may be at best. Frames are scored from the best of these bounds on, until no other can be better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from src.database.conditions import SegmentCondition
from src.database.connection import Connection
from src.database.exact_search import Read, Scored
from src.database.filtered_rows import FilteredRows
from src.database.quantized import ROUNDING, QuantizedQuery
from src.database.scan_file import ScanFileError
from src.database.scan_rows import Part, ScanRows

# Frames that are scored at once; then four times as many, and so on.
FRAMES_AT_ONCE = 64


class FramesOfRows:
    """Of which frame each embedding of a model is.

    Ids of embeddings only grow, and a segment stays in its frame, so what is known stays true.
    """

    def __init__(self, connection: Connection, model_id: int) -> None:
        self.connection, self.model_id = connection, model_id
        self._ids, self._frames = np.empty(0, np.int64), np.empty(0, np.int64)

    def of(self, ids: np.ndarray) -> np.ndarray:
        """Look up frames.

        Args:
            ids: (N,) int64, row ids of embeddings, ascending.

        Returns:
            (N,) int64; -1 for rows that are gone.
        """
        last = int(self._ids[-1]) if self._ids.size else 0
        if ids.size and ids[-1] > last:
            rows = self.connection.read().execute(
                "SELECT e.id, s.frame_id FROM embeddings e JOIN segments s ON s.id = e.segment_id"
                " WHERE e.model_id = ? AND e.id > ? ORDER BY e.id",
                (self.model_id, last),
            )
            rows.row_factory = None
            found = np.array(rows.fetchall(), np.int64).reshape(-1, 2)
            self._ids = np.concatenate([self._ids, found[:, 0]])
            self._frames = np.concatenate([self._frames, found[:, 1]])
        places = np.searchsorted(self._ids, ids)
        places[places == len(self._ids)] = 0
        if not self._ids.size:
            return np.full(len(ids), -1)
        return np.where(self._ids[places] == ids, self._frames[places], -1)


class FrameSearch:
    """Searches the frames of one store of embeddings, and lasts as long as that."""

    def __init__(self, connection: Connection, scan: ScanRows) -> None:
        """Read nothing yet.

        Args:
            scan: the rows that are searched.
        """
        self._connection, self._scan = connection, scan
        self._frames: FramesOfRows | None = None

    def best(
        self,
        read: Read,
        model_id: int,
        queries: Sequence[np.ndarray],
        n: int,
        where: SegmentCondition | None = None,
    ) -> Scored:
        """Find the n frames in which the worst of the best scores for each query is highest.

        Args:
            read: reads some of the rows as they are. It is not kept: the store that has it keeps
                this, and both would hold the mapped file until the garbage collector comes.
            queries: each (512,) float32, L2-normalised.
            where: what the segments fulfil that are best for the first query; the others may be
                any of the frame.

        Returns:
            Of each frame the segment that is best for the first query, with the frame's score;
            best first, and equal ones by id.

        Raises:
            DatabaseError: an embedding is damaged.
        """
        while True:
            try:
                return self._best(read, model_id, queries, n, where)
            except ScanFileError as exc:
                self._scan.distrust(exc)

    def _best(
        self,
        read: Read,
        model_id: int,
        queries: Sequence[np.ndarray],
        n: int,
        where: SegmentCondition | None,
    ) -> Scored:
        parts = self._scan.parts(model_id)
        self._scan.check_size()
        if not parts:
            return []
        if self._frames is None or self._frames.model_id != model_id:
            self._frames = FramesOfRows(self._connection, model_id)
        bounds = _bounds(parts, queries)
        ids = np.concatenate([part.block.ids[: part.count] for part in parts])
        search = _Frames(read, queries, parts, ids, self._frames.of(ids), bounds)
        if where:
            filtered = FilteredRows(self._connection, model_id, where)
            few = filtered.few()
            if few is not None:
                bounds[0][~np.isin(ids, few, assume_unique=True)] = -np.inf
            else:
                search.filtered = filtered
        return search.best(n)


def _bounds(parts: Sequence[Part], queries: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Say how high the scores of all rows may be: (N,) float32 for each query."""
    for number, part in enumerate(parts):
        part.block.check(number)
    bounds = []
    worst = max(float(part.block.errors[: part.count].max(initial=0.0)) for part in parts)
    for query in queries:
        quantized = QuantizedQuery.of(query)
        found = [
            quantized.highest(
                part.block.rows[: part.count],
                part.block.scales[: part.count],
                part.block.errors[: part.count],
            )
            for part in parts
        ]
        bounds.append(np.concatenate(found) + np.float32(quantized.missing(worst)))
    return bounds


@dataclass
class _Frames:
    """One search among frames.

    Attributes:
        read: reads rows of embeddings.
        ids: (N,) int64, the rows of embeddings.
        frames: (N,) int64, the frame of each; -1 of what is gone.
        bounds: for each query (N,) float32, as high as the scores may be; -inf for what the
            filter leaves out.
        filtered: asked about the rows of the first query where the filter leaves many.
    """

    read: Read
    queries: Sequence[np.ndarray]
    parts: Sequence[Part]
    ids: np.ndarray
    frames: np.ndarray
    bounds: list[np.ndarray]
    filtered: FilteredRows | None = None

    def __post_init__(self) -> None:
        self._quantized = [QuantizedQuery.of(query) for query in self.queries]
        self._starts = np.cumsum([0, *(part.count for part in self.parts)])
        self._size = int(self.frames.max(initial=-1)) + 1

    def best(self, n: int) -> Scored:
        there = np.flatnonzero(self.frames >= 0)
        highest = self._worst_of([bound[there] for bound in self.bounds], there)
        order = np.argsort(-highest, kind="stable")
        order = order[highest[order] > -np.inf]
        best: list[tuple[float, str]] = []
        start, at_once = 0, FRAMES_AT_ONCE
        while start < len(order):
            last = -best[-1][0] if len(best) == n else -np.inf
            some = order[start : start + at_once]
            some = some[highest[some] >= last]
            if not some.size:
                break
            best = sorted(best + self._scored(some, last))[:n]
            start, at_once = start + at_once, 4 * at_once
        return [(segment_id, -score) for score, segment_id in best]

    def _highest(self, scores: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Find the highest score in each frame: (frames,) of the scores' type."""
        found = np.full(self._size, -np.inf, scores.dtype)
        np.maximum.at(found, self.frames[rows], scores)
        return found

    def _worst_of(self, scores: Sequence[np.ndarray], rows: np.ndarray) -> np.ndarray:
        """Find the lowest of the highest scores for each query in each frame."""
        return np.asarray(np.min([self._highest(each, rows) for each in scores], axis=0))

    def _scored(self, some: np.ndarray, last: float) -> list[tuple[float, str]]:
        """Score those of some frames that may score as much as the last of the best.

        Returns:
            Minus the score of each, and its segment that is best for the first query; frames of
            which nothing is left are left out.
        """
        is_wanted = np.zeros(self._size + 1, bool)  # the last one for what is gone
        is_wanted[some] = True
        rows = np.flatnonzero(is_wanted[self.frames])
        if self.filtered is not None:
            kept = self.filtered.keep(self.ids[rows].tolist())
            self.bounds[0][rows[~np.isin(self.ids[rows], kept)]] = -np.inf
        while True:
            rows = rows[self.frames[rows] >= 0]
            closer = self._likely(rows, last)
            found, vectors = self.read(self.ids[closer].tolist())
            if len(found) == len(closer):
                break
            gone = ~np.isin(self.ids[closer], [row["id"] for row in found])
            self.frames[closer[gone]] = -1
        # by id, as `closer` is: rows come as SQLite likes
        order = np.argsort([row["id"] for row in found])
        names = [found[i]["segment_id"] for i in order]
        wide = vectors[order].astype(np.float64)
        scores = [np.einsum("ij,j->i", wide, each.astype(np.float64)) for each in self.queries]
        scores[0][self.bounds[0][closer] == -np.inf] = -np.inf
        of_frame: dict[int, list[int]] = {}
        for place, frame in enumerate(self.frames[closer].tolist()):
            of_frame.setdefault(frame, []).append(place)
        best = []
        for places in of_frame.values():
            first = min(places, key=lambda place: (-scores[0][place], names[place]))
            score = min(float(each[places].max()) for each in scores)
            if score > -np.inf:
                best.append((-score, names[first]))
        return best

    def _likely(self, rows: np.ndarray, last: float) -> np.ndarray:
        """Choose the rows that may be the best of their frame for a query.

        By the queries as they are, not in eight bits: these bounds are closer.

        Args:
            last: frames that can't score so much are left out.
        """
        upper, lower = [], []
        for quantized in self._quantized:
            scores, errors = np.empty(len(rows)), np.empty(len(rows))
            numbers = np.searchsorted(self._starts, rows, side="right") - 1
            for number in np.unique(numbers):
                here = np.flatnonzero(numbers == number)
                block, inside = self.parts[number].block, rows[here] - self._starts[number]
                scores[here] = quantized.scores_of(block.rows[inside], block.scales[inside])
                errors[here] = block.errors[inside] * quantized.length + ROUNDING
            upper.append(scores + errors)
            lower.append(scores - errors)
        is_out = self.bounds[0][rows] == -np.inf
        upper[0][is_out] = lower[0][is_out] = -np.inf
        likely = np.zeros(len(rows), bool)
        for high, low in zip(upper, lower, strict=True):
            likely |= (high >= self._highest(low, rows)[self.frames[rows]]) & (high > -np.inf)
        likely &= self._worst_of(upper, rows)[self.frames[rows]] >= last
        return np.asarray(rows[likely])
