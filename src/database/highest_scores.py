"""The highest of many scores, as they come."""

from __future__ import annotations

import threading

import numpy as np


class HighestScores:
    """Collects the highest of scores that come in parts, from several threads."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._lock = threading.Lock()
        self._floor = np.finfo(np.float32).min
        self._places: list[np.ndarray] = []
        self._scores: list[np.ndarray] = []
        self._held = 0

    def offer(self, start: int, scores: np.ndarray) -> None:
        """Take a part: (N,) float32; its first one has the place `start`."""
        at = np.flatnonzero(scores >= self._floor)
        with self._lock:
            self._places.append(at + start)
            self._scores.append(scores[at])
            self._held += len(at)
            if self._held > 4 * self._n:
                self._prune()

    def places(self) -> np.ndarray:
        """Give where the n highest are, or all where there are fewer."""
        self._prune()
        return self._places[0]

    def _prune(self) -> None:
        scores = np.concatenate([*self._scores, np.empty(0, np.float32)])
        places = np.concatenate([*self._places, np.empty(0, np.int64)])
        best = highest(scores, self._n)
        self._places, self._scores, self._held = [places[best]], [scores[best]], len(best)
        if len(best) == self._n:
            self._floor = scores[best].min()


def highest(scores: np.ndarray, n: int) -> np.ndarray:
    """Find where the n highest scores are, in no order."""
    if n >= len(scores):
        return np.arange(len(scores))
    return np.argpartition(scores, len(scores) - n)[len(scores) - n :]
