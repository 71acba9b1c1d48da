"""One SQLite file: a single writer, and a reader for each thread that asks."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from src.database.backup import back_up, damage_of, is_due
from src.database.damage import WatchedConnection
from src.database.migrations import MIGRATIONS, check_version, migrate
from src.database.recovery import Recovered, recover
from src.database.words import folded
from src.errors import DatabaseError

log = logging.getLogger(__name__)

# Seven embeddings of 2 KB fit a page of 16 KB; of SQLite's usual 4 KB each would waste half.
PAGE_SIZE = 16384


class Connection:
    """The library's SQLite file, in WAL mode.

    Exactly one connection writes and checkpoints (SQLite before 3.51.3 can lose a WAL that
    two connections reset at once); readers see whole transactions and never wait for it.
    """

    def __init__(self, path: Path, read_only: bool = False, examine: bool = False) -> None:
        """Open the file, make it if it is not there, and bring it to this schema.

        Args:
            read_only: open no writer, for a process that does not hold the library's lock.
            examine: look for damage even where nothing speaks for any.

        Raises:
            DatabaseError: it is no library of ours, damaged, newer, or out of reach.
        """
        self.path = path
        self.recovered: Recovered | None = None
        # Stands while a writer is open: whoever finds it knows that the last one was killed. It
        # stays, and is not empty, when somebody has come across damage.
        self._marker = path.with_name(f"{path.name}.open")
        self._read_only = read_only and path.exists()
        self._write_lock = threading.RLock()
        self._readers: dict[int, sqlite3.Connection] = {}
        self._readers_lock = threading.Lock()
        self._closed = False
        self._writer: sqlite3.Connection | None = None
        try:
            if self._read_only:
                check_version(self.read(), path)
            else:
                self._refuse_newer()
                self._writer = self._opened_to_write(examine)
        except (sqlite3.Error, OSError) as exc:
            self.close()
            raise DatabaseError(
                f"{path}: the library can't be opened ({exc}); see that the disk has room and "
                "that this folder and its files can be read and written"
            ) from exc
        except BaseException:
            self.close()
            raise

    def _refuse_newer(self) -> None:
        """Look at the version before anything is written, be it the log into the file."""
        if self.path.exists() and self.path.stat().st_size:
            wal = self.path.with_name(f"{self.path.name}-wal").exists()
            how = "mode=ro" if wal else "mode=ro&immutable=1"
            try:
                with closing(sqlite3.connect(f"{self.path.as_uri()}?{how}", uri=True)) as db:
                    check_version(db, self.path)
            except sqlite3.DatabaseError as exc:
                log.warning("%s: %s", self.path, exc)  # damaged: the writer will see what is left

    def _opened_to_write(self, examine: bool) -> sqlite3.Connection:
        known = self.path.exists() and self.path.stat().st_size > 0
        writer = self._sound_writer(examine) if known else self._connect_to_write()
        self._marker.write_bytes(b"")
        try:
            old = known and check_version(writer, self.path) < len(MIGRATIONS)
            if old or (known and is_due(self.path)):
                self._back_up(writer, must=old)
            migrate(writer, self.path)
        except BaseException:
            writer.close()
            raise
        return writer

    def _sound_writer(self, examine: bool) -> sqlite3.Connection:
        """Open the file, and recover it when it is damaged.

        It is examined when the last writer was killed or somebody has come across damage, and
        when the day's backup is due.
        """
        writer: sqlite3.Connection | None = None
        examine = examine or self._marker.exists() or is_due(self.path)
        try:
            writer = self._connect_to_write()
            writer.execute("SELECT count(*) FROM sqlite_master").fetchone()
            problems = damage_of(writer) if examine else []
        except sqlite3.OperationalError:  # locked, or no room: nothing is said of its content
            if writer is not None:
                writer.close()
            raise
        except (sqlite3.DatabaseError, DatabaseError) as exc:
            problems = [str(exc.__cause__ or exc)]
        if not problems:
            assert writer is not None
            return writer
        log.warning("%s is damaged: %s", self.path, problems[0])
        if writer is not None:
            writer.close()
        self.recovered = recover(self.path)
        log.warning("%s", self.recovered)
        return self._connect_to_write()

    def _back_up(self, writer: sqlite3.Connection, must: bool) -> None:
        """Write the day's backup; without one before a change of schema there is no change."""
        try:
            back_up(writer, self.path)
        except (OSError, sqlite3.Error) as exc:
            if must:
                raise DatabaseError(
                    f"{self.path}: this version changes the library's file, and the backup that "
                    f"has to come before can't be written ({exc}); make room on the disk"
                ) from exc
            log.warning("no backup was written: %s", exc)

    def _connect_to_write(self) -> sqlite3.Connection:
        self._marker.touch()
        writer = self._connect()
        try:
            writer.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            writer.execute("PRAGMA journal_mode = WAL")
            writer.execute("PRAGMA synchronous = FULL")
            writer.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            writer.close()
            raise
        return writer

    def _connect(self) -> sqlite3.Connection:
        # a process that may not write may not move the log into the file when it leaves, either
        uri = self.path.as_uri()
        if self._read_only:
            # SQLite wants to make files beside the library, unless it hears that nobody writes
            log_there = self.path.with_name(f"{self.path.name}-wal").exists()
            still = not log_there and not os.access(self.path.parent, os.W_OK)
            uri += "?mode=ro&immutable=1" if still else "?mode=ro"
        connection = sqlite3.connect(
            uri,
            timeout=10,
            isolation_level=None,
            check_same_thread=False,
            factory=WatchedConnection,
            uri=True,
        )
        connection.on_damage = self._damaged
        # for queries alone: with it in the schema no other program could open the file
        connection.create_function("folded", 1, folded, deterministic=True)
        connection.row_factory = sqlite3.Row
        return connection

    def _damaged(self, exc: sqlite3.DatabaseError) -> DatabaseError:
        """Have whoever opens the file next examine it."""
        log.warning("%s: %s", self.path, exc)
        with contextlib.suppress(OSError):  # only looking is allowed here
            self._marker.write_text("damaged", encoding="ascii")
        return DatabaseError(
            f"{self.path}: the library's database is damaged ({exc}); start the application again: "
            "what can be read is kept then, and the rest comes from a backup"
        )

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give the writer inside one transaction: all of the block is kept, or none of it."""
        with self._write_lock:
            writer = self._writer
            if writer is None:
                how = "is closed" if self._closed else "was opened for reading only"
                raise DatabaseError(f"{self.path}: the library {how}")
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
        """Give this thread's reader.

        Raises:
            DatabaseError: the library is closed.
        """
        thread = threading.get_ident()
        with self._readers_lock:
            if self._closed:
                raise DatabaseError(f"{self.path}: the library is closed")
            reader = self._readers.get(thread)
            if reader is None:
                reader = self._readers[thread] = self._connect()
                reader.execute("PRAGMA query_only = ON")
                reader.execute("PRAGMA wal_autocheckpoint = 0")
            return reader

    def close(self) -> None:
        """Close everything; the writer goes last, and the WAL into the file before."""
        with self._write_lock, self._readers_lock:
            self._closed = True
            own = self._readers.pop(threading.get_ident(), None)
            if own is not None:
                own.close()
            # Only let go of: closing one under another thread's query crashes the process
            # (CPython's sqlite3). The garbage collector closes it, some time.
            self._readers.clear()
            if self._writer is not None:
                self._empty_log(self._writer)
                self._writer.close()
                self._writer = None
                try:
                    if self._marker.exists() and self._marker.stat().st_size == 0:
                        self._marker.unlink()
                except OSError as exc:  # the disk has turned read-only: the next start looks
                    log.warning("%s: can't be removed (%s)", self._marker, exc)

    def _empty_log(self, writer: sqlite3.Connection) -> None:
        """Move the WAL into the file: closing does that only where no reader is left open."""
        try:
            writer.execute("PRAGMA busy_timeout = 0")  # what a reader still needs stays in it
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as exc:  # no room: all of it is in the log, and read from there
            log.warning("%s: the log stays beside it (%s)", self.path, exc)
