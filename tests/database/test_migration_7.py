"""A library made by the version before schema 7 is opened without loss.

library_of_schema_6.zip was made by that version with the starter models (six points a side): three
drawn scenes and a film of two seconds, tags given and taken off by a person, one file removed and
one that was never begun, since the person stopped.
"""

from __future__ import annotations

import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.database.backup import backups
from src.database.metadata_db import MetadataDatabase
from src.database.migrations import MIGRATIONS
from src.database.stopped import stopped_media
from src.search.filters import EVERYTHING
from tests.database.test_checksums import unsound

FIXTURE = Path(__file__).with_name("library_of_schema_6.zip")
KEYS = {
    "media_files": "id", "frames": "id", "segments": "rowid", "tags": "id", "embeddings": "id",
    "segment_tags": "segment_id, tag_id", "removed_tags": "segment_id, tag_id", "models": "id",
    "info": "key", "removed_media": "id", "sqlite_sequence": "name", "unindexed": "embedding_id",
    "index_removals": "segment_id, model_id", "row_counts": "name",
}  # fmt: skip


def unpack(paths: LibraryPaths) -> None:
    with zipfile.ZipFile(FIXTURE) as archive:
        archive.extractall(paths.root)


def tables_of(file: Path) -> dict[str, list[dict[str, object]]]:
    """Read all rows of all tables, in the order of their keys."""
    with closing(sqlite3.connect(file)) as db:
        db.row_factory = sqlite3.Row
        names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: [dict(row) for row in db.execute(f"SELECT * FROM {name} ORDER BY {KEYS[name]}")]
            for (name,) in names
            if name in KEYS
        }


def test_every_row_is_there_with_all_that_it_held(paths: LibraryPaths) -> None:
    unpack(paths)
    before = tables_of(paths.metadata_db)
    assert before.keys() == KEYS.keys()
    assert len(before["segments"]) == 41 and len(before["removed_tags"]) == 4
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.connection.recovered is None and metadata.connection.mended is None
        assert metadata.damaged_rows() == [] and metadata.integrity_problems() == []
        assert metadata.miscounted() == {}
        assert len(stopped_media(metadata)) == 1
        assert len(metadata.segments_where(EVERYTHING, with_masks=True)) == 41
    after = tables_of(paths.metadata_db)
    made_anew = {"checksum", "track"}
    for table, rows in before.items():
        if table in ("row_counts", "sqlite_sequence"):
            continue
        kept = [
            {column: value for column, value in row.items() if column not in made_anew}
            for row in rows
        ]
        assert [
            {column: new[column] for column in old}
            for new, old in zip(after[table], kept, strict=True)
        ] == kept, table
    # no row id is given twice, and rows are counted as before
    for table in ("row_counts", "sqlite_sequence"):
        rows_after = [list(row.values()) for row in after[table]]
        assert all(list(row.values()) in rows_after for row in before[table]), table
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert unsound(db) == []


def test_a_backup_of_before_is_kept(paths: LibraryPaths) -> None:
    unpack(paths)
    before = tables_of(paths.metadata_db)
    MetadataDatabase(paths).close()
    (backup,) = backups(paths.metadata_db)
    assert tables_of(backup) == before


def test_ids_stay_and_are_fingerprints(paths: LibraryPaths) -> None:
    unpack(paths)
    MetadataDatabase(paths).close()
    for row in tables_of(paths.metadata_db)["segments"]:
        assert row["fingerprint"] == row["id"] and row["origin"] == "sam"
        assert row["track_id"] is None and "track" not in row


def test_what_people_did_is_decided(paths: LibraryPaths) -> None:
    unpack(paths)
    MetadataDatabase(paths).close()
    tables = tables_of(paths.metadata_db)
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        found = db.execute(
            "SELECT segment_id, tag_id, has_tag, source, confidence, frame_id, decided_at, batch,"
            " undone_at FROM decisions"
        ).fetchall()
    given = {
        (row["segment_id"], row["tag_id"], 1, "human", 1.0, *[None] * 4)
        for row in tables["segment_tags"]
        if row["source"] == "human"
    }
    taken = {
        (row["segment_id"], row["tag_id"], 0, "human", 1.0, *[None] * 4)
        for row in tables["removed_tags"]
    }
    assert len(given) == 5 and len(taken) == 4
    assert set(found) == given | taken and len(found) == 9


def test_files_have_roots_and_moments(paths: LibraryPaths) -> None:
    unpack(paths)
    MetadataDatabase(paths).close()
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        assert db.execute("SELECT path FROM roots").fetchall() == [("/tmp/photos",)]
        found = db.execute(
            "SELECT relative_path, captured_utc_s, captured_zone FROM media_files ORDER BY id"
        ).fetchall()
    assert found == [
        ("scene 0.jpg", 1577901845.0, "+09:00"),
        ("scene 2.png", None, None),
        ("clip.mp4", None, None),
        ("more/scene 3.png", None, None),
    ]


@pytest.mark.parametrize(
    ("table", "change"),
    [("segments", "predicted_iou = 0.25"), ("media_files", "width = width + 3")],
)
def test_a_damaged_row_is_no_sound_one_afterwards(
    paths: LibraryPaths, table: str, change: str
) -> None:
    unpack(paths)
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        db.execute(f"UPDATE {table} SET {change} WHERE rowid = 3")
        db.commit()
    with closing(MetadataDatabase(paths)) as metadata:
        damaged = metadata.damaged_rows()
        assert [row.table for row in damaged] == [table] and "checksum" in damaged[0].reason
