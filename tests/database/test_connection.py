"""What is said when a transaction ends before its time, and what is left of a closed library."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from src.database import connection as connection_module
from src.database.metadata_db import MetadataDatabase
from src.database.migrations import MIGRATIONS, migrate
from src.database.transactions import transaction
from src.errors import DatabaseError


def rolls_back(db: sqlite3.Connection) -> None:
    """Fail as on a full disk: SQLite takes the whole transaction back by itself."""
    for _ in range(2):
        db.execute("INSERT OR ROLLBACK INTO info (key, value) VALUES ('k', 'v')")


def test_what_ended_a_transaction_is_said_not_that_it_had_ended(
    metadata: MetadataDatabase,
) -> None:
    said = pytest.raises(DatabaseError, match="UNIQUE constraint failed")
    with said, metadata.connection.write() as db:
        rolls_back(db)
    assert metadata.info("k") is None
    metadata.set_info("k", "after it")
    assert metadata.info("k") == "after it"


def test_an_error_of_ours_comes_out_of_a_transaction_that_had_ended(
    metadata: MetadataDatabase,
) -> None:
    with pytest.raises(ZeroDivisionError), metadata.connection.write() as db:
        with pytest.raises(sqlite3.IntegrityError):
            rolls_back(db)
        raise ZeroDivisionError


def test_a_step_of_the_schema_says_what_ended_it(monkeypatch: pytest.MonkeyPatch) -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, Path("library.db"))
    monkeypatch.setattr("src.database.migrations.MIGRATIONS", (*MIGRATIONS, rolls_back))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE constraint failed"):
        migrate(db, Path("library.db"))
    db.close()


def test_mending_says_what_ended_it(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "mend_rows", lambda db, _: rolls_back(db))
    writer = metadata.connection._writer
    assert writer is not None
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE constraint failed"):
        metadata.connection._mend(writer)


def test_a_read_that_fails_says_why(metadata: MetadataDatabase) -> None:
    reader = metadata.connection.read()
    fails = pytest.raises(sqlite3.OperationalError, match="disk I/O error")
    with fails, transaction(reader, "BEGIN"):
        reader.execute("ROLLBACK")  # as SQLite does by itself where a disk can't be read
        raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize("fails", [False, True])
def test_only_a_transaction_that_says_so_does_not_wait_for_the_disk(
    metadata: MetadataDatabase, fails: bool
) -> None:
    normal, full = 1, 2

    def waits() -> int:
        with metadata.connection.write() as db:
            return int(db.execute("PRAGMA synchronous").fetchone()[0])

    assert waits() == full
    try:
        with metadata.connection.write(lasting=False) as db:
            assert db.execute("PRAGMA synchronous").fetchone()[0] == normal
            metadata.set_info("said", "once")
            if fails:
                raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert waits() == full
    assert metadata.info("said") == (None if fails else "once")


def test_what_a_thread_that_has_ended_read_with_is_closed(metadata: MetadataDatabase) -> None:
    reading = threading.Thread(target=lambda: metadata.info("k"))
    reading.start()
    reading.join()
    metadata.close()
    assert not list(metadata.paths.root.glob("metadata.db-*")), "SQLite ends its log with the last"
