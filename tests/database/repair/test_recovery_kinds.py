"""Kinds of damage that each need a look of their own: schema, texts, older backups, the header."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from main import main
from src.config import LibraryPaths
from src.database import connection, migrations
from src.database.backup import back_up
from src.database.connection import PAGE_SIZE
from src.database.metadata_db import MetadataDatabase
from src.database.migrations import MIGRATIONS
from src.database.repair.derived_tags import restore_decisions
from src.database.repair.known_schema import SchemaRow, known_versions, state_of
from src.database.repair.page_reader import Pages, infer_page_size
from src.errors import DatabaseError
from src.records import Decision, Tag
from tests.conftest import add_media_with, unit_vectors
from tests.database.repair.test_recovery import back_up_now, damage_pages, filled, leave_a_log, rows
from tests.old_schema import make_old


def change_bytes(file: Path, old: bytes, new: bytes) -> None:
    """Change the first place of some bytes in a file."""
    content = file.read_bytes()
    assert old in content and len(old) == len(new)
    file.write_bytes(content.replace(old, new, 1))


def root_of(file: Path, name: str) -> int:
    with closing(sqlite3.connect(file)) as db:
        found = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,))
        return int(found.fetchone()[0])


# -- the schema


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'CREATE TABLE "segments"', b'CREATE TABLE "segmentq"'),
        (b'CREATE TABLE "embeddings"', b'CREATE\x80TABLE "embeddings"'),
        (b"predicted_iou REAL", b"predicted_iot REAL"),
        (b"kind IN ('frame', 'object')", b"kind IN ('grame', 'object')"),
        (b"tableframesframes", b"tableframdsframes"),
        (b"AFTER INSERT ON embeddings", b"AFTER INSERT ON embeddingr"),
    ],
)
def test_a_changed_bit_in_the_schemas_text_loses_nothing(
    paths: LibraryPaths, old: bytes, new: bytes
) -> None:
    filled(paths, 4)
    truth = rows(paths.metadata_db)
    change_bytes(paths.metadata_db, old, new)
    with closing(MetadataDatabase(paths)) as metadata:
        recovered = metadata.connection.recovered
    assert recovered is not None and not recovered.lost and "nothing is lost" in str(recovered)
    assert rows(paths.metadata_db) == truth


@pytest.mark.parametrize("version", [0, 1, 4, 13, 69, 1 << 30])
def test_a_changed_version_number_is_no_other_version(paths: LibraryPaths, version: int) -> None:
    filled(paths, 2)
    truth = rows(paths.metadata_db)
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        db.execute(f"PRAGMA user_version = {version}")
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.connection.recovered is not None
    assert rows(paths.metadata_db) == truth


def test_a_schema_is_ours_damaged_or_foreign() -> None:
    ours = list(known_versions()[-1].rows)
    assert state_of(ours).versions == [len(MIGRATIONS)] and not state_of(ours).is_damaged
    assert state_of([]).versions == [0]
    changed = [
        row._replace(sql=row.sql and row.sql.replace("frame_id", "gramd_id")) for row in ours
    ]
    assert state_of(changed).is_damaged and state_of(changed).foreign == []
    assert state_of(ours[:-1]).is_damaged
    planted = SchemaRow("trigger", "evil", "tags", 0, "CREATE TRIGGER evil AFTER INSERT ON tags …")
    assert state_of([*ours, planted]).foreign == ["evil"]
    assert not state_of([*ours, planted]).is_damaged


# -- what migrations added


def test_a_table_of_a_later_migration_is_recovered_unnamed(
    paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    def notes(db: sqlite3.Connection) -> None:
        db.execute(
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, media_file_id INTEGER NOT NULL"
            " REFERENCES media_files (id), text TEXT NOT NULL, weight REAL)"
        )

    steps = (*MIGRATIONS, notes)
    monkeypatch.setattr(migrations, "MIGRATIONS", steps)
    monkeypatch.setattr(connection, "MIGRATIONS", steps)
    filled(paths, 3)
    with closing(sqlite3.connect(paths.metadata_db)) as db, db:
        db.executemany(
            "INSERT INTO notes (media_file_id, text, weight) VALUES (?, ?, ?)",
            [(1 + i % 3, f"note {i}", i / 4) for i in range(1000)],
        )
        truth = set(db.execute("SELECT * FROM notes"))
    damage_pages(paths.metadata_db, [root_of(paths.metadata_db, "frames") - 1])
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.connection.recovered is not None
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        assert set(db.execute("SELECT * FROM notes")) == truth


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_damaged_library_of_an_older_schema_is_recovered_into_todays(
    paths: LibraryPaths, version: int
) -> None:
    filled(paths, 4)
    truth = rows(paths.metadata_db)
    make_old(paths.metadata_db, version)
    change_bytes(paths.metadata_db, b"CREATE TABLE segments", b"CREATE TABLE segmentq")
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.connection.recovered is not None
        assert not metadata.damaged_rows() and not metadata.miscounted()
    found = rows(paths.metadata_db)
    if version < 4:
        truth["removed_tags"] = set()
    assert found == truth


def test_a_backup_of_an_older_schema_takes_no_newer_table_with_it(paths: LibraryPaths) -> None:
    filled(paths, 20)
    shutil.rmtree(paths.root / "backups", ignore_errors=True)
    truth = rows(paths.metadata_db)
    old = paths.root / "old.db"
    shutil.copy(paths.metadata_db, old)
    make_old(old, 1)
    with closing(sqlite3.connect(old)) as db:
        back_up(db, paths.metadata_db)
    old.unlink()
    # a leaf of the embeddings, as a whole
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        db.execute("PRAGMA writable_schema = ON")
        total = db.execute("PRAGMA page_count").fetchone()[0]
    pages = Pages(paths.metadata_db.read_bytes(), PAGE_SIZE)
    root = pages.page(root_of(paths.metadata_db, "embeddings"))
    assert root is not None and root.cells[3].child is not None and root.cells[3].child <= total
    with paths.metadata_db.open("r+b") as stream:
        stream.seek((root.cells[3].child - 1) * PAGE_SIZE)
        stream.write(b"\xa5" * PAGE_SIZE)
    with closing(MetadataDatabase(paths, examine=True)) as metadata:
        recovered = metadata.connection.recovered
    assert recovered is not None and recovered.from_backup > 0 and not recovered.lost
    assert rows(paths.metadata_db) == truth


def test_what_is_lost_is_said_by_table_and_count(paths: LibraryPaths) -> None:
    filled(paths, 20)
    truth = rows(paths.metadata_db)
    shutil.rmtree(paths.root / "backups", ignore_errors=True)
    pages = Pages(paths.metadata_db.read_bytes(), PAGE_SIZE)
    root = pages.page(root_of(paths.metadata_db, "embeddings"))
    assert root is not None and root.cells[3].child is not None
    with paths.metadata_db.open("r+b") as stream:
        stream.seek((root.cells[3].child - 1) * PAGE_SIZE)
        stream.write(b"\xa5" * PAGE_SIZE)
    with closing(MetadataDatabase(paths, examine=True)) as metadata:
        recovered = metadata.connection.recovered
    found = rows(paths.metadata_db)
    gone = len(truth["embeddings"]) - len(found["embeddings"])
    assert recovered is not None and gone > 0 and recovered.lost == {"embeddings": gone}
    assert f"lost: {gone} embeddings;" in str(recovered)


def test_frames_that_went_with_all_their_segments_are_counted_as_lost(paths: LibraryPaths) -> None:
    filled(paths, 40)
    truth = rows(paths.metadata_db)
    shutil.rmtree(paths.root / "backups", ignore_errors=True)
    content = paths.metadata_db.read_bytes()
    paths.metadata_db.write_bytes(content[: len(content) // PAGE_SIZE // 2 * PAGE_SIZE])
    with closing(MetadataDatabase(paths, examine=True)) as metadata:
        recovered = metadata.connection.recovered
    found = rows(paths.metadata_db)
    gone = {table: len(truth[table]) - len(found[table]) for table in truth}
    # of the tags of people and those they took off, each was decided once
    gone["decisions"] = gone["segment_tags"] + gone["removed_tags"]
    assert recovered is not None and gone["frames"] > 0
    assert recovered.lost == {table: count for table, count in gone.items() if count}


def put_page(file: Path, number: int, content: bytes) -> None:
    with file.open("r+b") as stream:
        stream.seek((number - 1) * PAGE_SIZE)
        stream.write(content)


def test_a_sound_page_where_another_tree_begins_costs_no_rows(paths: LibraryPaths) -> None:
    filled(paths, 20)
    truth = rows(paths.metadata_db)
    shutil.rmtree(paths.root / "backups", ignore_errors=True)
    pages = Pages(paths.metadata_db.read_bytes(), PAGE_SIZE)
    roots = {name: root_of(paths.metadata_db, name) for name in ("embeddings", "removed_tags")}
    root = pages.page(roots["embeddings"])
    assert root is not None and root.cells[3].child is not None
    put_page(paths.metadata_db, roots["embeddings"], pages.bytes_of(root.cells[3].child))
    # its entries look like removed tags of an earlier version, which had no checksums
    other = root_of(paths.metadata_db, "sqlite_autoindex_media_files_2")
    put_page(paths.metadata_db, roots["removed_tags"], pages.bytes_of(other))
    with closing(MetadataDatabase(paths, examine=True)) as metadata:
        recovered = metadata.connection.recovered
    assert recovered is not None and not recovered.lost
    assert rows(paths.metadata_db) == truth


@pytest.mark.parametrize("table", ["segment_tags", "removed_tags"])
def test_what_people_changed_since_the_backup_does_not_come_back_from_it(
    paths: LibraryPaths, table: str
) -> None:
    with closing(MetadataDatabase(paths)) as metadata:
        for number in range(6):
            add_media_with(metadata, unit_vectors(3, seed=number), f"{number}.jpg")
            for place in (1, 2):
                metadata.add_tags(f"{number}.jpg-0000{place}", [Tag("cat", 0.9, "auto")], "clip")
            metadata.remove_tag(f"{number}.jpg-00002", "cat")
    shutil.rmtree(paths.root / "backups", ignore_errors=True)
    back_up_now(paths)
    with closing(MetadataDatabase(paths)) as metadata:
        for number in range(6):
            metadata.remove_tag(f"{number}.jpg-00001", "cat")
            metadata.add_tags(f"{number}.jpg-00002", [Tag("cat", 1.0, "human")], "human")
    truth = rows(paths.metadata_db)
    for name in (table, f"{table}_by_tag"):
        put_page(paths.metadata_db, root_of(paths.metadata_db, name), b"\xa5" * PAGE_SIZE)
    with closing(MetadataDatabase(paths, examine=True)) as metadata:
        recovered = metadata.connection.recovered
    assert recovered is not None and recovered.lost == {}
    assert rows(paths.metadata_db) == truth  # the decisions say what holds


def overwrite(paths: LibraryPaths, *names: str) -> None:
    """Damage the trees of tables with all their indexes, and leave no backup."""
    shutil.rmtree(paths.root / "backups", ignore_errors=True)
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        marks = ", ".join("?" * len(names))
        found = db.execute(
            f"SELECT rootpage FROM sqlite_master WHERE tbl_name IN ({marks}) AND rootpage > 0",
            names,
        ).fetchall()
    for (root,) in found:
        put_page(paths.metadata_db, root, b"\xa5" * PAGE_SIZE)


def test_tags_and_removals_come_back_from_decisions(paths: LibraryPaths) -> None:
    filled(paths, 40)
    with closing(MetadataDatabase(paths)) as metadata:
        metadata.add_tags("1.jpg-00005", [Tag("cat", 0.5, "auto"), Tag("dog", 0.5, "auto")], "clip")
        for name in ("cat", "bird"):
            metadata.add_tags("1.jpg-00005", [Tag(name, 1.0, "human")], "human", name)
        for name in ("cat", "bird"):  # the one is the model's again, the other nobody's
            metadata.undo(name)
    truth = rows(paths.metadata_db)
    overwrite(paths, "segment_tags", "removed_tags")
    with closing(MetadataDatabase(paths, examine=True)) as metadata:
        recovered = metadata.connection.recovered
        assert metadata.damaged_rows() == [] and metadata.miscounted() == {}
    found = rows(paths.metadata_db)
    assert recovered is not None and "decisions" not in recovered.lost
    (lost,) = truth["segment_tags"] - found["segment_tags"]
    assert lost[0] == "1.jpg-00005" and lost[3] == "auto"  # of "dog", on which nobody decided
    assert found | {"segment_tags": truth["segment_tags"]} == truth


def test_decisions_come_back_from_what_holds(paths: LibraryPaths) -> None:
    filled(paths, 40)
    with closing(MetadataDatabase(paths)) as metadata:
        metadata.add_tags("1.jpg-00005", [Tag("cat", 0.5, "propagated")], "human")
    truth = rows(paths.metadata_db)
    overwrite(paths, "decisions")
    with closing(MetadataDatabase(paths, examine=True)) as metadata:
        recovered = metadata.connection.recovered
        assert recovered is not None and recovered.lost == {"decisions": 81}
        (given,) = metadata.decisions_of(["3.jpg-00003"])["3.jpg-00003"]
        assert given == Decision("mine 3", True, "human")
        (taken,) = metadata.decisions_of(["3.jpg-00004"])["3.jpg-00004"]
        assert taken == Decision("mine 3", False, "human")
        assert metadata.decisions_of(["1.jpg-00005"])["1.jpg-00005"][0].source == "propagated"
        assert rows(paths.metadata_db) == truth
        # a model's word holds no more than before
        metadata.add_tags("3.jpg-00004", [Tag("mine 3", 0.9, "auto")], "clip")
        assert metadata.tags_of(["3.jpg-00004"]) == {}
        metadata.remove_tag("3.jpg-00003", "mine 3", "later")
        metadata.undo("later")
        assert metadata.tags_of(["3.jpg-00003"])["3.jpg-00003"][0].name == "mine 3"


def test_a_decision_that_is_older_than_what_holds_does_not_win(paths: LibraryPaths) -> None:
    filled(paths, 2)
    with closing(MetadataDatabase(paths)) as metadata:
        metadata.remove_tag("1.jpg-00003", "mine 1")
        with metadata.connection.write() as db:  # as a damaged page leaves it
            db.execute("DELETE FROM decisions WHERE segment_id = '1.jpg-00003' AND NOT has_tag")
            restore_decisions(db)
        metadata.add_tags("1.jpg-00003", [Tag("mine 1", 0.9, "auto")], "clip")
        assert metadata.tags_of(["1.jpg-00003"]) == {}
        assert metadata.removed_tags_of(["1.jpg-00003"]) == {"1.jpg-00003": ("mine 1",)}


def test_a_page_of_another_library_brings_no_tags_with_it(
    paths: LibraryPaths, tmp_path: Path
) -> None:
    filled(paths, 20)
    truth = rows(paths.metadata_db)
    shutil.rmtree(paths.root / "backups", ignore_errors=True)
    other = LibraryPaths(tmp_path / "other")
    filled(other, 8)
    with closing(MetadataDatabase(other)) as metadata:
        metadata.add_tags("1.jpg-00009", [Tag("mine 1", 1.0, "human")], "human")
    page = root_of(other.metadata_db, "segment_tags")
    content = Pages(other.metadata_db.read_bytes(), PAGE_SIZE).bytes_of(page)
    put_page(paths.metadata_db, root_of(paths.metadata_db, "segment_tags"), content)
    change_bytes(paths.metadata_db, b'CREATE TABLE "segments"', b'CREATE TABLE "segmentq"')
    with closing(MetadataDatabase(paths, examine=True)) as metadata:
        recovered = metadata.connection.recovered
    assert recovered is not None and not recovered.lost
    assert rows(paths.metadata_db) == truth


def test_a_recovery_is_told_again_when_the_program_was_killed_after_it(
    paths: LibraryPaths,
) -> None:
    filled(paths, 3)
    truth = rows(paths.metadata_db)
    change_bytes(paths.metadata_db, b'CREATE TABLE "segments"', b'CREATE TABLE "segmentq"')
    leave_a_log(paths)  # of a process that opened it and did not get to say anything
    for is_told in (True, False):
        with closing(MetadataDatabase(paths)) as metadata:
            assert (metadata.connection.recovered is not None) == is_told
            assert metadata.info("acknowledged") == "yes"
    assert rows(paths.metadata_db) == truth


def test_a_page_of_a_table_in_the_place_of_an_index_is_told_of_and_recovered(
    paths: LibraryPaths,
) -> None:
    filled(paths, 20)
    truth = rows(paths.metadata_db)
    pages = Pages(paths.metadata_db.read_bytes(), PAGE_SIZE)
    root = pages.page(root_of(paths.metadata_db, "embeddings"))
    assert root is not None and root.cells[3].child is not None
    leaf = pages.bytes_of(root.cells[3].child)
    put_page(paths.metadata_db, root_of(paths.metadata_db, "sqlite_autoindex_frames_1"), leaf)
    with (
        closing(MetadataDatabase(paths)) as metadata,
        pytest.raises(DatabaseError, match="start the application again"),
    ):
        metadata.integrity_problems()
    with closing(MetadataDatabase(paths)) as metadata:
        recovered = metadata.connection.recovered
    assert recovered is not None and not recovered.lost
    assert rows(paths.metadata_db) == truth


def test_decisions_come_back_whole_from_their_index(paths: LibraryPaths) -> None:
    filled(paths, 40)
    truth = rows(paths.metadata_db)
    shutil.rmtree(paths.root / "backups", ignore_errors=True)
    with paths.metadata_db.open("r+b") as stream:
        for table in ("segment_tags", "removed_tags"):
            stream.seek((root_of(paths.metadata_db, table) - 1) * PAGE_SIZE)
            stream.write(b"\xa5" * PAGE_SIZE)
    with closing(MetadataDatabase(paths, examine=True)) as metadata:
        recovered = metadata.connection.recovered
    assert recovered is not None and recovered.from_index == 80 and not recovered.lost
    assert rows(paths.metadata_db) == truth


def test_a_text_that_is_no_utf_8_is_mended(paths: LibraryPaths) -> None:
    filled(paths, 4)
    truth = rows(paths.metadata_db)
    back_up_now(paths)
    change_bytes(paths.metadata_db, b"/photos/2.jpg", b"/ph\xeftos/2.jpg")
    for _ in range(2):  # whoever comes across it says so, and the next start mends it
        main(["--library", str(paths.root), "verify", "--repair"])
    found = rows(paths.metadata_db)
    # repair gives crops names of its own form, which those of these tests are not
    assert {row[0] for row in found.pop("segments")} == {row[0] for row in truth.pop("segments")}
    assert found == truth


def test_deleted_rows_stay_deleted(paths: LibraryPaths) -> None:
    filled(paths, 30)
    with closing(MetadataDatabase(paths)) as metadata:
        for media in metadata.all_media()[5:25]:
            metadata.remove_media(media.id)
    truth = rows(paths.metadata_db)
    for name in ("segments", "embeddings", "frames"):
        damage_pages(paths.metadata_db, [root_of(paths.metadata_db, name) - 1])
    shutil.rmtree(paths.root / "backups", ignore_errors=True)
    with closing(MetadataDatabase(paths, examine=True)) as metadata:
        assert metadata.connection.recovered is not None
    found = rows(paths.metadata_db)
    for table, those in found.items():
        if table != "media_files":  # of which some may be waiting again
            assert those <= truth[table], table
    assert len(found["segments"]) > 0.9 * len(truth["segments"])


# -- the header


@pytest.mark.parametrize("place", [0, 16, 17, 18, 19, 20, 21, 28, 31, 47, 52, 59, 63, 80, 101, 103])
def test_damage_to_the_header_loses_nothing(paths: LibraryPaths, place: int) -> None:
    filled(paths, 3)
    truth = rows(paths.metadata_db)
    content = bytearray(paths.metadata_db.read_bytes())
    content[place] ^= 0x44
    paths.metadata_db.write_bytes(content)
    with closing(MetadataDatabase(paths, examine=True)) as metadata:
        recovered = metadata.connection.recovered
    assert recovered is not None and not recovered.lost
    assert rows(paths.metadata_db) == truth


@pytest.mark.parametrize("size", [4096, 16384])
def test_the_size_of_pages_is_found_without_the_header(tmp_path: Path, size: int) -> None:
    file = tmp_path / "x.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {size}")
        db.execute("CREATE TABLE x (y)")
        db.executemany("INSERT INTO x VALUES (?)", [(b"y" * (i % 700),) for i in range(2000)])
    content = bytearray(file.read_bytes())
    assert infer_page_size(bytes(content)) == size
    content[16:18] = b"\x02\x00"
    assert infer_page_size(bytes(content)) == size
