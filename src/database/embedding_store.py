"""The vectors in SQLite: the truth that Chroma is an index over, and exact search on them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from src.database.conditions import Condition, SegmentCondition
from src.database.connection import Connection
from src.database.exact_search import Found, Line, Scored, Search, SearchCounts, TooDeep
from src.database.filtered_rows import MOST_GATHERED, FilteredRows, KnownFilter
from src.database.frame_search import FoundFrames, FrameSearch, Thing
from src.database.row_values import check_row
from src.database.rows import CHUNK, LISTED, placeholders
from src.database.scan_file import ScanFileError
from src.database.scan_rows import ScanRows
from src.database.segment_store import model_row
from src.database.stored_vectors import (
    BATCH,
    as_stored,
    has_length,
    matrix_of,
    matrix_of_rows,
    usable,
)
from src.records import EMBEDDING_DIM

# A filter is asked about so many of the nearest rows, of one search or of several. If it goes on,
# all that it leaves are listed: that takes longer than asking so often, and then nothing more.
DEEPEST = 20_000
# Filters of which it is remembered that they leave many.
MOST_WIDE = 100

# A model's embeddings that its index lacks. SQLite takes a CROSS JOIN in the order
# it is written in: it begins with the few that wait, not with all that the model has.
WAITING = "unindexed u CROSS JOIN embeddings e ON e.id = u.embedding_id WHERE e.model_id = ?"
# Counts come from indexes, and are enough nearly always: no segment has two of one model.
ALL_EMBEDDED = (
    "SELECT (SELECT count(*) FROM segments) = (SELECT count(*) FROM embeddings WHERE model_id = ?)"
)
# Segments without an embedding of a model.
LACKING = (
    "segments s WHERE NOT EXISTS (SELECT 1 FROM embeddings e"
    " WHERE e.segment_id = s.id AND e.model_id = ?)"
)


class EmbeddingStore:
    """Embeddings of one model."""

    def __init__(self, connection: Connection, model: str) -> None:
        self.connection = connection
        self.model = model
        self.scan = ScanRows(connection, model)
        self.counts = SearchCounts()
        self.frames = FrameSearch(connection, self.scan)
        self._known: KnownFilter | None = None
        self._wide: set[Condition] = set()
        # Connection.version, and how many there were then
        self._counted = (-1, 0)

    @property
    def model_id(self) -> int:
        """The model's row; 0, which is no model's, before its first embedding is stored."""
        row = (
            self.connection.read()
            .execute("SELECT id FROM models WHERE name = ?", (self.model,))
            .fetchone()
        )
        return 0 if row is None else int(row["id"])

    def count(self) -> int:
        return self._count("SELECT count(*) FROM embeddings WHERE model_id = ?")

    def last_id(self) -> int:
        """Give the highest row id of all models' embeddings; 0 without any."""
        row = self.connection.read().execute("SELECT max(id) FROM embeddings").fetchone()
        return int(row[0] or 0)

    def is_more_than(self, n: int) -> bool:
        """Return whether there are more than n, without counting them all."""
        row = self.connection.read().execute(
            "SELECT 1 FROM embeddings WHERE model_id = ? LIMIT 1 OFFSET ?", (self.model_id, n)
        )
        return row.fetchone() is not None

    def count_unindexed(self) -> int:
        return self._count(f"SELECT count(*) FROM {WAITING}")

    def count_removals(self) -> int:
        return self._count("SELECT count(*) FROM index_removals WHERE model_id = ?")

    def _count(self, sql: str) -> int:
        count: int = self.connection.read().execute(sql, (self.model_id,)).fetchone()[0]
        return count

    def missing(self) -> list[str]:
        """List the segments that have no embedding of this model."""
        if self._count(ALL_EMBEDDED):
            return []
        rows = self.connection.read().execute(
            f"SELECT s.id FROM {LACKING} ORDER BY s.rowid", (self.model_id,)
        )
        return [row["id"] for row in rows]

    def lacks_any(self) -> bool:
        """Return whether there is a segment without an embedding of this model."""
        if self._count(ALL_EMBEDDED):
            return False
        row = self.connection.read().execute(f"SELECT 1 FROM {LACKING} LIMIT 1", (self.model_id,))
        return row.fetchone() is not None

    def add(self, segment_ids: Sequence[str], vectors: np.ndarray) -> None:
        """Store embeddings of segments; one that is gone, or has one of this model, is left out.

        Args:
            vectors: (N, 512) float32, L2-normalised.

        Raises:
            EmbeddingError: one of them can't be used; none is stored then.
        """
        with self.connection.write() as db:
            model_id = model_row(db, self.model)
            db.executemany(
                "INSERT OR IGNORE INTO embeddings (segment_id, model_id, vector)"
                " SELECT id, ?, ? FROM segments WHERE id = ?",
                [
                    (model_id, as_stored(vector), segment_id)
                    for segment_id, vector in zip(segment_ids, vectors, strict=True)
                ],
            )

    def unusable(self) -> list[tuple[int, str]]:
        """List stored embeddings that nothing can be near to: row id and segment id."""
        cursor = self.connection.read().execute(
            "SELECT id, segment_id, vector FROM embeddings WHERE model_id = ? ORDER BY id",
            (self.model_id,),
        )
        found = []
        while rows := cursor.fetchmany(BATCH):
            whole = [row for row in rows if has_length(row["vector"])]
            found += [row for row in rows if not has_length(row["vector"])]
            good = usable(matrix_of([row["vector"] for row in whole]))
            found += [row for row, is_good in zip(whole, good, strict=True) if not is_good]
        return [(row["id"], row["segment_id"]) for row in found]

    def remove(self, embedding_ids: Sequence[int]) -> None:
        """Delete embeddings; their segments stay, and are embedded again by the next job."""
        with self.connection.write() as db:
            db.executemany("DELETE FROM embeddings WHERE id = ?", [(i,) for i in embedding_ids])

    # -- exact search

    def best(self, embedding: np.ndarray, n: int, where: SegmentCondition | None = None) -> Scored:
        """Find the n best of all segments that a filter leaves, best first; see find."""
        return self.find(embedding, n, where).best

    def find(
        self,
        embedding: np.ndarray,
        n: int,
        where: SegmentCondition | None = None,
        line: Line | None = None,
    ) -> Found:
        """Find the n best of all segments that a filter leaves, and count those above a line.

        Args:
            embedding: (512,) float32, L2-normalised.
            line: gives a score by those that are found; how many reach it is counted exactly up
                to about 2,048, and by their eight bits where they are more.

        Raises:
            DatabaseError: an embedding is damaged.
        """
        while True:
            try:
                return self._find(embedding, n, where, line)
            except ScanFileError as exc:
                self.scan.distrust(exc)

    def _find(
        self, embedding: np.ndarray, n: int, where: SegmentCondition | None, line: Line | None
    ) -> Found:
        model_id = self.model_id
        version = self.connection.version()
        parts = self.scan.parts(model_id)
        self.scan.check_size()

        def search() -> Search:
            return Search(parts, embedding, n, self._by_id, self._present, self.counts, line)

        if not where:
            found = search().among_all()
            if self._counted[0] != version:
                self._counted = version, self.count()
            # what is gone from SQLite may still be among what was scanned
            return replace(found, among=min(found.among or 0, self._counted[1]))
        filtered = FilteredRows(self.connection, model_id, where)
        condition = where.condition()
        known = self._known
        key = condition, model_id, version, sum(part.count for part in parts)
        if known is None or known.key != key:
            self._known = known = KnownFilter(key)
        if known.mask is None and known.ids is None and condition not in self._wide:
            known.ids = filtered.few()
            if known.ids is None:
                self._wide = (
                    {*self._wide, condition} if len(self._wide) < MOST_WIDE else {condition}
                )
        if known.ids is not None:
            return search().among(known.ids)
        if known.mask is not None:
            return search().among_all(mask=known.mask)
        one_by_one = search()
        try:
            return one_by_one.among_all(filtered.keep, deepest=DEEPEST - known.asked)
        except TooDeep:
            again, ids = search(), filtered.all()
            if len(ids) <= MOST_GATHERED:
                known.ids = ids
                return again.among(ids)
            known.mask = again.mask_of(ids)
            return again.among_all(mask=known.mask)
        finally:
            known.asked += one_by_one.tested

    def best_in_frames(
        self, things: Sequence[Thing], n: int, where: SegmentCondition | None = None
    ) -> FoundFrames:
        """Find the n frames that hold something like each of several things; see FrameSearch."""
        return self.frames.best(self._by_id, self.model_id, things, n, where)

    def prepare_scan(self) -> Iterator[tuple[int, int]]:
        """Read what the first search would wait for; see ScanRows.prepare."""
        return self.scan.prepare(self.model_id)

    def keep_scanned(self) -> None:
        """Bring what searches scan into step with SQLite, and its file; see ScanRows.keep."""
        self.scan.keep(self.model_id)

    def scan_problems(self) -> list[str]:
        """Say what is wrong with the file that searches scan; empty means sound."""
        return self.scan.problems(self.model_id)

    def spread(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Give up to n embeddings from the whole range of their ids, always the same ones.

        Returns:
            (N, 512) float32, and (N,) int64, the media file of each.
        """
        db, model_id = self.connection.read(), self.model_id
        low, high = db.execute(
            "SELECT min(id), max(id) FROM embeddings WHERE model_id = ?", (model_id,)
        ).fetchone()
        if low is None:
            return np.empty((0, EMBEDDING_DIM), np.float32), np.empty(0, np.int64)
        wanted = sorted({*np.linspace(low, high, n).astype(np.int64).tolist()})
        rows = db.execute(
            "SELECT DISTINCT (SELECT e.id FROM embeddings e WHERE e.id >= wanted.value"
            f" AND e.model_id = ? ORDER BY e.id LIMIT 1) FROM {LISTED} wanted",
            (model_id, json.dumps(wanted)),
        )
        found, vectors = self._by_id([row[0] for row in rows])
        files = db.execute(
            f"SELECT s.id, f.media_file_id FROM {LISTED} wanted CROSS JOIN segments s"
            " ON s.id = wanted.value CROSS JOIN frames f ON f.id = s.frame_id",
            (json.dumps([row["segment_id"] for row in found]),),
        )
        of = dict(map(tuple, files))
        media = np.array([of.get(row["segment_id"], -1) for row in found], np.int64)
        return vectors, media

    def _present(self, ids: list[int]) -> list[int]:
        """Give those of some row ids that there still are."""
        rows = self.connection.read().execute(
            f"SELECT e.id FROM {LISTED} wanted CROSS JOIN embeddings e ON e.id = wanted.value",
            (json.dumps(ids),),
        )
        return [row["id"] for row in rows]

    def _by_id(self, ids: list[int]) -> tuple[list[sqlite3.Row], np.ndarray]:
        """Look up rows of embeddings, and check them; what is gone is left out.

        Returns:
            N rows and their vectors, (N, 512) float32.
        """
        found: list[sqlite3.Row] = []
        for start in range(0, len(ids), CHUNK):
            part = ids[start : start + CHUNK]
            rows = self.connection.read().execute(
                f"SELECT * FROM embeddings WHERE id IN ({placeholders(part)})", part
            )
            found += rows
        with self.connection.noticing_damage():
            return found, matrix_of_rows(found)

    # -- the vectors themselves

    def get(self, segment_ids: Sequence[str]) -> dict[str, np.ndarray]:
        """Look embeddings up, and check them: id -> (512,) float32."""
        found: dict[str, np.ndarray] = {}
        for start in range(0, len(segment_ids), CHUNK):
            ids = segment_ids[start : start + CHUNK]
            rows = self.connection.read().execute(
                "SELECT * FROM embeddings"
                f" WHERE segment_id IN ({placeholders(ids)}) AND model_id = ?",
                (*ids, self.model_id),
            )
            found.update(
                (row["segment_id"], np.frombuffer(row["vector"], "<f4"))
                for row in self._checked(rows)
            )
        return found

    def _matrix_of(self, rows: Iterable[sqlite3.Row]) -> np.ndarray:
        with self.connection.noticing_damage():
            return matrix_of([row["vector"] for row in rows])

    def _checked(self, rows: Iterable[sqlite3.Row]) -> list[sqlite3.Row]:
        """Check whole rows of embeddings.

        Raises:
            DatabaseError: one of them is damaged.
        """
        with self.connection.noticing_damage():
            found = list(rows)
            for row in found:
                check_row("embeddings", dict(row))
            return found

    def sample(self, n: int) -> dict[str, np.ndarray]:
        """Return n indexed embeddings spread over the whole range of their ids."""
        db = self.connection.read()
        low, high = db.execute(
            "SELECT min(id), max(id) FROM embeddings WHERE model_id = ?", (self.model_id,)
        ).fetchone()
        found: dict[str, np.ndarray] = {}
        for start in [] if low is None else np.linspace(low, high, n).astype(int):
            row = db.execute(
                "SELECT segment_id, vector FROM embeddings e WHERE id >= ? AND model_id = ?"
                " AND NOT EXISTS (SELECT 1 FROM unindexed u WHERE u.embedding_id = e.id)"
                " ORDER BY id LIMIT 1",
                (int(start), self.model_id),
            ).fetchone()
            if row is not None:
                found[row["segment_id"]] = np.frombuffer(row["vector"], "<f4")
        return found

    # -- what Chroma lacks

    def unindexed(self, limit: int) -> tuple[list[int], list[str], np.ndarray]:
        """Return embeddings that are not in the index: their row ids, segment ids, (N, 512)."""
        rows = (
            self.connection.read()
            .execute(
                f"SELECT e.id, e.segment_id, e.vector FROM {WAITING}"
                " ORDER BY u.embedding_id LIMIT ?",
                (self.model_id, limit),
            )
            .fetchall()
        )
        return (
            [row["id"] for row in rows],
            [row["segment_id"] for row in rows],
            self._matrix_of(rows),
        )

    def mark_indexed(self, embedding_ids: Sequence[int]) -> None:
        with self.connection.write() as db:
            db.executemany(
                "DELETE FROM unindexed WHERE embedding_id = ?", [(i,) for i in embedding_ids]
            )

    def removals(self, limit: int) -> list[str]:
        """Return ids of segments that are gone and still in the index."""
        rows = self.connection.read().execute(
            "SELECT segment_id FROM index_removals WHERE model_id = ? LIMIT ?",
            (self.model_id, limit),
        )
        return [row["segment_id"] for row in rows]

    def mark_removed(self, segment_ids: Sequence[str]) -> None:
        with self.connection.write() as db:
            db.executemany(
                "DELETE FROM index_removals WHERE segment_id = ? AND model_id = ?",
                [(segment_id, self.model_id) for segment_id in segment_ids],
            )

    def mark_all_unindexed(self, db: sqlite3.Connection) -> None:
        """Mark all embeddings of an index as not indexed, inside the caller's transaction."""
        db.execute(
            "INSERT OR IGNORE INTO unindexed SELECT id FROM embeddings WHERE model_id = ?",
            (self.model_id,),
        )
        db.execute("DELETE FROM index_removals WHERE model_id = ?", (self.model_id,))
