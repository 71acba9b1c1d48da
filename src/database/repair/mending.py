"""Damaged rows repaired in place, in a file whose structure is sound.

Each row is taken from the first that has it whole: its own checksum, which says what one changed
bit was; the indexes, in which what people decided and what rows are known by stands once more;
the decisions that a tag follows from; the newest backup; what is left of the row. What none of
them has is removed, so that it can be made again, and counted.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from src.counting import counted
from src.database.backup import backups, damage_of, open_backup
from src.database.checksums import (
    COLUMN,
    checked_tables,
    count_rows,
    key_columns,
)
from src.database.decisions import FRAME_IS_KEPT, IS_KEPT
from src.database.repair.damaged_rows import (
    DamagedRow,
    Key,
    Row,
    damaged_rows,
    miscounted,
    raw_text,
)
from src.database.repair.derived_tags import (
    HELD,
    restore_decisions,
    restore_from_decisions,
)
from src.database.repair.kept_in_part import kept_in_part
from src.database.repair.rebuild_table import rebuild_table
from src.database.repair.tidy import cut_references
from src.database.repair.whole_rows import WholeRows
from src.database.segment_parents import set_parents
from src.errors import DatabaseError

log = logging.getLogger(__name__)


@dataclass
class Mended:
    """The result of repairing a library's damaged rows.

    Attributes:
        damaged: all that were found.
        by: how many were mended, by what had them whole.
        in_part: tables with rows that were kept as far as they could be read.
        lost: rows that are gone, by table, with those that went with them.
        again: embeddings that the next job makes again.
        media_again: media files that the next ingest looks at again.
        left: damaged rows that were removed: lost, or to be made again.
    """

    damaged: list[DamagedRow] = field(default_factory=list)
    by: Counter[str] = field(default_factory=Counter)
    in_part: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    again: int = 0
    media_again: set[int] = field(default_factory=set)
    left: list[DamagedRow] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.damaged:
            return "the indexes of the library's database were damaged and have been made again"
        were = "row was" if len(self.damaged) == 1 else "rows were"
        parts = [f"{len(self.damaged):,} {were} damaged in the library's database"]
        parts += [f"{counted(number, 'row')} mended from {by}" for by, number in self.by.items()]
        parts += [
            f"{counted(number, 'row')} of {table} kept as far as it could be read"
            for table, number in self.in_part.items()
        ]
        if self.again:
            parts.append(f"{counted(self.again, 'embedding')} to be made again by the next job")
        if any(self.lost.values()):
            lost = (f"{counted(n, 'row')} of {table}" for table, n in self.lost.items() if n)
            parts.append(f"lost: {', '.join(lost)}")
        if self.media_again:
            files = counted(len(self.media_again), "media file")
            parts.append(f"add your folders again: {files} will be looked at once more")
        return "; ".join(parts)


def mend_rows(db: sqlite3.Connection, database: Path) -> Mended | None:
    """Repair every damaged row, inside the caller's transaction.

    Args:
        db: the writer, with watch_rows.
        database: its file; the backups lie beside it.

    Returns:
        None when nothing was wrong.

    Raises:
        DatabaseError, sqlite3.Error: some of it can't be mended in place; the caller's
            transaction has to be rolled back, and the whole file recovered.
    """
    damaged = damaged_rows(db)
    problems = problems_of(db)
    if not damaged and not problems and not miscounted(db):
        return None
    with ExitStack() as stack:
        mender = _Mender(db, _sound_backups(database, stack))
        with _lenient(db), raw_text(db):
            mended = mender.mend(damaged)
        db.execute("REINDEX")
    count_rows(db)
    if left := [*map(str, damaged_rows(db)), *problems_of(db)]:
        raise DatabaseError(f"{database}: rows of it can't be mended ({left[0]})")
    return mended


def problems_of(db: sqlite3.Connection) -> list[str]:
    """Ask SQLite for what is wrong with a file, its indexes and references; empty means sound."""
    cursor = sqlite3.Cursor(db)
    rows = [str(row[0]) for row in cursor.execute("PRAGMA integrity_check")]
    references = cursor.execute("PRAGMA foreign_key_check").fetchall()
    rows += [f"{row[0]}: broken reference" for row in references]
    return [row for row in rows if row != "ok"]


def _sound_backups(database: Path, stack: ExitStack) -> Iterator[tuple[str, sqlite3.Connection]]:
    """Open the backups that are sound, the newest first, each when it is asked for."""
    for path in backups(database):
        try:
            saved = stack.enter_context(open_backup(path))
            if damage_of(saved):
                continue
        except (sqlite3.Error, OSError, DatabaseError) as exc:
            log.warning("%s: %s", path, exc)  # try an older one
            continue
        yield path.name, saved


@contextmanager
def _lenient(db: sqlite3.Connection) -> Iterator[None]:
    """Allow changes of rows that their indexes lack, and wrong references on the way."""
    db.execute("PRAGMA defer_foreign_keys = ON")
    db.execute("PRAGMA writable_schema = ON")
    db.execute("PRAGMA ignore_check_constraints = ON")
    try:
        yield
    finally:
        db.execute("PRAGMA ignore_check_constraints = OFF")
        db.execute("PRAGMA writable_schema = OFF")


class _Mender:
    def __init__(
        self, db: sqlite3.Connection, saved: Iterator[tuple[str, sqlite3.Connection]]
    ) -> None:
        self._db = db
        self._whole_rows = WholeRows(db, saved)
        self._misplaced: dict[str, dict[Key, Row | None]] = {}
        self._result = Mended()

    def mend(self, damaged: list[DamagedRow]) -> Mended:
        self._result.damaged = damaged
        before = self._counts()
        # what the indexes say, before any row is changed and they with it
        whole = [(each, self._whole_rows.find(each)) for each in damaged]
        unmended = []
        for each, found in whole:
            if found is not None and self._store(each, found[0]):
                self._result.by[found[1]] += 1
            else:
                unmended.append(each)
        self._make_indexes_again()  # what follows asks them
        frames = set[int]()
        for each in unmended:
            row = kept_in_part(self._db, each)
            if row is not None and self._store(each, row):
                self._result.in_part[each.table] += 1
                if each.table == "media_files":
                    self._result.media_again.add(each.key[0])
                if each.table == "segments":
                    frames.add(row["frame_id"])
            else:
                self._result.left.append(each)
        self._remove(self._result.left)
        for table, changed in self._misplaced.items():
            rebuild_table(self._db, table, changed)
        self._remove_orphans()
        left = {each.table for each in self._result.left}
        if not left.isdisjoint(HELD):
            restore_from_decisions(self._db, decisions_are_whole=False)
        for frame in frames:
            if self._db.execute("SELECT 1 FROM frames WHERE id = ?", (frame,)).fetchone():
                set_parents(self._db, frame)
        after = self._counts()
        self._result.lost = Counter({table: before[table] - after[table] for table in before})
        self._result.lost["embeddings"] -= self._result.again
        if "decisions" in left:  # they are lost all the same: nobody knows when, or in which act
            restore_decisions(self._db)
        return self._result

    # -- what becomes of it

    def _store(self, damaged: DamagedRow, row: Row) -> bool:
        """Write a row in the place of a damaged one; returns whether it fitted."""
        names = [name for name in row if name != COLUMN]
        here = " AND ".join(f"{name} = ?" for name in key_columns(self._db, damaged.table))
        columns = ", ".join(f"{name} = ?" for name in names)
        try:
            changed = self._db.execute(
                f"UPDATE {damaged.table} SET {columns} WHERE {here}",
                (*(row[name] for name in names), *damaged.key),
            )
        except sqlite3.IntegrityError as exc:  # another row has its place
            log.warning("%s: %s", damaged, exc)
            return False
        self._rebuild_later(damaged, changed, row)
        return True

    def _make_indexes_again(self) -> None:
        try:
            self._db.execute("REINDEX")
        except sqlite3.IntegrityError as exc:  # rows that are still damaged; they are handled below
            log.warning("%s", exc)

    def _remove(self, left: Iterable[DamagedRow]) -> None:
        """Remove what could not be repaired, so that the next ingest makes it again."""
        for each in left:
            if each.table in ("frames", "segments"):
                self._make_again(each)
            else:
                self._delete(each)
                self._result.again += each.table == "embeddings"

    def _delete(self, damaged: DamagedRow) -> None:
        here = " AND ".join(f"{name} = ?" for name in key_columns(self._db, damaged.table))
        removed = self._db.execute(f"DELETE FROM {damaged.table} WHERE {here}", damaged.key)
        self._rebuild_later(damaged, removed, None)

    def _rebuild_later(self, damaged: DamagedRow, done: sqlite3.Cursor, row: Row | None) -> None:
        """Note a row that was not found by its key, since that is what is damaged in it."""
        if done.rowcount == 1:
            return
        if key_columns(self._db, damaged.table) == ("rowid",):
            raise DatabaseError(f"{damaged}; it can't be found by its key")
        self._misplaced.setdefault(damaged.table, {})[damaged.key] = row

    def _make_again(self, damaged: DamagedRow) -> None:
        """Remove a frame or a segment so that the next ingest makes it again.

        A frame is made again only whole. Where people have worked on others of its segments, it
        stays without the one; cutting it with SAM again brings that back.
        """
        frame_id = damaged.key[0]
        if damaged.table == "segments":
            frame_id = None if damaged.row is None else damaged.row["frame_id"]
            self._delete(damaged)
            if frame_id is None or self._has_work_of_people(frame_id):
                self._db.execute("UPDATE frames SET sam = NULL WHERE id = ?", (frame_id,))
                return
        media = self._db.execute("SELECT media_file_id FROM frames WHERE id = ?", (frame_id,))
        row = media.fetchone()
        self._db.execute("DELETE FROM frames WHERE id = ?", (frame_id,))
        if row is not None and isinstance(row[0], int):
            self._db.execute("UPDATE media_files SET status = 'pending' WHERE id = ?", (row[0],))
            self._result.media_again.add(row[0])

    def _has_work_of_people(self, frame_id: object) -> bool:
        found = self._db.execute(
            f"SELECT EXISTS (SELECT 1 FROM segments s WHERE s.frame_id = ?1 AND {IS_KEPT})"
            f" OR EXISTS (SELECT 1 FROM frames f WHERE f.id = ?1 AND {FRAME_IS_KEPT})",
            (frame_id,),
        )
        return bool(found.fetchone()[0])

    def _remove_orphans(self) -> None:
        """Remove the rows that belong to one that is gone."""
        for table in checked_tables(self._db):
            cut_references(self._db, table)

    def _counts(self) -> dict[str, int]:
        return {
            table: self._db.execute(f"SELECT count(*) FROM {table} NOT INDEXED").fetchone()[0]
            for table in checked_tables(self._db)
        }
