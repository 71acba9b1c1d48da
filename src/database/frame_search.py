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
from src.database.quantized import QuantizedQuery
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
        bounds, slack = _bounds(parts, queries)
        ids = np.concatenate([part.block.ids[: part.count] for part in parts])
        search = _Frames(read, queries, ids, self._frames.of(ids), bounds, slack)
        if where:
            filtered = FilteredRows(self._connection, model_id, where)
            few = filtered.few()
            if few is not None:
                bounds[0][~np.isin(ids, few, assume_unique=True)] = -np.inf
            else:
                search.filtered = filtered
        return search.best(n)


def _bounds(
    parts: Sequence[Part], queries: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], list[float]]:
    """Say how high the scores of all rows may be for each query, and how much lower they may be.

    Returns:
        For each query (N,) float32, and the largest distance between that and a score.
    """
    for number, part in enumerate(parts):
        part.block.check(number)
    bounds, slack = [], []
    errors = np.concatenate([part.block.errors[: part.count] for part in parts])
    worst = float(errors.max(initial=0.0))
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
        missing = quantized.missing(worst)
        bounds.append(np.concatenate(found) + np.float32(missing))
        slack.append(2 * (worst * quantized.length + missing))
    return bounds, slack


@dataclass
class _Frames:
    """One search among frames.

    Attributes:
        read: reads rows of embeddings.
        ids: (N,) int64, the rows of embeddings.
        frames: (N,) int64, the frame of each; -1 of what is gone.
        bounds: for each query (N,) float32, as high as the scores may be; -inf for what the
            filter leaves out.
        slack: for each query how much lower a score may be than its bound.
        filtered: asked about the rows of the first query where the filter leaves many.
    """

    read: Read
    queries: Sequence[np.ndarray]
    ids: np.ndarray
    frames: np.ndarray
    bounds: list[np.ndarray]
    slack: list[float]
    filtered: FilteredRows | None = None

    def best(self, n: int) -> Scored:
        there = np.flatnonzero(self.frames >= 0)
        size = int(self.frames.max(initial=-1)) + 1
        highest = np.min([self._highest(bound, there, size) for bound in self.bounds], axis=0)
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
            best = sorted(best + self._scored(some, size))[:n]
            start, at_once = start + at_once, 4 * at_once
        return [(segment_id, -score) for score, segment_id in best]

    def _highest(self, bound: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
        """Find the highest bound of each frame: (size,) float32."""
        found = np.full(size, -np.inf, np.float32)
        np.maximum.at(found, self.frames[rows], bound[rows])
        return found

    def _scored(self, some: np.ndarray, size: int) -> list[tuple[float, str]]:
        """Score some frames.

        Returns:
            Minus the score of each, and its segment that is best for the first query; frames of
            which nothing is left are left out.
        """
        is_wanted = np.zeros(size + 1, bool)  # the last one for what is gone
        is_wanted[some] = True
        rows = np.flatnonzero(is_wanted[self.frames])
        if self.filtered is not None:
            kept = self.filtered.keep(self.ids[rows].tolist())
            self.bounds[0][rows[~np.isin(self.ids[rows], kept)]] = -np.inf
        while True:
            likely = np.zeros(len(rows), bool)
            for bound, slack in zip(self.bounds, self.slack, strict=True):
                highest = self._highest(bound, rows, size)
                near = bound[rows] >= highest[self.frames[rows]] - np.float32(slack)
                likely |= near & (bound[rows] > -np.inf)
            closer = rows[likely]
            found, vectors = self.read(self.ids[closer].tolist())
            if len(found) == len(closer):
                break
            gone = ~np.isin(self.ids[closer], [row["id"] for row in found])
            self.frames[closer[gone]] = -1
            rows = rows[self.frames[rows] >= 0]
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
