"""Every row has its checksum and is counted, however it came, changed or went."""

from __future__ import annotations

import shutil
import sqlite3
import zlib
from contextlib import closing

import pytest

from src.config import LibraryPaths
from src.database import connection, migrations
from src.database.backup import back_up, open_backup
from src.database.checksums import checked_columns, register_checksum, row_checksum
from src.database.metadata_db import MetadataDatabase
from src.database.migrations import MIGRATIONS
from src.records import Tag
from tests.conftest import add_media_with, unit_vectors
from tests.old_schema import CHECKED, make_old

FIRST_CHECKED = 5  # from this schema on, rows carry checksums


def unsound(db: sqlite3.Connection) -> list[str]:
    """List the rows whose checksum is wrong and the tables that are counted wrong."""
    db.row_factory = None
    db.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
    found = []
    for table in CHECKED:
        columns = checked_columns(db, table)
        rows = db.execute(f"SELECT checksum, {', '.join(columns)} FROM {table}").fetchall()
        found += [f"{table} {row[1]}" for row in rows if row[0] != row_checksum(*row[1:])]
        counted = db.execute("SELECT rows FROM row_counts WHERE name = ?", (table,)).fetchone()
        if counted != (len(rows),):
            found.append(f"{table} has {len(rows)} rows, counted {counted}")
    return found


def assert_sound(metadata: MetadataDatabase) -> None:
    with closing(sqlite3.connect(metadata.paths.metadata_db)) as db:
        assert unsound(db) == []


def filled(metadata: MetadataDatabase) -> None:
    for number in range(3):
        name = f"{number}.jpg"
        add_media_with(metadata, unit_vectors(5, seed=number), name)
        metadata.add_tags(f"{name}-00003", [Tag("cat", 0.5, "auto")], "vocabulary")
        metadata.add_tags(f"{name}-00002", [Tag("Älpler", 1.0, "human")], "human")
        metadata.remove_tag(f"{name}-00004", "cat")
    metadata.set_info("key", "value")


def test_each_value_counts_with_its_place_and_type() -> None:
    assert row_checksum() == row_checksum(None, None) == 0
    rows = [(1,), (1.0,), ("1",), (b"1",), (None, 1), (0,), ("",), (b"",), (1, 1)]
    assert len({row_checksum(*row) for row in rows}) == len(rows)
    assert row_checksum(1, "a") == row_checksum(1, "a", None)
    assert row_checksum(-0.0) == row_checksum(0.0)
    expected = zlib.crc32(b"\0\0i" + (7).to_bytes(8, "little") + b"\2\0t" + "ü".encode())
    assert row_checksum(7, None, "ü") == expected


def test_rows_have_checksums_and_are_counted_from_the_first_on(metadata: MetadataDatabase) -> None:
    assert_sound(metadata)
    filled(metadata)
    assert_sound(metadata)
    reader = metadata.connection.read()
    nulls = [
        reader.execute(f"SELECT count(*) FROM {table} WHERE checksum IS NULL").fetchone()[0]
        for table in CHECKED
    ]
    assert nulls == [0] * len(CHECKED)
    counts = dict(reader.execute("SELECT name, rows FROM row_counts").fetchall())
    assert counts["embeddings"] == 15 and counts["removed_tags"] == 3 and counts["info"] == 1


CHANGES = {
    "update": "UPDATE media_files SET status = 'failed', error = 'x' WHERE id = 1",
    "update of a real": "UPDATE media_files SET duration_s = 5 WHERE id = 1",
    "minus zero": "UPDATE media_files SET duration_s = -0.0 WHERE id = 1",
    "a text in a number's place": "UPDATE frames SET timestamp_s = 'soon' WHERE id = 1",
    "a text that is no UTF-8": "UPDATE media_files SET error = CAST(x'ff00fe' AS TEXT)",
    "another row id": "UPDATE segments SET rowid = 500 WHERE id = '0.jpg-00001'",
    "another key of a table without row ids": "UPDATE info SET key = 'k'",
    "tag moved": "UPDATE segment_tags SET segment_id = '1.jpg-00000' WHERE"
    " segment_id = '0.jpg-00003'",
    "upsert that inserts": "INSERT INTO info (key, value) VALUES ('new', 'v')"
    " ON CONFLICT DO UPDATE SET value = excluded.value",
    "upsert that updates": "INSERT INTO info (key, value) VALUES ('key', 'v')"
    " ON CONFLICT DO UPDATE SET value = excluded.value",
    "upsert that does nothing": "INSERT INTO info (key, value) VALUES ('key', 'v')"
    " ON CONFLICT DO NOTHING",
    "or ignore": "INSERT OR IGNORE INTO models (name) VALUES ('test-clip@1')",
    "or replace": "INSERT OR REPLACE INTO info (key, value) VALUES ('key', 'v')",
    "or replace by another key": "INSERT OR REPLACE INTO tags (name, added_by) VALUES ('CAT', 'x')",
    "update or replace": "UPDATE OR REPLACE tags SET name = 'cat' WHERE name = 'Älpler'",
    "delete": "DELETE FROM embeddings WHERE id IN (1, 2)",
    "delete of all": "DELETE FROM removed_tags",
    "cascade": "DELETE FROM frames WHERE id = 2",
    "cascade of all": "DELETE FROM media_files",
    "cascade of a tag": "DELETE FROM tags WHERE name = 'cat'",
    "a checksum of its own": "UPDATE info SET checksum = 5, value = 'v'",
    "insert of a checksum": "INSERT INTO info (key, value, checksum) VALUES ('a', 'b', 3)",
}


@pytest.mark.parametrize("sql", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("trusted", ["ON", "OFF"])
def test_checksums_and_counts_follow_every_change(
    metadata: MetadataDatabase, sql: str, trusted: str
) -> None:
    filled(metadata)
    with metadata.connection.write() as db:
        db.execute(f"PRAGMA trusted_schema = {trusted}")
        db.execute(sql)
    assert_sound(metadata)


def test_what_is_rolled_back_is_not_counted(metadata: MetadataDatabase) -> None:
    filled(metadata)
    with pytest.raises(KeyError), metadata.connection.write() as db:
        db.execute("DELETE FROM media_files")
        raise KeyError
    assert_sound(metadata)


def test_other_programs_can_open_and_write_the_file(paths: LibraryPaths) -> None:
    with closing(MetadataDatabase(paths)) as metadata:
        filled(metadata)
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert "checksum_of_row" not in str(db.execute("SELECT sql FROM sqlite_master").fetchall())
        db.execute("UPDATE info SET value = 'theirs'")
        db.commit()
        assert unsound(db) == ["info key"]


def test_a_column_that_comes_later_leaves_old_checksums_valid(
    paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(MetadataDatabase(paths)) as metadata:
        filled(metadata)

    def m_later(db: sqlite3.Connection) -> None:
        db.execute("ALTER TABLE segments ADD COLUMN later REAL")

    for module in (migrations, connection):
        monkeypatch.setattr(module, "MIGRATIONS", (*MIGRATIONS, m_later))
    with closing(MetadataDatabase(paths)) as metadata:
        assert_sound(metadata)
        with metadata.connection.write() as writer:
            writer.execute("UPDATE segments SET later = 1.5 WHERE id = '0.jpg-00000'")
        assert_sound(metadata)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_older_libraries_get_checksums_and_counts(paths: LibraryPaths, version: int) -> None:
    with closing(MetadataDatabase(paths)) as metadata:
        filled(metadata)
        counted = metadata.counts()
    make_old(paths.metadata_db, version)
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (version,)
        if version < FIRST_CHECKED:
            db.execute("UPDATE media_files SET error = CAST(x'ff' AS TEXT) WHERE id = 2")
            db.commit()
    with closing(MetadataDatabase(paths)) as metadata:
        assert_sound(metadata)
        assert metadata.counts() == counted


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_a_backup_is_read_as_if_it_had_todays_schema(paths: LibraryPaths, version: int) -> None:
    with closing(MetadataDatabase(paths)) as metadata:
        filled(metadata)
    today = paths.root / "today.db"
    shutil.copyfile(paths.metadata_db, today)
    if version < len(MIGRATIONS):
        make_old(paths.metadata_db, version)
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        backup = back_up(db, paths.metadata_db)
    before = backup.read_bytes()
    with open_backup(backup) as saved:
        assert unsound(saved) == []
        assert saved.execute("SELECT count(*) FROM segments").fetchone() == (15,)
        with pytest.raises(sqlite3.OperationalError):
            saved.execute("DELETE FROM segments")
    assert backup.read_bytes() == before
    assert list(backup.parent.glob("metadata*")) == [backup]
    with pytest.raises(KeyError), open_backup(backup):
        raise KeyError
    assert list(backup.parent.glob("metadata*")) == [backup]


def plan(db: sqlite3.Connection, sql: str) -> str:
    return "; ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}"))


def test_decisions_stand_in_an_index_as_well(paths: LibraryPaths) -> None:
    with closing(MetadataDatabase(paths)) as metadata:
        filled(metadata)
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        for table, columns in (
            ("segment_tags", "tag_id, confidence, segment_id, source"),
            ("removed_tags", "tag_id, segment_id"),
        ):
            index = f"{table}_by_tag"
            sql = f"SELECT {columns} FROM {table} INDEXED BY {index}"
            assert f"COVERING INDEX {index}" in plan(db, sql)
            rows = db.execute(f"SELECT {columns} FROM {table} NOT INDEXED").fetchall()
            assert rows and sorted(db.execute(sql)) == sorted(rows)
        by_tag = "SELECT segment_id FROM segment_tags WHERE tag_id = 1 AND confidence >= 0.5"
        assert "COVERING INDEX segment_tags_by_tag (tag_id=? AND confidence>?)" in plan(db, by_tag)
        of_segment = "SELECT tag_id, confidence, source FROM segment_tags WHERE segment_id = 'a'"
        assert "USING PRIMARY KEY (segment_id=?)" in plan(db, of_segment)


def test_sql_and_python_agree() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        with pytest.raises(sqlite3.OperationalError, match="no such function"):
            db.execute("SELECT checksum_of_row('text', x'61')")
        register_checksum(db)
        found = db.execute("SELECT checksum_of_row('text', x'61', 'integer', 3)").fetchone()
        assert found == (row_checksum("a", 3),)
