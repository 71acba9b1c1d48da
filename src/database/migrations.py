"""The library's schema, as a list of steps. A step that has landed never changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from src.database.checksums import fill_checksums
from src.database.migration_7 import m007_groundwork
from src.database.migration_10 import m010_labels
from src.database.migration_11 import m011_tracks
from src.database.segment_parents import set_parents
from src.database.transactions import transaction
from src.errors import DatabaseError


def m001_initial(connection: sqlite3.Connection) -> None:
    """The specification's four tables and what they need beside them."""
    for statement in (
        """CREATE TABLE media_files (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            path TEXT NOT NULL UNIQUE,
            content_hash TEXT UNIQUE,
            kind TEXT NOT NULL CHECK (kind IN ('image', 'video')),
            width INTEGER,
            height INTEGER,
            duration_s REAL,
            captured_at TEXT,
            file_size INTEGER NOT NULL,
            modified_at_ns INTEGER NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('pending', 'processing', 'done', 'failed')),
            error TEXT,
            added_at REAL NOT NULL
        )""",
        """CREATE TABLE frames (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            media_file_id INTEGER NOT NULL REFERENCES media_files (id) ON DELETE CASCADE,
            frame_index INTEGER NOT NULL,
            timestamp_s REAL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            UNIQUE (media_file_id, frame_index)
        )""",
        """CREATE TABLE segments (
            id TEXT PRIMARY KEY,
            frame_id INTEGER NOT NULL REFERENCES frames (id) ON DELETE CASCADE,
            kind TEXT NOT NULL CHECK (kind IN ('frame', 'object')),
            x INTEGER NOT NULL,
            y INTEGER NOT NULL,
            w INTEGER NOT NULL,
            h INTEGER NOT NULL,
            area INTEGER NOT NULL,
            predicted_iou REAL,
            stability_score REAL,
            mask BLOB,
            crop_path TEXT NOT NULL,
            track INTEGER
        )""",
        "CREATE INDEX segments_by_frame ON segments (frame_id)",
        """CREATE TABLE tags (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE COLLATE NOCASE,
            prompt TEXT,
            added_by TEXT NOT NULL
        )""",
        """CREATE TABLE segment_tags (
            segment_id TEXT NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
            tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
            confidence REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
            source TEXT NOT NULL CHECK (source IN ('auto', 'human', 'propagated')),
            PRIMARY KEY (segment_id, tag_id)
        ) WITHOUT ROWID""",
        "CREATE INDEX segment_tags_by_tag ON segment_tags (tag_id, confidence)",
        "CREATE TABLE models (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        """CREATE TABLE embeddings (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            segment_id TEXT NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
            model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
            vector BLOB NOT NULL CHECK (length(vector) = 2048),
            UNIQUE (segment_id, model_id)
        )""",
        "CREATE INDEX embeddings_by_model ON embeddings (model_id)",
        # What Chroma still has to be told: kept apart from the embeddings, so that telling it
        # does not write every vector a second time.
        """CREATE TABLE unindexed (
            embedding_id INTEGER PRIMARY KEY REFERENCES embeddings (id) ON DELETE CASCADE
        )""",
        """CREATE TABLE index_removals (
            segment_id TEXT NOT NULL,
            model_id INTEGER NOT NULL,
            PRIMARY KEY (segment_id, model_id)
        ) WITHOUT ROWID""",
        """CREATE TRIGGER embeddings_added AFTER INSERT ON embeddings BEGIN
            INSERT INTO unindexed (embedding_id) VALUES (new.id);
            DELETE FROM index_removals
            WHERE segment_id = new.segment_id AND model_id = new.model_id;
        END""",
        """CREATE TRIGGER embeddings_removed BEFORE DELETE ON embeddings BEGIN
            INSERT OR IGNORE INTO index_removals (segment_id, model_id)
            VALUES (old.segment_id, old.model_id);
        END""",
        "CREATE TABLE info (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    ):
        connection.execute(statement)


def m002_sam_of_frames(connection: sqlite3.Connection) -> None:
    """Which SAM cut a frame; NULL where that was before anyone wrote it down."""
    connection.execute("ALTER TABLE frames ADD COLUMN sam TEXT")


def m003_parents(connection: sqlite3.Connection) -> None:
    """In which segment of its frame each lies."""
    connection.execute("ALTER TABLE segments ADD COLUMN parent_id TEXT")
    for row in connection.execute("SELECT id FROM frames ORDER BY id").fetchall():
        set_parents(connection, row[0])


def m004_removed_tags(connection: sqlite3.Connection) -> None:
    """What a person has said a segment is not: no model gives it that tag again."""
    connection.execute(
        """CREATE TABLE removed_tags (
            segment_id TEXT NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
            tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
            PRIMARY KEY (segment_id, tag_id)
        ) WITHOUT ROWID"""
    )


def m005_checksums(connection: sqlite3.Connection) -> None:
    """A checksum in every row, the hash of every crop, and the number of rows of every table.

    What people decided stands in two places of the file from here on: the table and an index
    with all of its columns.
    """
    for table in (
        "models",
        "media_files",
        "frames",
        "segments",
        "tags",
        "embeddings",
        "segment_tags",
        "removed_tags",
        "info",
    ):
        connection.execute(f"ALTER TABLE {table} ADD COLUMN checksum INTEGER")
    for statement in (
        "ALTER TABLE segments ADD COLUMN crop_hash TEXT",
        "CREATE TABLE row_counts (name TEXT PRIMARY KEY, rows INTEGER NOT NULL) WITHOUT ROWID",
        "DROP INDEX segment_tags_by_tag",
        "CREATE INDEX segment_tags_by_tag ON segment_tags (tag_id, confidence, segment_id, source)",
        "CREATE INDEX removed_tags_by_tag ON removed_tags (tag_id, segment_id)",
    ):
        connection.execute(statement)
    fill_checksums(connection)


def m006_notes_and_removed_media(connection: sqlite3.Connection) -> None:
    """What there is to know of a sound file, and which files a person has removed."""
    connection.execute("ALTER TABLE media_files ADD COLUMN note TEXT")
    connection.execute(
        """CREATE TABLE removed_media (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            path TEXT NOT NULL UNIQUE,
            content_hash TEXT,
            removed_at REAL NOT NULL,
            checksum INTEGER
        )"""
    )
    connection.execute("CREATE INDEX removed_media_by_content ON removed_media (content_hash)")
    connection.execute("INSERT INTO row_counts (name, rows) VALUES ('removed_media', 0)")


def m008_duplicates(connection: sqlite3.Connection) -> None:
    """Groups of media files that are almost equal, and what people said of them."""
    for statement in (
        """CREATE TABLE duplicate_groups (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            verdict TEXT NOT NULL CHECK (verdict IN ('open', 'hidden', 'kept', 'apart')),
            decided_at REAL,
            checksum INTEGER
        )""",
        """CREATE TABLE duplicate_files (
            group_id INTEGER NOT NULL REFERENCES duplicate_groups (id) ON DELETE CASCADE,
            media_file_id INTEGER NOT NULL REFERENCES media_files (id) ON DELETE CASCADE,
            is_hidden INTEGER NOT NULL CHECK (is_hidden IN (0, 1)),
            checksum INTEGER,
            PRIMARY KEY (group_id, media_file_id)
        ) WITHOUT ROWID""",
        "CREATE INDEX duplicate_files_by_media_file ON duplicate_files (media_file_id)",
        "INSERT INTO row_counts (name, rows) VALUES ('duplicate_groups', 0)",
        "INSERT INTO row_counts (name, rows) VALUES ('duplicate_files', 0)",
    ):
        connection.execute(statement)


def m009_dataset_splits(connection: sqlite3.Connection) -> None:
    """On which side of a split each media file was when a dataset was exported.

    It refers to no row of media_files: a file that is removed and added again, under another id,
    is on the same side.
    """
    for statement in (
        """CREATE TABLE dataset_splits (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            shares TEXT NOT NULL,
            seed INTEGER NOT NULL,
            media_file_id INTEGER NOT NULL,
            content_hash TEXT,
            side TEXT NOT NULL CHECK (side IN ('train', 'val', 'test')),
            checksum INTEGER,
            UNIQUE (name, shares, seed, media_file_id)
        )""",
        "INSERT INTO row_counts (name, rows) VALUES ('dataset_splits', 0)",
    ):
        connection.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m001_initial,
    m002_sam_of_frames,
    m003_parents,
    m004_removed_tags,
    m005_checksums,
    m006_notes_and_removed_media,
    m007_groundwork,
    m008_duplicates,
    m009_dataset_splits,
    m010_labels,
    m011_tracks,
)


def check_version(connection: sqlite3.Connection, path: Path) -> int:
    """Read which steps a library has had.

    Raises:
        DatabaseError: it was made by a newer version.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise DatabaseError(
            f"{path}: made by a newer version of this program (schema {version}, this one "
            f"knows {len(MIGRATIONS)}); install the newer version to open it"
        )
    return version


def migrate(connection: sqlite3.Connection, path: Path, up_to: int | None = None) -> None:
    """Bring a library to this program's schema, one transaction a step.

    Args:
        connection: in autocommit mode (isolation_level None).
        path: the file, for messages.
        up_to: the last step to take; all of them when None.

    Raises:
        DatabaseError: the library was made by a newer version; it is left untouched.
    """
    version = check_version(connection, path)
    enforced = connection.execute("PRAGMA foreign_keys").fetchone()[0]
    # a table that is made anew must not take with it what refers to it
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        for number, step in enumerate(MIGRATIONS[version:up_to], start=version + 1):
            with transaction(connection):
                step(connection)
                connection.execute(f"PRAGMA user_version = {number}")
    finally:
        connection.execute(f"PRAGMA foreign_keys = {enforced}")
