"""Labels as rows of `tags`, and every act on them, so that it can be undone and done again.

A tag with a position is a label. What an act changes of it is kept in `label_acts`, before and
after; undoing the act puts back only that, so what later acts changed beside it stays.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from typing import Any

from src.database.text_normalization import casefold_key
from src.errors import QueryError
from src.label_records import LABEL_COLOURS

# What makes up a label: columns of `tags`.
COLUMNS = ("name", "colour", "position", "attributes")
NO_LABEL = {"colour": None, "position": None, "attributes": None}

State = dict[str, Any]  # by column


def state_of(db: sqlite3.Connection, tag_id: int) -> State:
    row = db.execute(f"SELECT {', '.join(COLUMNS)} FROM tags WHERE id = ?", (tag_id,)).fetchone()
    return dict(zip(COLUMNS, row, strict=True))


def change_label(db: sqlite3.Connection, tag_id: int, batch: str, **columns: Any) -> None:
    """Change columns of a label, as a part of an act."""
    before = state_of(db, tag_id)
    after = {name: value for name, value in columns.items() if value != before[name]}
    if not after:
        return
    before = {name: before[name] for name in after}
    _write(db, tag_id, after)
    db.execute(
        "INSERT INTO label_acts (batch, tag_id, before, after) VALUES (?, ?, ?, ?)",
        (batch, tag_id, json.dumps(before), json.dumps(after)),
    )


def make_label(db: sqlite3.Connection, tag_id: int, batch: str, colour: str | None = None) -> None:
    """Make a label of a tag that is none: the last one of the list."""
    row = db.execute("SELECT position FROM tags WHERE id = ?", (tag_id,)).fetchone()
    if row[0] is not None:
        return
    last = db.execute("SELECT ifnull(max(position), -1) FROM tags").fetchone()[0]
    change_label(db, tag_id, batch, position=last + 1, colour=colour or next_colour(db))


def next_colour(db: sqlite3.Connection) -> str:
    """Return the colour that the fewest labels have, the first of several."""
    rows = db.execute("SELECT colour FROM tags WHERE position IS NOT NULL")
    used = Counter(row[0] for row in rows)
    return min(LABEL_COLOURS, key=lambda colour: used[colour])


def undo_acts(db: sqlite3.Connection, batch: str) -> int:
    """Put back what an act changed of labels; returns how many changes there were.

    A label stays where people have given it in other acts.

    Raises:
        QueryError: another label has the name by now.
    """
    acts = _acts(db, batch, "IS NULL", "DESC")
    for act_id, tag_id, before, after in acts:
        if before.get("position", 0) is None and _is_given(db, tag_id):
            before = {name: value for name, value in before.items() if name not in NO_LABEL}
        _put_back(db, tag_id, before, after)
        db.execute("UPDATE label_acts SET undone_at = ? WHERE id = ?", (time.time(), act_id))
    return len(acts)


def redo_acts(db: sqlite3.Connection, batch: str) -> int:
    """Change once more what an act had changed; see undo_acts."""
    acts = _acts(db, batch, "IS NOT NULL", "ASC")
    for act_id, tag_id, before, after in acts:
        _put_back(db, tag_id, after, before)
        db.execute("UPDATE label_acts SET undone_at = NULL WHERE id = ?", (act_id,))
    return len(acts)


def _acts(
    db: sqlite3.Connection, batch: str, undone: str, order: str
) -> list[tuple[int, int, State, State]]:
    rows = db.execute(
        "SELECT id, tag_id, before, after FROM label_acts"
        f" WHERE batch = ? AND undone_at {undone} ORDER BY id {order}",
        (batch,),
    ).fetchall()
    return [(row[0], row[1], _read(row[2]), _read(row[3])) for row in rows]


def _read(text: str) -> State:
    """Read a state; a stranger's library may hold anything there."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        name: found[name]
        for name in COLUMNS
        if name in found and isinstance(found[name], int | str | None)
    }


def _put_back(db: sqlite3.Connection, tag_id: int, wanted: State, instead_of: State) -> None:
    name = wanted.get("name")
    if name is not None and casefold_key(name) != casefold_key(instead_of.get("name") or ""):
        taken = db.execute(
            "SELECT 1 FROM tags WHERE casefold_key(name) = ? AND id != ?",
            (casefold_key(name), tag_id),
        )
        if taken.fetchone():
            raise QueryError(
                f"“{name}” is the name of another tag by now; rename that one first, then try again"
            )
    _write(db, tag_id, wanted)


def _write(db: sqlite3.Connection, tag_id: int, columns: State) -> None:
    if columns:
        names = ", ".join(f"{name} = ?" for name in columns)
        db.execute(f"UPDATE tags SET {names} WHERE id = ?", (*columns.values(), tag_id))


def _is_given(db: sqlite3.Connection, tag_id: int) -> bool:
    row = db.execute(
        "SELECT EXISTS (SELECT 1 FROM segment_tags WHERE tag_id = ? AND source != 'auto')",
        (tag_id,),
    ).fetchone()
    return bool(row[0])
