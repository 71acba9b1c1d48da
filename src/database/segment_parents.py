"""The containment tree of a frame, kept with its segments."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from src.models.mask_hierarchy import Part, tree_of


def write_tree(db: sqlite3.Connection, tree: Mapping[str, str | None]) -> None:
    """Write down in which segment each lies, inside the caller's transaction."""
    db.executemany(
        "UPDATE segments SET parent_id = ?2 WHERE id = ?1 AND parent_id IS NOT ?2",
        list(tree.items()),
    )


def set_parents(db: sqlite3.Connection, frame_id: int) -> None:
    """Find and write down the tree of a frame as it is stored, inside the caller's transaction."""
    size = db.execute("SELECT width, height FROM frames WHERE id = ?", (frame_id,)).fetchone()
    rows = db.execute(
        "SELECT id, mask, area, x, y, w, h, kind FROM segments WHERE frame_id = ?", (frame_id,)
    ).fetchall()
    write_tree(db, tree_of([Part(*row) for row in rows], (size[0], size[1])))
