"""A checksum in every row that matters, and the number of rows of every table.

SQLite notices damage to the structure of its pages. A bit that changes inside a number, a text or
a vector it does not notice: for that there is a column `checksum`. Triggers on the writer's own
connection keep it, and `row_counts` beside it. They are not stored in the file, so that other
programs, which don't know the function they call, can open it.
"""

from __future__ import annotations

import re
import sqlite3
import struct
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

COLUMN = "checksum"

# Of each value in a checksum, before its content: its position (2 bytes) and its type's mark.
HEAD_BYTES = 3
_NAME = re.compile("[a-z_]+")
# The function as SQL knows it; see checksum_sql.
_FUNCTION = "checksum_of_row"
_INTEGER, _REAL, _TEXT, _BLOB = b"i", b"f", b"t", b"b"
_MARKS = {"integer": _INTEGER, "real": _REAL, "text": _TEXT, "blob": _BLOB}

_pack_integer, _pack_real = struct.Struct("<q").pack, struct.Struct("<d").pack
# By a value's type: its mark, and what gives its bytes.
_WRITTEN: dict[type, tuple[bytes, Callable[[Any], bytes]]] = {
    int: (_INTEGER, _pack_integer),
    bool: (_INTEGER, _pack_integer),
    float: (_REAL, lambda value: _pack_real(value + 0.0)),  # SQLite stores -0.0 as 0
    str: (_TEXT, lambda value: value.encode("utf-8", "surrogateescape")),
}
_AS_IT_IS: tuple[bytes, Callable[[Any], bytes]] = (_BLOB, lambda value: value)

Value = int | float | str | bytes | None


def row_checksum(*values: Value) -> int:
    """Compute the checksum of a row: CRC-32, 0 to 2**32 - 1.

    A NULL is skipped and every other value enters with its position, so a nullable column that
    is appended later leaves the checksums of the rows before it valid.

    Args:
        values: of all columns but the checksum itself, in the order of the table. Text that is
            no UTF-8 has to be decoded with "surrogateescape".
    """
    parts: list[bytes] = []
    for position, value in enumerate(values):  # a million times where all of a library is read
        if value is not None:
            mark, content = _WRITTEN.get(type(value), _AS_IT_IS)
            parts.append(_head(position, mark))
            parts.append(content(value))
    return zlib.crc32(b"".join(parts))


def _checksum(values: Iterable[tuple[bytes, Value]]) -> int:
    parts: list[bytes] = []
    for position, (mark, value) in enumerate(values):
        if value is not None:
            parts += (_head(position, mark), content_of(value))
    return zlib.crc32(b"".join(parts))


@cache  # every row of a library is read through here
def _head(position: int, mark: bytes) -> bytes:
    return struct.pack("<H", position) + mark


def content_of(value: int | float | str | bytes) -> bytes:
    """Return the bytes with which a value enters a checksum."""
    return _WRITTEN.get(type(value), _AS_IT_IS)[1](value)


def _checksum_of_pairs(*pairs: str | Value) -> int:
    """Compute it from the arguments that checksum_sql gives: type, value, type, value …"""
    types, values = pairs[::2], pairs[1::2]
    return _checksum(
        (_MARKS.get(str(type_name), _BLOB), value)
        for type_name, value in zip(types, values, strict=True)
    )


def register_checksum(connection: sqlite3.Connection) -> None:
    """Register the function that checksum_sql's SQL calls."""
    connection.create_function(_FUNCTION, -1, _checksum_of_pairs, deterministic=True)


def checked_tables(connection: sqlite3.Connection) -> tuple[str, ...]:
    """List the tables whose rows have checksums, those that others refer to before these.

    What a table is called comes from the file: only names as ours are taken, since they become
    part of SQL.
    """
    rows = sqlite3.Cursor(connection).execute(
        "SELECT t.name FROM main.sqlite_master t, pragma_table_info(t.name) c"
        " WHERE t.type = 'table' AND c.name = ? ORDER BY t.rowid",
        (COLUMN,),
    )
    return parents_first(connection, [row[0] for row in rows if _NAME.fullmatch(row[0])])


def parents_first(connection: sqlite3.Connection, tables: Iterable[str]) -> tuple[str, ...]:
    """Sort tables so that each comes after those that it refers to."""
    waiting, ordered = list(tables), list[str]()
    parents = {
        table: {parent for _, parent, _ in references(connection, table)} for table in waiting
    }
    while waiting:
        ready = [table for table in waiting if parents[table].isdisjoint({*waiting} - {table})]
        ordered += ready or waiting  # a circle has no order
        waiting = [table for table in waiting if table not in ordered]
    return tuple(ordered)


def references(connection: sqlite3.Connection, table: str) -> list[tuple[str, str, str]]:
    """List what a table refers to: its column, the other table and the column there."""
    rows = sqlite3.Cursor(connection).execute(
        'SELECT "from", "table", ifnull("to", \'id\') FROM pragma_foreign_key_list(?)', (table,)
    )
    return [(str(row[0]), str(row[1]), str(row[2])) for row in rows.fetchall()]


def checked_columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """List what the checksum of a table's rows is of, in the order of the table."""
    columns = (str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})"))
    return [column for column in columns if column != COLUMN]


def checksum_sql(columns: Iterable[str], prefix: str = "") -> str:
    """Write the SQL that computes a row's checksum.

    Text goes in as bytes, with its type beside it: Python's sqlite3 can't call a function with
    text that is no UTF-8.

    Args:
        columns: see checked_columns.
        prefix: of the table, with its dot.
    """
    pairs = (
        f"typeof({prefix}{column}), CASE typeof({prefix}{column}) WHEN 'text'"
        f" THEN CAST({prefix}{column} AS BLOB) ELSE {prefix}{column} END"
        for column in columns
    )
    return f"{_FUNCTION}({', '.join(pairs)})"


def key_columns(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    """List the columns that identify a table's rows: the row id, or what stands for it."""
    without_rowid = connection.execute(
        "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", (table,)
    ).fetchone()
    if without_rowid is None or not without_rowid[0]:
        return ("rowid",)
    rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
    return tuple(str(row[1]) for row in sorted(rows, key=lambda row: int(row[5])) if row[5])


def fill_checksums(connection: sqlite3.Connection) -> None:
    """Write the checksum of every row and the number of rows of every table, as they are now.

    Inside the caller's transaction, on a connection without watch_rows.
    """
    register_checksum(connection)
    for table in checked_tables(connection):
        columns = checked_columns(connection, table)
        connection.execute(f"UPDATE {table} SET {COLUMN} = {checksum_sql(columns)}")
    count_rows(connection)


def count_rows(connection: sqlite3.Connection) -> None:
    """Store how many rows each table has now, inside the caller's transaction."""
    for table in checked_tables(connection):
        connection.execute(
            "INSERT INTO row_counts (name, rows)"
            f" VALUES ('{table}', (SELECT count(*) FROM {table}))"
            " ON CONFLICT DO UPDATE SET rows = excluded.rows"
        )


def watch_rows(connection: sqlite3.Connection) -> None:
    """Create the triggers that give every written row its checksum and count it.

    The checksum is computed from the row as it has been stored, not from what was to be stored,
    since SQLite may change a value's type on the way.
    """
    register_checksum(connection)
    # without it the rows that a REPLACE takes away would go uncounted
    connection.execute("PRAGMA recursive_triggers = ON")
    for table in checked_tables(connection):
        columns = checked_columns(connection, table)
        here = " AND ".join(f"{key} = new.{key}" for key in key_columns(connection, table))
        update = f"UPDATE {table} SET {COLUMN} = {checksum_sql(columns)} WHERE {here};"
        for name, event, action in (
            ("added", "INSERT", update + _counted(table, "+ 1")),
            ("changed", f"UPDATE OF {', '.join(columns)}", update),
            ("removed", "DELETE", _counted(table, "- 1")),
        ):
            connection.execute(
                f"CREATE TEMP TRIGGER IF NOT EXISTS watch_{table}_{name}"
                f" AFTER {event} ON main.{table} BEGIN {action} END"
            )


def _counted(table: str, change: str) -> str:
    return f" UPDATE row_counts SET rows = rows {change} WHERE name = '{table}';"
