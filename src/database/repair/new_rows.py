"""Rows of a damaged library on their way into a new one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from src.database.repair.known_schema import Form
from src.database.repair.record_format import Value
from src.database.repair.row_format import Key, Row
from src.database.repair.tree_reader import Tree


class NewRows:
    """Inserts rows into a new file, and says what is there.

    Attributes:
        without_parents: frames whose segments are older than the column of their parents.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.without_parents: set[int] = set()

    def insert(self, form: Form, rows: Iterable[Row], tree: Tree | None = None) -> int:
        """Insert rows; those that break the schema are damaged, and leave a hole in their tree.

        Returns:
            How many were inserted.
        """
        rows = list(rows)
        if form.name == "segments":
            self._note_parents(form, rows)
        before = self._db.total_changes
        names = ", ".join(form.columns)
        placeholders = ", ".join("?" * len(form.columns))
        with_id = form.has_rowid and form.rowid_column is None
        if with_id:
            sql = f"INSERT OR IGNORE INTO {form.name} (rowid, {names}) VALUES (?, {placeholders})"
            values = [[row.rowid, *row.values] for row in rows]
        else:
            sql = f"INSERT OR IGNORE INTO {form.name} ({names}) VALUES ({placeholders})"
            values = [row.values for row in rows]
        self._db.executemany(sql, values)
        added = self._db.total_changes - before
        if added < len(rows) and tree is not None:
            for row in rows:
                if not self.has(form, row.key, row.values):
                    added += self._insert_elsewhere(form, row, tree)
        return added

    def _insert_elsewhere(self, form: Form, row: Row, tree: Tree) -> int:
        """Insert a row whose row id is taken: a bit of it has changed, and nothing refers to it."""
        if form.has_rowid and form.rowid_column is None and row.is_proven:
            names, placeholders = ", ".join(form.columns), ", ".join("?" * len(form.columns))
            before = self._db.total_changes
            self._db.execute(
                f"INSERT OR IGNORE INTO {form.name} ({names}) VALUES ({placeholders})", row.values
            )
            if self._db.total_changes > before:
                return 1
        tree.holes.add(row.key, row.key)
        return 0

    def has(self, form: Form, key: Key, values: list[Value] | None = None) -> bool:
        """Return whether there is a row of a key, with these values where they are given."""
        if form.has_rowid:
            sql = f"SELECT {', '.join(form.columns)} FROM {form.name} WHERE rowid = ?"
            row = self._db.execute(sql, (key[0][1],)).fetchone()
        else:
            names = [form.columns[place] for place in form.key]
            condition = " AND ".join(f"{name} = ?" for name in names)
            sql = f"SELECT {', '.join(form.columns)} FROM {form.name} WHERE {condition}"
            row = self._db.execute(sql, [_plain(part) for part in key]).fetchone()
        return row is not None and (values is None or list(row) == list(values))

    def _note_parents(self, form: Form, rows: list[Row]) -> None:
        """Remember the frames of segments that are older than the column of their parents."""
        place = form.columns.index("parent_id") if "parent_id" in form.columns else 0
        frame = form.columns.index("frame_id")
        for row in rows:
            frame_id = row.values[frame]
            if row.stored <= place and isinstance(frame_id, int):
                self.without_parents.add(frame_id)

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        count: int = self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return count


def _plain(part: tuple[int, int | float | bytes]) -> Value:
    rank, value = part
    if rank == 2 and isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return None if rank == 0 else value
