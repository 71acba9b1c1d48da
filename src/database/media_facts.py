"""What is known of all media files together: their folders, cameras and times, for filters."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter

from src.database.conditions import FRAMES, Condition, SegmentCondition
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

    What leaves few is listed. Otherwise each file is asked about, which ends at its first segment
    that is left.
    """
    if not where:
        return Condition("1")
    condition = where.condition()
    try:
        with giving_up(reader, lambda: False, MOST_STEPS):
            rows = reader.execute(
                "SELECT DISTINCT f.media_file_id FROM segments s"
                f" {condition.joins or FRAMES} WHERE {condition.sql}",
                condition.values,
            )
            ids = [row[0] for row in rows]
    except GivenUp:
        return Condition(
            "EXISTS (SELECT 1 FROM frames f CROSS JOIN segments s ON s.frame_id = f.id"
            f" WHERE f.media_file_id = m.id AND {condition.sql})",
            condition.values,
        )
    return Condition(f"m.id IN {LISTED}", (json.dumps(ids),))
