"""Chroma as an index over the truth in SQLite, for other programs: no search of ours asks it.

It is trusted only as far as it proves itself.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from src.chroma_address import ChromaAddress
from src.database import index_process
from src.database.embedding_store import EmbeddingStore
from src.database.index_places import index_places
from src.database.index_process import IndexAwayError, IndexProcess, IndexUnavailableError
from src.database.metadata_db import MetadataDatabase
from src.errors import DatabaseError
from src.events import IndexAway, Progress
from src.records import EMBEDDING_DIM

# 1,000 or 5,000 at a time are hardly faster, and a job can be stopped between two batches.
BATCH = 200
PROBES = 32

log = logging.getLogger(__name__)


class VectorIndex:
    """Keeps the collection in step with SQLite, and rebuilds it on any doubt.

    The library's process must hold the library's lock: two processes on one Chroma folder
    lose vectors without an error.
    """

    def __init__(
        self,
        metadata: MetadataDatabase,
        embeddings: EmbeddingStore,
        server: ChromaAddress | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            server: keeps the index; None for a folder of the library.
        """
        self.metadata = metadata
        self.embeddings = embeddings
        self._places = index_places(metadata, server)
        # Jobs may run beside each other; one of them opens or discards at a time.
        self._state_lock = threading.RLock()
        self._process: IndexProcess | None = None
        self._opening: threading.Thread | None = None
        # Why the index is not asked in this session, once it has failed after a rebuild.
        self.failure: str | None = None
        # Why it could not be told what is new; the next `catch_up` tries again.
        self.away: str | None = None
        self._distrusted = 0  # how often in this session
        self._retired = False

    @property
    def _key(self) -> str:
        """Where the library has written down what its index is called."""
        return f"index of {self.embeddings.model}"

    @property
    def _name(self) -> str | None:
        """The name of the index; None where there is none, or a row says what can't be."""
        return self._places.name_in(self.metadata.info(self._key))

    # -- keeping in step

    def pending(self) -> int:
        """Count what the index does not know yet; where there is none, that is everything."""
        if self._name is None:
            return self.embeddings.count()
        return self.embeddings.count_unindexed() + self.embeddings.count_removals()

    def catch_up(self) -> Iterator[Progress | IndexAway]:
        """Bring the index up to date: add new segments, delete those that are gone.

        What searches scan is brought into step before; they need no index. A failure costs one
        rebuild in a fresh place; after a second one there is none in this session. A server that
        can't be reached costs nothing: it is told the next time.
        """
        self.keep_scanned()
        self.away = None
        for attempt in (1, 2):
            try:
                yield from self._catch_up()
                return
            except IndexAwayError as exc:
                yield self._left(exc)
                return
            except IndexUnavailableError as exc:
                if self._retired:
                    return
                self._distrust(str(exc))
                if attempt == 2:
                    self.failure = str(exc)
                    log.warning("the index is not used: %s", exc)

    def _left(self, exc: IndexAwayError) -> IndexAway:
        log.warning("the index is told later: %s", exc)
        with self._state_lock:
            self.away = str(exc)
            self._end_process()
            return IndexAway(self.away)

    def open_ahead(self) -> None:
        """Have it opened in a thread of its own, so that `catch_up` does not wait for that."""

        def open_it() -> None:
            # what is wrong with it, or with the library, is dealt with where it is told
            with suppress(IndexUnavailableError, DatabaseError):
                self._ready()

        if self._process is None and self._opening is None:
            self._opening = threading.Thread(target=open_it, name="index", daemon=True)
            self._opening.start()

    def keep_scanned(self) -> None:
        """Bring what searches scan into step with SQLite."""
        if not self._retired:
            self.embeddings.keep_scanned()

    def _catch_up(self) -> Iterator[Progress]:
        if self._retired or self.failure is not None or self.pending() == 0:
            return
        process = self._ready()
        while gone := self.embeddings.removals(BATCH):
            process.ask({"verb": "delete", "ids": gone})
            self.embeddings.mark_removed(gone)
        total, done = self.embeddings.count_unindexed(), 0
        while True:
            rows, ids, vectors = self.embeddings.unindexed(BATCH)
            if not rows:
                return
            process.ask({"verb": "add", "ids": ids}, vectors.tobytes())
            self.embeddings.mark_indexed(rows)
            done += len(rows)
            yield Progress("index", done, max(done, total))

    def problems(self) -> list[str]:
        """Return what is wrong with the index, by opening and probing it; empty means sound.

        That it is still to be told of changes, or of everything, is nothing wrong.
        """
        known = self.embeddings.count() - self.embeddings.count_unindexed()
        try:
            if self._opened() is None and (known or self._retired or self.failure is not None):
                return ["there is no index of these embeddings"]
        except IndexUnavailableError as exc:
            return [str(exc)]
        return []

    def rebuild(self) -> Iterator[Progress | IndexAway]:
        """Delete the index and rebuild it from SQLite."""
        self.failure = None
        self._distrusted = 0
        try:
            self._places.reach()
        except IndexAwayError as exc:
            yield self._left(exc)
            return
        self._distrust("a rebuild was asked for")
        yield from self.catch_up()

    def move_to(self, server: ChromaAddress | None) -> None:
        """Keep the index elsewhere from now on; see `__init__`. The old one is left behind."""
        with self._state_lock:
            self._end_process()
            self._places = index_places(self.metadata, server)
            self.failure = self.away = None

    def close(self) -> None:
        """Wait for the child to finish and exit."""
        if self._opening is not None:
            self._opening.join()
            self._opening = None
        with self._state_lock:
            self._end_process()

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def retire(self) -> None:
        """Close it for good: another model's index has taken its place.

        The files stay, and are in step with SQLite when the model comes back.
        """
        with self._state_lock:
            self._retired = True
        self.close()

    # -- trust

    def _ready(self) -> IndexProcess:
        """Return the child with a proven index, or with an empty one where there is none.

        Raises:
            IndexUnavailableError: there is one that can't be trusted, or none can be made.
        """
        with self._state_lock:
            return self._opened() or self._fresh()

    def _opened(self) -> IndexProcess | None:
        """Return the child with a proven index; None when there is no index to open.

        Raises:
            IndexUnavailableError: there is one, and it can't be trusted.
        """
        with self._state_lock:
            if self._retired or self.failure is not None:
                return None
            if self._process is None:
                name = self._name
                if name is None:
                    return None
                self._places.check(name)
                process = self._places.start(name)
                try:
                    self._open(process)
                    self._probe(process)
                except IndexUnavailableError:
                    process.close()
                    raise
                self._process = process
            return self._process

    def _open(self, process: IndexProcess) -> None:
        rows = self.embeddings.count()
        request = {"verb": "open", "model": self.embeddings.model, "rows": rows}
        process.ask(request, timeout_s=index_process.START_S)

    def _probe(self, process: IndexProcess) -> None:
        """Compare count and a sample of embeddings with SQLite's.

        What was sent and is not yet marked as indexed may be counted or not.
        """
        count = process.ask({"verb": "count"})[0]["count"]
        indexed = self.embeddings.count() - self.embeddings.count_unindexed()
        most = self.embeddings.count() + self.embeddings.count_removals()
        if not indexed <= count <= most:
            raise IndexUnavailableError(f"it holds {count} segments where {indexed} should be")
        truth = self.embeddings.sample(PROBES)
        if truth:
            answer, payload = process.ask({"verb": "get", "ids": list(truth)})
            vectors = np.frombuffer(payload, "<f4").reshape(-1, EMBEDDING_DIM)
            held = dict(zip(answer["ids"], vectors, strict=True))
            for segment_id, vector in truth.items():
                if segment_id not in held or not np.allclose(held[segment_id], vector, atol=1e-4):
                    raise IndexUnavailableError(f"segment {segment_id} is missing or wrong in it")
            # A query goes through the graph's own files, which count and get do not touch.
            some = next(iter(truth.values()))
            process.ask({"verb": "query", "n": 1}, some.astype("<f4").tobytes())

    def _distrust(self, reason: str) -> None:
        """Leave the index behind; it is removed, and SQLite knows that nothing is indexed."""
        with self._state_lock:
            log.warning("the index is rebuilt: %s", reason)
            self._distrusted += 1
            self._end_process()
            name = self._name
            with self.metadata.connection.write() as db:
                self.embeddings.mark_all_unindexed(db)
                db.execute("DELETE FROM info WHERE key = ?", (self._key,))
            if name is not None:
                self._places.remove(name)

    def _fresh(self) -> IndexProcess:
        """Start an empty index in a place of its own, and mark all embeddings as not indexed."""
        with self._state_lock:
            if self._retired:
                raise IndexUnavailableError("another model's index has taken its place")
            name, process = self._places.make()
            try:
                with self.metadata.connection.write() as db:
                    self.embeddings.mark_all_unindexed(db)
                    db.execute(
                        "INSERT OR REPLACE INTO info (key, value) VALUES (?, ?)",
                        (self._key, self._places.recorded(name)),
                    )
                    self._places.remove_strays(db, name)
                self._open(process)
            except BaseException:
                process.close()
                raise
            self._process = process
            return process
