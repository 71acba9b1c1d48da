"""The rows of a library that can't be what was stored in them."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from src.database.checksums import COLUMN, checked_columns, checked_tables, key_columns
from src.database.row_values import problem_of
from src.events import run_through
from src.models.mask_rle import MOST_PIXELS

AT_ONCE = 500
# Rows that are read in one query: a second's, or a few.
IN_ONE_QUERY = 50_000

log = logging.getLogger(__name__)

Key = tuple[Any, ...]
Row = dict[str, Any]


@dataclass(frozen=True)
class DamagedRow:
    """A row that is not sound.

    Attributes:
        key: of key_columns.
        reason: what is wrong with it, for a person.
        row: its columns by name; None where it can't be read at all.
    """

    table: str
    key: Key
    reason: str
    row: Row | None

    def __str__(self) -> str:
        key = ", ".join(ascii(part)[:60] for part in self.key)
        return f"row {key} of {self.table}: {self.reason}"


@contextmanager
def raw_text(db: sqlite3.Connection) -> Iterator[None]:
    """Read text that is no UTF-8 as well, inside the block; see row_checksum."""
    before = db.text_factory
    db.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        db.text_factory = before


def damaged_rows(db: sqlite3.Connection) -> list[DamagedRow]:
    """Find every row that is not sound, in tables that others refer to first.

    A row without a checksum, which another program wrote, is judged by its values.
    """
    return run_through(look_for_damaged_rows(db))


def look_for_damaged_rows(
    db: sqlite3.Connection,
) -> Generator[tuple[int, int], None, list[DamagedRow]]:
    """Do the same step by step.

    Yields:
        How many rows have been looked at, and of how many.
    """
    found: list[DamagedRow] = []
    tables = checked_tables(db)
    total, done = _written_down(db), 0
    sizes: dict[Any, tuple[int, int]] = {}
    lengths: dict[int, dict[int, list[Key]]] = {}  # of vectors, by model and bytes
    with raw_text(db):
        for table in tables:
            for key, row in _rows(db, table):
                done += 1
                if done % AT_ONCE == 0:
                    yield done, max(done, total)
                if row is None:
                    part = _part_of(db, table, key)
                    found.append(DamagedRow(table, key, "it can't be read whole", part))
                    continue
                size_wh = sizes.get(row["frame_id"]) if table == "segments" else None
                problem = problem_of(table, row, size_wh)
                if problem is not None:
                    found.append(DamagedRow(table, key, problem, row))
                elif table == "frames" and row["width"] * row["height"] <= MOST_PIXELS:
                    sizes[row["id"]] = row["width"], row["height"]
                elif table == "embeddings":
                    of_model = lengths.setdefault(row["model_id"], {})
                    of_model.setdefault(len(row["vector"]), []).append(key)
        found += _of_other_lengths(db, lengths)
    return found


def _of_other_lengths(
    db: sqlite3.Connection, lengths: dict[int, dict[int, list[Key]]]
) -> Iterator[DamagedRow]:
    """Find vectors that have another length than most of their model."""
    for of_model in lengths.values():
        usual = max(of_model, key=lambda length: len(of_model[length]))
        for length, keys in of_model.items():
            if length != usual:
                reason = f"its embedding has {length // 4:,} numbers, and others {usual // 4:,}"
                for key in keys:
                    row = row_of(db, "embeddings", key)
                    yield DamagedRow("embeddings", key, reason, row)


def miscounted(db: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """List the tables that have another number of rows than is written down: that, and theirs."""
    found = {}
    cursor = sqlite3.Cursor(db)
    for table in checked_tables(db):
        cursor.execute("SELECT rows FROM row_counts WHERE name = ?", (table,))
        counted = (cursor.fetchone() or (0,))[0]
        there = cursor.execute(f"SELECT count(*) FROM {table} NOT INDEXED").fetchone()[0]
        if counted != there:
            found[table] = (counted, there)
    return found


def _written_down(db: sqlite3.Connection) -> int:
    """Return how many rows there should be in all; 0 where that can't be read."""
    try:
        return int(sqlite3.Cursor(db).execute("SELECT sum(rows) FROM row_counts").fetchone()[0])
    except (sqlite3.Error, TypeError, ValueError):  # it is damaged, or empty
        return 0


def row_of(db: sqlite3.Connection, table: str, key: Key) -> Row | None:
    """Read one row whole; None where there is none or it can't be read."""
    columns = _columns(db, table)
    values = _read(db, table, key, columns)
    return None if values is None else dict(zip(columns, values, strict=True))


def _part_of(db: sqlite3.Connection, table: str, key: Key) -> Row | None:
    """Read what can be read of a row, column by column; None for the rest of the columns."""
    columns = _columns(db, table)
    found = [_read(db, table, key, [column]) for column in columns]
    if not any(found):
        return None
    return {name: value and value[0] for name, value in zip(columns, found, strict=True)}


def _read(db: sqlite3.Connection, table: str, key: Key, columns: list[str]) -> Any:
    here = " AND ".join(f"{name} = ?" for name in key_columns(db, table))
    sql = f"SELECT {', '.join(columns)} FROM {table} WHERE {here}"
    try:
        return sqlite3.Cursor(db).execute(sql, key).fetchone()
    except (sqlite3.Error, OverflowError):
        return None


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [*checked_columns(db, table), COLUMN]


def _rows(db: sqlite3.Connection, table: str) -> Iterator[tuple[Key, Row | None]]:
    """Read all rows of a table; those that can't be read come without their columns."""
    keys, columns = key_columns(db, table), _columns(db, table)
    # a cursor of sqlite3's own: what is wrong here is known already, and looked for
    cursor = sqlite3.Cursor(db)
    read, key, is_through = set[Key](), Key(), False
    behind = f"WHERE ({', '.join(keys)}) > ({', '.join('?' * len(keys))})"
    try:
        while not is_through:
            # some in each query: while one is under way the writer can't empty its log
            cursor.execute(
                f"SELECT {', '.join((*keys, *columns))} FROM {table} NOT INDEXED"
                f" {behind if key else ''} ORDER BY {', '.join(keys)} LIMIT ?",
                (*key, IN_ONE_QUERY),
            )
            is_through, before = True, len(read)
            while rows := cursor.fetchmany(AT_ONCE):
                for row in rows:
                    key = row[: len(keys)]
                    if key in read:
                        raise sqlite3.DatabaseError("rows lie in no order")
                    read.add(key)
                    yield key, dict(zip(columns, row[len(keys) :], strict=True))
                is_through = len(read) - before < IN_ONE_QUERY
        return
    except (sqlite3.Error, UnicodeEncodeError) as exc:  # a key that is no UTF-8 can't be asked for
        log.warning("%s: %s", table, exc)  # one of its rows: each is read alone
    cursor.execute(f"SELECT {', '.join(keys)} FROM {table} NOT INDEXED")
    for key in cursor.fetchall():
        if key not in read:
            yield key, row_of(db, table, key)
