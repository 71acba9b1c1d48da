"""The file that searches scan: whatever becomes of it, the answers are those of SQLite."""

from __future__ import annotations

import json
import mmap
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from src.config import APPLICATION_FOLDER, LibraryPaths
from src.database import scan_file, scan_rows
from src.database.connection import Connection
from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.database.scan_file import Record, ScanFileError
from src.errors import DatabaseError
from src.library_files import SafeFolder
from src.stopping import StoppedError, stopped_by
from tests.conftest import MODEL, add_media_with, unit_vectors

KEY = f"int8 rows of {MODEL}"
ROWS = 230  # three full blocks and a part of one
QUERIES = unit_vectors(3, seed=77)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_file, "BLOCK_ROWS", 64)
    monkeypatch.setattr(scan_rows, "BLOCK_ROWS", 64)
    monkeypatch.setattr(scan_rows, "COUNT_EVERY_S", 0.0)
    monkeypatch.setattr(scan_file, "BLOCK_BYTES", 64 * (8 + 4 + 4 + 512))


@pytest.fixture
def vectors(metadata: MetadataDatabase) -> np.ndarray:
    """A library whose file is kept; all searches in it begin with opening that."""
    found = unit_vectors(ROWS)
    add_media_with(metadata, found)
    EmbeddingStore(metadata.connection, MODEL).keep_scanned()
    return found


def file_of(metadata: MetadataDatabase) -> Path:
    said = metadata.info(KEY)
    assert said is not None
    record = Record.read(said)
    assert record is not None
    return metadata.paths.chroma_db / record.file


def check(
    metadata: MetadataDatabase,
    vectors: np.ndarray,
    store: EmbeddingStore | None = None,
    alone: bool = True,
) -> EmbeddingStore:
    """See that searches find what is in the library, each vector and the nearest to others.

    Args:
        alone: whether the library holds no other vectors.
    """
    store = store or EmbeddingStore(metadata.connection, MODEL)
    for number in range(0, len(vectors), 7):
        assert store.best(vectors[number], 1)[0][0] == f"a.jpg-{number:05}"
    for query in QUERIES if alone else ():
        order = np.argsort(-(vectors @ query))[:20]
        assert [name[-5:] for name, _ in store.best(query, 20)] == [f"{i:05}" for i in order]
    return store


def reads_of_vectors(metadata: MetadataDatabase, store: EmbeddingStore) -> list[str]:
    """Search once, and list what was asked of SQLite for more than the hits."""
    asked: list[str] = []
    metadata.connection.read().set_trace_callback(
        lambda sql: asked.append(sql) if "ORDER BY id LIMIT" in sql else None
    )
    store.best(QUERIES[0], 3)
    metadata.connection.read().set_trace_callback(None)
    return asked


def test_a_kept_file_is_opened_and_only_what_is_newer_is_read(
    metadata: MetadataDatabase, vectors: np.ndarray
) -> None:
    store = EmbeddingStore(metadata.connection, MODEL)
    asked = reads_of_vectors(metadata, store)
    assert len(asked) == 1 and f"id > {ROWS}" in asked[0]
    assert [block.is_full for block in store.scan._blocks] == [True, True, True, False]
    assert all(not block.content.flags.writeable for block in store.scan._blocks[:3])  # mapped
    check(metadata, vectors, store)
    assert file_of(metadata).stat().st_size == 3 * 64 * 528 + 64 * 16 + (ROWS - 192) * 512


def test_what_comes_later_is_appended_and_nothing_is_written_over(
    metadata: MetadataDatabase, vectors: np.ndarray
) -> None:
    file = file_of(metadata)
    before, store = file.read_bytes(), check(metadata, vectors)
    more = unit_vectors(60, seed=5)
    add_media_with(metadata, more, "b.jpg")
    assert store.best(more[59], 1)[0][0] == "b.jpg-00059"
    assert file.read_bytes() == before  # a search alone writes only where a block is full
    store.keep_scanned()
    after = file.read_bytes()
    assert file_of(metadata) == file and after[: 3 * 64 * 528] == before[: 3 * 64 * 528]
    record = Record.read(metadata.info(KEY) or "")
    assert record is not None and record.rows == ROWS + 60
    fresh = EmbeddingStore(metadata.connection, MODEL)
    assert fresh.best(more[59], 1)[0][0] == "b.jpg-00059"
    assert len(reads_of_vectors(metadata, fresh)) == 1
    said = metadata.info(KEY)
    store.keep_scanned()
    assert metadata.info(KEY) == said  # there is nothing new


def test_making_the_file_goes_on_where_it_was_stopped(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_rows, "READ_AT_ONCE", 64)
    vectors = unit_vectors(ROWS)
    add_media_with(metadata, vectors)
    steps = EmbeddingStore(metadata.connection, MODEL).prepare_scan()
    assert next(steps) == (64, ROWS)
    steps.close()  # type: ignore[attr-defined]
    store = EmbeddingStore(metadata.connection, MODEL)
    assert list(store.prepare_scan()) == [(128, ROWS), (192, ROWS)]
    record = Record.read(metadata.info(KEY) or "")
    assert record is not None and record.rows == ROWS
    check(metadata, vectors, store)
    assert list(store.prepare_scan()) == []


def test_a_search_that_nobody_waits_for_does_not_wait_for_the_file(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_rows, "READ_AT_ONCE", 64)
    vectors = unit_vectors(ROWS)
    add_media_with(metadata, vectors)
    store = EmbeddingStore(metadata.connection, MODEL)
    with stopped_by(lambda: False), pytest.raises(StoppedError):
        store.best(vectors[0], 1)
    assert sum(block.count for block in store.scan._blocks) == 64
    check(metadata, vectors, store)
    with stopped_by(lambda: False):  # it waits for nothing now
        assert len(store.best(vectors[0], 1)) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked")
def test_a_page_that_the_disk_gives_no_more_costs_the_file_and_not_the_process(
    metadata: MetadataDatabase, vectors: np.ndarray
) -> None:
    store = check(metadata, vectors)
    os.truncate(file_of(metadata), mmap.PAGESIZE)
    with pytest.raises(ScanFileError, match="can't be read"):
        store.scan._blocks[2].check(2)
    check(metadata, vectors, store)


PLACES = {
    "an id of a full block": 70 * 8,
    "a scale": 64 * 528 + 64 * 8 + 13,
    "an error": 64 * 528 + 64 * 12 + 50,
    "a row": 64 * 528 * 2 + 64 * 16 + 9000,
    "an id of the last block": 3 * 64 * 528 + 8 * 20,
    "a scale of the last block": 3 * 64 * 528 + 64 * 8 + 4 * 20 + 3,
    "the last byte": 3 * 64 * 528 + 64 * 16 + (ROWS - 192) * 512 - 1,
    "the first byte": 0,
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("bit", [0, 7])
def test_a_bit_that_has_changed_costs_the_file_and_no_hit(
    metadata: MetadataDatabase, vectors: np.ndarray, place: int, bit: int
) -> None:
    file = file_of(metadata)
    content = bytearray(file.read_bytes())
    content[place] ^= 1 << bit
    file.write_bytes(content)
    store = check(metadata, vectors)
    store.keep_scanned()
    assert file_of(metadata) != file and not file.exists()
    assert store.scan_problems() == []
    check(metadata, vectors)


def test_random_damage_anywhere_changes_no_answer(
    metadata: MetadataDatabase, vectors: np.ndarray
) -> None:
    rng = np.random.default_rng(0)
    for _ in range(25):
        file = file_of(metadata)
        content = bytearray(file.read_bytes())
        start, length = int(rng.integers(len(content))), int(rng.integers(1, 3000))
        content[start : start + length] = rng.bytes(len(content[start : start + length]))
        file.write_bytes(content)
        check(metadata, vectors).keep_scanned()


@pytest.mark.parametrize("what", ["gone", "empty", "short", "a link", "a folder", "another's"])
def test_a_file_that_is_not_the_one_is_made_again(
    metadata: MetadataDatabase, vectors: np.ndarray, tmp_path: Path, what: str
) -> None:
    file = file_of(metadata)
    content = file.read_bytes()
    file.unlink()
    if what == "empty":
        file.touch()
    elif what == "short":
        file.write_bytes(content[:-1])
    elif what == "a link":
        (tmp_path / "theirs").write_bytes(content)
        file.symlink_to(tmp_path / "theirs")
    elif what == "a folder":
        file.mkdir()
    elif what == "another's":
        with closing(MetadataDatabase(LibraryPaths(tmp_path / "other"))) as other:
            add_media_with(other, unit_vectors(ROWS, seed=9))
            EmbeddingStore(other.connection, MODEL).keep_scanned()
            shutil.copy(file_of(other), file)
    check(metadata, vectors).keep_scanned()
    assert file_of(metadata) != file
    check(metadata, vectors)
    assert not (tmp_path / "theirs").exists() or (tmp_path / "theirs").read_bytes() == content


def test_a_file_that_becomes_shorter_while_it_is_mapped_ends_no_process(
    metadata: MetadataDatabase, vectors: np.ndarray
) -> None:
    store = check(metadata, vectors)
    os.truncate(file_of(metadata), 100)
    check(metadata, vectors, store)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[]",
        "null",
        '{"form": 1}',
        '{"form": 1, "file": "../../letter.txt", "model": 1, "of": [[5, 1, 5]]}',
        '{"form": 1, "file": 7, "model": 1, "of": [[5, 1, 5]]}',
        '{"form": 2, "file": "0123456789ab.int8", "model": 1, "of": [[5, 1, 5]]}',
        '{"form": 1, "file": "0123456789ab.int8", "model": 1, "of": [[5, 1]]}',
        '{"form": 1, "file": "0123456789ab.int8", "model": 1, "of": [["5", 1, 5]]}',
        '{"form": 1, "file": "0123456789ab.int8", "model": 1, "of": [[1e999, 1, 5]]}',
        '{"form": 1, "file": "0123456789ab.int8", "model": 1, "of": [[-5, 1, 5], [64, 1, 5]]}',
        '{"form": 1, "file": "0123456789ab.int8", "model": 1, "of": []}',
        "[" * 5000,
    ],
)
def test_a_row_of_a_stranger_names_no_file(
    metadata: MetadataDatabase, vectors: np.ndarray, said: str
) -> None:
    metadata.set_info(KEY, said)
    check(metadata, vectors).keep_scanned()
    check(metadata, vectors)


STEPS = ("open_to_change", "sync", "create", "info")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("new_file", [True, False], ids=["a new file", "rows appended"])
def test_a_save_that_fails_on_the_way_changes_no_answer(
    metadata: MetadataDatabase,
    vectors: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    new_file: bool,
) -> None:
    if new_file:
        file_of(metadata).unlink()
    more = unit_vectors(150, seed=5)
    add_media_with(metadata, more, "b.jpg")

    def fails(*_: object, **__: object) -> None:
        raise OSError("no room on the disk")

    with monkeypatch.context() as patch:
        if step == "info":
            patch.setattr(Record, "written", fails)
        else:
            patch.setattr(SafeFolder, step, fails)
        store = EmbeddingStore(metadata.connection, MODEL)
        store.keep_scanned()
        assert store.best(more[140], 1)[0][0] == "b.jpg-00140"
    for _ in range(2):
        fresh = EmbeddingStore(metadata.connection, MODEL)
        assert fresh.best(more[140], 1)[0][0] == "b.jpg-00140"
        assert fresh.best(vectors[3], 1)[0][0] == "a.jpg-00003"
        fresh.keep_scanned()
    assert len(list(metadata.paths.chroma_db.glob("*.int8"))) == 1


KILLED = """
import sys
from pathlib import Path
import numpy as np
from src.config import LibraryPaths
from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment
from src.records import Segment

metadata = MetadataDatabase(LibraryPaths(Path(sys.argv[1])))
store = EmbeddingStore(metadata.connection, sys.argv[2])
crop = np.zeros((1, 1, 3), np.uint8)
segment = Segment("frame", (0, 0, 9, 9), 81, None, None, None, crop)
first = len(metadata.all_media())
print("ready", flush=True)
for number in range(first, first + 10_000):
    rows = np.random.default_rng(number).normal(size=(40, 512)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    media_id = metadata.add_media(Path(f"/photos/{number}.jpg"), "image", 10, 10)
    names = [f"{number}.jpg-{i:05}" for i in range(40)]
    new = [NewSegment(name, segment, f"{name}.jpg", row) for name, row in zip(names, rows)]
    metadata.store_frame(media_id, 0, None, (100, 100), new, sys.argv[2])
    store.keep_scanned()
"""


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("rounds", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_a_kill_at_any_moment_costs_no_hit(paths: LibraryPaths, rounds: int) -> None:
    rng = np.random.default_rng(1)
    for _ in range(rounds):
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(paths.root), MODEL],
            cwd=APPLICATION_FOLDER,
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None and child.stdout.readline() == b"ready\n"
        time.sleep(rng.uniform(0.05, 0.6))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        with closing(MetadataDatabase(paths)) as metadata:
            store = EmbeddingStore(metadata.connection, MODEL)
            for media in metadata.all_media():
                number = int(media.path.stem)
                if metadata.count_of_media(media.id)[1]:
                    some = unit_vectors(40, seed=number)[[0, 39]]
                    found = [store.best(vector, 1)[0][0] for vector in some]
                    assert found == [f"{number}.jpg-00000", f"{number}.jpg-00039"]
            assert store.scan_problems() == []
            store.keep_scanned()
            assert len(list(paths.chroma_db.glob("*.int8"))) <= 1


def test_an_older_copy_of_sqlites_file_finds_its_own_rows(
    metadata: MetadataDatabase, vectors: np.ndarray, paths: LibraryPaths, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "saved.db")) as copy:
        metadata.connection.read().backup(copy)
    add_media_with(metadata, unit_vectors(200, seed=5), "b.jpg")
    store = EmbeddingStore(metadata.connection, MODEL)
    store.keep_scanned()
    with closing(sqlite3.connect(tmp_path / "newer.db")) as copy:
        metadata.connection.read().backup(copy)
    metadata.close()
    for name, word, seed in (("saved.db", "c", 6), ("newer.db", "b", 5)):
        for path in paths.root.glob("metadata.db*"):
            path.unlink()
        shutil.copy(tmp_path / name, paths.metadata_db)
        with closing(MetadataDatabase(paths)) as back:
            check(back, vectors, alone=False)
            if name == "saved.db":  # the ids of those that the copy does not know are given again
                add_media_with(back, unit_vectors(200, seed=seed), "c.jpg")
            store = EmbeddingStore(back.connection, MODEL)
            for _ in range(2):
                found = store.best(unit_vectors(200, seed=seed)[150], 1)
                assert found[0][0] == f"{word}.jpg-00150"
                store.keep_scanned()
                assert store.scan_problems() == []


def test_rows_that_sqlite_has_and_the_file_has_not_are_noticed(
    metadata: MetadataDatabase, vectors: np.ndarray
) -> None:
    with metadata.connection.write() as db:
        row = tuple(
            db.execute("SELECT id, segment_id, model_id, vector FROM embeddings").fetchone()
        )
        db.execute("DELETE FROM embeddings WHERE id = ?", row[:1])
    store = EmbeddingStore(metadata.connection, MODEL)
    store.scan._forget()
    store.keep_scanned()
    with metadata.connection.write() as db:
        db.execute("DELETE FROM info WHERE key = ?", (KEY,))
    store = EmbeddingStore(metadata.connection, MODEL)
    store.keep_scanned()  # without that row
    with metadata.connection.write() as db:
        db.execute(
            "INSERT INTO embeddings (id, segment_id, model_id, vector) VALUES (?, ?, ?, ?)", row
        )
    assert store.scan_problems() == ["the file that searches scan lacks 1 rows"]
    check(metadata, vectors)  # counted where it is opened
    store.keep_scanned()  # and by the next job
    check(metadata, vectors, store)


def test_a_file_of_rows_that_are_mostly_gone_is_made_again(
    metadata: MetadataDatabase, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_rows, "MOST_GONE", 50)
    film = add_media_with(metadata, unit_vectors(300, seed=5), "b.jpg")
    store = EmbeddingStore(metadata.connection, MODEL)
    store.keep_scanned()
    file = file_of(metadata)
    metadata.remove_media(film)
    store.keep_scanned()
    assert file_of(metadata) != file and not file.exists()
    record = Record.read(metadata.info(KEY) or "")
    assert record is not None and record.rows == ROWS
    check(metadata, vectors, store)


def test_two_stores_of_one_process_may_both_save(
    metadata: MetadataDatabase, vectors: np.ndarray
) -> None:
    one, other = (EmbeddingStore(metadata.connection, MODEL) for _ in range(2))
    for number, store in enumerate((one, other, one, other, other, one)):
        add_media_with(metadata, unit_vectors(50, seed=50 + number), f"{number}.jpg")
        store.keep_scanned()
        for each in (one, other):
            found = each.best(unit_vectors(50, seed=50 + number)[40], 1)
            assert found[0][0] == f"{number}.jpg-00040"
    assert one.scan_problems() == other.scan_problems() == []
    check(metadata, vectors, alone=False)


def test_the_files_of_other_models_stay_and_those_of_none_go(
    metadata: MetadataDatabase, vectors: np.ndarray
) -> None:
    folder, first = metadata.paths.chroma_db, file_of(metadata)
    (folder / "0123456789ab.int8").touch()
    (folder / "mine.int8").touch()
    with metadata.connection.write():
        add_media_with(metadata, unit_vectors(50, seed=5), "b.jpg", model="another@1")
    EmbeddingStore(metadata.connection, "another@1").keep_scanned()
    left = {path.name for path in folder.glob("*.int8")}
    assert len(left) == 3 and {first.name, "mine.int8"} < left
    check(metadata, vectors)


@pytest.mark.parametrize("has_file", [True, False], ids=["with its file", "without"])
def test_who_may_only_read_scans_the_file_and_what_is_newer(
    metadata: MetadataDatabase, vectors: np.ndarray, has_file: bool
) -> None:
    if not has_file:
        file_of(metadata).unlink()
    with closing(MetadataDatabase(metadata.paths, read_only=True)) as reading:
        store = check(reading, vectors)
        mapped = sum(not block.content.flags.writeable for block in store.scan._blocks)
        assert mapped == (3 if has_file else 0)
        writer = EmbeddingStore(metadata.connection, MODEL)
        for number in range(4):
            more = unit_vectors(70, seed=60 + number)
            add_media_with(metadata, more, f"{number}.jpg")
            writer.keep_scanned()
            assert store.best(more[69], 1)[0][0] == f"{number}.jpg-00069"
        writer.scan.distrust("a test")
        writer.keep_scanned()  # the file that is being read goes
        check(reading, vectors, store, alone=False)
        said = metadata.info(KEY)
        store.keep_scanned()
        assert metadata.info(KEY) == said


def test_a_damaged_embedding_is_told_of_and_scanned_by_nobody(
    metadata: MetadataDatabase, vectors: np.ndarray
) -> None:
    with metadata.connection.write() as db:
        db.execute("DELETE FROM info WHERE key = ?", (KEY,))
    with sqlite3.connect(metadata.paths.metadata_db) as other:
        other.execute("UPDATE embeddings SET vector = ? WHERE id = 9", (vectors[50].tobytes(),))
    other.close()
    store = EmbeddingStore(metadata.connection, MODEL)
    with pytest.raises(DatabaseError, match="damaged"):
        store.best(vectors[8], 1)
    with pytest.raises(DatabaseError, match="damaged"):
        store.best(vectors[8], 1)
    assert metadata.info(KEY) is None


def test_versions_follow_what_any_process_commits(metadata: MetadataDatabase) -> None:
    connection = metadata.connection
    before = connection.version()
    assert connection.version() == before
    metadata.set_info("a", "b")
    second = connection.version()
    assert second != before
    with closing(Connection(metadata.paths.metadata_db, read_only=True)) as reading:
        assert not reading.is_writable and connection.is_writable
        first = reading.version()
        metadata.set_info("a", "c")
        assert reading.version() != first
    assert connection.version() != second


def test_what_is_said_of_the_file_stays_short(metadata: MetadataDatabase) -> None:
    blocks = tuple(scan_file.BlockRecord(64, 2**32 - 1, 64 * i) for i in range(1, 62))
    text = Record("0123456789ab.int8", 1, blocks).written()
    assert Record.read(text) is not None and len(json.dumps(text)) < 2000


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="it is Linux that is asked")
def test_once_closed_the_file_is_held_no_more(
    metadata: MetadataDatabase, vectors: np.ndarray
) -> None:
    def held() -> bool:
        opened = [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
        return name in Path("/proc/self/maps").read_text() + " ".join(opened)

    name = file_of(metadata).name
    store = check(metadata, vectors)
    assert held()
    store.scan.close()
    assert not held()
    check(metadata, vectors, store)  # a search that comes late opens it again
