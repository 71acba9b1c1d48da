"""The embeddings of one model held in memory, in step with SQLite."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence

import numpy as np

from src.database.connection import Connection
from src.database.row_values import LENGTH_TOLERANCE
from src.database.transactions import transaction
from src.errors import DamagedRowError, EmbeddingError
from src.records import EMBEDDING_DIM

# 200 MB of vectors; a larger library is scored from SQLite or by way of Chroma.
ROWS_AT_MOST = 100_000
# Rows read and scored at once: 8 MB of vectors.
BATCH = 4096


class VectorCache:
    """Vectors by the row ids of their embeddings, which only ever grow.

    New rows are read when they are there. SQLite's data_version says at no cost that nothing
    has changed at all; row ids and their number say whether any has gone.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._model_id = 0
        self._versions: dict[int, int] = {}  # of each thread's connection
        self._make_empty()

    def rows(self, model_id: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Return all embeddings of a model, or None when they are too many to hold.

        Returns:
            (N,) int64 row ids, ascending, and (N, 512) float32; both are to be left as they are.
        """
        with self._lock:
            reader, thread = self._connection.read(), threading.get_ident()
            version: int = reader.execute("PRAGMA data_version").fetchone()[0]
            if self._model_id == model_id and self._versions.get(thread) == version:
                return self._ids[: self._held], self._matrix[: self._held]
            with transaction(reader, "BEGIN"):  # so that what is counted is what is read
                return self._brought_up_to_date(reader, model_id, version)

    def _brought_up_to_date(
        self, reader: sqlite3.Connection, model_id: int, version: int
    ) -> tuple[np.ndarray, np.ndarray] | None:
        count: int = reader.execute(
            "SELECT count(*) FROM embeddings WHERE model_id = ?", (model_id,)
        ).fetchone()[0]
        if count > ROWS_AT_MOST:
            self._clear(0)  # what is held is out of date
            return None
        if self._model_id != model_id:
            self._clear(model_id)
        self._read_new(model_id, count)
        if self._held != count:  # some are gone: read all again
            self._clear(model_id)
            self._read_new(model_id, count)
        self._versions[threading.get_ident()] = version
        return self._ids[: self._held], self._matrix[: self._held]

    def _clear(self, model_id: int) -> None:
        self._model_id = model_id
        self._versions.clear()
        self._make_empty()

    def _make_empty(self) -> None:
        self._held = 0
        self._ids = np.empty(0, np.int64)
        self._matrix = np.empty((0, EMBEDDING_DIM), np.float32)

    def _read_new(self, model_id: int, count: int) -> None:
        self._make_space(count)
        last = int(self._ids[self._held - 1]) if self._held else 0
        cursor = self._connection.read().execute(
            "SELECT id, vector FROM embeddings WHERE model_id = ? AND id > ? ORDER BY id",
            (model_id, last),
        )
        with self._connection.noticing_damage():
            self._hold(cursor)

    def _hold(self, cursor: sqlite3.Cursor) -> None:
        """Hold the rows of a query for ids and vectors behind what is held already."""
        while rows := cursor.fetchmany(BATCH):
            start, end = self._held, self._held + len(rows)
            self._make_space(end)  # more than were counted, where some are gone
            self._ids[start:end] = [row["id"] for row in rows]
            self._matrix[start:end] = matrix_of([row["vector"] for row in rows])
            self._held = end

    def _make_space(self, needed: int) -> None:
        """Make space behind what is held, where no search looks.

        All is copied only once it has grown by half: a search in the middle of an ingest would
        else copy the whole library for each new row.
        """
        if needed > len(self._ids):
            grown = min(max(len(self._ids) * 3 // 2, BATCH), ROWS_AT_MOST)
            capacity = max(needed, grown)
            ids = np.empty(capacity, np.int64)
            matrix = np.empty((capacity, EMBEDDING_DIM), np.float32)
            ids[: self._held] = self._ids[: self._held]
            matrix[: self._held] = self._matrix[: self._held]
            self._ids, self._matrix = ids, matrix


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
