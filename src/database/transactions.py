"""Transactions that say what ended them."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


@contextmanager
def transaction(connection: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """Keep all that is done within, or nothing of it.

    On a full disk, for one, SQLite takes a transaction back by itself; then there is none to take
    back, and what comes out is why.

    Args:
        connection: in autocommit mode (isolation_level None).
    """
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            try:
                connection.execute("ROLLBACK")
            except sqlite3.Error as exc:
                log.warning("a transaction can't be taken back: %s", exc)
        raise
