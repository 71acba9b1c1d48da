"""The log beside a library's file stays small, whoever reads it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database import log_size, scan_rows
from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.database.repair import damaged_rows
from tests.conftest import MODEL, add_media_with, unit_vectors

LIMIT = 2 << 20


@pytest.fixture(autouse=True)
def small_and_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_size, "MOST_BYTES", LIMIT)
    monkeypatch.setattr(log_size, "WAIT_S", 60.0)  # no slow machine makes it wait in vain


def log_of(paths: LibraryPaths) -> int:
    log = Path(f"{paths.metadata_db}-wal")
    return log.stat().st_size if log.exists() else 0


def store(metadata: MetadataDatabase, number: int) -> None:
    """Write a fifth of the limit."""
    metadata.set_info(f"key {number % 3}", f"{number:09}" * (LIMIT // 45))


def begun(paths: LibraryPaths) -> sqlite3.Connection:
    """Read, and go on reading."""
    reader = sqlite3.connect(paths.metadata_db, isolation_level=None, check_same_thread=False)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM info").fetchone()
    return reader


@contextmanager
def always_read(paths: LibraryPaths) -> Iterator[None]:
    """Have somebody read at every moment: the next begins before the last has ended."""
    begins, is_over = threading.Event(), threading.Event()

    def read() -> None:
        last = begun(paths)
        begins.set()
        while not is_over.is_set():
            following = begun(paths)
            last.close()
            last = following
        last.close()

    thread = threading.Thread(target=read)
    thread.start()
    begins.wait()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def when_asked(writer: sqlite3.Connection, for_what: str, act: Callable[[], object]) -> None:
    """Do something in a thread of its own as soon as the writer is about to do something."""

    def see(sql: str) -> None:
        if for_what in sql:
            writer.set_trace_callback(None)
            threading.Thread(target=act).start()

    writer.set_trace_callback(see)


def test_it_does_not_grow_where_somebody_reads_at_every_moment(
    metadata: MetadataDatabase,
) -> None:
    sizes = []
    with always_read(metadata.paths):
        for number in range(50):
            store(metadata, number)
            sizes.append(log_of(metadata.paths))
    assert max(sizes) < 2 * LIMIT


def test_a_query_that_takes_long_is_not_waited_for_again_and_again(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_size, "WAIT_S", 0.0)
    monkeypatch.setattr(log_size, "time", SimpleNamespace(monotonic=lambda: now))
    now, asked, writer = 100.0, list[str](), metadata.connection._writer
    assert writer is not None
    writer.set_trace_callback(lambda sql: asked.append(sql) if "RESTART" in sql else None)
    with closing(begun(metadata.paths)):
        for number in range(20):
            store(metadata, number)
        assert log_of(metadata.paths) > 3 * LIMIT and len(asked) == 1
        now += log_size.AGAIN_AFTER_S
        store(metadata, 20)
        assert len(asked) == 2
    now += log_size.AGAIN_AFTER_S
    for number in (21, 22):  # begun anew after the first, and shortened with the second
        store(metadata, number)
    assert log_of(metadata.paths) <= LIMIT
    assert metadata.info("key 0") == f"{21:09}" * (LIMIT // 45)


def test_what_is_committed_is_kept_where_the_log_can_not_be_moved(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(log_size, "_checkpoint", fails)
    for number in range(20):
        store(metadata, number)
    assert metadata.info("key 1") == f"{19:09}" * (LIMIT // 45)


def test_nothing_is_said_of_the_log_of_a_folder_that_was_moved_away(
    metadata: MetadataDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    metadata.paths.root.rename(tmp_path / "away")
    for number in range(3):
        store(metadata, number)
    assert caplog.records == []
    (tmp_path / "away").rename(metadata.paths.root)


def test_a_writer_that_leaves_waits_for_the_query_that_is_under_way(paths: LibraryPaths) -> None:
    metadata = MetadataDatabase(paths)
    store(metadata, 0)
    reader, writer = begun(paths), metadata.connection._writer
    assert writer is not None and log_of(paths) > 0
    when_asked(writer, "wal_checkpoint", reader.close)
    metadata.close()
    assert log_of(paths) == 0


def test_a_writer_leaves_beside_a_query_that_takes_long(
    paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_size, "WAIT_S", 0.0)
    metadata = MetadataDatabase(paths)
    store(metadata, 0)
    with closing(begun(paths)):
        store(metadata, 1)
        metadata.close()
        assert log_of(paths) > 0
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.info("key 1") == f"{1:09}" * (LIMIT // 45)


# -- what takes long to read is read in many queries


@pytest.fixture
def emptied(metadata: MetadataDatabase) -> Callable[[], bool]:
    """Empties the log; gives whether nobody kept a part of it."""
    writer = metadata.connection._writer
    assert writer is not None

    def empty() -> bool:
        busy, _, _ = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    writer.execute("PRAGMA busy_timeout = 0")
    return empty


def test_the_first_search_of_a_reader_reads_embeddings_some_at_a_time(
    metadata: MetadataDatabase, emptied: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    free, quantized = list[bool](), scan_rows.quantized

    def noted(matrix: np.ndarray) -> object:
        metadata.set_info("key", str(len(free)))  # or there is nothing to be kept
        free.append(emptied())
        return quantized(matrix)

    monkeypatch.setattr(scan_rows, "BATCH", 20)
    monkeypatch.setattr(scan_rows, "quantized", noted)
    vectors = unit_vectors(50)
    add_media_with(metadata, vectors)
    with closing(MetadataDatabase(metadata.paths, read_only=True)) as reader:
        (best, _), *_ = EmbeddingStore(reader.connection, MODEL).best(vectors[49], 1)
    assert best == "a.jpg-00049" and free == [True] * 3


def test_damaged_rows_are_looked_for_some_at_a_time(
    metadata: MetadataDatabase, emptied: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(damaged_rows, "IN_ONE_QUERY", 7)
    monkeypatch.setattr(damaged_rows, "AT_ONCE", 7)
    add_media_with(metadata, unit_vectors(50))
    with closing(MetadataDatabase(metadata.paths, read_only=True)) as reader:
        looked, free = reader.look_for_damaged_rows(), list[bool]()
        with pytest.raises(StopIteration) as ended:
            while True:
                next(looked)
                metadata.set_info("key", str(len(free)))
                free.append(emptied())
    # not while one of its queries is under way
    assert ended.value.value == [] and free.count(True) >= len(free) // 2 > 5


@pytest.mark.parametrize("key", ["no UTF-8: \udcff", "zz"])
def test_every_damaged_row_is_found_however_few_are_read_at_a_time(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr(damaged_rows, "IN_ONE_QUERY", 1)
    for name in ("a", "b", "z"):
        metadata.set_info(name, "sound")
    with closing(sqlite3.connect(metadata.paths.metadata_db)) as db, db:  # without our triggers
        db.execute("UPDATE info SET checksum = 0 WHERE key IN ('a', 'z')")
        db.execute(
            "INSERT INTO info (key, value, checksum) VALUES (CAST(? AS TEXT), 'other', 0)",
            (key.encode("utf-8", "surrogateescape"),),
        )
    found = [row.key for row in metadata.damaged_rows() if row.table == "info"]
    assert sorted(found) == sorted([("a",), ("z",), (key,)])
