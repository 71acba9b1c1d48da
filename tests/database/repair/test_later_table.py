"""A table that a later migration adds is watched, backed up, mended and recovered unnamed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.database import connection, migrations
from src.database.backup import open_backup
from src.database.metadata_db import MetadataDatabase
from src.database.migrations import MIGRATIONS
from tests.database.repair.test_mending import mark
from tests.database.repair.test_recovery import back_up_now, damage_pages, filled
from tests.database.repair.test_recovery_kinds import root_of


def m_notes(db: sqlite3.Connection) -> None:
    db.execute(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, segment_id TEXT NOT NULL"
        " REFERENCES segments (id) ON DELETE CASCADE, words TEXT NOT NULL, checksum INTEGER)"
    )
    db.execute("CREATE INDEX notes_by_segment ON notes (segment_id)")
    db.execute("INSERT INTO row_counts (name, rows) VALUES ('notes', 0)")


@pytest.fixture
def library(paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch) -> LibraryPaths:
    for module in (migrations, connection):
        monkeypatch.setattr(module, "MIGRATIONS", (*MIGRATIONS, m_notes))
    filled(paths, 3)
    with closing(MetadataDatabase(paths)) as metadata, metadata.connection.write() as db:
        db.executemany(
            "INSERT INTO notes (segment_id, words) VALUES (?, ?)",
            [(f"{i % 3}.jpg-0000{i % 9}", f"note {i}") for i in range(1000)],
        )
    return paths


def notes(file: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as db:
        return db.execute("SELECT * FROM notes ORDER BY id").fetchall()


def test_its_rows_are_watched(library: LibraryPaths) -> None:
    before = notes(library.metadata_db)
    assert len(before) == 1000 and all(row[-1] is not None for row in before)
    with closing(MetadataDatabase(library)) as metadata:
        assert metadata.miscounted() == {} and metadata.damaged_rows() == []


def test_it_is_recovered(library: LibraryPaths) -> None:
    before = notes(library.metadata_db)
    damage_pages(library.metadata_db, [root_of(library.metadata_db, "frames") - 1])
    with closing(MetadataDatabase(library, examine=True)) as metadata:
        assert metadata.connection.recovered is not None
        assert "notes" not in metadata.connection.recovered.lost
    assert notes(library.metadata_db) == before


@pytest.mark.parametrize("has_backup", [True, False])
def test_its_damaged_rows_are_mended(library: LibraryPaths, has_backup: bool) -> None:
    before = notes(library.metadata_db)
    if has_backup:
        with open_backup(back_up_now(library)) as saved:
            assert len(saved.execute("SELECT id FROM notes").fetchall()) == 1000
    with closing(sqlite3.connect(library.metadata_db)) as db:
        # without a backup one changed bit, which the checksum says
        words = "another text" if has_backup else "note 7".replace("7", "6")
        db.execute("UPDATE notes SET words = ? WHERE words = 'note 7'", (words,))
        db.commit()
    mark(library)
    with closing(MetadataDatabase(library)) as metadata:
        mended = metadata.connection.mended
        assert mended is not None and [row.table for row in mended.damaged] == ["notes"]
    assert notes(library.metadata_db) == before


def test_its_orphans_go_with_what_they_belong_to(library: LibraryPaths) -> None:
    with closing(MetadataDatabase(library)) as metadata:
        metadata.remove_media(1)
        assert metadata.miscounted() == {}
    assert all(str(row[1])[0] != "0" for row in notes(library.metadata_db))
