"""The containment tree of a frame, kept with its segments."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from src.errors import DamagedMaskError
from src.models.mask_hierarchy import containers
from src.models.mask_rle import MOST_PIXELS, runs_of


def set_parents(db: sqlite3.Connection, frame_id: int) -> None:
    """Store in which segment of its frame each lies, inside the caller's transaction.

    A segment that lies in no other is the whole frame's child, which has no parent. So is one
    whose row is damaged, until it is mended.
    """
    size = db.execute("SELECT width, height FROM frames WHERE id = ?", (frame_id,)).fetchone()
    rows = db.execute(
        "SELECT id, mask, area, x, y, w, h, kind FROM segments WHERE frame_id = ?", (frame_id,)
    ).fetchall()
    whole = next((row[0] for row in rows if row[7] == "frame"), None)
    cut = [row for row in rows if row[1] is not None and _has_numbers(row)]
    try:
        held_by = _containers(cut, size)
    except DamagedMaskError:
        cut = [row for row in cut if _has_mask(row, size)]
        held_by = _containers(cut, size)
    db.execute("UPDATE segments SET parent_id = NULL WHERE id = ?", (whole,))
    db.executemany(
        "UPDATE segments SET parent_id = ? WHERE id = ?",
        [
            (whole if place is None else cut[place][0], row[0])
            for row, place in zip(cut, held_by, strict=True)
        ],
    )
    damaged = [(whole, row[0]) for row in rows if row[7] != "frame" and row not in cut]
    db.executemany("UPDATE segments SET parent_id = ? WHERE id = ?", damaged)


def _containers(rows: Sequence[Any], size_wh: Sequence[Any]) -> list[int | None]:
    return containers(
        [row[1] for row in rows],
        [row[2] for row in rows],
        [tuple(row[3:7]) for row in rows],
        (size_wh[0], size_wh[1]),
    )


def _has_numbers(row: Sequence[Any]) -> bool:
    """Return whether a row's area and box can be computed with."""
    return all(isinstance(value, int) and abs(value) <= MOST_PIXELS for value in row[2:7])


def _has_mask(row: Sequence[Any], size_wh: Sequence[Any]) -> bool:
    try:
        runs_of(row[1], (size_wh[0], size_wh[1]))
    except DamagedMaskError:
        return False
    return True
