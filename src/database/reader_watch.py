"""Looks, in a process that only reads a library, for what the one that writes it does."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

from src.database.connection import Connection
from src.database.lock import holder_of, refuse_open_elsewhere
from src.database.open_marker import marker_of_open
from src.errors import DatabaseError
from src.network_shares import NetworkShare
from src.reader_records import ReaderState, WriterState


class ReaderWatch:
    """Takes no lock that would keep anybody from writing."""

    def __init__(self, connection: Connection, lock: Path, share: NetworkShare | None) -> None:
        """Watch a library that is open for reading only.

        Args:
            lock: the file that says who writes.
            share: the network share that it lies on; None for a disk of this machine.
        """
        self._connection, self._lock, self._share = connection, lock, share
        self._marker = marker_of_open(connection.path)
        self._version = 0

    def look(self) -> ReaderState:
        """Look once; a drive that does not answer may keep one waiting."""
        if lost := self._why_lost():
            return ReaderState(self._version, "closed", lost)
        try:
            self._version = self._connection.version()
        except (DatabaseError, sqlite3.Error, OSError) as exc:
            return ReaderState(self._version, "closed", str(exc))
        return ReaderState(self._version, self._writer())

    def _why_lost(self) -> str:
        try:
            if lost := self._connection.why_lost():
                return lost
            if self._share is not None:
                refuse_open_elsewhere(self._lock, self._share, self._marker, to_read=True)
        except (DatabaseError, sqlite3.Error, OSError) as exc:
            return str(exc)
        return ""

    def _writer(self) -> WriterState:
        if not os.path.lexists(self._marker):
            return "closed"
        pid = holder_of(self._lock)
        return "killed" if pid is not None and not _is_running(pid) else "open"


def _is_running(pid: int) -> bool:
    """Return whether a process of this machine runs, as far as can be told."""
    if sys.platform == "win32":
        return True  # asking as below would end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True
