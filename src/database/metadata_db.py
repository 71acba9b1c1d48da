"""SQLite: the truth about a library. Media files, frames, segments and tags."""

from __future__ import annotations

from collections.abc import Callable, Generator

from src.config import LibraryPaths
from src.database.connection import Connection
from src.database.dataset_splits import DatasetSplits
from src.database.duplicate_groups import DuplicateGroups
from src.database.media_table import MediaTable
from src.database.removed_media import RemovedMedia
from src.database.repair.damaged_rows import (
    DamagedRow,
    damaged_rows,
    look_for_damaged_rows,
    miscounted,
)
from src.database.repair.mending import problems_of
from src.database.rows import RowReader
from src.database.segment_edits import SegmentEdits
from src.database.segment_table import SegmentTable
from src.database.tag_table import TagTable
from src.database.track_table import TrackTable


class MetadataDatabase(MediaTable, SegmentTable, TagTable):
    """The verbs on the library's tables. Every write is one transaction."""

    def __init__(
        self,
        paths: LibraryPaths,
        read_only: bool = False,
        examine: bool = False,
        on_progress: Callable[[int, int], None] | None = None,
        upkeep_later: bool = False,
    ) -> None:
        """Open the library's SQLite file, making it when it is not there.

        Args:
            read_only: for a process that does not hold the library's lock.
            examine: look for damage even where nothing speaks for any.
            on_progress: called during the recovery of a damaged library: done, of how much.
            upkeep_later: leave the day's examination and backup of a large one to a job.

        Raises:
            DatabaseError: it can't be opened.
        """
        paths.create(read_only)
        self.paths = paths
        self.connection = Connection(
            paths.metadata_db, read_only, examine, on_progress, upkeep_later
        )
        self.rows = RowReader(self.connection, paths)
        self.removed = RemovedMedia(self.connection, self.rows)
        self.duplicates = DuplicateGroups(self.connection, self.rows)
        self.splits = DatasetSplits(self.connection, self.rows)
        self.edits = SegmentEdits(self.connection)
        self.tracks = TrackTable(self.connection, self.rows)

    def close(self) -> None:
        self.connection.close()

    # -- facts about the library

    def count_segments(self) -> int:
        row = self.connection.read().execute("SELECT count(*) FROM segments").fetchone()
        return int(row[0])

    def counts(self) -> dict[str, int]:
        """Count media_files, images, videos, frames, segments and tags in use."""
        row = (
            self.connection.read()
            .execute(
                "SELECT (SELECT count(*) FROM media_files WHERE status != 'failed') AS media_files,"
                " (SELECT count(*) FROM media_files WHERE status != 'failed' AND kind = 'image')"
                " AS images,"
                " (SELECT count(*) FROM media_files WHERE status != 'failed' AND kind = 'video')"
                " AS videos,"
                " (SELECT count(*) FROM frames) AS frames,"
                " (SELECT count(*) FROM segments) AS segments,"
                " (SELECT count(DISTINCT tag_id) FROM segment_tags) AS tags"
            )
            .fetchone()
        )
        return dict(row)

    def info(self, key: str) -> str | None:
        found = self.connection.read().execute("SELECT * FROM info WHERE key = ?", (key,))
        rows = self.rows.checked("info", found)
        return str(rows[0]["value"]) if rows else None

    def set_info(self, key: str, value: str) -> None:
        with self.connection.write() as db:
            db.execute("INSERT OR REPLACE INTO info (key, value) VALUES (?, ?)", (key, value))

    def forget_info(self, key: str) -> None:
        with self.connection.write() as db:
            db.execute("DELETE FROM info WHERE key = ?", (key,))

    def integrity_problems(self) -> list[str]:
        """Ask SQLite to check itself; empty means sound."""
        with self.connection.noticing_damage():
            return problems_of(self.connection.read())

    def look_for_damaged_rows(self) -> Generator[tuple[int, int], None, list[DamagedRow]]:
        """Do what damaged_rows does step by step; yields how many were looked at, of how many."""
        with self.connection.noticing_damage():
            return (yield from look_for_damaged_rows(self.connection.read()))

    def damaged_rows(self) -> list[DamagedRow]:
        """Find every row that can't be what was stored."""
        with self.connection.noticing_damage():
            return damaged_rows(self.connection.read())

    def miscounted(self) -> dict[str, tuple[int, int]]:
        """List the tables that have another number of rows than is written down, and theirs."""
        with self.connection.noticing_damage():
            return miscounted(self.connection.read())
