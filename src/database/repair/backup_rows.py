"""What a backup holds of the rows that a damaged library lacks."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from src.database.backup import damage_of, open_backup
from src.database.repair.known_schema import Form
from src.database.repair.row_format import Key, Row, RowFormat, key_of, key_of_rowid


@contextmanager
def open_sound_backup(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Open a backup to be read as if it had today's schema; None where it is damaged itself.

    Raises:
        DatabaseError, OSError, sqlite3.Error: see open_backup.
    """
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as copy:
        is_damaged = bool(damage_of(copy))
    if is_damaged:
        yield None
        return
    with open_backup(path) as saved:
        saved.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        yield saved


def rows_of_backup(
    saved: sqlite3.Connection, form: Form, is_wanted: Callable[[Key], bool]
) -> Iterator[Row]:
    """Read the sound rows of a table whose keys are wanted.

    Args:
        saved: from open_sound_backup.
    """
    reader = RowFormat(form)
    keys = ("rowid",) if form.has_rowid else tuple(form.columns[p] for p in form.key)
    condition = " AND ".join(f"{name} = ?" for name in keys)
    whole = f"SELECT {', '.join(form.columns)} FROM {form.name} WHERE {condition}"
    for values in saved.execute(f"SELECT {', '.join(keys)} FROM {form.name}"):
        if not is_wanted(key_of_rowid(values[0]) if form.has_rowid else key_of(values)):
            continue
        stored = list(saved.execute(whole, values).fetchone())
        row = reader.row(values[0] if form.has_rowid else None, stored, len(stored))
        if row is not None:
            yield row
