"""Which frames are embedded together, in which thread's turn, and what one bad frame costs."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from src.processing.embedding_batches import BATCH, LEAST, EmbeddingBatches
from src.stopping import StoppedError

BUNDLE: Any = None


class Embedding:
    """Embeds numbers in place of frames: 13 can't be, and at 99 nobody waits any more."""

    def __init__(self, threads: int) -> None:
        self.batches = EmbeddingBatches(self._embed, threads)
        self.sizes: list[int] = []

    def _embed(self, frames: Sequence[tuple[Any, Any]]) -> list[Any]:
        numbers = [number for _, number in frames]
        self.sizes.append(len(numbers))
        if 13 in numbers:
            raise ValueError("an odd frame")
        if 99 in numbers:
            raise StoppedError
        return [10 * number for number in numbers]

    def cut(self, number: Any) -> Future[Any]:
        """Do what a thread does with a file that was announced."""
        result: Future[Any] = Future()
        self.batches.add(BUNDLE, number, result)
        self.batches.end_one()
        return result


def announced(count: int, threads: int = 2) -> Embedding:
    embedding = Embedding(threads)
    for _ in range(count):
        embedding.batches.announce()
    return embedding


def test_whoever_fills_a_batch_embeds_it_and_towards_the_end_less_is_enough() -> None:
    count = 3 * BATCH
    embedding = announced(count)
    results = [embedding.cut(number) for number in range(20, 20 + count)]
    assert [each.result(0) for each in results] == [10 * n for n in range(20, 20 + count)]
    assert embedding.sizes[0] == BATCH and sum(embedding.sizes) == count
    assert embedding.sizes == sorted(embedding.sizes, reverse=True)
    assert embedding.sizes[-2] == LEAST >= embedding.sizes[-1]


def test_what_waits_is_embedded_when_nothing_else_comes() -> None:
    embedding = announced(3, threads=1)
    first = embedding.cut(1)
    embedding.batches.end_one()  # a file that is no picture
    assert not first.done()
    embedding.batches.end_one()
    assert first.result(0) == 10 and embedding.sizes == [1]


def test_a_frame_that_can_not_be_embedded_costs_that_frame() -> None:
    embedding = announced(4, threads=1)
    results = [embedding.cut(number) for number in (1, 13, 3)]
    embedding.batches.end_one()
    assert [each.result(0) for each in (results[0], results[2])] == [10, 30]
    with pytest.raises(ValueError, match="odd"):
        results[1].result(0)


def test_what_stops_a_job_stops_all_that_waits() -> None:
    embedding = announced(3, threads=1)
    results = [embedding.cut(number) for number in (1, 99)]
    embedding.batches.end_one()
    for each in results:
        with pytest.raises(StoppedError):
            each.result(0)
    assert embedding.sizes == [2]
