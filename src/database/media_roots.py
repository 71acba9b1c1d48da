"""The folders that media files are kept in. A file has its root, and its path from there.

So a whole folder is moved, or read from another machine, by a change of one root.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from src.errors import DatabaseError


def root_of(db: sqlite3.Connection, path: Path) -> tuple[int | None, str | None]:
    """Find the root that a media file is below, inside a transaction; its folder becomes one.

    Returns:
        The root's row id, and the path from there, with "/" on every system; None and None for
        a path that is not absolute.
    """
    if not path.is_absolute():
        return None, None
    folders = [str(folder) for folder in path.parents]
    row = db.execute(
        f"SELECT id, path FROM roots WHERE path IN ({','.join('?' * len(folders))})"
        " ORDER BY length(path) DESC LIMIT 1",
        folders,
    ).fetchone()
    if row is None:
        added = db.execute("INSERT INTO roots (path) VALUES (?)", (folders[0],))
        return added.lastrowid, path.name
    return int(row[0]), path.relative_to(row[1]).as_posix()


def move_root(db: sqlite3.Connection, old: Path, new: Path) -> int:
    """Change the paths of all media files in a folder; see MetadataDatabase.move_root."""
    old, new = Path(os.path.abspath(old)), Path(os.path.abspath(new))
    inside = os.path.join(old, "")
    below = "substr(path, 1, ?) = ?"
    roots = db.execute(
        f"SELECT id, path FROM roots WHERE path = ? OR {below}", (str(old), len(inside), inside)
    ).fetchall()
    for root_id, path in roots:
        root = str(new / Path(path).relative_to(old))
        known = db.execute("SELECT id FROM roots WHERE path = ?", (root,)).fetchone()
        if known is None:
            db.execute("UPDATE roots SET path = ? WHERE id = ?", (root, root_id))
        else:
            db.execute("UPDATE media_files SET root_id = ? WHERE root_id = ?", (known[0], root_id))
    moved = db.execute(
        f"SELECT id, path FROM media_files WHERE {below}", (len(inside), inside)
    ).fetchall()
    # a path is of one row, and where a folder moves into itself they wait for each other's
    db.executemany(
        "UPDATE media_files SET path = ? WHERE id = ?",
        [(f"moving {media_file_id}", media_file_id) for media_file_id, _ in moved],
    )
    for media_file_id, path in moved:
        there = new / Path(path).relative_to(old)
        if db.execute("SELECT 1 FROM media_files WHERE path = ?", (str(there),)).fetchone():
            raise DatabaseError(f"{there}: is another file of the library; nothing was changed")
        db.execute(
            "UPDATE media_files SET path = ?, root_id = ?, relative_path = ? WHERE id = ?",
            (str(there), *root_of(db, there), media_file_id),
        )
    removed = db.execute(
        f"SELECT id, path FROM removed_media WHERE {below}", (len(inside), inside)
    ).fetchall()
    db.executemany(  # what a person does not want stays away there, too
        "UPDATE OR REPLACE removed_media SET path = ? WHERE id = ?",
        [(str(new / Path(path).relative_to(old)), row_id) for row_id, path in removed],
    )
    db.execute(
        "DELETE FROM roots WHERE id NOT IN"
        " (SELECT root_id FROM media_files WHERE root_id IS NOT NULL)"
    )
    return len(moved)
