"""Queries that end before their time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from src.errors import GivenUp

# Steps of SQLite's machine between two questions: a few milliseconds.
ASK_EVERY_STEPS = 50_000


@contextmanager
def giving_up(
    reader: sqlite3.Connection, wanted: Callable[[], bool], every: int | None = None
) -> Iterator[None]:
    """End a connection's queries in the block soon after they are not wanted any more.

    Args:
        wanted: asked now and then, in this thread.
        every: after so many steps of SQLite's machine; ASK_EVERY_STEPS when None.

    Raises:
        GivenUp: one of them was not wanted any more.
    """
    reader.set_progress_handler(lambda: not wanted(), every or ASK_EVERY_STEPS)
    try:
        yield
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        raise GivenUp from exc
    finally:
        reader.set_progress_handler(None, 0)
