"""The schema that the migrations make, and how that of a damaged file is matched with it."""

from __future__ import annotations

import difflib
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from src.database import migrations
from src.database.checksums import COLUMN, key_columns
from src.database.repair.record_format import Value

# Two texts that differ in so few bytes of a hundred are one, of which the other is damaged.
_SHARE_DAMAGED = 0.1
_ALIKE = 0.85
# Of ours none is a quarter as long; comparing takes the square of it.
_LONGEST_TEXT = 4000


class SchemaRow(NamedTuple):
    """A row of sqlite_schema, as it stands in the file."""

    type: str
    name: str
    table: str
    root: int
    sql: str | None


@dataclass(frozen=True)
class Form:
    """How the rows of a table, or the entries of an index, are stored.

    Attributes:
        name: of the table or index.
        table: whose it is.
        sql: what made it; None for the indexes that SQLite makes on its own.
        root: the page where its tree begins in a file of one schema version.
        has_rowid: it is a table whose rows have row ids of their own.
        columns: names in the order in which they are stored; in an index the last may be
            "rowid".
        types: what each may hold: "INTEGER", "REAL", "TEXT", "BLOB", or "" for anything.
        required: which may not be NULL.
        rowid_column: the place of the column that is the row id, else None.
        key: places of the columns that identify a row; empty where that is the row id.
        checksum: the place of the checksum, else None.
        lengths: how many values a record of it can have, over all schema versions.
    """

    name: str
    table: str
    sql: str | None
    root: int
    has_rowid: bool
    columns: tuple[str, ...]
    types: tuple[str, ...]
    required: tuple[bool, ...]
    rowid_column: int | None = None
    key: tuple[int, ...] = ()
    checksum: int | None = None
    lengths: frozenset[int] = field(default_factory=frozenset)

    @property
    def is_table(self) -> bool:
        return self.name == self.table


@dataclass(frozen=True)
class Version:
    """What one schema version puts into a file."""

    rows: tuple[SchemaRow, ...]
    forms: dict[str, Form]


@dataclass
class SchemaState:
    """How a file's schema stands to ours.

    Attributes:
        versions: the schema versions that make exactly this; 0 is that of an empty file.
        is_damaged: a row that was one of ours has changed, or is missing.
        foreign: names of what was never one of ours.
    """

    versions: list[int]
    is_damaged: bool
    foreign: list[str]


def known_versions(up_to: int | None = None) -> tuple[Version, ...]:
    """Make every schema version once, the oldest first.

    Args:
        up_to: the last one; all of them when None.
    """
    return _known_versions(migrations.MIGRATIONS[:up_to])


@lru_cache(maxsize=8)
def _known_versions(steps: tuple[object, ...]) -> tuple[Version, ...]:
    versions: list[Version] = []
    # what SQLite makes first for its own use stands in every file
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for number in range(1, len(steps) + 1):
            migrations.migrate(db, Path(":memory:"), up_to=number)
            versions.append(_version(db, versions[-1].forms if versions else {}))
    return tuple(versions)


def _version(db: sqlite3.Connection, before: dict[str, Form]) -> Version:
    rows = read_schema(db)
    forms: dict[str, Form] = {}
    for row in rows:
        if row.type == "table":
            forms[row.name] = _table_form(db, row, before.get(row.name))
    for row in rows:
        if row.type == "index":
            forms[row.name] = _index_form(db, row, forms[row.table])
    return Version(tuple(rows), forms)


def read_schema(db: sqlite3.Connection) -> list[SchemaRow]:
    """Ask SQLite for the rows of sqlite_schema, whatever their texts hold.

    Raises:
        sqlite3.DatabaseError: they can't be read.
    """
    with closing(db.cursor()) as cursor:
        cursor.row_factory = None
        cursor.execute(
            "SELECT CAST(type AS BLOB), CAST(name AS BLOB), CAST(tbl_name AS BLOB), rootpage,"
            " CAST(sql AS BLOB) FROM sqlite_master ORDER BY rowid"
        )
        return [schema_row(row) for row in cursor.fetchall()]


def schema_row(values: Sequence[Value]) -> SchemaRow:
    """Read the values in the file as a row of sqlite_schema."""
    kind, name, table, root, sql = [*values, None, None, None, None, None][:5]
    return SchemaRow(
        _text(kind),
        _text(name),
        _text(table),
        root if isinstance(root, int) else 0,
        None if sql is None else _text(sql),
    )


def _text(value: Value) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return value if isinstance(value, str) else ""


def _table_form(db: sqlite3.Connection, row: SchemaRow, before: Form | None) -> Form:
    info = db.execute(f"PRAGMA table_info({row.name})").fetchall()
    has_rowid = key_columns(db, row.name) == ("rowid",)
    order = list(range(len(info)))
    key = [place for place in sorted(order, key=lambda place: info[place][5]) if info[place][5]]
    if not has_rowid:  # the key comes first there
        order = key + [place for place in order if place not in key]
    names = tuple(str(info[place][1]) for place in order)
    types = tuple(_type(str(info[place][2])) for place in order)
    rowid_column = None
    if has_rowid and len(key) == 1 and str(info[key[0]][2]).upper() == "INTEGER":
        rowid_column = key[0]
    required = tuple(
        bool(info[place][3]) or (place in key and (not has_rowid or place == rowid_column))
        for place in order
    )
    return Form(
        row.name,
        row.name,
        row.sql,
        row.root,
        has_rowid,
        names,
        types,
        required,
        rowid_column,
        () if has_rowid else tuple(range(len(key))),
        names.index(COLUMN) if COLUMN in names else None,
        (before.lengths if before is not None else frozenset()) | {len(names)},
    )


def _index_form(db: sqlite3.Connection, row: SchemaRow, table: Form) -> Form:
    info = db.execute(f"PRAGMA index_xinfo({row.name})").fetchall()
    names = tuple("rowid" if entry[1] < 0 else str(entry[2]) for entry in info)
    of_table = dict(zip(table.columns, zip(table.types, table.required, strict=True), strict=True))
    found = [of_table.get(name, ("INTEGER", True)) for name in names]
    return Form(
        row.name,
        row.table,
        row.sql,
        row.root,
        False,
        names,
        tuple(kind for kind, _ in found),
        tuple(needed for _, needed in found),
        key=tuple(range(len(names))),
        lengths=frozenset({len(names)}),
    )


def _type(declared: str) -> str:
    declared = declared.upper()
    return declared if declared in ("INTEGER", "REAL", "TEXT", "BLOB") else ""


def state_of(rows: Iterable[SchemaRow], said: int | None = None) -> SchemaState:
    """Compare a file's schema with those that the migrations make.

    What resembles one of ours is that one, damaged; what resembles none is foreign.

    Args:
        said: the version that the file says it has. When it has, no other is looked for.
    """
    rows = list(rows)
    if said is not None and 0 < said <= len(migrations.MIGRATIONS):
        wanted_rows = {_without_root(row) for row in known_versions(said)[-1].rows}
        own = [_without_root(row) for row in rows if not is_of_sqlite(row)]
        if len(own) == len(wanted_rows) and set(own) == wanted_rows:
            return SchemaState([said], False, [])
    rows = [row for row in rows if not is_of_sqlite(row)]
    found = {_without_root(row) for row in rows}
    wanted: list[set[tuple[str, str, str, str | None]]] = [set()]
    for version in known_versions():
        wanted.append({_without_root(row) for row in version.rows})
    if len(found) == len(rows):
        versions = [number for number, some in enumerate(wanted) if some == found]
        if versions:
            return SchemaState(versions, False, [])
    matched = match(rows)
    foreign = [row.name for row, form in matched if form is None]
    ours = {_without_root(row) for row, form in matched if form is not None}
    return SchemaState([], not any(ours == some for some in wanted), foreign)


def is_of_sqlite(row: SchemaRow) -> bool:
    """Return whether SQLite adds a row as it likes: what ANALYZE has counted."""
    return row.name.startswith("sqlite_stat") and row.type == "table"


def _without_root(row: SchemaRow) -> tuple[str, str, str, str | None]:
    return row.type, row.name, row.table, row.sql


def match(rows: Sequence[SchemaRow]) -> list[tuple[SchemaRow, SchemaRow | None]]:
    """Find for each row of a file's schema the one of ours that it is, or was before damage.

    Returns:
        Each row with ours; None beside a foreign one. None of ours is given twice.
    """
    ours: dict[tuple[str, str, str, str | None], SchemaRow] = {}
    for version in reversed(known_versions()):
        for row in version.rows:
            ours.setdefault(_without_root(row), row)
    result: list[SchemaRow | None] = [ours.get(_without_root(row)) for row in rows]
    taken = {row.name for row in result if row is not None}
    for by_name in (True, False):
        for place, row in enumerate(rows):
            if result[place] is not None:
                continue
            candidates = [known for known in ours.values() if known.name not in taken]
            if by_name:
                candidates = [known for known in candidates if known.name == row.name]
            best = max(candidates, key=lambda known: _likeness(row, known), default=None)
            if best is not None and _likeness(row, best) >= _ALIKE:
                result[place] = best
                taken.add(best.name)
    return list(zip(rows, result, strict=True))


def _likeness(one: SchemaRow, other: SchemaRow) -> float:
    """Return how similar two rows are: 0 to 1, where 1 is the same."""
    if (one.sql is None) != (other.sql is None) or len(one.sql or "") > _LONGEST_TEXT:
        return 0.0
    return _text_likeness(
        "\0".join([one.type, one.name, one.table, one.sql or ""]),
        "\0".join([other.type, other.name, other.table, other.sql or ""]),
    )


def _text_likeness(one: str, other: str) -> float:
    left, right = (text.encode("utf-8", "surrogateescape") for text in (one, other))
    if len(left) == len(right):
        differ = sum(a != b for a, b in zip(left, right, strict=True))
        if differ <= _SHARE_DAMAGED * len(left):
            return 1 - differ / len(left)
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= _ALIKE else 0.0
