"""A library whose schema is not the one that the migrations make is not opened as it is."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.database.migrations import MIGRATIONS
from src.errors import DatabaseError
from src.records import Tag
from tests.conftest import add_media_with, unit_vectors


@pytest.fixture
def library(paths: LibraryPaths) -> LibraryPaths:
    with closing(MetadataDatabase(paths)) as metadata:
        add_media_with(metadata, unit_vectors(3))
        metadata.add_tags("a.jpg-00001", [Tag("mine", 1.0, "human")], "human")
    return paths


def execute(paths: LibraryPaths, *statements: str) -> None:
    with closing(sqlite3.connect(paths.metadata_db, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def rows(path: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()


PLANTED = {
    "eraser": "CREATE TRIGGER eraser AFTER INSERT ON media_files BEGIN DELETE FROM segments; END",
    "loader": "CREATE TRIGGER loader BEFORE DELETE ON tags BEGIN SELECT load_extension('x'); END",
    "peeping": "CREATE VIEW peeping AS SELECT readfile('/etc/passwd')",
    "theirs": "CREATE TABLE theirs (x)",
    "slow": "CREATE INDEX slow ON segments (length(hex(zeroblob(area))))",
    "virtual": "CREATE VIRTUAL TABLE virtual USING fts5(x)",
}


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("read_only", [False, True], ids=["to write", "to read"])
def test_what_was_planted_is_refused_by_its_name(
    library: LibraryPaths, name: str, read_only: bool
) -> None:
    execute(library, PLANTED[name])
    before = library.metadata_db.read_bytes()
    with pytest.raises(DatabaseError, match=rf"did not make .*{name}"):
        MetadataDatabase(library, read_only=read_only)
    assert library.metadata_db.read_bytes() == before
    kind = "TABLE" if name == "virtual" else PLANTED[name].split()[1]
    execute(library, f"DROP {kind} {name}")
    MetadataDatabase(library).close()


def test_a_trigger_of_ours_that_does_something_else_never_runs(library: LibraryPaths) -> None:
    truth = {table: rows(library.metadata_db, table) for table in ("segments", "segment_tags")}
    execute(
        library,
        "DROP TRIGGER embeddings_added",
        "CREATE TRIGGER embeddings_added AFTER INSERT ON embeddings BEGIN"
        " DELETE FROM segment_tags; DELETE FROM media_files; END",
    )
    with closing(MetadataDatabase(library)) as metadata:
        assert metadata.connection.recovered is not None
        add_media_with(metadata, unit_vectors(1), "b.jpg")
        assert metadata.count_segments() == 4
    for table, expected in truth.items():
        assert [row for row in rows(library.metadata_db, table) if row in expected] == expected


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER embeddings_removed",
        "DROP INDEX segments_by_frame",
        "UPDATE sqlite_schema SET sql = replace(sql, 'frame_id', 'framf_id')"
        " WHERE name = 'segments'",
        "UPDATE sqlite_schema SET name = 'segmentt', tbl_name = 'segmentt' WHERE name = 'segments'",
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE frames (id, broken' WHERE name = 'frames'",
        "UPDATE sqlite_schema SET sql = CAST(x'ff' || substr(sql, 2) AS TEXT)"
        " WHERE name = 'embeddings'",
    ],
)
def test_a_schema_that_lacks_something_is_made_again_and_no_row_is_lost(
    library: LibraryPaths, statement: str
) -> None:
    tables = ("media_files", "frames", "segments", "tags", "segment_tags", "embeddings")
    truth = {table: rows(library.metadata_db, table) for table in tables}
    execute(library, "PRAGMA writable_schema = ON", statement)
    with closing(MetadataDatabase(library)) as metadata:
        assert "nothing is lost" in str(metadata.connection.recovered)
    assert {table: rows(library.metadata_db, table) for table in tables} == truth


def test_what_sqlite_counts_for_itself_is_no_foreign_table(library: LibraryPaths) -> None:
    execute(library, "ANALYZE")
    with closing(MetadataDatabase(library)) as metadata:
        assert metadata.connection.recovered is None and metadata.count_segments() == 3


def test_a_newer_library_with_tables_we_do_not_know_is_called_newer(library: LibraryPaths) -> None:
    execute(library, "CREATE TABLE of_later (id)", f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(DatabaseError, match="newer version"):
        MetadataDatabase(library)


def test_a_trigger_that_only_the_log_holds_is_set_aside_with_the_log(
    library: LibraryPaths,
) -> None:
    copy = library.root.with_name("copy")
    with closing(sqlite3.connect(library.metadata_db, isolation_level=None)) as db:
        db.execute(PLANTED["eraser"])
        shutil.copytree(library.root, copy)  # as a kill leaves it
        db.execute("DROP TRIGGER eraser")
    with closing(MetadataDatabase(LibraryPaths(copy))) as metadata:
        assert "set aside" in str(metadata.connection.recovered)
        add_media_with(metadata, unit_vectors(1), "b.jpg")
        assert metadata.count_segments() == 4
