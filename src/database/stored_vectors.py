"""How vectors lie in SQLite: 512 float32, little-endian, of length 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from src.database.row_values import LENGTH_TOLERANCE
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


def matrix_of(vectors: Sequence[bytes]) -> np.ndarray:
    """Read vectors as they are stored: (N, 512) float32.

    Raises:
        DamagedRowError: one of them has another length.
    """
    for vector in vectors:
        if not isinstance(vector, bytes) or len(vector) != 4 * EMBEDDING_DIM:
            raise DamagedRowError("embeddings", "of a segment", "its vector has another length")
    return np.frombuffer(b"".join(vectors), "<f4").reshape(-1, EMBEDDING_DIM)
