"""What follows for tracks when segments come, go or change; kept by the writer's own triggers.

They note which tracks and which videos a transaction touches, and at its end those are put right.
As with the checksums, the triggers are not stored in the file: other programs can open it.
"""

from __future__ import annotations

import sqlite3

# Of the rows that a transaction has touched.
_LISTS = {"touched_tracks": "track_id", "touched_media": "media_file_id"}


def watch_tracks(connection: sqlite3.Connection) -> None:
    """Create the triggers that note which tracks and videos are touched."""
    for name, column in _LISTS.items():  # without a type: a damaged row may hold anything
        connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS {name} ({column} PRIMARY KEY)")
    of_frame = "(SELECT media_file_id FROM main.frames WHERE id = {row}.frame_id)"
    for name, event, actions in (
        (
            "segments_come",
            "INSERT ON main.segments",
            [("touched_tracks", "new.track_id"), ("touched_media", of_frame.format(row="new"))],
        ),
        (
            "segments_go",
            "DELETE ON main.segments",
            [("touched_tracks", "old.track_id"), ("touched_media", of_frame.format(row="old"))],
        ),
        (
            "segments_join",
            "UPDATE OF track_id ON main.segments WHEN old.track_id IS NOT new.track_id",
            [("touched_tracks", "old.track_id"), ("touched_tracks", "new.track_id")],
        ),
        (
            "segments_change",
            "UPDATE OF mask, frame_id ON main.segments WHEN old.mask IS NOT new.mask"
            " OR old.frame_id IS NOT new.frame_id",
            [("touched_media", of_frame.format(row="new"))],
        ),
        ("frames_come", "INSERT ON main.frames", [("touched_media", "new.media_file_id")]),
        ("frames_go", "DELETE ON main.frames", [("touched_media", "old.media_file_id")]),
    ):
        noted = " ".join(
            f"INSERT INTO {table} SELECT {value} WHERE {value} IS NOT NULL"
            f" AND NOT EXISTS (SELECT 1 FROM {table} WHERE {_LISTS[table]} = {value});"
            for table, value in actions
        )
        connection.execute(
            f"CREATE TEMP TRIGGER IF NOT EXISTS tracks_{name} AFTER {event} BEGIN {noted} END"
        )
    connection.execute(
        "CREATE TEMP TRIGGER IF NOT EXISTS tracks_frames_change"
        " AFTER UPDATE OF timestamp_s, until_s ON main.frames WHEN old.timestamp_s IS NOT"
        " new.timestamp_s OR old.until_s IS NOT new.until_s BEGIN INSERT INTO touched_tracks"
        " SELECT DISTINCT track_id FROM main.segments WHERE frame_id = new.id"
        " AND track_id IS NOT NULL"
        " AND track_id NOT IN (SELECT track_id FROM touched_tracks); END"
    )


def put_touched_right(db: sqlite3.Connection) -> None:
    """Put the tracks right that the transaction has touched; at its end, inside of it.

    A video of which frames or segments came, went or changed is no longer linked.
    """
    if db.execute("SELECT 1 FROM touched_media").fetchone():
        db.execute(
            "DELETE FROM tracked_media WHERE media_file_id IN"
            " (SELECT media_file_id FROM touched_media)"
        )
        db.execute("DELETE FROM touched_media")
    if db.execute("SELECT 1 FROM touched_tracks").fetchone():
        put_right(db, "(SELECT track_id FROM touched_tracks)")
        db.execute("DELETE FROM touched_tracks")


def put_right(db: sqlite3.Connection, tracks: str = "(SELECT id FROM tracks)") -> None:
    """Update when tracks begin and end, and delete those that have too few segments.

    Such a track has no segment, or one alone, no person made it, and none that an act of people
    took away comes back to it when that is undone.

    Args:
        tracks: SQL that lists them.
    """
    db.execute(
        f"DELETE FROM tracks WHERE id IN {tracks} AND (SELECT count(*) FROM (SELECT 1 FROM segments"
        " WHERE track_id = tracks.id LIMIT 2)) < CASE ifnull(origin, 'linked') WHEN 'human'"
        " THEN 1 ELSE 2 END AND NOT (EXISTS (SELECT 1 FROM segments WHERE track_id = tracks.id)"
        " AND EXISTS (SELECT 1 FROM track_edits e, json_each(CASE WHEN json_valid(e.before)"
        " THEN e.before ELSE '{}' END, '$.tracks') t WHERE e.media_file_id = tracks.media_file_id"
        " AND e.undone_at IS NULL AND t.key = CAST(tracks.id AS TEXT)))"
    )
    db.execute(
        "UPDATE tracks SET begin_s = seen.begin_s, end_s = seen.end_s FROM"
        " (SELECT s.track_id AS track_id, min(f.timestamp_s) AS begin_s,"
        " max(max(f.timestamp_s, ifnull(f.until_s, f.timestamp_s))) AS end_s FROM segments s"
        f" JOIN frames f ON f.id = s.frame_id WHERE s.track_id IN {tracks} GROUP BY s.track_id)"
        " AS seen WHERE seen.track_id = tracks.id"
        " AND (tracks.begin_s IS NOT seen.begin_s OR tracks.end_s IS NOT seen.end_s)"
    )
