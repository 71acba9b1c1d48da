"""A library's file as an earlier version of the program would have made it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from src.database.checksums import checked_tables, fill_checksums
from src.database.connection import PAGE_SIZE
from src.database.migrations import migrate
from src.database.repair.known_schema import known_versions

# The tables whose rows have checksums, in today's schema.
CHECKED = tuple(
    form.name
    for form in known_versions()[-1].forms.values()
    if form.is_table and form.checksum is not None
)


def make_old(database: Path, version: int) -> None:
    """Put a file of an earlier schema in the place of one, with all rows that it can hold."""
    old = database.with_name(f"{database.name}.old")
    with closing(sqlite3.connect(old, isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        db.execute("PRAGMA journal_mode = WAL")
        migrate(db, old, up_to=version)
        triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        stored = triggers.fetchall()
        for name, _ in stored:
            db.execute(f"DROP TRIGGER {name}")
        db.execute("ATTACH ? AS today", (str(database),))
        tables = "SELECT name FROM main.sqlite_master WHERE type = 'table'"
        for (table,) in db.execute(f"{tables} AND name NOT LIKE 'sqlite_%'").fetchall():
            there, here = (
                [row[1] for row in db.execute(f"PRAGMA {schema}.table_info({table})")]
                for schema in ("today", "main")
            )
            columns = ", ".join(column for column in here if column in there)
            known = "WHERE name IN (SELECT name FROM main.sqlite_master)"
            db.execute(
                f"INSERT OR REPLACE INTO main.{table} ({columns}) SELECT {columns}"
                f" FROM today.{table} {known if table == 'row_counts' else ''}"
            )
        db.execute("DETACH today")
        if checked_tables(db):  # with fewer columns a row has another checksum
            fill_checksums(db)
        for _, sql in stored:
            db.execute(sql)
    for side in ("-wal", "-shm"):
        database.with_name(database.name + side).unlink(missing_ok=True)
    old.replace(database)
