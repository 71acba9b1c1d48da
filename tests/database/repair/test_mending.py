"""Damaged rows: noticed where they are read, and mended from whatever has them whole."""

from __future__ import annotations

import random
import shutil
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database.backup import back_up
from src.database.browse_queries import BrowseQueries
from src.database.checksums import checked_columns, row_checksum
from src.database.dataset_splits import SplitKey
from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.database.repair.one_bit import one_bit_back
from src.errors import DatabaseError
from src.records import Tag
from src.search.filters import EVERYTHING
from tests.conftest import MODEL, add_media_with, unit_vectors
from tests.database.repair.test_recovery import leave_a_log
from tests.old_schema import CHECKED

VECTORS = unit_vectors(5)


def fill(paths: LibraryPaths) -> None:
    with closing(MetadataDatabase(paths)) as metadata:
        for number in range(4):
            name = f"{number}.jpg"
            add_media_with(metadata, VECTORS, name)
            metadata.add_tags(f"{name}-00003", [Tag("cat", 0.5, "auto")], "vocabulary")
            metadata.add_tags(f"{name}-00002", [Tag("my dog", 1.0, "human")], "human")
            metadata.remove_tag(f"{name}-00004", "cat")
        metadata.set_info("key", "value")
        with metadata.connection.write() as db:
            db.execute(
                "INSERT INTO removed_media (path, content_hash, removed_at)"
                " VALUES ('b.jpg', 'h', 2)"
            )
            db.execute("INSERT INTO tracks (media_file_id, origin) VALUES (1, 'human')")
            db.execute("UPDATE segments SET track_id = 1 WHERE id = '0.jpg-00002'")
            db.execute(
                "INSERT INTO track_edits (batch, media_file_id, before, after)"
                " VALUES ('b', 1, '{}', '{}')"
            )
            db.execute("INSERT INTO tracked_media (media_file_id, method) VALUES (1, 'm')")
            db.execute("INSERT INTO duplicate_groups (verdict, decided_at) VALUES ('kept', 2)")
            db.execute("INSERT INTO duplicate_files VALUES (1, 1, 0, NULL), (1, 2, 0, NULL)")
            db.execute(
                "INSERT INTO segment_attributes (segment_id, tag_id, name, value, source, batch)"
                " VALUES ('0.jpg-00002', 1, 'age', 2.5, 'human', 'b'),"
                " ('0.jpg-00002', 1, 'colour', 'red', 'human', 'b')"
            )
            db.execute(
                "INSERT INTO label_acts (batch, tag_id, before, after) VALUES ('b', 1, '{}', '{}')"
            )
            db.execute(
                "INSERT INTO retractions (batch, decision_id, attribute_id)"
                " VALUES ('b', 1, NULL), ('b', NULL, 1)"
            )
            db.execute(
                "INSERT INTO settled_disagreements"
                " (batch, kind, segment_id, tag_id, other_tag_id)"
                " VALUES ('b', 'model', '0.jpg-00002', 1, 2)"
            )
            db.execute(
                "INSERT INTO segment_edits (batch, segment_id, frame_id, before, after)"
                " VALUES ('b', '0.jpg-00002', 1, NULL, X'7B7D')"
            )
            db.execute(
                "INSERT INTO removed_segments (frame_id, mask, x, y, w, h, batch)"
                " VALUES (1, X'0102', 0, 0, 4, 4, 'b')"
            )
        metadata.splits.keep(SplitKey("", "80/20", 1), {1: "train", 2: "val"})


def content(database: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in CHECKED}


def save(paths: LibraryPaths) -> None:
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        back_up(db, paths.metadata_db)


def damage(paths: LibraryPaths, sql: str, *values: object) -> None:
    """Change a row behind the back of its checksum."""
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        assert db.execute(sql, values).rowcount == 1
        db.commit()


def mark(paths: LibraryPaths) -> None:
    """Say that somebody has met damage, as a reader does."""
    paths.metadata_db.with_name("metadata.db.open").write_text("damaged")


def mended(paths: LibraryPaths) -> str:
    mark(paths)
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.connection.recovered is None
        assert metadata.damaged_rows() == [] and metadata.integrity_problems() == []
        assert metadata.miscounted() == {}
        said = str(metadata.connection.mended)
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.connection.mended is None  # told once
    return said


READS: dict[str, Callable[[MetadataDatabase], object]] = {
    "media_files": lambda metadata: metadata.all_media(),
    "frames": lambda metadata: metadata.segments(["0.jpg-00000"]),
    "segments": lambda metadata: metadata.segments_where(EVERYTHING),
    "tags": lambda metadata: metadata.tag_counts(),
    "segment_tags": lambda metadata: metadata.tags_of(["0.jpg-00002"]),
    "removed_tags": lambda metadata: metadata.removed_tags_of(["0.jpg-00004"]),
    "embeddings": lambda metadata: EmbeddingStore(metadata.connection, MODEL).best(
        VECTORS[0], 5, EVERYTHING
    ),
    "info": lambda metadata: metadata.info("key"),
}
VECTOR = VECTORS[0].astype("<f4").tobytes()
CHANGES: dict[str, tuple[str, str, object]] = {
    "a path": ("media_files", "UPDATE media_files SET path = ? WHERE id = 1", "/photos/0.jqg"),
    "a size": ("frames", "UPDATE frames SET width = ? WHERE id = 1", 102),
    "a box": ("segments", "UPDATE segments SET x = ? WHERE id = '0.jpg-00001'", 9),
    "a quality": (
        "segments",
        "UPDATE segments SET predicted_iou = ? WHERE id = '0.jpg-00001'",
        struct.unpack("<d", bytes([*struct.pack("<d", 0.9)[:7], 0x3F ^ 0x40]))[0],
    ),
    "a tag's name": ("tags", "UPDATE tags SET name = ? WHERE name = 'my dog'", "my doG"),
    "a confidence": (
        "segment_tags",
        "UPDATE segment_tags SET confidence = ? WHERE segment_id = '0.jpg-00002'",
        0.5,
    ),
    "a checksum": (
        "removed_tags",
        "UPDATE removed_tags SET checksum = checksum + ? WHERE segment_id = '0.jpg-00004'",
        1,
    ),
    "a vector": (
        "embeddings",
        "UPDATE embeddings SET vector = ? WHERE id = 1",
        VECTOR[:1000] + bytes([VECTOR[1000] ^ 4]) + VECTOR[1001:],
    ),
    "a value": ("info", "UPDATE info SET value = ? WHERE key = 'key'", "valte"),
}


@pytest.mark.parametrize("table, sql, value", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("with_backup", [True, False], ids=["with a backup", "with none"])
def test_a_changed_bit_is_noticed_where_it_is_read_and_put_back(
    paths: LibraryPaths, table: str, sql: str, value: object, with_backup: bool
) -> None:
    fill(paths)
    before = content(paths.metadata_db)
    if with_backup:
        save(paths)
    damage(paths, sql, value)
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.connection.mended is None  # nobody has met it yet
        with pytest.raises(DatabaseError, match=r"is damaged .*start the application again"):
            READS[table](metadata)
    with closing(MetadataDatabase(paths)) as metadata:
        said = metadata.connection.mended
        assert said is not None and not said.left and not +said.lost
        assert "1 row was damaged" in str(said) and "mended" in str(said)
        READS[table](metadata)
    assert content(paths.metadata_db) == before


@pytest.mark.parametrize("table", CHECKED)
def test_worse_damage_is_mended_from_the_backup(paths: LibraryPaths, table: str) -> None:
    fill(paths)
    save(paths)
    before = content(paths.metadata_db)
    column = {
        "media_files": "captured_at",
        "frames": "sam",
        "segments": "track_id",
        "embeddings": "vector",
        "info": "value",
        "segment_tags": "source",
        "removed_tags": "checksum",
        "tags": "prompt",
        "models": "name",
        "removed_media": "content_hash",
        "roots": "path",
        "decisions": "batch",
        "tracks": "end_s",
        "track_edits": "after",
        "tracked_media": "method",
        "duplicate_groups": "decided_at",
        "duplicate_files": "is_hidden",
        "dataset_splits": "content_hash",
        "segment_attributes": "value",
        "label_acts": "after",
        "retractions": "batch",
        "settled_disagreements": "batch",
        "segment_edits": "batch",
        "removed_segments": "batch",
    }[table]
    value: object = {
        "track_id": 77,
        "vector": np.roll(VECTORS[0], 1).tobytes(),
        "checksum": 5,
        "is_hidden": 1,
    }.get(column, "propagated")
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        db.execute(f"UPDATE {table} SET {column} = ?", (value,))
        db.commit()
    rows = len(before[table])
    assert f"{rows:,} row" in mended(paths)
    assert content(paths.metadata_db) == before


def test_an_older_backup_with_the_row_is_found_behind_one_without(paths: LibraryPaths) -> None:
    fill(paths)
    save(paths)
    before = content(paths.metadata_db)
    damage(paths, "UPDATE media_files SET error = 'a b c d' WHERE id = 2")
    save(paths)  # has the damage as well
    assert "from the backup" in mended(paths)
    assert content(paths.metadata_db) == before


def test_without_any_copy_files_and_tags_keep_what_hangs_on_them(paths: LibraryPaths) -> None:
    fill(paths)
    damage(paths, "UPDATE media_files SET path = ?, kind = 'x' WHERE id = 2", b"\xff\x00\xfe")
    damage(paths, "UPDATE tags SET name = ?, added_by = 9.5 WHERE name = 'my dog'", b"\xff\xfe")
    damage(paths, "UPDATE models SET name = ''")
    with closing(sqlite3.connect(paths.metadata_db)) as db:  # no index helps
        db.execute("REINDEX")
        db.commit()
    said = mended(paths)
    assert "1 row of media_files kept as far" in said and "1 row of tags kept as far" in said
    assert "lost" not in said and "1 media file will be looked at once more" in said
    with closing(MetadataDatabase(paths)) as metadata:
        media = metadata.media(2)
        assert media is not None and str(media.path) == "unknown 2" and media.status == "pending"
        assert metadata.counts()["segments"] == 20
        assert sum(metadata.tag_counts().values()) == 8
        assert metadata.tag_counts()["unknown 2"] == 4


def test_a_segment_is_measured_again_from_its_mask(paths: LibraryPaths) -> None:
    fill(paths)
    before = content(paths.metadata_db)
    damage(paths, "UPDATE segments SET area = -5, track_id = 'x' WHERE id = '1.jpg-00002'")
    damage(paths, "UPDATE segments SET x = 80, y = 90 WHERE id = '2.jpg-00001'")
    assert "2 rows of segments kept as far" in mended(paths)
    assert content(paths.metadata_db) == before


def test_a_tagged_segment_outlives_its_mask(paths: LibraryPaths) -> None:
    fill(paths)
    damage(paths, "UPDATE segments SET mask = ? WHERE id = '1.jpg-00002'", b"garbage")
    assert "1 row of segments kept as far" in mended(paths)
    with closing(MetadataDatabase(paths)) as metadata:
        (segment,) = metadata.segments(["1.jpg-00002"]).values()
        assert segment.bbox_xywh == (2, 0, 4, 4) and segment.mask_rle is not None
        assert [tag.name for tag in metadata.tags_of([segment.id])[segment.id]] == ["my dog"]


def test_what_can_be_made_again_goes_and_is_counted(paths: LibraryPaths) -> None:
    fill(paths)
    with closing(MetadataDatabase(paths)) as metadata:  # a file that nobody has worked on
        add_media_with(metadata, VECTORS, "plain.jpg")
    shutil.rmtree(paths.root / "backups")
    damage(paths, "UPDATE segments SET mask = ? WHERE id = 'plain.jpg-00002'", b"garbage")
    damage(paths, "UPDATE segments SET mask = ? WHERE id = '1.jpg-00001'", b"garbage")
    damage(paths, "UPDATE frames SET width = -3, sam = 'x' WHERE id = 3")
    other = np.roll(VECTORS, 1)[0].tobytes()
    damage(paths, "UPDATE embeddings SET vector = ? WHERE id = 16", other)
    said = mended(paths)
    with closing(MetadataDatabase(paths)) as metadata:
        status = {media.path.name: media.status for media in metadata.all_media()}
        assert status["plain.jpg"] == status["2.jpg"] == "pending" and status["1.jpg"] == "done"
        assert metadata.counts()["segments"] == 25 - 5 - 1 - 5
        lacking = EmbeddingStore(metadata.connection, MODEL).missing()
        assert lacking == ["3.jpg-00000"]
    assert "1 embedding to be made again" in said
    assert "2 rows of frames" in said and "11 rows of segments" in said
    assert "2 rows of segment_tags" in said and "1 row of removed_tags" in said
    assert "2 media files will be looked at once more" in said


def flips(paths: LibraryPaths, needle: bytes) -> list[bytes]:
    """Give the file with one bit of a text changed, in each place in which the text stands."""
    whole = paths.metadata_db.read_bytes()
    found, start = [], whole.find(needle)
    while start >= 0:
        place = start + len(needle) // 2
        found.append(whole[:place] + bytes([whole[place] ^ 2]) + whole[place + 1 :])
        start = whole.find(needle, start + 1)
    return found


@pytest.mark.parametrize("needle", [b"0.jpg-00002", b"my dog", b"/photos/2.jpg", b"test-clip@1"])
def test_a_bit_of_a_key_in_a_table_or_an_index_is_put_back(
    paths: LibraryPaths, needle: bytes
) -> None:
    fill(paths)
    before = content(paths.metadata_db)
    files = flips(paths, needle)
    assert len(files) >= 2
    for file in files:
        for side in ("-wal", "-shm"):
            paths.metadata_db.with_name(f"metadata.db{side}").unlink(missing_ok=True)
        paths.metadata_db.write_bytes(file)
        mark(paths)
        with closing(MetadataDatabase(paths)) as metadata:
            assert metadata.damaged_rows() == [] and metadata.integrity_problems() == []
        after = content(paths.metadata_db)
        assert {t: sorted(rows, key=str) for t, rows in after.items()} == {
            t: sorted(rows, key=str) for t, rows in before.items()
        }
    shutil.rmtree(paths.root)


def test_a_text_that_is_no_utf8_is_damage_as_any_other(paths: LibraryPaths) -> None:
    fill(paths)
    before = content(paths.metadata_db)
    damage(paths, "UPDATE tags SET name = CAST(? AS TEXT) WHERE name = 'my dog'", b"my\xa0dog")
    with closing(MetadataDatabase(paths)) as metadata, pytest.raises(DatabaseError, match="damage"):
        metadata.tag_counts()
    MetadataDatabase(paths).close()
    assert content(paths.metadata_db) == before


def test_a_blob_of_a_quarter_gigabyte_is_refused_and_taken_away(paths: LibraryPaths) -> None:
    fill(paths)
    save(paths)
    before = content(paths.metadata_db)
    damage(paths, "UPDATE segments SET mask = zeroblob(268435457) WHERE id = '1.jpg-00001'")
    with closing(MetadataDatabase(paths)) as metadata, pytest.raises(DatabaseError, match="damage"):
        metadata.segments(["1.jpg-00001"])
    MetadataDatabase(paths).close()
    assert content(paths.metadata_db) == before


def test_every_bit_of_a_row_can_be_put_back() -> None:
    draw = random.Random(0)
    values = (5, "/a/ü.jpg", None, 3.0, 0.3, -7, draw.randbytes(300), 200, 127, -128, 40000, 2**40)
    stored = row_checksum(*values)
    tried = 0
    for number, value in enumerate(values):
        for other in neighbours(value):
            changed = (*values[:number], other, *values[number + 1 :])
            assert one_bit_back(changed, stored) == values, (value, other)
            tried += 1
    assert tried > 2500
    for bit in range(32):
        assert one_bit_back(values, stored ^ 1 << bit) == values
    assert one_bit_back((9, *values[1:6], b"x" * 300, *values[7:]), stored) is None


def neighbours(value: object) -> list[int | float | str | bytes]:
    """What one bit makes of a value as SQLite stores it."""
    found: list[int | float | str | bytes] = []
    if isinstance(value, float) and not value.is_integer():
        content = struct.pack("<d", value)
        flipped = (int.from_bytes(content, "little") ^ 1 << bit for bit in range(64))
        found += (struct.unpack("<d", bits.to_bytes(8, "little"))[0] for bits in flipped)
        return [each for each in found if each == each and abs(float(each)) != float("inf")]
    if isinstance(value, int | float):
        whole = int(value)
        sizes = (1, 2, 3, 4, 6, 8)
        size = next(n for n in sizes if -(1 << 8 * n - 1) <= whole < 1 << 8 * n - 1)
        bits = int.from_bytes(whole.to_bytes(size, "big", signed=True), "big")
        for bit in range(8 * size):
            other = (bits ^ 1 << bit).to_bytes(size, "big")
            found.append(type(value)(int.from_bytes(other, "big", signed=True)))
    elif isinstance(value, str | bytes):
        content = value.encode() if isinstance(value, str) else value
        for bit in range(8 * len(content)):
            changed = bytearray(content)
            changed[bit // 8] ^= 1 << bit % 8
            text = bytes(changed).decode("utf-8", "surrogateescape")
            found.append(text if isinstance(value, str) else bytes(changed))
    return found


def test_rows_of_another_program_without_a_checksum_are_judged_by_their_values(
    paths: LibraryPaths,
) -> None:
    fill(paths)
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        db.execute("INSERT INTO info (key, value) VALUES ('theirs', 'x')")
        db.execute("UPDATE row_counts SET rows = rows + 1 WHERE name = 'info'")
        db.commit()
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.info("theirs") == "x" and metadata.damaged_rows() == []


@pytest.mark.parametrize(
    ("table", "segment_id", "sql"),
    [
        ("segment_tags", "0.jpg-00002", "UPDATE segment_tags SET confidence = 9, source = 'me'"),
        ("removed_tags", "0.jpg-00004", "UPDATE removed_tags SET checksum = 7"),
    ],
)
def test_a_tag_is_mended_from_its_decision(
    paths: LibraryPaths, table: str, segment_id: str, sql: str
) -> None:
    fill(paths)
    before = content(paths.metadata_db)
    shutil.rmtree(paths.root / "backups", ignore_errors=True)
    damage(paths, f"{sql} WHERE segment_id = '{segment_id}'")
    with closing(sqlite3.connect(paths.metadata_db)) as db:  # which has the row as well
        db.execute("REINDEX")
    assert "1 row mended from decisions" in mended(paths)
    assert content(paths.metadata_db) == before


def test_how_long_an_embedding_is_depends_on_its_model(paths: LibraryPaths) -> None:
    fill(paths)
    ids = [f"0.jpg-0000{number}" for number in range(4)]
    with closing(MetadataDatabase(paths)) as metadata:
        with metadata.connection.write() as db:
            db.execute("INSERT INTO models (name) VALUES ('of 300 numbers')")
            (model,) = db.execute("SELECT max(id) FROM models").fetchone()
            for segment_id, length in zip(ids, (300, 300, 300, 299), strict=True):
                vector = np.full(length, length**-0.5, "<f4").tobytes()
                db.execute(
                    "INSERT INTO embeddings (segment_id, model_id, vector) VALUES (?, ?, ?)",
                    (segment_id, model, vector),
                )
        (other,) = metadata.damaged_rows()
        assert other.reason == "its embedding has 299 numbers, and others 300"
    assert "1 embedding to be made again" in mended(paths)
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        left = db.execute("SELECT segment_id FROM embeddings WHERE model_id = ?", (model,))
        assert [row[0] for row in left] == ids[:3]


def test_what_was_mended_is_told_again_when_the_program_was_killed_after_it(
    paths: LibraryPaths,
) -> None:
    fill(paths)
    damage(paths, "UPDATE frames SET width = -3, sam = 'x' WHERE id = 3")
    mark(paths)
    leave_a_log(paths)  # of a process that mended it and did not get to say anything
    with closing(MetadataDatabase(paths)) as metadata:
        said = metadata.connection.recovered
        assert metadata.connection.mended is None
    assert said is not None and "1 row was damaged" in str(said) and "lost: " in str(said)
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.connection.recovered is None and metadata.miscounted() == {}


def test_the_windows_lists_notice_as_well(paths: LibraryPaths) -> None:
    fill(paths)
    damage(paths, "UPDATE frames SET timestamp_s = 7 WHERE id = 1")
    with closing(MetadataDatabase(paths)) as metadata:
        queries = BrowseQueries(metadata)
        with pytest.raises(DatabaseError, match="damaged"):
            queries.segments_of_frame("0.jpg-00001")
        assert len(queries.media_cards([1, 2])) == 2
        assert checked_columns(metadata.connection.read(), "frames")
