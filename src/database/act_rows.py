"""Rows of acts, undone and done again: what a row is to be after any order of undoing.

A row of `decisions` or `segment_attributes` holds where its own act is not undone, and no act that
is not undone has taken it back (`retractions`). Of a row that an act has taken back, a retraction
of a name of its own says that the row's own act is undone as well.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

# Each row of these is an act on one thing; and how `retractions` calls it.
UNDOABLE = {"decisions": "decision_id", "segment_attributes": "attribute_id"}
_OWN = "undone: "  # before the batch of the row's own act


def ids_of(db: sqlite3.Connection, sql: str, *values: str | int) -> list[int]:
    return [row[0] for row in db.execute(sql, values)]


def set_undone(
    db: sqlite3.Connection, table: str, ids: Sequence[int], undone_at: float | None
) -> None:
    db.executemany(
        f"UPDATE {table} SET undone_at = ? WHERE id = ?", [(undone_at, row_id) for row_id in ids]
    )


def undo_rows(
    db: sqlite3.Connection, table: str, batch: str, segment_id: str | None = None
) -> list[int]:
    """Undo what an act wrote in a table, and what it took back there.

    Args:
        segment_id: on this segment alone.

    Returns:
        The rows that this concerned.
    """
    column, here, now = UNDOABLE[table], _here(segment_id), time.time()
    held = f"r.{column} = {table}.id AND r.undone_at IS NULL"
    live = ids_of(
        db,
        f"SELECT id FROM {table} WHERE batch = ?1 AND undone_at IS NULL AND {here}",
        *_values(batch, segment_id),
    )
    covered = ids_of(
        db,
        f"SELECT id FROM {table} WHERE batch = ?1 AND undone_at IS NOT NULL AND {here}"
        f" AND EXISTS (SELECT 1 FROM retractions r WHERE {held} AND r.batch != ?1)"
        f" AND NOT EXISTS (SELECT 1 FROM retractions r WHERE {held} AND r.batch = '{_OWN}' || ?1)",
        *_values(batch, segment_id),
    )
    set_undone(db, table, live, now)
    db.executemany(
        f"INSERT INTO retractions (batch, {column}) VALUES (?, ?)",
        [(_OWN + batch, row_id) for row_id in covered],
    )
    taken = _turn_retractions(db, table, batch, segment_id, now)
    rows = _looked_at(db, table, taken)
    free = [row_id for row_id, own, is_held in rows if own != batch and not is_held]
    set_undone(db, table, free, None)
    return [*live, *covered, *taken]


def redo_rows(
    db: sqlite3.Connection, table: str, batch: str, segment_id: str | None = None
) -> list[int]:
    """Do again what `undo_rows` has undone; what other acts have taken back stays so."""
    column, here = UNDOABLE[table], _here(segment_id)
    covered = ids_of(
        db,
        f"SELECT {column} FROM retractions WHERE batch = '{_OWN}' || ?1"
        f" AND EXISTS (SELECT 1 FROM {table} WHERE id = {column} AND {here})",
        *_values(batch, segment_id),
    )
    db.executemany(
        f"DELETE FROM retractions WHERE batch = ? AND {column} = ?",
        [(_OWN + batch, row_id) for row_id in covered],
    )
    own = ids_of(
        db,
        f"SELECT id FROM {table} WHERE batch = ?1 AND undone_at IS NOT NULL AND {here}"
        f" AND NOT EXISTS (SELECT 1 FROM retractions r WHERE r.{column} = {table}.id"
        " AND r.undone_at IS NULL)",
        *_values(batch, segment_id),
    )
    set_undone(db, table, own, None)
    wanted = ids_of(db, *_retractions(table, batch, segment_id, "IS NOT NULL"))
    for row_id, of, is_held in _looked_at(db, table, wanted):
        undone = db.execute(f"SELECT undone_at FROM {table} WHERE id = ?", (row_id,)).fetchone()
        if undone[0] is None:
            set_undone(db, table, [row_id], time.time())
        elif not is_held and of is not None:  # by its own act, which is to be known hereafter
            db.execute(
                f"INSERT INTO retractions (batch, {column}) VALUES (?, ?)", (_OWN + of, row_id)
            )
    taken = _turn_retractions(db, table, batch, segment_id, None)
    return [*covered, *own, *taken]


def is_undone(db: sqlite3.Connection, batch: str, apart_from: str) -> bool | None:
    """Say whether an act is undone, by what it did elsewhere.

    Args:
        apart_from: a segment whose rows are not asked.

    Returns:
        None where it did nothing elsewhere.
    """
    row = db.execute(
        "SELECT undone_at IS NOT NULL FROM label_acts WHERE batch = ?", (batch,)
    ).fetchone()
    for table, column in UNDOABLE.items():
        held = f"SELECT 1 FROM retractions r WHERE r.{column} = {table}.id AND r.undone_at IS NULL"
        row = (
            row
            or db.execute(
                f"SELECT undone_at IS NOT NULL AND (NOT EXISTS ({held}) OR EXISTS ({held} AND"
                f" r.batch = '{_OWN}' || ?1)) FROM {table}"
                " WHERE batch = ?1 AND segment_id IS NOT ?2",
                (batch, apart_from),
            ).fetchone()
        )
        row = (
            row
            or db.execute(
                f"SELECT r.undone_at IS NOT NULL FROM retractions r JOIN {table} a"
                f" ON a.id = r.{column} WHERE r.batch = ? AND a.segment_id IS NOT ?",
                (batch, apart_from),
            ).fetchone()
        )
    return None if row is None else bool(row[0])


def batches_on(db: sqlite3.Connection, segment_id: str) -> list[str]:
    """List the acts that wrote something on a segment, or took it back, in their order."""
    found = dict[str, None]()
    for table, column in UNDOABLE.items():
        rows = db.execute(
            f"SELECT batch FROM {table} WHERE segment_id = ?1 AND batch IS NOT NULL UNION"
            f" SELECT r.batch FROM retractions r JOIN {table} a ON a.id = r.{column}"
            " WHERE a.segment_id = ?1",
            (segment_id,),
        )
        found |= dict.fromkeys(row[0] for row in rows if not row[0].startswith(_OWN))
    return list(found)


def _here(segment_id: str | None) -> str:
    return "1" if segment_id is None else "segment_id = ?2"


def _values(batch: str, segment_id: str | None) -> list[str]:
    return [batch] if segment_id is None else [batch, segment_id]


def _retractions(table: str, batch: str, segment_id: str | None, was: str) -> list[str]:
    """Give the query for what an act has taken back, and its values."""
    column = UNDOABLE[table]
    sql = (
        f"SELECT {column} FROM retractions WHERE batch = ?1 AND undone_at {was}"
        f" AND EXISTS (SELECT 1 FROM {table} WHERE id = {column} AND {_here(segment_id)})"
    )
    return [sql, *_values(batch, segment_id)]


def _turn_retractions(
    db: sqlite3.Connection, table: str, batch: str, segment_id: str | None, undone_at: float | None
) -> list[int]:
    was = "IS NOT NULL" if undone_at is None else "IS NULL"
    taken = ids_of(db, *_retractions(table, batch, segment_id, was))
    db.executemany(
        f"UPDATE retractions SET undone_at = ? WHERE batch = ? AND {UNDOABLE[table]} = ?",
        [(undone_at, batch, row_id) for row_id in taken],
    )
    return taken


def _looked_at(
    db: sqlite3.Connection, table: str, ids: Sequence[int]
) -> list[tuple[int, str | None, bool]]:
    """Look up rows: each with its own act, and whether any act holds it back now."""
    sql = (
        f"SELECT id, batch, EXISTS (SELECT 1 FROM retractions r WHERE r.{UNDOABLE[table]} ="
        f" {table}.id AND r.undone_at IS NULL) FROM {table} WHERE id = ?"
    )
    rows = (db.execute(sql, (row_id,)).fetchone() for row_id in ids)
    return [(row[0], row[1], bool(row[2])) for row in rows if row is not None]
