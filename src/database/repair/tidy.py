"""A recovered library put in order: no row without its parent; gaps are for the next ingest."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from src.database.repair.row_format import HIGHEST, Key
from src.database.segment_parents import set_parents

# No library gets so far; a number beyond it is damage.
HIGHEST_ID = 1 << 40


@dataclass
class Gaps:
    """Where rows are missing.

    Attributes:
        owners: by table: frames of missing segments, media files of missing frames, as far as
            indexes say.
        around: by table: ranges of row ids in which rows are missing.
        sequences: by table: the highest row id that was ever given.
    """

    owners: dict[str, set[int]] = field(default_factory=dict)
    around: dict[str, list[tuple[Key, Key]]] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)


def drop_orphans(db: sqlite3.Connection, tables: Collection[str]) -> None:
    """Delete rows that refer to what is gone, until there are none."""
    while True:
        before = db.total_changes
        for table in tables:
            cut_references(db, table)
        if db.total_changes == before:
            break
    orphans = "SELECT DISTINCT frame_id FROM segments WHERE parent_id NOT IN"
    for (frame,) in db.execute(f"{orphans} (SELECT id FROM segments)").fetchall():
        set_parents(db, frame)


def cut_references(db: sqlite3.Connection, table: str) -> None:
    """Delete rows that refer to what is gone, or set the reference to NULL, as its key would."""
    for row in db.execute(f"PRAGMA foreign_key_list({table})").fetchall():
        parent, column, to, on_delete = row[2], row[3], row[4] or "id", row[6]
        # +: the index of a damaged table is not asked
        gone = f"{column} IS NOT NULL AND {column} NOT IN (SELECT +{to} FROM {parent})"
        if is_required(db, table, column):
            db.execute(f"DELETE FROM {table} WHERE {column} IS NULL OR ({gone})")
        elif on_delete == "CASCADE":
            db.execute(f"DELETE FROM {table} WHERE {gone}")
        else:
            db.execute(f"UPDATE {table} SET {column} = NULL WHERE {gone}")


def is_required(db: sqlite3.Connection, table: str, column: str) -> bool:
    """Return whether a column is declared NOT NULL."""
    rows = db.execute(f"PRAGMA table_info({table})").fetchall()
    return any(row[1] == column and bool(row[3]) for row in rows)


def mark_for_ingest(db: sqlite3.Connection, gaps: Gaps, lossy: set[str]) -> None:
    """Mark the media files of which something is lost, so that the next ingest reads them again.

    Args:
        lossy: tables of which rows are lost.
    """
    frames = set(gaps.owners.get("segments", ()))
    media = set(gaps.owners.get("frames", ()))
    if "segments" in lossy:
        for low, high in gaps.around.get("segments", []):
            frames.update(_around(db, "segments", "frame_id", low, high))
    if "frames" in lossy:
        for low, high in gaps.around.get("frames", []):
            media.update(_around(db, "frames", "media_file_id", low, high))
    if {"frames", "segments"} & lossy:
        # a frame that lost all its segments is made again; one that kept some keeps its tags
        db.execute("DELETE FROM frames WHERE id NOT IN (SELECT frame_id FROM segments)")
        db.execute(
            "UPDATE media_files SET status = 'pending' WHERE status = 'done' AND (kind = 'video'"
            " OR id NOT IN (SELECT media_file_id FROM frames))"
        )
    pending = "UPDATE media_files SET status = 'pending' WHERE status = 'done' AND id ="
    db.executemany(
        f"{pending} (SELECT media_file_id FROM frames WHERE id = ?)",
        [(frame,) for frame in sorted(frames)],
    )
    db.executemany(f"{pending} ?", [(media_id,) for media_id in sorted(media)])


def _around(db: sqlite3.Connection, table: str, column: str, low: Key, high: Key) -> list[int]:
    """Return the owners of the rows at both ends of a range of row ids."""
    first = low[0][1] if low else -1
    last = high[0][1] if high < HIGHEST else 1 << 62
    row = db.execute(
        f"SELECT (SELECT {column} FROM {table} WHERE rowid <= ? ORDER BY rowid DESC LIMIT 1),"
        f" (SELECT {column} FROM {table} WHERE rowid >= ? ORDER BY rowid LIMIT 1)",
        (first, last),
    ).fetchone()
    return [owner for owner in row if owner is not None]


def reset_index(db: sqlite3.Connection) -> None:
    """Mark all embeddings as not indexed, and no file as scanned: all of it is made again."""
    db.execute("DELETE FROM info WHERE key LIKE 'index of %' OR key LIKE 'int8 rows of %'")
    db.execute("DELETE FROM index_removals")
    db.execute("INSERT OR IGNORE INTO unindexed SELECT id FROM embeddings")


def set_sequences(db: sqlite3.Connection, said: Mapping[str, int]) -> None:
    """Make sure that no row id is given a second time, not even one of a row deleted before."""
    for table, number in said.items():
        if number <= HIGHEST_ID:
            known = db.execute("SELECT 1 FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
            if known is None:
                db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, number))
            db.execute(
                "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (number, table)
            )
