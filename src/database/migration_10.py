"""The step from schema 9 to 10, which holds all that it needs: no live code changes under it."""

from __future__ import annotations

import sqlite3

from src.database.checksums import checksum_sql, register_checksum

_COLOURS = "#E6B450 #F0686C #5B96EE #5CC98B #E39BC4 #C79A6B #B08CF0 #8E8E97".split()
# The columns of `tags` as m010 leaves them, without the checksum.
_TAGS = "id name prompt added_by colour position attributes".split()
_CHECKSUM = checksum_sql(_TAGS)


def m010_labels(connection: sqlite3.Connection) -> None:
    """Labels, their attributes, masks that people edited or removed, and what undo needs of all.

    A tag with a position is a label. What people have given so far becomes one. New columns are
    nullable, so the checksums of rows that are not changed stay as they are.
    """
    register_checksum(connection)
    for column in ("colour TEXT", "position INTEGER", "attributes TEXT"):
        connection.execute(f"ALTER TABLE tags ADD COLUMN {column}")
    for statement in (
        """CREATE TABLE segment_attributes (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            segment_id TEXT NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
            tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            value,
            source TEXT NOT NULL,
            decided_at REAL,
            batch TEXT,
            undone_at REAL,
            checksum INTEGER
        )""",
        """CREATE INDEX segment_attributes_by_segment
            ON segment_attributes (segment_id, tag_id, name)""",
        "CREATE INDEX segment_attributes_by_batch ON segment_attributes (batch)",
        # What another act took back: a label that is removed, renamed or merged, an answer that is
        # cleared. While such an act is itself undone it takes nothing back.
        """CREATE TABLE retractions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            batch TEXT NOT NULL,
            decision_id INTEGER REFERENCES decisions (id) ON DELETE CASCADE,
            attribute_id INTEGER REFERENCES segment_attributes (id) ON DELETE CASCADE,
            undone_at REAL,
            checksum INTEGER
        )""",
        "CREATE INDEX retractions_by_batch ON retractions (batch)",
        "CREATE INDEX retractions_by_decision ON retractions (decision_id)",
        "CREATE INDEX retractions_by_attribute ON retractions (attribute_id)",
        # A label (name, colour, position, attributes) before and after an act, as JSON.
        """CREATE TABLE label_acts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            batch TEXT NOT NULL,
            tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
            before TEXT NOT NULL,
            after TEXT NOT NULL,
            undone_at REAL,
            checksum INTEGER
        )""",
        "CREATE INDEX label_acts_by_batch ON label_acts (batch)",
        # Disagreements that a person has looked at and left as they are.
        """CREATE TABLE settled_disagreements (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            batch TEXT NOT NULL,
            kind TEXT NOT NULL,
            segment_id TEXT NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
            tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
            other_segment_id TEXT REFERENCES segments (id) ON DELETE CASCADE,
            other_tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
            undone_at REAL,
            checksum INTEGER
        )""",
        "CREATE INDEX settled_disagreements_by_segment ON settled_disagreements (segment_id)",
        "CREATE INDEX settled_disagreements_by_batch ON settled_disagreements (batch)",
        # A segment before and after an edit, as JSON. It may be gone, or not be there yet.
        """CREATE TABLE segment_edits (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            batch TEXT NOT NULL,
            segment_id TEXT NOT NULL,
            frame_id INTEGER NOT NULL REFERENCES frames (id) ON DELETE CASCADE,
            before BLOB,
            after BLOB,
            edited_at REAL,
            undone_at REAL,
            checksum INTEGER
        )""",
        "CREATE INDEX segment_edits_by_batch ON segment_edits (batch)",
        "CREATE INDEX segment_edits_by_frame ON segment_edits (frame_id)",
        # What a person has removed from a frame: nothing automatic finds it again.
        """CREATE TABLE removed_segments (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            frame_id INTEGER NOT NULL REFERENCES frames (id) ON DELETE CASCADE,
            mask BLOB,
            x INTEGER NOT NULL,
            y INTEGER NOT NULL,
            w INTEGER NOT NULL,
            h INTEGER NOT NULL,
            batch TEXT NOT NULL,
            removed_at REAL,
            checksum INTEGER
        )""",
        "CREATE INDEX removed_segments_by_frame ON removed_segments (frame_id)",
        "CREATE INDEX removed_segments_by_batch ON removed_segments (batch)",
        """INSERT INTO row_counts (name, rows) VALUES ('segment_attributes', 0),
            ('label_acts', 0), ('retractions', 0), ('settled_disagreements', 0),
            ('segment_edits', 0), ('removed_segments', 0)""",
    ):
        connection.execute(statement)
    _make_labels(connection, f"ifnull(checksum, {_CHECKSUM}) = {_CHECKSUM}")
    connection.execute(
        f"UPDATE tags SET checksum = {_CHECKSUM} WHERE position IS NOT NULL"
        " AND checksum IS NOT NULL"
    )


def complete_old_labels(connection: sqlite3.Connection) -> None:
    """Make labels of rows that a recovery took from an older file, as the step does."""
    _make_labels(connection, "1")


def _make_labels(connection: sqlite3.Connection, condition: str) -> None:
    """Make a label of each tag that people have given and that is none, in the order of its id."""
    rows = connection.execute(
        f"SELECT id FROM tags WHERE position IS NULL AND {condition} AND EXISTS (SELECT 1"
        " FROM segment_tags st WHERE st.tag_id = tags.id AND st.source IN ('human', 'imported'))"
        " ORDER BY id"
    ).fetchall()
    last = connection.execute("SELECT ifnull(max(position), -1) FROM tags").fetchone()[0]
    for position, (tag_id,) in enumerate(rows, last + 1):
        colour = _COLOURS[position % len(_COLOURS)]
        connection.execute(
            "UPDATE tags SET position = ?, colour = ? WHERE id = ?", (position, colour, tag_id)
        )
