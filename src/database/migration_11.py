"""The step from schema 10 to 11, which holds all that it needs: no live code changes under it."""

from __future__ import annotations

import sqlite3


def m011_tracks(connection: sqlite3.Connection) -> None:
    """What linked a track, what people changed of tracks, and which videos are linked.

    Nobody has written a track before. New columns are nullable, so checksums stay as they are.
    """
    for statement in (
        "ALTER TABLE tracks ADD COLUMN origin TEXT",
        # The segment of the same track on which it was decided; NULL where that was here.
        "ALTER TABLE decisions ADD COLUMN from_segment TEXT",
        # What an act of a person did to the tracks of a video, as JSON: in which track each of its
        # segments was before people touched it, and in which the act puts it.
        """CREATE TABLE track_edits (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            batch TEXT NOT NULL,
            media_file_id INTEGER NOT NULL REFERENCES media_files (id) ON DELETE CASCADE,
            before TEXT NOT NULL,
            after TEXT NOT NULL,
            edited_at REAL,
            undone_at REAL,
            checksum INTEGER
        )""",
        "CREATE INDEX track_edits_by_batch ON track_edits (batch)",
        "CREATE INDEX track_edits_by_media_file ON track_edits (media_file_id)",
        # Videos whose segments are linked as they are now, and by which version of the linker.
        """CREATE TABLE tracked_media (
            media_file_id INTEGER PRIMARY KEY REFERENCES media_files (id) ON DELETE CASCADE,
            method TEXT NOT NULL,
            checksum INTEGER
        )""",
        "INSERT INTO row_counts (name, rows) VALUES ('track_edits', 0), ('tracked_media', 0)",
    ):
        connection.execute(statement)
