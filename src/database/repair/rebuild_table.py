"""A table rebuilt, for rows that SQLite can't find by their own keys any more.

A table without row ids is sorted by its keys. Where the key of a row is damaged, the row stands
in the wrong place: it can be read in passing, but neither changed nor deleted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from src.database.checksums import checked_columns, key_columns, watch_rows
from src.database.repair.damaged_rows import Key, Row


def rebuild_table(db: sqlite3.Connection, table: str, changed: Mapping[Key, Row | None]) -> None:
    """Rebuild a table, inside the caller's transaction.

    Args:
        table: one that no other refers to.
        changed: what takes the place of rows, by their keys as they are now; None for nothing.
    """
    columns, keys = checked_columns(db, table), key_columns(db, table)
    cursor = sqlite3.Cursor(db)
    cursor.execute(f"SELECT {', '.join(columns)} FROM {table} NOT INDEXED")
    kept: list[tuple[object, ...]] = []
    for values in cursor.fetchall():
        there: Row = dict(zip(columns, values, strict=True))
        row = changed.get(tuple(there[key] for key in keys), there)
        if row is not None:
            kept.append(tuple(row[column] for column in columns))
    schema = cursor.execute(
        "SELECT sql FROM main.sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL"
        " ORDER BY type DESC",  # the table before its indexes
        (table,),
    ).fetchall()
    db.execute(f"DROP TABLE {table}")
    for (sql,) in schema:
        db.execute(sql)
    watch_rows(db)  # its triggers went with it
    placeholders = ",".join("?" * len(columns))
    # a row that was stored twice, once under a damaged key, is there once
    db.executemany(
        f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({placeholders})", kept
    )
