"""Reading a library's SQLite file: a connection for each thread that asks, whoever writes."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from src.database.damage import WatchedConnection
from src.database.file_to_read import FileToRead, newer_schema, older_schema
from src.database.row_values import LONGEST_VALUE
from src.database.text_normalization import casefold_key
from src.errors import DatabaseError

OnDamage = Callable[[sqlite3.Error | DatabaseError], DatabaseError]


class Readers:
    """The connections that read one library, beside the writer of this process or of another.

    Each sees whole transactions, and never waits for the writer.
    """

    def __init__(self, path: Path, on_damage: OnDamage, file: FileToRead | None = None) -> None:
        """Open nothing yet.

        Args:
            on_damage: turns what SQLite says of a damaged file into a message for a person.
            file: where this process only reads it; None where it writes it as well.
        """
        self.path = path
        self._on_damage, self._file = on_damage, file
        self._is_still = False  # nobody changes it, as far as was known when it was opened
        self._moved_on = 0  # how often that turned out to be wrong
        self._by_thread: dict[int, sqlite3.Connection] = {}
        self._watcher: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._closed = False

    def open(self) -> sqlite3.Connection:
        """Open another connection, for whoever closes it."""
        # a process that may not write may not move the log into the file when it leaves, either
        uri, is_still = (self.path.as_uri(), False) if self._file is None else self._file.uri()
        self._is_still = self._is_still or is_still
        connection = open_file(uri)
        connection.on_damage = self.damaged
        connection.on_failure = self._failed
        return connection

    def of_this_thread(self) -> sqlite3.Connection:
        """Return this thread's connection.

        Raises:
            DatabaseError: the library is closed.
        """
        thread = threading.get_ident()
        with self._lock:
            self._check_open()
            reader = self._by_thread.get(thread)
            if reader is None:
                reader = self._by_thread[thread] = self.open()
                reader.execute("PRAGMA query_only = ON")
                reader.execute("PRAGMA wal_autocheckpoint = 0")
            return reader

    def version(self) -> int:
        """Return a number that is another one once anything has been committed, by any process."""
        with self._lock:
            self._check_open()
            if self._watcher is None:
                self._watcher = self.open()
            number: int = self._watcher.execute("PRAGMA data_version").fetchone()[0]
            return (self._moved_on << 32) + number

    def _check_open(self) -> None:
        """Refuse a closed library; forget the connections to a file once somebody changes it.

        They were opened as to a file that nobody changes.

        Raises:
            DatabaseError: the library is closed.
        """
        if self._closed:
            raise DatabaseError(f"{self.path}: the library is closed")
        if self._is_still and self._file is not None and self._file.was_written:
            self._is_still = False
            self._moved_on += 1
            self._by_thread.clear()  # only dropped: see close
            self._watcher = None

    def close(self) -> None:
        """Close them, but for those that another thread may have a query of under way."""
        with self._lock:
            self._closed = True
            others = {each.ident for each in threading.enumerate()} - {threading.get_ident()}
            for thread, reader in self._by_thread.items():
                # Else only dropped: closing one under another thread's query crashes the process
                # (CPython's sqlite3). The garbage collector closes it later.
                if thread not in others:
                    reader.close()
            self._by_thread.clear()
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None

    # -- the file beneath a process that only reads

    def why_lost(self) -> str:
        """Return why it can't go on reading, as a sentence; "" where it can.

        Its file may have been replaced or deleted, or changed by a newer version of the program.

        Raises:
            sqlite3.Error, DatabaseError: it can't, and it can't be told why.
        """
        if self._file is None:
            return ""
        return self._file.why_lost() or newer_schema(self.of_this_thread(), self.path)

    def refuse_newer(self) -> None:
        """Check that no newer version of the program has changed it.

        Raises:
            DatabaseError: one has.
        """
        if problem := newer_schema(self.of_this_thread(), self.path):
            raise DatabaseError(problem)

    def refuse_older(self) -> None:
        """Check, before all of a library is looked at, that all of its tables are known here.

        Raises:
            DatabaseError: it is of an earlier version, and nobody has brought it up to date.
        """
        if problem := older_schema(self.of_this_thread(), self.path):
            raise DatabaseError(problem)

    def _failed(self, exc: sqlite3.Error) -> DatabaseError | None:
        """Say why a reader fails, where the file was changed beneath it; None where it was not."""
        lost = "" if self._file is None else self._file.why_lost() or self._file.why_other()
        return DatabaseError(lost) if lost else None

    def damaged(self, exc: sqlite3.Error | DatabaseError) -> DatabaseError:
        """Say that the file is another one by now, or damaged."""
        if self._file is not None and (lost := self._file.why_lost()):
            return DatabaseError(lost)
        return self._on_damage(exc)


def open_file(uri: str) -> WatchedConnection:
    """Open an SQLite file of a library, which may come from a stranger."""
    connection = sqlite3.connect(
        uri,
        timeout=10,
        isolation_level=None,
        check_same_thread=False,
        factory=WatchedConnection,
        uri=True,
    )
    # a stranger's schema must not call functions that could do harm
    connection.execute("PRAGMA trusted_schema = OFF")
    # for queries alone: with it in the schema no other program could open the file
    connection.create_function("casefold_key", 1, casefold_key, deterministic=True)
    connection.row_factory = sqlite3.Row
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    return connection
