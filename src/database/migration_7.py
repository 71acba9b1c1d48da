"""The step from schema 6 to 7, which holds all that it needs: no live code changes under it."""

from __future__ import annotations

import os
import sqlite3

from src.database.checksums import checksum_sql, register_checksum

# What m007 adds to the checksum of a row whose old one did not fit, so that the new one does not
# fit either and the row is still mended. It is no single bit: see one_bit_back.
M007_DAMAGED = 0x5A5A5A5A
# The columns of each table as m007 leaves them, without the checksum.
M007_COLUMNS = {
    "segments": "id frame_id kind x y w h area predicted_iou stability_score mask crop_path"
    " track_id parent_id crop_hash fingerprint origin",
    "media_files": "id path content_hash kind width height duration_s captured_at file_size"
    " modified_at_ns status error added_at note root_id relative_path captured_utc_s"
    " captured_zone camera_make camera_model",
    "roots": "id path",
    "decisions": "id segment_id frame_id tag_id has_tag source confidence decided_at batch"
    " undone_at",
}


def m007_groundwork(connection: sqlite3.Connection) -> None:
    """Ids that stay, decisions, roots, tracks, and what is known of frames and capture times.

    `segments.track`, which nobody read, gives its place to `track_id`: columns keep their places,
    so a damaged file of an older schema is still read as one of this. New columns are nullable
    for the same reason. The tables with a CHECK of the embedding's size or of the sources of tags
    are made anew without it (https://www.sqlite.org/lang_altertable.html, section 7).

    Checksums are computed by the functions of today's code. They can't change: every row of every
    library holds one. A row that was damaged stays so.
    """
    register_checksum(connection)
    connection.execute("PRAGMA ignore_check_constraints = ON")  # of rows that are damaged
    try:
        _m007_new_tables(connection)
        _m007_segments(connection)
        _m007_embeddings(connection)
        _m007_segment_tags(connection)
        _m007_frames_and_media(connection)
        _decide(connection)
    finally:
        connection.execute("PRAGMA ignore_check_constraints = OFF")
    for table in ("roots", "decisions"):
        checksum = checksum_sql(M007_COLUMNS[table].split())
        connection.execute(f"UPDATE {table} SET checksum = {checksum}")
    connection.execute(
        "INSERT INTO row_counts (name, rows) VALUES"
        " ('roots', (SELECT count(*) FROM roots)), ('tracks', 0),"
        " ('decisions', (SELECT count(*) FROM decisions))"
    )


def _m007_new_tables(connection: sqlite3.Connection) -> None:
    for statement in (
        """CREATE TABLE roots (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            path TEXT NOT NULL UNIQUE,
            checksum INTEGER
        )""",
        """CREATE TABLE tracks (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            media_file_id INTEGER NOT NULL REFERENCES media_files (id) ON DELETE CASCADE,
            begin_s REAL,
            end_s REAL,
            checksum INTEGER
        )""",
        "CREATE INDEX tracks_by_media_file ON tracks (media_file_id)",
        """CREATE TABLE decisions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            segment_id TEXT REFERENCES segments (id) ON DELETE CASCADE,
            frame_id INTEGER REFERENCES frames (id) ON DELETE CASCADE,
            tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
            has_tag INTEGER NOT NULL CHECK (has_tag IN (0, 1)),
            source TEXT NOT NULL,
            confidence REAL NOT NULL,
            decided_at REAL,
            batch TEXT,
            undone_at REAL,
            checksum INTEGER,
            CHECK ((segment_id IS NULL) != (frame_id IS NULL))
        )""",
        "CREATE INDEX decisions_by_segment ON decisions (segment_id, tag_id)",
        "CREATE INDEX decisions_by_frame ON decisions (frame_id, tag_id)",
        "CREATE INDEX decisions_by_batch ON decisions (batch)",
    ):
        connection.execute(statement)


def _m007_segments(connection: sqlite3.Connection) -> None:
    """An id that stays, beside a fingerprint of what it stood for, and what made the segment."""
    old = "id frame_id kind x y w h area predicted_iou stability_score mask crop_path track"
    fits = checksum_sql([*old.split(), "parent_id", "crop_hash"])
    for statement in (
        """CREATE TABLE new_segments (
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
            track_id INTEGER REFERENCES tracks (id) ON DELETE SET NULL,
            parent_id TEXT,
            checksum INTEGER,
            crop_hash TEXT,
            fingerprint TEXT,
            origin TEXT
        )""",
        # a NULL in the place of what there has to be is damage, and another value as wrong
        f"""INSERT OR IGNORE INTO new_segments (rowid, id, frame_id, kind, x, y, w, h, area,
                predicted_iou, stability_score, mask, crop_path, parent_id, crop_hash,
                fingerprint, origin, checksum)
            SELECT rowid, id, ifnull(frame_id, 0), ifnull(kind, ''), ifnull(x, 0), ifnull(y, 0),
                ifnull(w, 0), ifnull(h, 0), ifnull(area, 0), predicted_iou, stability_score,
                mask, ifnull(crop_path, ''), parent_id, crop_hash, id, 'sam',
                CASE WHEN checksum IS NULL THEN NULL
                    WHEN checksum = {fits} THEN 0 ELSE {M007_DAMAGED} END
            FROM segments ORDER BY rowid""",
        "DROP TABLE segments",
        "ALTER TABLE new_segments RENAME TO segments",
        "CREATE INDEX segments_by_frame ON segments (frame_id)",
        "CREATE INDEX segments_by_track ON segments (track_id)",
        "CREATE UNIQUE INDEX segments_by_fingerprint ON segments (fingerprint)",
        f"""UPDATE segments SET checksum = checksum
            + {checksum_sql(M007_COLUMNS["segments"].split())}""",
    ):
        connection.execute(statement)


def _m007_embeddings(connection: sqlite3.Connection) -> None:
    """Without a CHECK of the vector's size, which depends on the model."""
    for statement in (
        """CREATE TABLE new_embeddings (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            segment_id TEXT NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
            model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
            vector BLOB NOT NULL,
            checksum INTEGER,
            UNIQUE (segment_id, model_id)
        )""",
        """INSERT OR IGNORE INTO new_embeddings (id, segment_id, model_id, vector, checksum)
            SELECT id, ifnull(segment_id, ''), ifnull(model_id, 0), ifnull(vector, x''), checksum
            FROM embeddings ORDER BY id""",
        # no id is given a second time, of what was deleted before, either
        """INSERT INTO sqlite_sequence (name, seq)
            SELECT 'new_embeddings', 0 WHERE NOT EXISTS
            (SELECT 1 FROM sqlite_sequence WHERE name = 'new_embeddings')""",
        """UPDATE sqlite_sequence SET seq = max(seq, ifnull(
                (SELECT seq FROM sqlite_sequence WHERE name = 'embeddings'), 0))
            WHERE name = 'new_embeddings'""",
        "DROP TABLE embeddings",
        "ALTER TABLE new_embeddings RENAME TO embeddings",
        "CREATE INDEX embeddings_by_model ON embeddings (model_id)",
        """CREATE TRIGGER embeddings_added AFTER INSERT ON embeddings BEGIN
            INSERT INTO unindexed (embedding_id) VALUES (new.id);
            DELETE FROM index_removals
            WHERE segment_id = new.segment_id AND model_id = new.model_id;
        END""",
        """CREATE TRIGGER embeddings_removed BEFORE DELETE ON embeddings BEGIN
            INSERT OR IGNORE INTO index_removals (segment_id, model_id)
            VALUES (old.segment_id, old.model_id);
        END""",
    ):
        connection.execute(statement)


def _m007_segment_tags(connection: sqlite3.Connection) -> None:
    """Without a CHECK of the sources, of which there will be more."""
    for statement in (
        """CREATE TABLE new_segment_tags (
            segment_id TEXT NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
            tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
            confidence REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
            source TEXT NOT NULL,
            checksum INTEGER,
            PRIMARY KEY (segment_id, tag_id)
        ) WITHOUT ROWID""",
        """INSERT OR IGNORE INTO new_segment_tags
                (segment_id, tag_id, confidence, source, checksum)
            SELECT segment_id, tag_id, ifnull(confidence, -1), ifnull(source, ''), checksum
            FROM segment_tags""",
        "DROP TABLE segment_tags",
        "ALTER TABLE new_segment_tags RENAME TO segment_tags",
        "CREATE INDEX segment_tags_by_tag ON segment_tags (tag_id, confidence, segment_id, source)",
    ):
        connection.execute(statement)


def _m007_frames_and_media(connection: sqlite3.Connection) -> None:
    """What a later look at a frame finds, and of a file its root, its moment and its camera."""
    for column in ("until_s REAL", "dhash TEXT", "sharpness REAL"):
        connection.execute(f"ALTER TABLE frames ADD COLUMN {column}")
    old = M007_COLUMNS["media_files"].split()
    fits = checksum_sql(old[: old.index("root_id")])
    damaged = connection.execute(f"SELECT id FROM media_files WHERE checksum != {fits}").fetchall()
    for column in (
        "root_id INTEGER REFERENCES roots (id)",
        "relative_path TEXT",
        "captured_utc_s REAL",
        "captured_zone TEXT",
        "camera_make TEXT",
        "camera_model TEXT",
    ):
        connection.execute(f"ALTER TABLE media_files ADD COLUMN {column}")
    _set_roots_and_moments(connection)
    connection.execute(
        f"UPDATE media_files SET checksum = {checksum_sql(old)} WHERE checksum IS NOT NULL"
    )
    connection.executemany(
        f"UPDATE media_files SET checksum = checksum + {M007_DAMAGED} WHERE id = ?", damaged
    )


def complete_old_rows(connection: sqlite3.Connection) -> None:
    """Compute for rows that a recovery took from an older file what the step computes."""
    # where another one has it already, an edited segment, there is none
    connection.execute("UPDATE OR IGNORE segments SET fingerprint = id WHERE fingerprint IS NULL")
    connection.execute("UPDATE segments SET origin = 'sam' WHERE origin IS NULL")
    _set_roots_and_moments(connection)
    _decide(connection)


def _set_roots_and_moments(connection: sqlite3.Connection) -> None:
    """Give media files without a root the topmost folder that holds any, and set their instants.

    A time without a zone is taken for one of UTC, which is not known: the zone says so.
    """
    paths = connection.execute(
        "SELECT id, CAST(path AS BLOB) FROM media_files WHERE root_id IS NULL"
        " AND typeof(path) = 'text'"
    ).fetchall()
    known = dict(connection.execute("SELECT path, id FROM roots").fetchall())
    root = b""
    # with the separator "a" comes right before "a/b", and "a b" after both
    folders = sorted((os.path.join(os.path.dirname(path), b""), path, row) for row, path in paths)
    for folder, path, media_file_id in folders:
        if not root or not folder.startswith(root):
            root = folder
        try:
            name = os.path.normpath(root).decode()
            inside = path[len(root) :].decode().replace(os.sep, "/")
        except UnicodeDecodeError:  # damaged
            continue
        if not os.path.isabs(name):  # the same; it is where it was found
            continue
        if name not in known:
            added = connection.execute("INSERT INTO roots (path) VALUES (?)", (name,))
            known[name] = added.lastrowid
        connection.execute(
            "UPDATE media_files SET root_id = ?, relative_path = ? WHERE id = ?",
            (known[name], inside, media_file_id),
        )
    connection.execute(
        """UPDATE media_files SET
            captured_utc_s = round((julianday(captured_at) - 2440587.5) * 86400, 3),
            captured_zone = CASE
                WHEN captured_at GLOB '*T*Z' THEN 'UTC'
                WHEN captured_at GLOB '*T*[+-][0-9][0-9]:[0-9][0-9]' THEN substr(captured_at, -6)
                ELSE 'unknown' END
        WHERE captured_utc_s IS NULL AND typeof(captured_at) = 'text'
            AND captured_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'
            AND julianday(captured_at) IS NOT NULL"""
    )


def _decide(connection: sqlite3.Connection) -> None:
    """Write down as decisions what people gave and took off, where nothing is decided yet.

    When that was nobody knows, nor what else was done in the same act.
    """
    undecided = """NOT EXISTS (SELECT 1 FROM decisions d
        WHERE d.segment_id = t.segment_id AND d.tag_id = t.tag_id)"""
    of_tags = checksum_sql(["segment_id", "tag_id", "confidence", "source"], "t.")
    of_removed = checksum_sql(["segment_id", "tag_id"], "t.")
    for statement in (
        f"""INSERT OR IGNORE INTO decisions (segment_id, tag_id, has_tag, source, confidence)
            SELECT segment_id, tag_id, 1, source, confidence FROM segment_tags t
            WHERE source != 'auto' AND ifnull(checksum, {of_tags}) = {of_tags} AND {undecided}
            ORDER BY segment_id, tag_id""",
        f"""INSERT OR IGNORE INTO decisions (segment_id, tag_id, has_tag, source, confidence)
            SELECT segment_id, tag_id, 0, 'human', 1 FROM removed_tags t
            WHERE ifnull(checksum, {of_removed}) = {of_removed} AND {undecided}
            ORDER BY segment_id, tag_id""",
    ):
        connection.execute(statement)
