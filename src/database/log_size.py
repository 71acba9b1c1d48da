"""How large the writer lets the log beside the file grow (SQLite's WAL), whoever reads meanwhile.

SQLite moves a log of 1,000 pages into the file by itself, and begins it anew where nobody reads at
that moment. With several readers there is hardly such a moment, and it would grow without end: so
here the writer waits a little, for the queries that are under way. Those that begin meanwhile find
all that they need in the file, and are not waited for.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from pathlib import Path

# Larger than SQLite's 1,000 pages of 16 kB and a usual transaction: above it readers held it up.
MOST_BYTES = 32 << 20
# For the queries of others, and after having waited in vain: a query may take longer than that.
WAIT_S = 1.0
AGAIN_AFTER_S = 5.0

log = logging.getLogger(__name__)


class LogSize:
    """Keeps the log of one writer small."""

    def __init__(self, path: Path) -> None:
        """Change nothing yet.

        Args:
            path: of the library's SQLite file.
        """
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._not_before = 0.0

    def limit(self, writer: sqlite3.Connection) -> None:
        """Have SQLite shorten the log when it begins it anew."""
        writer.execute(f"PRAGMA journal_size_limit = {MOST_BYTES // 2}")

    def committed(self, writer: sqlite3.Connection) -> None:
        """Have the log begun anew where it has grown too large; after a transaction."""
        try:
            if self._log.stat().st_size <= MOST_BYTES:
                return
        except OSError:  # its folder is elsewhere by now, which is not for here to say
            return
        if time.monotonic() < self._not_before:
            return
        try:
            if not _checkpoint(writer, "RESTART"):
                self._not_before = time.monotonic() + AGAIN_AFTER_S
        except sqlite3.Error as exc:  # what was committed is in the log, and read there
            self._not_before = time.monotonic() + AGAIN_AFTER_S
            log.warning("%s: the log stays as it is (%s)", self._path, exc)

    def empty(self, writer: sqlite3.Connection) -> None:
        """Move the log into the file: closing does that only where no reader is left open."""
        try:
            _checkpoint(writer, "TRUNCATE")  # what a reader still needs stays in it
        except sqlite3.Error as exc:  # the disk is full: all of it is in the log, and read there
            log.warning("%s: the log stays beside it (%s)", self._path, exc)


def _checkpoint(writer: sqlite3.Connection, mode: str) -> bool:
    """Move the log into the file; returns whether nobody who reads has kept a part of it."""
    (before,) = writer.execute("PRAGMA busy_timeout").fetchone()
    writer.execute(f"PRAGMA busy_timeout = {int(1000 * WAIT_S)}")
    try:
        busy, _, _ = writer.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    finally:
        writer.execute(f"PRAGMA busy_timeout = {before}")
    return not busy
