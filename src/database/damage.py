"""Damage to the library's file that shows while it is in use."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from src.errors import DatabaseError
from src.stopping import noted_interrupt

_SIGNS = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_TOOBIG)
# For these Python's sqlite3 has no code of SQLite's: a text that is no UTF-8, as the result of a
# query or as the argument of a function of ours.
_FUNCTION_FAILED = "user-defined function raised exception"
_WORDS = ("Could not decode to UTF-8", _FUNCTION_FAILED)


class WatchedConnection(sqlite3.Connection):
    """A connection whose cursors report damage, wherever they come across it.

    Attributes:
        on_damage: turns SQLite's message into one for a person.
        on_failure: does the same with others, where there is more to say of them; else None.
        interrupted_by: a Ctrl-C that came while SQLite called one of our functions: it says then
            that the function failed, as it does where a row is damaged.
    """

    on_damage: Callable[[sqlite3.DatabaseError], DatabaseError]
    on_failure: Callable[[sqlite3.DatabaseError], DatabaseError | None]
    interrupted_by: BaseException | None = None

    def create_function(self, name: str, narg: int, func: Any, **how: Any) -> None:
        def noted(*arguments: Any) -> Any:
            try:
                return func(*arguments)
            except Exception:
                noted_interrupt()  # of an earlier time: it is this that made the function fail
                raise
            except BaseException as exc:
                self.interrupted_by = exc
                raise

        super().create_function(name, narg, noted, **how)

    def cursor(self, *_: Any) -> Any:
        return super().cursor(_WatchedCursor)

    def execute(self, *arguments: Any) -> Any:
        return self.cursor().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        return self.cursor().executemany(*arguments)


def is_damage(exc: sqlite3.DatabaseError) -> bool:
    """Return whether an error says that the file holds what can't have been stored in it."""
    code: int = getattr(exc, "sqlite_errorcode", 0)
    return code & 0xFF in _SIGNS or str(exc).startswith(_WORDS)


def _watched(method: Callable[..., Any]) -> Callable[..., Any]:
    def run(cursor: _WatchedCursor, *arguments: Any) -> Any:
        try:
            return method(cursor, *arguments)
        except sqlite3.DatabaseError as exc:
            connection = cursor.connection
            assert isinstance(connection, WatchedConnection)
            interrupt, connection.interrupted_by = connection.interrupted_by, None
            if interrupt is None and str(exc).startswith(_FUNCTION_FAILED):
                interrupt = noted_interrupt()  # it came before the function's first line
            if interrupt is not None:
                raise interrupt from None
            if is_damage(exc):
                raise connection.on_damage(exc) from exc
            if (known := connection.on_failure(exc)) is not None:
                raise known from exc
            raise

    return run


class _WatchedCursor(sqlite3.Cursor):
    execute = _watched(sqlite3.Cursor.execute)
    executemany = _watched(sqlite3.Cursor.executemany)
    fetchone = _watched(sqlite3.Cursor.fetchone)
    fetchmany = _watched(sqlite3.Cursor.fetchmany)
    fetchall = _watched(sqlite3.Cursor.fetchall)
    __next__ = _watched(sqlite3.Cursor.__next__)
