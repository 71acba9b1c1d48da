"""The containment tree of a frame, kept with its segments."""

from __future__ import annotations

import sqlite3

from src.models.containment import containers


def set_parents(db: sqlite3.Connection, frame_id: int) -> None:
    """Write down in which segment of its frame each lies, inside the caller's transaction.

    A segment that lies in no other is the whole frame's child, which has no parent.
    """
    size = db.execute("SELECT width, height FROM frames WHERE id = ?", (frame_id,)).fetchone()
    rows = db.execute(
        "SELECT id, mask, area, x, y, w, h, kind FROM segments WHERE frame_id = ?", (frame_id,)
    ).fetchall()
    whole = next((row[0] for row in rows if row[7] == "frame"), None)
    cut = [row for row in rows if row[1] is not None]
    held_by = containers(
        [row[1] for row in cut],
        [row[2] for row in cut],
        [tuple(row[3:7]) for row in cut],
        (size[0], size[1]),
    )
    db.execute("UPDATE segments SET parent_id = NULL WHERE id = ?", (whole,))
    db.executemany(
        "UPDATE segments SET parent_id = ? WHERE id = ?",
        [
            (whole if place is None else cut[place][0], row[0])
            for row, place in zip(cut, held_by, strict=True)
        ],
    )
