"""Where a damaged row may still be whole: its checksum, an index, decisions, a backup."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from src.database.checksums import (
    COLUMN,
    checked_columns,
    key_columns,
)
from src.database.repair.damaged_rows import (
    DamagedRow,
    Row,
    raw_text,
    row_of,
)
from src.database.repair.derived_tags import (
    HELD,
    Pair,
    Word,
    decided,
)
from src.database.repair.one_bit import one_bit_back
from src.database.row_values import checksum_of, problem_of


class WholeRows:
    """Looks for the rows of one library, as they were before they were damaged."""

    def __init__(
        self, db: sqlite3.Connection, saved: Iterator[tuple[str, sqlite3.Connection]]
    ) -> None:
        """Open nothing yet.

        Args:
            db: the writer; before any row is changed, and indexes with it.
            saved: the names of sound backups, and connections to them; opened as far as needed.
        """
        self._db = db
        self._unopened = saved
        self._opened: list[tuple[str, sqlite3.Connection]] = []
        self._indexed: dict[str, dict[int, tuple[object, ...]]] = {}
        self._decided: dict[Pair, Word | None] | None = None

    def find(self, damaged: DamagedRow) -> tuple[Row, str] | None:
        """Find a damaged row as it was stored, and say what had it whole; None where nothing."""
        if damaged.row is not None and self._is_sound(damaged.table, damaged.row):
            return None  # it is what was stored: an embedding that does not fit the others
        for find in (
            self._by_checksum,
            self._by_indexes,
            self._by_decisions,
            self._by_backups,
        ):
            found = find(damaged)
            if found is not None:
                return found
        return None

    def _by_checksum(self, damaged: DamagedRow) -> tuple[Row, str] | None:
        row = damaged.row
        if row is None or not isinstance(row[COLUMN], int):
            return None
        columns = [column for column in row if column != COLUMN]
        values = one_bit_back([row[column] for column in columns], row[COLUMN])
        if values is None:
            return None
        found = dict(zip(columns, values, strict=True))
        return (found, "their checksums") if self._is_sound(damaged.table, found) else None

    def _by_indexes(self, damaged: DamagedRow) -> tuple[Row, str] | None:
        """Put what an index holds in the place of what the row holds, and see if it fits then."""
        row = damaged.row
        if row is None:
            return None
        if key_columns(self._db, damaged.table) != ("rowid",):
            return self._by_covering_index(damaged, row)
        found: Row = {column: value for column, value in row.items() if column != COLUMN}
        for index, columns in self._indexes(damaged.table).items():
            values = self._index(damaged.table, index, columns).get(damaged.key[0])
            if values is not None:
                found |= dict(zip(columns, values, strict=True))
        if checksum_of(found) != row[COLUMN] or not self._is_sound(damaged.table, found):
            return None
        return found, "an index"

    def _by_covering_index(self, damaged: DamagedRow, row: Row) -> tuple[Row, str] | None:
        """Find the row whose checksum this one has in an index with all columns of the table."""
        needed = checked_columns(self._db, damaged.table)
        for index, columns in self._indexes(damaged.table).items():
            if not set(needed) <= {*columns, *key_columns(self._db, damaged.table)}:
                continue
            rows = self._db.execute(
                f"SELECT {', '.join(needed)} FROM {damaged.table} INDEXED BY {index}"
            )
            for values in rows.fetchall():
                copy = dict(zip(needed, tuple(values), strict=True))
                if row[COLUMN] == checksum_of(copy) and self._is_sound(damaged.table, copy):
                    return copy, "an index"
        return None

    def _indexes(self, table: str) -> dict[str, tuple[str, ...]]:
        """List the indexes of a table beside its own key, with their columns."""
        found = self._db.execute(f"PRAGMA index_list({table})").fetchall()
        rowid = key_columns(self._db, table) == ("rowid",)
        return {
            row[1]: tuple(part[2] for part in self._db.execute(f"PRAGMA index_info({row[1]})"))
            for row in found
            if rowid or row[3] != "pk"
        }

    def _index(
        self, table: str, name: str, columns: tuple[str, ...]
    ) -> dict[int, tuple[object, ...]]:
        """Read an index from its beginning to its end: row id -> columns."""
        if name not in self._indexed:
            rows = self._db.execute(
                f"SELECT rowid, {', '.join(columns)} FROM {table} INDEXED BY {name}"
                f" ORDER BY {', '.join(columns)}"
            )
            self._indexed[name] = {row[0]: tuple(row)[1:] for row in rows}
        return self._indexed[name]

    def _by_decisions(self, damaged: DamagedRow) -> tuple[Row, str] | None:
        """Write down once more what was decided of a segment and a tag."""
        if damaged.table not in HELD:
            return None
        if self._decided is None:
            self._decided = decided(self._db)
        word = self._decided.get(damaged.key)
        if word is None or word.has_tag != (damaged.table == "segment_tags"):
            return None
        found: Row = dict(zip(("segment_id", "tag_id"), damaged.key, strict=True))
        if word.has_tag:
            found |= {"confidence": word.confidence, "source": word.source}
        return (found, "decisions") if self._is_sound(damaged.table, found) else None

    def _by_backups(self, damaged: DamagedRow) -> tuple[Row, str] | None:
        for name, saved in self._backups():
            with raw_text(saved):
                row = row_of(saved, damaged.table, damaged.key)
            if row is None or problem_of(damaged.table, row) is not None:
                continue
            if damaged.row is not None and not _is_of_same(row, damaged.row):
                continue
            row.pop(COLUMN)
            if self._is_sound(damaged.table, row):
                return row, f"the backup {name}"
        return None

    def _backups(self) -> Iterator[tuple[str, sqlite3.Connection]]:
        yield from self._opened
        for opened in self._unopened:
            self._opened.append(opened)
            yield opened

    def _is_sound(self, table: str, row: Row) -> bool:
        size_wh = None
        if table == "segments":
            size = self._db.execute(
                "SELECT width, height FROM frames WHERE id = ?", (row["frame_id"],)
            ).fetchone()
            # a frame that is itself damaged says nothing of its segments
            if size is not None and problem_of("frames", {"width": size[0], "height": size[1]}):
                size = None
            size_wh = None if size is None else (size[0], size[1])
        return problem_of(table, row, size_wh) is None


def _is_of_same(saved: Row, damaged: Row) -> bool:
    """Return whether two rows of one key are the same thing: half of their columns agree."""
    columns = [column for column in saved if column != COLUMN]
    same = sum(1 for column in columns if saved[column] == damaged.get(column))
    return 2 * same >= len(columns)
