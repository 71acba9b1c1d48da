"""The nearest of all embeddings to a query, provably: scanned in eight bits, scored in float32.

Eight bits say of each row how near it is, but for a bound (see QuantizedQuery). The best by that
are read from SQLite and scored. A row that is not read lies, even at its bound, under the last of
those that are found: until that is so, more are read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from src.child_processes import cores
from src.database.highest_scores import HighestScores, highest
from src.database.quantized import ROUNDING, QuantizedQuery
from src.database.scan_file import Block
from src.database.scan_rows import Part

Scored = list[tuple[str, float]]
# Takes the best scores, best first, and of how many rows they are the best; gives a score.
Line = Callable[[Sequence[float], int], float]
# Takes row ids and gives those that a filter leaves, in any order.
Keep = Callable[[list[int]], Iterable[int]]
# Takes row ids and gives the N rows of `embeddings` that there still are, checked, and their
# vectors, (N, 512) float32.
Read = Callable[[list[int]], tuple[Sequence[sqlite3.Row], np.ndarray]]

# Of the rows that are nearest in eight bits so many are looked at closer: enough for nearly every
# search, at half a millisecond.
FIRST, FIRST_EACH = 1024, 8
# So many rows that may be above a score are looked at closer to count those that are.
COUNTED_EXACTLY = 2048
# Rows that a filter is asked about, or that are read, at once; then four times as many, and so on.
TEST_AT_ONCE = 64
# More are of no use to a scan: memory is what it waits for.
MOST_THREADS = 8


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        best: ids with their scores, best first.
        among: of how many rows they are; None where a filter was asked about the nearest alone.
        line: what was asked for by these scores; None where nothing was, or nothing is found.
        above: how many rows score the line or more, found or not; see Search._above.
    """

    best: Scored
    among: int | None
    line: float | None = None
    above: int | None = None


@dataclass
class SearchCounts:
    """How searches went, for tests and benchmarks.

    Attributes:
        searches: how many there were.
        proven_at_once: of how many the rows looked at first were enough.
        scored: rows that were read from SQLite.
        tested: rows that a filter was asked about.
    """

    searches: int = 0
    proven_at_once: int = 0
    scored: int = 0
    tested: int = 0


class TooDeep(Exception):  # noqa: N818 no error: it is caught, and answered in another way
    """A filter leaves so few of the nearest rows that to ask about each takes too long."""


@dataclass
class Search:
    """One search over the rows as they were when it began.

    Attributes:
        line: gives the score that is to be counted how many rows reach.
        present: gives those of some row ids that SQLite still has.
    """

    parts: Sequence[Part]
    query: np.ndarray
    n: int
    read: Read
    present: Keep
    counts: SearchCounts = field(default_factory=SearchCounts)
    line: Line | None = None

    def __post_init__(self) -> None:
        self._quantized = QuantizedQuery.of(self.query)
        self._starts = np.cumsum([0, *(part.count for part in self.parts)])
        self._best: list[tuple[float, str]] = []  # minus the score, id
        self._errors = np.zeros(len(self.parts), np.float32)  # the worst of each block
        self._floor = HighestScores(max(FIRST, FIRST_EACH * self.n))
        self.tested = 0

    # -- which rows

    def among_all(
        self, keep: Keep | None = None, mask: np.ndarray | None = None, deepest: int = 1 << 62
    ) -> Found:
        """Look for them among all rows.

        Args:
            keep: a filter, asked about the nearest; None leaves all.
            mask: of the rows to look among, see mask_of.
            deepest: of how many rows `keep` is asked at most.

        Raises:
            TooDeep: it would have to be of more.
            ScanFileError: a block is damaged.
        """
        scores = np.empty(self._starts[-1], np.float32)

        def scan(number: int) -> None:
            part, start = self.parts[number], int(self._starts[number])
            part.block.check(number)
            some = scores[start : start + part.count]
            some[:] = self._highest(number, slice(part.count))
            if mask is not None:
                some += mask[start : start + part.count]
            if part.block.gone is not None:
                some[part.block.gone[: part.count]] = -np.inf
            self._floor.offer(start, some)

        if len(self.parts) < 3:
            for number in range(len(self.parts)):
                scan(number)
        else:
            with ThreadPoolExecutor(min(MOST_THREADS, cores())) as threads:
                for _ in threads.map(scan, range(len(self.parts))):
                    pass
        return self._proven(scores, self._floor.places(), None, keep, deepest)

    def among(self, ids: np.ndarray) -> Found:
        """Look for them among some rows; those that `parts` does not hold are left out.

        Args:
            ids: (N,) int64, ascending.

        Raises:
            ScanFileError: a block is damaged.
        """
        places, scores = [], []
        for number, part, found in self._found(ids):
            if part.block.gone is not None:
                found = found[~part.block.gone[found]]
            if found.size:
                places.append(found + self._starts[number])
                scores.append(self._highest(number, found))
        if not places:
            return Found([], 0)
        every = np.concatenate(scores)
        self._floor.offer(0, every)
        return self._proven(every, self._floor.places(), np.concatenate(places), None, 1 << 62)

    def mask_of(self, ids: np.ndarray) -> np.ndarray:
        """Mark some rows by what is added to scores: 0, and minus infinity for all others.

        To add that takes a thirtieth of the time that writing over half of them does.

        Args:
            ids: (M,) int64, ascending.

        Returns:
            (N,) float32, N as of `parts`.
        """
        mask = np.full(self._starts[-1], -np.inf, np.float32)
        for number, _, found in self._found(ids):
            mask[found + self._starts[number]] = 0
        return mask

    def _found(self, ids: np.ndarray) -> Iterator[tuple[int, Part, np.ndarray]]:
        """Find rows by their ids: for each block that has any, their places in it."""
        before = 0
        for number, part in enumerate(self.parts):
            low, high = np.searchsorted(ids, [before, part.last_id], side="right")
            before = part.last_id
            if low < high:
                part.block.check(number)
                wanted, held = ids[low:high], part.block.ids[: part.count]
                places = np.searchsorted(held, wanted)
                yield number, part, places[held[places] == wanted]

    def _highest(self, number: int, which: slice | np.ndarray) -> np.ndarray:
        """Say how high the scores of some rows of a block may be; see QuantizedQuery.highest."""
        block = self.parts[number].block
        errors = block.errors[which]
        self._errors[number] = errors.max()
        return self._quantized.highest(block.rows[which], block.scales[which], errors)

    # -- the proof

    def _proven(
        self,
        scores: np.ndarray,
        first: np.ndarray,
        places: np.ndarray | None,
        keep: Keep | None,
        deepest: int,
    ) -> Found:
        """Score what may be among the nearest, until nothing else can.

        Args:
            scores: (N,) float32, as high as they may be, but for what is missing of the query;
                -inf for what is not asked for.
            first: where in it the highest are.
            places: (N,) of the rows that have them, as numbers into all of `parts`; None where N
                is that of all.
        """
        self.counts.searches += 1
        missing = self._quantized.missing(float(self._errors.max(initial=0.0)))
        seen = np.zeros(len(scores), bool)
        at, rounds = first, 0
        while at.size:
            rounds += 1
            seen[at] = True
            self._look_closer(at if places is None else places[at], keep, deepest)
            if float(scores[at].min()) + missing < self._last():
                break  # all others are lower still
            if len(self._best) < self.n:
                at = highest(scores, 4 * int(np.count_nonzero(seen)))
            else:
                at = np.flatnonzero(scores >= self._last() - missing)
            at = at[~seen[at] & (scores[at] > -np.inf)]
        self.counts.proven_at_once += rounds <= 1
        best = [(segment_id, -score) for score, segment_id in self._best]
        among = int(np.count_nonzero(scores > -np.inf)) if keep is None else None
        if self.line is None or not best:
            return Found(best, among)
        of = len(scores) if among is None else among
        line = self.line([score for _, score in best], of)
        at = np.flatnonzero(scores >= line - missing)
        rows = at if places is None else places[at]
        return Found(best, among, line, self._above(line, rows, scores[at], keep, deepest))

    def _look_closer(self, places: np.ndarray, keep: Keep | None, deepest: int) -> None:
        """Score those of some rows that may be among the nearest, the likeliest first."""
        ids, scores, errors = self._of_places(places)
        upper, lower = scores + errors + ROUNDING, scores - errors - ROUNDING
        order = np.argsort(-upper, kind="stable")
        ids, upper, lower, places = ids[order], upper[order], lower[order], places[order]
        start, size = 0, len(ids)
        if keep is not None:
            size = max(TEST_AT_ONCE, 4 * self.n)
        while start < len(ids) and upper[start] >= self._last():
            # what is below the last that is found is of no use
            end = int(np.searchsorted(-upper, -self._last(), side="right"))
            end = min(end, start + size)
            size *= 4
            some = np.arange(start, end)
            if keep is not None:
                if self.tested + len(some) > deepest:
                    raise TooDeep
                self.tested += len(some)
                self.counts.tested += len(some)
                some = some[np.isin(ids[some], list(keep(ids[some].tolist())))]
            if len(some) >= self.n:  # nor is what is below n others, however far these are off
                nth = np.partition(lower[some], len(some) - self.n)[len(some) - self.n]
                likely = upper[some] >= nth
                are_there = self._read(ids, places, some[likely])
                some = some[:0] if are_there else some[~likely]
            self._read(ids, places, some)
            start = end

    def _read(self, ids: np.ndarray, places: np.ndarray, some: np.ndarray) -> bool:
        """Score some of the rows; returns whether all of them were there."""
        if some.size == 0:
            return True
        there = np.isin(ids[some], self._take(ids[some].tolist()))
        for place in places[some[~there]]:
            number = int(np.searchsorted(self._starts, place, side="right")) - 1
            self.parts[number].block.mark_gone(int(place - self._starts[number]))
        return bool(there.all())

    def _of_places(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give ids of rows, how near they are to the query as it is, and how far off that may be.

        Returns:
            (N,) int64 and twice (N,) float64.
        """
        ids = np.empty(len(places), np.int64)
        scores, errors = np.empty(len(places)), np.empty(len(places))
        for block, here, inside in self._by_block(places):
            ids[here], errors[here] = block.ids[inside], block.errors[inside]
            scores[here] = self._quantized.scores_of(block.rows[inside], block.scales[inside])
        return ids, scores, errors * self._quantized.length

    def _ids_and_errors(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give ids of rows, (N,) int64, and what rounding took from them, (N,) float32."""
        ids, errors = np.empty(len(places), np.int64), np.empty(len(places), np.float32)
        for block, here, inside in self._by_block(places):
            ids[here], errors[here] = block.ids[inside], block.errors[inside]
        return ids, errors

    def _by_block(self, places: np.ndarray) -> Iterator[tuple[Block, np.ndarray, np.ndarray]]:
        """Give for each block which of some places are in it, and where in it they are."""
        numbers = np.searchsorted(self._starts, places, side="right") - 1
        for number in np.unique(numbers):
            here = np.flatnonzero(numbers == number)
            yield self.parts[number].block, here, places[here] - self._starts[number]

    def _take(self, ids: list[int]) -> list[int]:
        """Read rows and score them; returns those that there are."""
        rows, vectors = self.read(ids)
        self.counts.scored += len(rows)
        scores = self._scores_of(vectors)
        self._best += [
            (-float(score), row["segment_id"]) for row, score in zip(rows, scores, strict=True)
        ]
        self._best = sorted(self._best)[: self.n]
        return [row["id"] for row in rows]

    # -- how many

    def _above(
        self,
        line: float,
        places: np.ndarray,
        scores: np.ndarray,
        keep: Keep | None,
        deepest: int,
    ) -> int:
        """Count the rows that score a line or more.

        Up to 2,048 are counted exactly. Of more each counts as its eight bits have it, which are
        off by 0.003 at most in practice, and by 0.03 whatever the vectors are; rows that are gone
        from SQLite, and that no search has met yet, count too.

        Args:
            places: (N,) of all rows that may score it; see _proven.
            scores: (N,) how high they may be.
        """
        if len(places) <= COUNTED_EXACTLY:
            return self._above_exactly(line, places, keep, deepest)
        ids, errors = self._ids_and_errors(places)
        ids = ids[scores - errors * np.float32(self._quantized.length) >= line]
        return len(ids if keep is None else self._kept(ids, keep, deepest))

    def _above_exactly(self, line: float, rows: np.ndarray, keep: Keep | None, deepest: int) -> int:
        ids, found, errors = self._of_places(rows)
        errors += ROUNDING
        may_be = found + errors >= line
        ids, low = ids[may_be], (found - errors)[may_be]
        left = self._kept(ids, keep, deepest) if keep else self.present(ids.tolist())
        is_left = np.isin(ids, list(left))
        unsure = is_left & (low < line)
        read, vectors = self.read(ids[unsure].tolist())
        self.counts.scored += len(read)
        sure = int(np.count_nonzero(is_left & ~unsure))
        return sure + int(np.count_nonzero(self._scores_of(vectors) >= line))

    def _kept(self, ids: np.ndarray, keep: Keep, deepest: int) -> list[int]:
        if self.tested + len(ids) > deepest:
            raise TooDeep
        self.tested += len(ids)
        self.counts.tested += len(ids)
        return list(keep(ids.tolist()))

    def _scores_of(self, vectors: np.ndarray) -> np.ndarray:
        """Score vectors: (N,) float64."""
        # each row by itself, so that equal ones have equal scores wherever they stand
        rows, query = vectors.astype(np.float64), self.query.astype(np.float64)
        return np.asarray(np.einsum("ij,j->i", rows, query))

    def _last(self) -> float:
        """Give the score of the last one of the nearest; what is lower is none of them."""
        return -self._best[-1][0] if len(self._best) == self.n else -np.inf
