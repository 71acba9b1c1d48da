"""Frames that hold several things at once: each is as good as the one it has least of.

How well a frame has a thing is the best score of its segments, or how many steps that is above what
chance scores: scores of words and of images can be compared only so.

As in exact_search, eight bits say of every row how near it may be, and so of every frame how good
it may be at best. Frames are scored from the best of these bounds on, until no other can be better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from src.database.conditions import SegmentCondition
from src.database.connection import Connection
from src.database.exact_search import COUNTED_EXACTLY, Read
from src.database.filtered_rows import FilteredRows
from src.database.quantized import ROUNDING, QuantizedQuery
from src.database.scan_file import ScanFileError
from src.database.scan_rows import Part, ScanRows

# Frames that are scored at once; then four times as many, and so on.
FRAMES_AT_ONCE = 64


@dataclass(frozen=True)
class Thing:
    """Something that a frame is to hold.

    Attributes:
        embedding: (512,) float32, L2-normalised.
        zero, step: its scores are counted from here, in such steps.
    """

    embedding: np.ndarray
    zero: float = 0.0
    step: float = 1.0


@dataclass(frozen=True)
class ScoredFrame:
    """A frame by its best segment for the first thing.

    Attributes:
        score: cosine similarity of the frame's best segment to the thing it has least of.
        steps: the same, counted in that thing's steps.
    """

    segment_id: str
    score: float
    steps: float


@dataclass(frozen=True)
class FoundFrames:
    """What a search among frames has found.

    Attributes:
        best: best first, and equal ones by id.
        among: of how many frames they are; None where a filter was asked about the nearest alone.
        above: how many frames have steps of 0 or more, found or not: exactly up to about 2,048,
            and by what their scores in eight bits say where they are more.
    """

    best: list[ScoredFrame]
    among: int | None
    above: int


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
        things: Sequence[Thing],
        n: int,
        where: SegmentCondition | None = None,
    ) -> FoundFrames:
        """Find the n frames in which the fewest of the most steps for each thing are most.

        Args:
            read: reads some of the rows as they are. It is not kept: the store that has it keeps
                this, and both would hold the mapped file until the garbage collector comes.
            where: what the segments fulfil that are best for the first thing; the others may be
                any of the frame.

        Raises:
            DatabaseError: an embedding is damaged.
        """
        while True:
            try:
                return self._best(read, model_id, things, n, where)
            except ScanFileError as exc:
                self._scan.distrust(exc)

    def _best(
        self,
        read: Read,
        model_id: int,
        things: Sequence[Thing],
        n: int,
        where: SegmentCondition | None,
    ) -> FoundFrames:
        parts = self._scan.parts(model_id)
        self._scan.check_size()
        if not parts:
            return FoundFrames([], 0, 0)
        if self._frames is None or self._frames.model_id != model_id:
            self._frames = FramesOfRows(self._connection, model_id)
        bounds = _bounds(parts, things)
        ids = np.concatenate([part.block.ids[: part.count] for part in parts])
        search = _Frames(read, things, parts, ids, self._frames.of(ids), bounds)
        if where:
            filtered = FilteredRows(self._connection, model_id, where)
            few = filtered.few()
            if few is not None:
                bounds[0][~np.isin(ids, few, assume_unique=True)] = -np.inf
            else:
                search.filtered = filtered
        return search.best(n)


def _bounds(parts: Sequence[Part], things: Sequence[Thing]) -> list[np.ndarray]:
    """Say how many steps all rows may have: (N,) float32 for each thing."""
    for number, part in enumerate(parts):
        part.block.check(number)
    bounds = []
    worst = max(float(part.block.errors[: part.count].max(initial=0.0)) for part in parts)
    for thing in things:
        quantized = QuantizedQuery.of(thing.embedding)
        found = [
            quantized.highest(
                part.block.rows[: part.count],
                part.block.scales[: part.count],
                part.block.errors[: part.count],
            )
            for part in parts
        ]
        highest = np.concatenate(found) + np.float32(quantized.missing(worst) - thing.zero)
        bounds.append(highest / np.float32(thing.step))
    return bounds


@dataclass
class _Frames:
    """One search among frames.

    Attributes:
        read: reads rows of embeddings.
        ids: (N,) int64, the rows of embeddings.
        frames: (N,) int64, the frame of each; -1 of what is gone.
        bounds: for each thing (N,) float32, as many steps as there may be; -inf for what the
            filter leaves out.
        filtered: asked about the rows of the first thing where the filter leaves many.
    """

    read: Read
    things: Sequence[Thing]
    parts: Sequence[Part]
    ids: np.ndarray
    frames: np.ndarray
    bounds: list[np.ndarray]
    filtered: FilteredRows | None = None

    def __post_init__(self) -> None:
        self._quantized = [QuantizedQuery.of(thing.embedding) for thing in self.things]
        self._starts = np.cumsum([0, *(part.count for part in self.parts)])
        self._size = int(self.frames.max(initial=-1)) + 1

    def best(self, n: int) -> FoundFrames:
        there = np.flatnonzero(self.frames >= 0)
        highest = self._worst_of([bound[there] for bound in self.bounds], there)
        order = np.argsort(-highest, kind="stable")
        order = order[highest[order] > -np.inf]
        best: list[ScoredFrame] = []
        start, at_once, above = 0, FRAMES_AT_ONCE, 0
        while start < len(order):
            last = best[-1].steps if len(best) == n else -np.inf
            some = order[start : start + at_once]
            some = some[highest[some] >= last]
            if not some.size:
                break
            found = self._scored(some, min(last, 0.0))
            above += sum(frame.steps >= 0 for frame in found)
            best = sorted(best + found, key=_by_steps)[:n]
            start, at_once = start + len(some), 4 * at_once
        rest = order[start:]
        above += self._count_above(rest[highest[rest] >= 0])
        among = None if self.filtered is not None else len(order)
        return FoundFrames(best, among, above)

    def _count_above(self, frames: np.ndarray) -> int:
        """Count those of some frames that have steps of 0 or more."""
        if len(frames) <= COUNTED_EXACTLY:
            return sum(frame.steps >= 0 for frame in self._scored(frames, 0.0))
        rows = self._rows_of(frames)
        _, lower = self._closer(rows)
        return int(np.count_nonzero(self._worst_of(lower, rows) >= 0))

    def _highest(self, scores: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Find the most steps in each frame: (frames,) of the type of `scores`."""
        found = np.full(self._size, -np.inf, scores.dtype)
        np.maximum.at(found, self.frames[rows], scores)
        return found

    def _worst_of(self, scores: Sequence[np.ndarray], rows: np.ndarray) -> np.ndarray:
        """Find the fewest of the most steps for each thing in each frame."""
        return np.asarray(np.min([self._highest(each, rows) for each in scores], axis=0))

    def _rows_of(self, frames: np.ndarray) -> np.ndarray:
        """List the rows of some frames, after the filter was asked about them."""
        is_wanted = np.zeros(self._size + 1, bool)  # the last one for what is gone
        is_wanted[frames] = True
        rows = np.flatnonzero(is_wanted[self.frames])
        if self.filtered is not None:
            kept = self.filtered.keep(self.ids[rows].tolist())
            self.bounds[0][rows[~np.isin(self.ids[rows], kept)]] = -np.inf
        return rows

    def _scored(self, some: np.ndarray, last: float) -> list[ScoredFrame]:
        """Score those of some frames that may have as many steps as the last of the best.

        Returns:
            In no order; frames of which nothing is left are left out.
        """
        rows = self._rows_of(some)
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
        scores = np.array(
            [
                np.einsum("ij,j->i", wide, thing.embedding.astype(np.float64))
                for thing in self.things
            ]
        )
        scores[0, self.bounds[0][closer] == -np.inf] = -np.inf
        zeros = np.array([thing.zero for thing in self.things])
        widths = np.array([thing.step for thing in self.things])
        of_frame: dict[int, list[int]] = {}
        for place, frame in enumerate(self.frames[closer].tolist()):
            of_frame.setdefault(frame, []).append(place)
        best = []
        for places in of_frame.values():
            first = min(places, key=lambda place: (-scores[0][place], names[place]))
            of_things = scores[:, places].max(axis=1)
            steps = (of_things - zeros) / widths
            least = int(np.argmin(steps))
            if steps[least] > -np.inf:
                best.append(ScoredFrame(names[first], float(of_things[least]), float(steps[least])))
        return best

    def _likely(self, rows: np.ndarray, last: float) -> np.ndarray:
        """Choose the rows that may be the best of their frame for a thing.

        Args:
            last: frames that can't have so many steps are left out.
        """
        upper, lower = self._closer(rows)
        likely = np.zeros(len(rows), bool)
        for high, low in zip(upper, lower, strict=True):
            likely |= (high >= self._highest(low, rows)[self.frames[rows]]) & (high > -np.inf)
        likely &= self._worst_of(upper, rows)[self.frames[rows]] >= last
        return np.asarray(rows[likely])

    def _closer(self, rows: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Say how many steps rows have at most and at least: (N,) float64 for each thing.

        By the things as they are, not in eight bits: these bounds are closer.
        """
        upper, lower = [], []
        for thing, quantized in zip(self.things, self._quantized, strict=True):
            scores, errors = np.empty(len(rows)), np.empty(len(rows))
            numbers = np.searchsorted(self._starts, rows, side="right") - 1
            for number in np.unique(numbers):
                here = np.flatnonzero(numbers == number)
                block, inside = self.parts[number].block, rows[here] - self._starts[number]
                scores[here] = quantized.scores_of(block.rows[inside], block.scales[inside])
                errors[here] = block.errors[inside] * quantized.length + ROUNDING
            upper.append((scores + errors - thing.zero) / thing.step)
            lower.append((scores - errors - thing.zero) / thing.step)
        is_out = self.bounds[0][rows] == -np.inf
        upper[0][is_out] = lower[0][is_out] = -np.inf
        return upper, lower


def _by_steps(frame: ScoredFrame) -> tuple[float, str]:
    return -frame.steps, frame.segment_id
