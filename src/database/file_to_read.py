"""A library's SQLite file as a process sees it that only reads: how to open it, and if it stays."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from src.database.migrations import MIGRATIONS
from src.errors import DatabaseError

_OPEN_AGAIN = "open it again to see what is there now"


class FileToRead:
    """The file of a library that is only read: how to open it, and whether it is still the same."""

    def __init__(self, path: Path) -> None:
        """Remember which file it is.

        Raises:
            OSError: it can't be reached.
        """
        self.path = path
        self._first = _identity(path)
        self._when_still: tuple[int, int] | None = None

    @property
    def has_log(self) -> bool:
        """Whether there is a log beside it that is not empty, or a writer that would write one."""
        log, index = self._beside("-wal"), self._beside("-shm")
        if os.path.lexists(index):
            return os.path.lexists(log)
        return _size(log) > 0

    @property
    def was_written(self) -> bool:
        """Whether somebody has written, or may write, since it was opened as unchanging."""
        return self.has_log or _stamp(self.path) != self._when_still

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(f"{self.path.name}{suffix}")

    def uri(self) -> tuple[str, bool]:
        """Return the URI by which SQLite is to open the file, and whether as one nobody changes.

        SQLite wants to make its log and the log's index beside the file, or to find both there.
        Where it can't make them and none are there it can read a file that nobody changes; whether
        anybody does since is to be asked before each use of such a connection: see `was_written`.

        Raises:
            DatabaseError: it can't be read safely, or is not the same file any more.
        """
        if lost := self.why_lost():
            raise DatabaseError(lost)
        plain, folder = f"{self.path.as_uri()}?mode=ro", self.path.parent
        if os.access(folder, os.W_OK):
            return plain, False
        if self.has_log:
            if os.path.lexists(self._beside("-shm")):
                return plain, False
            raise DatabaseError(
                f"{folder}: the library was copied while it was open, or its program was killed: "
                f"a part of it is in {self._beside('-wal').name}, which can be read only where "
                "this folder can be written to; copy the folder to such a place"
            )
        self._when_still = _stamp(self.path)
        return f"{plain}&immutable=1", True

    def why_lost(self) -> str:
        """Return why it is not the file any more that was opened, as a sentence; "" where it is."""
        folder = self.path.parent
        try:
            now = _identity(self.path)
        except FileNotFoundError:
            return f"{folder}: the library was moved or deleted, or its disk is gone; {_OPEN_AGAIN}"
        except OSError as exc:
            return f"{folder}: the library can't be reached ({exc.strerror}); see that its disk is"
        if now != self._first:
            return f"{folder}: the library was replaced by another one, or repaired; {_OPEN_AGAIN}"
        return ""

    def why_other(self) -> str:
        """Return why its tables are not those that are read here, asked anew; "" if they are."""
        try:
            with closing(sqlite3.connect(self.uri()[0], uri=True)) as db:
                return newer_schema(db, self.path) or older_schema(db, self.path)
        except (sqlite3.Error, DatabaseError):
            return ""


def newer_schema(db: sqlite3.Connection, path: Path) -> str:
    """Return a sentence where a newer version has changed a library; "" where none has."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        return (
            f"{path}: a newer version of this program has changed the library (schema {version}, "
            f"this one knows {len(MIGRATIONS)}); install the newer version to open it"
        )
    return ""


def older_schema(db: sqlite3.Connection, path: Path) -> str:
    """Return a sentence where a library is of an earlier version; "" where it is not.

    A search in one works; what has come since is not in its tables.
    """
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version < len(MIGRATIONS):
        return (
            f"{path}: the library is of an earlier version (schema {version}, this program reads "
            f"{len(MIGRATIONS)}); open it once without --read-only, which brings it up to date, "
            "or a copy of it where you can't"
        )
    return ""


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
