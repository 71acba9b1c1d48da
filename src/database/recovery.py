"""A damaged metadata.db: what can be read goes into a new file, the rest comes from a backup.

SQLite notices damage to the structure of a file, page by page. So rows are read in ranges of
their ids, and a range that can't be read is halved until the rows that are lost stand alone.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from src.database.backup import damage_of, newest_sound
from src.database.migrations import MIGRATIONS, migrate
from src.database.parents import set_parents
from src.errors import DatabaseError

# Parents before children. What Chroma has to be told is left out: it is told everything again.
NUMBERED = ("models", "media_files", "frames", "segments", "tags", "embeddings")
KEYED = {
    "segment_tags": ("segment_id", "tag_id"),
    "removed_tags": ("segment_id", "tag_id"),
    "info": ("key",),
}
# A file may be so broken that nearly every look into it fails; it must still come to an end.
MOST_FAILED_READS = 50_000
AT_ONCE = 2000
HIGHEST_ID = 1 << 40

Range = tuple[int, int]


@dataclass
class Recovered:
    """What came of a damaged library.

    Attributes:
        kept: the damaged file, under its new name.
        rows: how many rows could be read.
        from_backup: how many rows were taken from a backup instead.
        backup: that backup.
        lost: tables of which something is missing now.
    """

    kept: Path
    rows: int = 0
    from_backup: int = 0
    backup: Path | None = None
    lost: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"{self.kept.parent}: the library's database was damaged and has been recovered"]
        parts.append(f"{self.rows:,} rows could be read")
        if self.backup is not None and self.from_backup:
            parts.append(f"{self.from_backup:,} came from the backup {self.backup.name}")
        if self.lost:
            parts.append(
                f"some rows of {', '.join(self.lost)} are gone: add your folders again and run "
                "verify --repair to make them anew"
            )
        parts.append(f"the damaged file is kept as {self.kept.name}")
        return "; ".join(parts)


def recover(database: Path) -> Recovered:
    """Put a sound file in the place of a damaged one, which is kept beside it.

    The new file is written beside the old one and takes its place at the end, so a kill on the
    way leaves the damaged file for the next start to recover.

    Raises:
        DatabaseError: nothing in the file can be read, and there is no backup either.
    """
    fresh = database.with_name(f"{database.name}.recovering")
    _remove(fresh)
    backup = newest_sound(database)
    moment = time.strftime("%Y-%m-%dT%H%M%S")
    result = Recovered(database.with_name(f"{database.stem}-damaged-{moment}.db"))
    version = _version(backup if backup is not None else database)
    with (
        closing(sqlite3.connect(fresh, isolation_level=None)) as new,
        closing(sqlite3.connect(database, isolation_level=None)) as old,
    ):
        migrate(new, fresh, up_to=version)
        new.execute("PRAGMA foreign_keys = OFF")
        triggers = new.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        stored_triggers = triggers.fetchall()
        for name, _ in stored_triggers:
            new.execute(f"DROP TRIGGER {name}")
        new.execute("BEGIN")
        unread = _copy_all(old, new, result)
        if backup is not None and unread:
            _fill(new, backup, unread, result)
        result.lost = [table for table in unread if _still_lacks(new, unread[table], table)]
        _tidy(new, unread)
        new.execute("COMMIT")
        for _, sql in stored_triggers:
            new.execute(sql)
        if not result.rows and not result.from_backup:
            raise DatabaseError(
                f"{database}: the library can't be opened: nothing in it can be read, and there "
                "is no backup; put a copy of your own in its place"
            )
        if problems := damage_of(new):
            raise DatabaseError(f"{database}: the library can't be recovered ({problems[0]})")
    with fresh.open("rb+") as stream:
        os.fsync(stream.fileno())
    _swap(database, fresh, result.kept)
    return result


def _copy_all(
    old: sqlite3.Connection, new: sqlite3.Connection, result: Recovered
) -> dict[str, list[Range]]:
    """Copy every row that can be read; returns the ranges of ids that can't, by table."""
    unread: dict[str, list[Range]] = {}
    failed = 0
    for table in NUMBERED:
        before = result.rows
        columns = _columns(new, table)
        waiting = [(0, _highest(old, table))]
        lost: list[Range] = []
        while waiting:
            low, high = waiting.pop()
            try:
                rows = old.execute(
                    f"SELECT rowid, {columns} FROM {table} WHERE rowid BETWEEN ? AND ?"
                    f" ORDER BY rowid LIMIT {AT_ONCE}",
                    (low, high),
                ).fetchall()
            except (sqlite3.Error, OverflowError):
                failed += 1
                if low == high or failed > MOST_FAILED_READS:
                    lost.append((low, high))
                else:
                    middle = (low + high) // 2
                    waiting += [(middle + 1, high), (low, middle)]
                continue
            if len(rows) == AT_ONCE:
                waiting.append((rows[-1][0] + 1, high))
            good = [row for row in rows if low <= row[0] <= high]
            result.rows += _insert(new, table, columns, good)
        if lost:
            unread[table] = lost
        if result.rows > before:  # a table with a hole must not cost the next one its tries
            failed = 0
    for table, key in KEYED.items():
        columns = _columns(new, table)
        if not columns:  # a library from before there was this table
            continue
        for order in ("ASC", "DESC"):  # up to the damage from either side
            whole = True
            by = ", ".join(f"{column} {order}" for column in key)
            cursor = old.cursor()
            try:
                cursor.execute(f"SELECT 0, {columns} FROM {table} ORDER BY {by}")
                while rows := cursor.fetchmany(1):
                    result.rows += _insert(new, table, columns, rows)
            except (sqlite3.Error, OverflowError):
                whole = False
            if whole:
                break
        else:
            unread[table] = []
    return unread


def _insert(
    new: sqlite3.Connection, table: str, columns: str, rows: list[tuple[object, ...]]
) -> int:
    """Insert rows with their row ids; those that break the schema's rules are damage, too."""
    before = new.total_changes
    if table in KEYED:
        sql = f"INSERT OR IGNORE INTO {table} ({columns}) VALUES"
        rows = [row[1:] for row in rows]
    else:
        sql = f"INSERT OR IGNORE INTO {table} (rowid, {columns}) VALUES"
    if rows:
        new.executemany(f"{sql} ({','.join('?' * len(rows[0]))})", rows)
    return new.total_changes - before


def _fill(
    new: sqlite3.Connection, backup: Path, unread: dict[str, list[Range]], result: Recovered
) -> None:
    """Take from a backup the very rows that could not be read."""
    with closing(sqlite3.connect(f"{backup.as_uri()}?mode=ro", uri=True)) as saved:
        for table, ranges in unread.items():
            columns = _columns(new, table)
            wanted = (
                [(f"SELECT 0, {columns} FROM {table}", ())]
                if table in KEYED
                else [
                    (f"SELECT rowid, {columns} FROM {table} WHERE rowid BETWEEN ? AND ?", span)
                    for span in ranges
                ]
            )
            for sql, values in wanted:
                cursor = saved.execute(sql, values)
                while rows := cursor.fetchmany(AT_ONCE):
                    result.from_backup += _insert(new, table, columns, rows)
    result.backup = backup


def _still_lacks(new: sqlite3.Connection, ranges: list[Range], table: str) -> bool:
    """Say whether ids that could not be read are missing still."""
    if table in KEYED:
        return True  # nobody knows what stood there
    held = sum(
        new.execute(f"SELECT count(*) FROM {table} WHERE rowid BETWEEN ? AND ?", span).fetchone()[0]
        for span in ranges
    )
    return bool(held < sum(high - low + 1 for low, high in ranges))


def _tidy(new: sqlite3.Connection, unread: dict[str, list[Range]]) -> None:
    """Leave no row without its parent, and have the next ingest look again at what has gaps."""
    suspects: set[int] = set()
    for low, high in unread.get("segments", []):
        around = new.execute(
            "SELECT (SELECT frame_id FROM segments WHERE rowid < ? ORDER BY rowid DESC LIMIT 1),"
            " (SELECT frame_id FROM segments WHERE rowid > ? ORDER BY rowid LIMIT 1)",
            (low, high),
        ).fetchone()
        suspects.update(frame for frame in around if frame is not None)
    for child, parent, reference in (
        ("frames", "media_files", "media_file_id"),
        ("segments", "frames", "frame_id"),
        ("embeddings", "segments", "segment_id"),
        ("embeddings", "models", "model_id"),
        ("segment_tags", "segments", "segment_id"),
        ("segment_tags", "tags", "tag_id"),
        ("removed_tags", "segments", "segment_id"),
        ("removed_tags", "tags", "tag_id"),
    ):
        if _columns(new, child):  # a library from before may lack the table
            new.execute(f"DELETE FROM {child} WHERE {reference} NOT IN (SELECT id FROM {parent})")
    if "parent_id" in _columns(new, "segments"):
        orphans = "SELECT DISTINCT frame_id FROM segments WHERE parent_id NOT IN"
        for (frame,) in new.execute(f"{orphans} (SELECT id FROM segments)").fetchall():
            set_parents(new, frame)
    if {"frames", "segments"} & unread.keys():
        # a frame that lost all its segments is made again; one that kept some keeps its tags
        new.execute("DELETE FROM frames WHERE id NOT IN (SELECT frame_id FROM segments)")
        new.execute(
            "UPDATE media_files SET status = 'pending' WHERE status = 'done' AND (kind = 'video'"
            " OR id NOT IN (SELECT media_file_id FROM frames))"
        )
    new.executemany(
        "UPDATE media_files SET status = 'pending' WHERE status = 'done'"
        " AND id = (SELECT media_file_id FROM frames WHERE id = ?)",
        [(frame,) for frame in sorted(suspects)],
    )
    new.execute("DELETE FROM info WHERE key LIKE 'index of %'")
    new.execute("DELETE FROM index_removals")
    new.execute("INSERT OR IGNORE INTO unindexed SELECT id FROM embeddings")


def _columns(new: sqlite3.Connection, table: str) -> str:
    return ", ".join(row[1] for row in new.execute(f"PRAGMA table_info({table})"))


def _highest(old: sqlite3.Connection, table: str) -> int:
    """Find the highest id that was ever given; a damaged tree may say less than the sequence."""
    said: list[int] = []
    for sql in (
        f"SELECT max(rowid) FROM {table}",
        f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'",
    ):
        try:
            row = old.execute(sql).fetchone()
        except sqlite3.Error:
            continue
        if row is not None and isinstance(row[0], int) and 0 <= row[0] <= HIGHEST_ID:
            said.append(row[0])
    return max(said, default=HIGHEST_ID)


def _version(path: Path) -> int:
    """Read the schema's version; the newest one when the file can't say."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            version: int = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error:
        return len(MIGRATIONS)
    return version if 0 < version <= len(MIGRATIONS) else len(MIGRATIONS)


def _swap(database: Path, fresh: Path, kept: Path) -> None:
    # by a link first: there is a file of the library's name at every moment
    try:
        os.link(database, kept)
    except OSError:  # a file system without links
        os.replace(database, kept)
    for side in ("-wal", "-shm"):
        file = database.with_name(database.name + side)
        if file.exists():
            os.replace(file, kept.with_name(kept.name + side))
    os.replace(fresh, database)


def _remove(path: Path) -> None:
    for side in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + side).unlink(missing_ok=True)
