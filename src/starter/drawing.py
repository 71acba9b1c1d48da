"""Draws training material in worker processes, always in the same order."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Generic, TypeVar

import cv2
import numpy as np
import torch

Drawn = TypeVar("Drawn")
_AHEAD_PER_WORKER = 6


def _start_worker() -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    os.nice(2)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    """A killed training must not leave its workers waiting for ever."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


class DrawnInOrder(Generic[Drawn]):
    """Calls `draw(seed, index)` for index = first, first + 1, … ahead of its reader."""

    def __init__(
        self, draw: Callable[[int, int], Drawn], seed: int, first: int, workers: int
    ) -> None:
        self._draw, self._seed, self._next = draw, seed, first
        self._waiting: deque[Future[Drawn]] = deque()
        self._ahead = max(1, workers) * _AHEAD_PER_WORKER
        self._pool = (
            ProcessPoolExecutor(
                workers, multiprocessing.get_context("spawn"), initializer=_start_worker
            )
            if workers
            else None
        )

    def __iter__(self) -> Iterator[Drawn]:
        while True:
            if self._pool is None:
                yield self._draw(self._seed, self._next)
                self._next += 1
                continue
            while len(self._waiting) < self._ahead:
                self._waiting.append(self._pool.submit(self._draw, self._seed, self._next))
                self._next += 1
            yield self._waiting.popleft().result()

    def close(self) -> None:
        """Stop the workers."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


class RecentlyDrawn(Generic[Drawn]):
    """The last `capacity` drawings, from which a step takes its batch.

    Drawing is slower than learning, so each drawing is seen a few times; a ring keeps
    what a step sees a function of the seed and the step alone, also after a restart.
    """

    def __init__(self, source: DrawnInOrder[Drawn], capacity: int) -> None:
        self._source = iter(source)
        self._kept: deque[Drawn] = deque(maxlen=capacity)

    def __len__(self) -> int:
        return len(self._kept)

    def draw(self, count: int) -> None:
        """Take `count` new drawings; the oldest give way."""
        for _ in range(count):
            self._kept.append(next(self._source))

    def choose(self, rng: np.random.Generator, count: int) -> list[Drawn]:
        """`count` of the kept drawings, at random."""
        return [self._kept[int(index)] for index in rng.integers(len(self._kept), size=count)]
