"""A Ctrl-C that comes while SQLite calls a function of ours."""

from __future__ import annotations

import _thread
import signal
import sqlite3

import pytest

from src.database.damage import WatchedConnection
from src.errors import DatabaseError
from src.stopping import interrupts_noted


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


def test_nor_is_one_that_comes_before_the_first_line_of_the_function() -> None:
    connection = connected()
    connection.create_function("checked", 1, lambda value: value)
    # written in C: it leaves the signal to the next function that is written in Python
    sqlite3.Connection.create_function(connection, "ctrl_c", 0, _thread.interrupt_main)
    with interrupts_noted(), pytest.raises(KeyboardInterrupt):
        connection.execute("SELECT ctrl_c(), checked(1)").fetchall()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_was_interrupted_before_does_not_hide_damage() -> None:
    connection = connected()
    connection.create_function("checked", 1, lambda value: value.nothing)
    with interrupts_noted():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(DatabaseError):
            connection.execute("SELECT checked(1)").fetchall()
