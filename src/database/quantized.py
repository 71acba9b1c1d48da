"""Vectors in eight bits: how they are made and multiplied, and how far off a score can be.

A vector is turned first, by signs and a Hadamard matrix: its length and its products with other
vectors stay, and no few numbers stand out. CLIP's do by far, and the steps of eight bits would be
as coarse as the largest of them asks for.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from src.database.row_values import LENGTH_TOLERANCE
from src.records import EMBEDDING_DIM

# Of the way in which vectors become eight bits: what is stored in another one is made again.
FORM = 1
LEVELS = 127
# More than all roundings of float32 on the way can add up to: sums of 32 and of 16 numbers are off
# by 2e-6 and 1e-6 of their terms, and a vector of them by less than 2e-5.
ROUNDING = 5e-5

_LEFT, _RIGHT = 16, 32
_ROWS_AT_ONCE = 1024  # of int8 as float32: 2 MB

Dots = Callable[[np.ndarray, np.ndarray], np.ndarray]

log = logging.getLogger(__name__)


def _hadamard(n: int) -> np.ndarray:
    """Give the orthogonal (n, n) matrix of one absolute value; n is a power of two."""
    matrix = np.ones((1, 1))
    while len(matrix) < n:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return np.asarray(matrix / np.sqrt(n))


def _signs() -> np.ndarray:
    """Give 512 signs that are the same on every machine."""
    bits = np.unpackbits(np.frombuffer(hashlib.blake2b(b"signs").digest(), np.uint8))
    return np.asarray(bits[:EMBEDDING_DIM] * 2.0 - 1)


_SIGNS, _H_LEFT, _H_RIGHT = _signs(), _hadamard(_LEFT), _hadamard(_RIGHT)


def turned(matrix: np.ndarray) -> np.ndarray:
    """Turn vectors, in the type they have.

    Args:
        matrix: (N, 512) float32 or float64.

    Returns:
        (N, 512); lengths and products of two stay.
    """
    kind = matrix.dtype
    rows = (matrix * _SIGNS.astype(kind)).reshape(-1, _LEFT, _RIGHT) @ _H_RIGHT.astype(kind)
    return np.asarray(_H_LEFT.astype(kind) @ rows).reshape(-1, EMBEDDING_DIM)


@dataclass(frozen=True)
class Quantized:
    """Vectors v as q * scale.

    Attributes:
        rows: q, (N, 512) int8 of -127 to 127.
        scales: (N,) float32.
        errors: (N,) float32, the length of v - q * scale or more.
    """

    rows: np.ndarray
    scales: np.ndarray
    errors: np.ndarray


def quantized(matrix: np.ndarray) -> Quantized:
    """Bring vectors to eight bits.

    Args:
        matrix: (N, 512) float32, finite and of length 1.
    """
    rows = turned(matrix)
    scales = np.abs(rows).max(axis=1) / np.float32(LEVELS)
    whole = np.rint(rows / scales[:, None])
    errors = np.linalg.norm(rows - whole * scales[:, None], axis=1) + np.float32(ROUNDING)
    return Quantized(whole.astype(np.int8), scales, errors.astype(np.float32))


@dataclass(frozen=True)
class QuantizedQuery:
    """A query, both as it is and in eight bits.

    Attributes:
        exact: (512,) float64, turned.
        row: (512,) int8.
        scale: row * scale is about exact.
        error: the length of what is between them.
    """

    exact: np.ndarray
    row: np.ndarray
    scale: float
    error: float

    @classmethod
    def of(cls, embedding: np.ndarray) -> QuantizedQuery:
        """Take an embedding: (512,), of length 1."""
        exact = turned(embedding.astype(np.float64)[None])[0]
        scale = float(np.abs(exact).max()) / LEVELS
        row = np.rint(exact / scale)
        error = float(np.linalg.norm(exact - row * scale))
        return cls(exact, row.astype(np.int8), scale, error)

    def highest(self, rows: np.ndarray, scales: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """Say how high scores may be, but for what rounding took from this query: see missing.

        Returns:
            (N,) float32: scale * scale * dot, and what rounding took from the row.
        """
        found = dots(rows, self.row) * (scales * np.float32(self.scale))
        found += errors * np.float32(self.length)
        return found

    def missing(self, worst_error: float) -> float:
        """Bound what rounding took from this query, in a score (Cauchy-Schwarz).

        Args:
            worst_error: of all rows that are looked at.
        """
        return (1 + LENGTH_TOLERANCE + worst_error) * self.error + ROUNDING

    @property
    def length(self) -> float:
        """About 1: the embedding's."""
        return float(np.linalg.norm(self.exact))

    def scores_of(self, rows: np.ndarray, scales: np.ndarray) -> np.ndarray:
        """Multiply some rows with this query as it is.

        Returns:
            (N,) float64, off by a row's error times `length` and ROUNDING at most.
        """
        return np.asarray((rows.astype(np.float64) @ self.exact) * scales)


def dots(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Multiply int8 rows with an int8 query.

    Every sum is a whole number under 2**24, so float32 holds it as it is.

    Args:
        rows: (N, 512) int8, contiguous, each number from -127 to 127.
        query: (512,) int8.

    Returns:
        (N,) float32.
    """
    return _fastest()(rows, query)


def dots_by_numpy(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Do it with what is there on every machine, in three times the time."""
    found = np.empty(len(rows), np.float32)
    wide = query.astype(np.float32)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        np.matmul(rows[some].astype(np.float32), wide, out=found[some])
    return found


@cache
def _fastest() -> Dots:
    """Take numkong where it is here and gives what numpy gives, on a block of all values."""
    try:
        import numkong
    except ImportError as exc:
        log.warning("searches take longer: numkong can't be used (%s)", exc)
        return dots_by_numpy

    def by_numkong(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
        products = numkong.cdist(rows, query[None], "dot", out_dtype="float32")
        return np.asarray(products)[:, 0]

    numbers = np.arange(300 * EMBEDDING_DIM, dtype=np.int64)
    block = (numbers * 7919 % 255 - LEVELS).astype(np.int8).reshape(-1, EMBEDDING_DIM)
    block[0], block[1] = LEVELS, -LEVELS
    for query in (block[0], block[7]):
        try:
            agrees = np.array_equal(by_numkong(block, query), dots_by_numpy(block, query))
        except Exception as exc:  # whatever a build of another machine's may raise
            log.warning("searches take longer: numkong fails here (%s)", exc)
            return dots_by_numpy
        if not agrees:
            log.warning("searches take longer: numkong is wrong on this machine")
            return dots_by_numpy
    return by_numkong
