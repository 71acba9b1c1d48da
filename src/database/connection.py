"""One SQLite file: a single writer, and a reader for each thread that asks."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from src.database.migrations import check_version, migrate
from src.errors import DatabaseError

# Seven embeddings of 2 KB fit a page of 16 KB; of SQLite's usual 4 KB each would waste half.
PAGE_SIZE = 16384


class Connection:
    """The library's SQLite file, in WAL mode.

    Exactly one connection writes and checkpoints (SQLite before 3.51.3 can lose a WAL that
    two connections reset at once); readers see whole transactions and never wait for it.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        """Open the file, make it if it is not there, and bring it to this schema.

        Args:
            read_only: open no writer, for a process that does not hold the library's lock.

        Raises:
            DatabaseError: it is no library of ours, damaged, newer, or out of reach.
        """
        self.path = path
        self._write_lock = threading.RLock()
        self._readers: dict[int, sqlite3.Connection] = {}
        self._readers_lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        try:
            if not read_only or not path.exists():
                self._writer = self._opened_to_write()
            else:
                check_version(self.read(), path)
        except sqlite3.Error as exc:
            raise DatabaseError(
                f"{path}: the library can't be opened ({exc}); if it is damaged, put a backup "
                "in its place"
            ) from exc

    def _opened_to_write(self) -> sqlite3.Connection:
        writer = self._connect()
        writer.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA synchronous = FULL")
        writer.execute("PRAGMA foreign_keys = ON")
        migrate(writer, self.path)
        return writer

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=10, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give the writer inside one transaction: all of the block is kept, or none of it."""
        writer = self._writer
        if writer is None:
            raise DatabaseError(f"{self.path}: the library was opened for reading only")
        with self._write_lock:
            if writer.in_transaction:  # a verb inside a larger one
                yield writer
                return
            try:
                writer.execute("BEGIN IMMEDIATE")
                try:
                    yield writer
                except BaseException:
                    writer.execute("ROLLBACK")
                    raise
                writer.execute("COMMIT")
            except sqlite3.Error as exc:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                raise DatabaseError(
                    f"{self.path}: nothing was written ({exc}); "
                    "see that the disk has room and can be written to"
                ) from exc

    def read(self) -> sqlite3.Connection:
        """Give this thread's reader."""
        thread = threading.get_ident()
        with self._readers_lock:
            reader = self._readers.get(thread)
            if reader is None:
                reader = self._readers[thread] = self._connect()
                reader.execute("PRAGMA query_only = ON")
                reader.execute("PRAGMA wal_autocheckpoint = 0")
            return reader

    def close(self) -> None:
        """Close everything; the writer goes last, and with it the WAL into the file."""
        with self._write_lock, self._readers_lock:
            for reader in self._readers.values():
                reader.close()
            self._readers.clear()
            if self._writer is not None:
                self._writer.close()
