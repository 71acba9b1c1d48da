"""The embeddings of a library as a classifier sees them, and the scores of all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from src.child_processes import cores
from src.database.embedding_store import EmbeddingStore
from src.database.exact_search import MOST_THREADS
from src.database.label_answers import EmbeddedSegment, embedded_segments
from src.database.quantized import LEVELS, dots, turned
from src.database.scan_file import ScanFileError
from src.database.scan_rows import Part

# Segments that the space is measured on, and of these how many stand for "has not got the label".
SAMPLE, WEAK = 2000, 500
# More directions take longer, and there are no answers to tell them apart.
MOST_AXES = 128
# With fewer segments for each, axes are what single segments happen to be like.
FEWEST_FOR_AN_AXIS = 4
# How much the label's own words count, as a standard deviation beside the 1 of each axis.
WORDS_SCALE = 5.0
# A sample of a library that has since grown or shrunk by this share is drawn again.
MOST_CHANGED = 0.1


@dataclass(frozen=True)
class WordsDirection:
    """Where the words of a label point, as one more axis of the space.

    Attributes:
        vector: (512,) float64, as `turned` makes it; its products less `mean` over `spread` are
            what the sample has a mean of 0 and a standard deviation of 1 in.
    """

    vector: np.ndarray
    mean: float
    spread: float

    def of(self, vectors: np.ndarray) -> np.ndarray:
        return np.asarray((vectors @ self.vector - self.mean) / self.spread)


@dataclass(frozen=True)
class EmbeddingSpace:
    """Embeddings seen along the directions in which those of this library differ.

    A CLIP puts all pictures of a library into a narrow cone, where a few directions say nearly
    everything. Each is scaled to the same spread but for those that hardly differ, so that few
    answers are enough to tell which of them matter.

    Attributes:
        mean: (512,) float64, as `turned` makes vectors; so is all that follows.
        axes: (512, D) float64, each divided by its spread.
        sample: (N, 512) float64 of objects from the whole library.
        sample_ids: (N,) int64, the rows of their embeddings.
        sampled: whose they are.
        objects: which share of all embeddings are of objects, 0 to 1; the others are of frames.
        rows: how many embeddings there were.
    """

    mean: np.ndarray
    axes: np.ndarray
    sample: np.ndarray
    sample_ids: np.ndarray
    sampled: tuple[EmbeddedSegment, ...]
    objects: float
    rows: int

    @classmethod
    def of(cls, store: EmbeddingStore) -> EmbeddingSpace:
        """Measure a library, on embeddings from the whole range of their ids.

        Raises:
            DatabaseError: an embedding is damaged.
        """
        ids, vectors, rows = _sampled(store)
        known = embedded_segments(store.connection, ids.tolist())
        here = np.array([int(each) in known for each in ids], bool)
        is_object = np.array(
            [int(each) in known and not known[int(each)].is_frame for each in ids], bool
        )
        share = float(np.count_nonzero(is_object)) / max(1, int(np.count_nonzero(here)))
        if not is_object.any():
            is_object = here  # a library without SAM has frames only
        ids, vectors = ids[is_object], vectors[is_object]
        mean = vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1])
        centred = vectors - mean
        spread, axes = np.linalg.eigh(centred.T @ centred / max(1, len(centred)))
        spread, axes = np.maximum(spread[::-1], 0), axes[:, ::-1]
        least = max(float(spread.mean()), 1e-9)
        wanted = min(MOST_AXES, max(1, len(vectors) // FEWEST_FOR_AN_AXIS))
        axes = axes[:, :wanted] / np.sqrt(spread[:wanted] + least)
        sampled = tuple(known[int(each)] for each in ids)
        return cls(mean, axes, vectors, ids, sampled, share, rows)

    def fits(self, rows: int) -> bool:
        """Return whether it is still that of the library, with so many embeddings by now."""
        return abs(rows - self.rows) <= MOST_CHANGED * self.rows

    def words(self, embedding: np.ndarray) -> WordsDirection:
        """Make an axis of the embedding of words: (512,) float32."""
        (vector,) = turned(np.asarray(embedding, np.float64)[None])
        found = self.sample @ vector if len(self.sample) else np.zeros(1)
        return WordsDirection(vector, float(found.mean()), max(float(found.std()), 1e-6))

    def features(self, vectors: np.ndarray, words: WordsDirection | None) -> np.ndarray:
        """Give the places of vectors, as `turned` makes them: (N, D) float64; words come last."""
        found = (vectors - self.mean) @ self.axes
        if words is None:
            return np.asarray(found)
        return np.hstack([found, WORDS_SCALE * words.of(vectors)[:, None]])

    def direction(
        self, weights: np.ndarray, words: WordsDirection | None
    ) -> tuple[np.ndarray, float]:
        """Turn a classifier of features into one of vectors.

        Args:
            weights: (D + 1,), the bias last.

        Returns:
            (512,) float64 to multiply vectors with, as `turned` makes them, and what to add.
        """
        size = self.axes.shape[1]
        vector = self.axes @ weights[:size]
        bias = float(weights[-1] - self.mean @ vector)
        if words is not None:
            scale = WORDS_SCALE * float(weights[size]) / words.spread
            vector = vector + scale * words.vector
            bias -= scale * words.mean
        return vector, bias


def all_scores(
    store: EmbeddingStore, vector: np.ndarray, bias: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Multiply all embeddings, as the eight bits that searches scan, with a vector.

    Args:
        vector: (512,) of any length, as `turned` makes them.

    Returns:
        (N,) int64 rows of embeddings, ascending, and (N,) float32 scores; some may be gone.

    Raises:
        DatabaseError: an embedding is damaged.
    """
    while True:
        try:
            return _all_scores(store, vector, bias)
        except ScanFileError as exc:
            store.scan.distrust(exc)


def _all_scores(
    store: EmbeddingStore, vector: np.ndarray, bias: float
) -> tuple[np.ndarray, np.ndarray]:
    parts = store.scan.parts(store.model_id)
    store.scan.check_size()
    starts = np.cumsum([0, *(part.count for part in parts)])
    ids, scores = np.empty(starts[-1], np.int64), np.empty(starts[-1], np.float32)
    queries = _in_eight_bits(vector)

    def scan(number: int) -> None:
        block, count = parts[number].block, parts[number].count
        block.check(number)
        here = slice(int(starts[number]), int(starts[number]) + count)
        ids[here], some = block.ids[:count], np.zeros(count, np.float32)
        for query, scale in queries:
            some += dots(block.rows[:count], query) * np.float32(scale)
        scores[here] = some * block.scales[:count] + np.float32(bias)

    with ThreadPoolExecutor(min(MOST_THREADS, cores())) as threads:
        for _ in threads.map(scan, range(len(parts))):
            pass
    return ids, scores


def _in_eight_bits(vector: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Write a vector as a sum of two of eight bits: what one leaves is 127 times less with two.

    Searches make up for that by reading the best rows themselves, which takes longer for many.
    """
    found, left = [], vector.astype(np.float64)
    for _ in range(2):
        scale = max(float(np.abs(left).max()) / LEVELS, 1e-30)
        row = np.rint(left / scale)
        found.append((row.astype(np.int8), scale))
        left = left - row * scale
    return found


def _sampled(store: EmbeddingStore) -> tuple[np.ndarray, np.ndarray, int]:
    """Read embeddings from the whole range of ids: (N,) int64, (N, 512) float64, of how many."""
    while True:
        try:
            parts = store.scan.parts(store.model_id)
            return _taken(parts)
        except ScanFileError as exc:
            store.scan.distrust(exc)


def _taken(parts: Sequence[Part]) -> tuple[np.ndarray, np.ndarray, int]:
    starts = np.cumsum([0, *(part.count for part in parts)])
    total = int(starts[-1])
    wanted = np.unique(np.linspace(0, total - 1, min(SAMPLE, total)).astype(np.int64))
    ids, vectors = [np.empty(0, np.int64)], [np.empty((0, 512))]
    for number, part in enumerate(parts):
        here = wanted[(wanted >= starts[number]) & (wanted < starts[number + 1])] - starts[number]
        if here.size:
            part.block.check(number)
            ids.append(part.block.ids[here])
            scales = part.block.scales[here].astype(np.float64)
            vectors.append(part.block.rows[here] * scales[:, None])
    return np.concatenate(ids), np.concatenate(vectors), total
