"""What is known of all media files together: their folders, cameras and times, for filters."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter

from src.database.conditions import Condition, SegmentCondition
from src.database.filtered_rows import MOST_STEPS
from src.database.giving_up import giving_up
from src.database.metadata_db import MetadataDatabase
from src.database.rows import LISTED
from src.errors import GivenUp

# Parts of media_files.path: all that is no separator is taken off the end, which leaves the folder.
_LETTERS = r"replace(replace(path, '/', ''), '\', '')"
FILE_NAME = rf"substr(path, length(rtrim(path, {_LETTERS})) + 1)"
# With "/" between its parts and at its end.
FOLDER = rf"rtrim(replace(path, '\', '/'), {_LETTERS})"
# Many a model begins with the name of its maker.
CAMERA = """CASE WHEN instr(lower(camera_model), lower(coalesce(camera_make, ''))) = 1
    THEN camera_model
    ELSE trim(coalesce(camera_make, '') || ' ' || coalesce(camera_model, '')) END"""
# A filter that is not through after so many steps of SQLite's machine for each segment there is
# leaves more than one in twenty: then it takes less time to go through all segments.
STEPS_A_SEGMENT = 1
# Fewer than one segment in so many are looked up one by one. Of more, the index that has nothing
# but frames and segments is gone through: it is read in one piece, and a thirtieth of the table.
FEW = 200
_MEDIA_OF_FEW = (
    f"SELECT f.media_file_id FROM {LISTED} wanted CROSS JOIN segments s ON s.rowid = wanted.value"
    " CROSS JOIN frames f ON f.id = s.frame_id"
)
_MEDIA_OF_MANY = (
    "SELECT f.media_file_id FROM frames f WHERE EXISTS (SELECT 1 FROM segments s"
    f" INDEXED BY segments_by_frame WHERE s.frame_id = f.id AND +s.rowid IN {LISTED})"
)
_IS_DATED = "captured_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'"


class MediaFacts:
    """Counts of media files, each in one query."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self._metadata = metadata

    def folders(self) -> dict[str, int]:
        """Count the media files that are in each folder itself, from A to Z."""
        rows = self._reader.execute("SELECT path FROM media_files")
        rows.row_factory = None  # in SQL it takes four times as long
        counts = Counter(str(row[0]).replace("\\", "/").rpartition("/")[0] for row in rows)
        return dict(sorted(item for item in counts.items() if item[0]))

    def cameras(self) -> dict[str, int]:
        """Count the media files of each camera, from A to Z; those of none are left out."""
        rows = self._reader.execute(
            f"SELECT {CAMERA} AS name, sum(files) FROM (SELECT camera_make, camera_model,"
            " count(*) AS files FROM media_files GROUP BY camera_make, camera_model)"
            " GROUP BY name HAVING name != '' ORDER BY name"
        )
        return {str(row[0]): int(row[1]) for row in rows}

    def captured_between(self) -> tuple[str, str] | None:
        """Find the first and the last day, as 2020-05-31, on which a file was taken."""
        row = self._reader.execute(
            "SELECT min(substr(captured_at, 1, 10)), max(substr(captured_at, 1, 10))"
            f" FROM media_files WHERE {_IS_DATED}"
        ).fetchone()
        return None if row[0] is None else (str(row[0]), str(row[1]))

    def captured_days(self, where: SegmentCondition | None = None) -> dict[str | None, int]:
        """Count the media files of which a filter leaves a segment, by the day they were taken.

        Returns:
            Day, as 2020-05-31, -> files; those of no known day under None.
        """
        condition = media_where(self._reader, where)
        rows = self._reader.execute(
            f"SELECT CASE WHEN {_IS_DATED} THEN substr(captured_at, 1, 10) END AS day, count(*)"
            f" FROM media_files m WHERE {condition.sql} GROUP BY day",
            condition.values,
        )
        return {row[0]: row[1] for row in rows}

    @property
    def _reader(self) -> sqlite3.Connection:
        return self._metadata.connection.read()


def media_where(reader: sqlite3.Connection, where: SegmentCondition | None) -> Condition:
    """Write a condition on `m` (media_files): a filter leaves a segment of it.

    Where it is soon known which segments a filter leaves, their files are found by them. Else all
    segments are gone through once, file by file, each up to its first that is left.
    """
    if not where:
        return Condition("1")
    condition = where.condition()
    # rows are given in order, so that this is how many there are, or a few more
    segments = reader.execute("SELECT max(rowid) FROM segments").fetchone()[0] or 0
    try:
        with giving_up(reader, lambda: False, max(MOST_STEPS, STEPS_A_SEGMENT * segments)):
            rows = reader.execute(
                f"SELECT s.rowid FROM segments s {condition.joins} WHERE {condition.sql}",
                condition.values,
            )
            rows.row_factory = None
            left = [row[0] for row in rows]
    except GivenUp:
        return Condition(
            "EXISTS (SELECT 1 FROM frames f CROSS JOIN segments s ON s.frame_id = f.id"
            f" WHERE f.media_file_id = m.id AND {condition.sql})",
            condition.values,
        )
    found = _MEDIA_OF_FEW if len(left) * FEW <= segments else _MEDIA_OF_MANY
    return Condition(f"m.id IN ({found})", (json.dumps(left),))
