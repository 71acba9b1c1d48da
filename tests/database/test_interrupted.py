"""A Ctrl-C that comes while SQLite calls a function of ours."""

from __future__ import annotations

import sqlite3

import pytest

from src.database.damage import WatchedConnection
from src.errors import DatabaseError


def connected() -> WatchedConnection:
    connection = sqlite3.connect(":memory:", factory=WatchedConnection)
    connection.on_damage = lambda exc: DatabaseError(str(exc))
    connection.on_failure = lambda exc: None
    return connection


def test_it_is_no_damage() -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    connection = connected()
    connection.create_function("checked", 1, interrupted)
    with pytest.raises(KeyboardInterrupt):
        connection.execute("SELECT checked(1)").fetchall()
    assert connection.interrupted_by is None


def test_a_function_that_fails_over_a_row_is() -> None:
    connection = connected()
    connection.create_function("checked", 1, lambda value: value.nothing)
    with pytest.raises(DatabaseError):
        connection.execute("SELECT checked(1)").fetchall()
