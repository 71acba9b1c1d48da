"""How vectors lie in SQLite: 512 float32, little-endian, of length 1."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np

from src.database.checksums import COLUMN, row_checksum
from src.database.row_values import LENGTH_TOLERANCE, check_row
from src.errors import DamagedRowError, EmbeddingError
from src.records import EMBEDDING_DIM

# Rows read and worked on at once: 8 MB of vectors.
BATCH = 4096


def as_stored(vector: np.ndarray) -> bytes:
    """Write a vector as it is stored.

    Raises:
        EmbeddingError: it is not (512,), not finite, or not of length 1.
    """
    if vector.shape != (EMBEDDING_DIM,):
        raise EmbeddingError(f"an embedding has {EMBEDDING_DIM} numbers; this has {vector.shape}")
    if not usable(vector[None])[0]:
        raise EmbeddingError(
            "the CLIP in use gave an embedding that is zero or not finite; its weights may be "
            "damaged: run `models`, and put others in their place"
        )
    return vector.astype("<f4").tobytes()


def usable(matrix: np.ndarray) -> np.ndarray:
    """Return which rows of (N, 512) are finite and of length 1: (N,) bool."""
    with np.errstate(all="ignore"):  # what overflows is not of length 1
        norms = np.linalg.norm(matrix.astype(np.float32), axis=1)
        return np.asarray(np.abs(norms - 1) < LENGTH_TOLERANCE)


def has_length(vector: object) -> bool:
    """Return whether what is stored is as long as a vector."""
    return isinstance(vector, bytes) and len(vector) == 4 * EMBEDDING_DIM


def matrix_of(vectors: Sequence[bytes]) -> np.ndarray:
    """Read vectors as they are stored: (N, 512) float32.

    Raises:
        DamagedRowError: one of them has another length.
    """
    for vector in vectors:
        if not has_length(vector):
            raise DamagedRowError("embeddings", "of a segment", "its vector has another length")
    return np.frombuffer(b"".join(vectors), "<f4").reshape(-1, EMBEDDING_DIM)


def matrix_of_rows(rows: Sequence[sqlite3.Row]) -> np.ndarray:
    """Read the vectors of whole rows of `embeddings`, and check them: (N, 512) float32.

    Raises:
        DamagedRowError: one of them can't be what was stored.
    """
    if not rows:
        return np.empty((0, EMBEDDING_DIM), np.float32)
    matrix = matrix_of([row["vector"] for row in rows])
    are_good = usable(matrix)
    names = rows[0].keys()
    columns = [name for name in names if name != COLUMN]
    has_checksum = COLUMN in names  # none in a library of an early version that is only read
    for row, is_good in zip(rows, are_good, strict=True):
        stored = row[COLUMN] if has_checksum else None
        if not is_good or stored != row_checksum(*(row[name] for name in columns)):
            check_row("embeddings", dict(row))  # which says what is wrong with it
    return matrix
