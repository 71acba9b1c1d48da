"""What a process that only reads a library notices of the one that writes it, and of its file."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.database import reader_watch
from src.database.metadata_db import MetadataDatabase
from src.database.migrations import MIGRATIONS
from src.database.open_marker import marker_of_open
from src.database.reader_watch import ReaderWatch
from src.errors import DatabaseError
from src.library import MediaLibrary
from src.network_shares import NetworkShare
from tests.conftest import add_media_with, unit_vectors
from tests.old_schema import make_old


@pytest.fixture
def reader(metadata: MetadataDatabase) -> Iterator[MetadataDatabase]:
    """A reader beside the writer `metadata`."""
    with closing(MetadataDatabase(metadata.paths, read_only=True)) as reader:
        yield reader


def watch(reader: MetadataDatabase, share: NetworkShare | None = None) -> ReaderWatch:
    return ReaderWatch(reader.connection, reader.paths.lock, share)


def held_by(paths: LibraryPaths, pid: int, host: str = socket.gethostname()) -> None:
    paths.lock.write_text(json.dumps({"pid": pid, "host": host}))


def in_another_thread(work: Callable[[], object]) -> BaseException | None:
    """Do something that opens a connection of its own; returns what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as exc:
            raised.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return raised[0] if raised else None


# -- the writer


def test_it_sees_that_something_was_stored_and_nothing_else(
    metadata: MetadataDatabase, reader: MetadataDatabase
) -> None:
    watching = watch(reader)
    first = watching.look()
    reader.counts()
    assert watching.look() == first and not first.lost
    metadata.set_info("a", "b")
    assert watching.look().version != first.version


def test_it_tells_a_writer_that_is_there_from_one_that_left_or_was_killed(
    paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = MetadataDatabase(paths)
    with closing(MetadataDatabase(paths, read_only=True)) as reader:
        watching = watch(reader)
        held_by(paths, os.getpid())
        assert watching.look().writer == "open"
        monkeypatch.setattr(reader_watch, "_is_running", lambda pid: pid != 77)
        held_by(paths, 77)
        assert watching.look().writer == "killed"
        held_by(paths, 77, "the-attic")  # of another machine's processes nothing is known
        assert watching.look().writer == "open"
        metadata.close()
        assert watching.look().writer == "closed"


def test_a_process_that_has_ended_does_not_run() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    assert reader_watch._is_running(os.getpid())
    ended.wait()
    assert reader_watch._is_running(ended.pid) is (sys.platform == "win32")


def test_a_reader_keeps_no_writer_from_emptying_its_log(
    metadata: MetadataDatabase, reader: MetadataDatabase
) -> None:
    add_media_with(metadata, unit_vectors(50))
    watching = watch(reader)
    for _ in range(3):  # what it has read it holds on to no longer than it takes
        reader.counts()
        reader.media_under(Path("/"))
        reader.connection.read().execute("SELECT * FROM segments").fetchone()
        watching.look()
        metadata.set_info("a", "b")
        writer = metadata.connection._writer
        assert writer is not None
        assert writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    assert reader.info("a") == "b"


def test_a_writer_comes_and_goes_beside_a_reader(paths: LibraryPaths) -> None:
    MetadataDatabase(paths).close()
    with closing(MetadataDatabase(paths, read_only=True)) as reader:
        for value in ("first", "second"):
            with closing(MetadataDatabase(paths)) as writer:
                writer.set_info("a", value)
                assert reader.info("a") == value
            assert reader.info("a") == value
            assert not watch(reader).look().lost


# -- the file beneath a reader


def test_a_library_that_is_deleted_beneath_a_reader_is_said_to_be(
    paths: LibraryPaths, tmp_path: Path
) -> None:
    MetadataDatabase(paths).close()
    with closing(MetadataDatabase(paths, read_only=True)) as reader:
        reader.counts()
        away = tmp_path / "away"
        paths.root.rename(away)
        assert "moved or deleted" in watch(reader).look().lost
        raised = in_another_thread(reader.counts)
        assert isinstance(raised, DatabaseError) and "moved or deleted" in str(raised)
        away.rename(paths.root)  # its disk is back
        assert not watch(reader).look().lost and in_another_thread(reader.counts) is None


def test_two_libraries_are_never_mixed_where_another_one_takes_the_place(
    paths: LibraryPaths, tmp_path: Path
) -> None:
    MetadataDatabase(paths).close()
    with closing(MetadataDatabase(LibraryPaths(tmp_path / "other"))) as other:
        other.set_info("a", "of the other one")
    with closing(MetadataDatabase(paths, read_only=True)) as reader:
        reader.counts()
        os.replace(tmp_path / "other" / "metadata.db", paths.metadata_db)
        assert "replaced by another one" in watch(reader).look().lost
        raised = in_another_thread(lambda: reader.info("a"))
        assert isinstance(raised, DatabaseError) and "replaced by another one" in str(raised)


def test_a_schema_that_a_newer_version_changes_is_said_and_fails_with_a_sentence(
    metadata: MetadataDatabase, reader: MetadataDatabase
) -> None:
    reader.counts()
    with closing(sqlite3.connect(metadata.paths.metadata_db)) as newer:
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        newer.execute("ALTER TABLE info RENAME TO facts")
    assert "a newer version of this program has changed" in watch(reader).look().lost
    with pytest.raises(DatabaseError, match="newer version of this program"):
        reader.info("a")


def test_a_library_of_an_earlier_version_is_said_to_be_one(paths: LibraryPaths) -> None:
    MetadataDatabase(paths).close()
    make_old(paths.metadata_db, len(MIGRATIONS) - 1)
    before = paths.metadata_db.read_bytes()
    earlier = pytest.raises(DatabaseError, match=r"earlier version.*once without --read-only")
    with closing(MetadataDatabase(paths, read_only=True)) as reader:  # a search works
        with earlier:
            reader.connection.refuse_older()
        with earlier:
            reader.connection.read().execute("SELECT * FROM a_table_that_came_since")
    with earlier:
        MediaLibrary(paths, read_only=True, to_browse=True)
    assert paths.metadata_db.read_bytes() == before


def test_another_machine_that_opens_it_on_a_share_is_noticed(
    metadata: MetadataDatabase, reader: MetadataDatabase
) -> None:
    watching = watch(reader, NetworkShare("sshfs", False))
    held_by(metadata.paths, os.getpid())
    assert not watching.look().lost
    held_by(metadata.paths, 77, "the-attic")
    assert "on the-attic, which is another machine" in watching.look().lost


# -- a folder that can't be written to


@pytest.fixture
def unwritable(paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch) -> LibraryPaths:
    """A library at rest in a folder where nobody may write, as anybody but root sees it."""
    with closing(MetadataDatabase(paths)) as metadata:
        metadata.set_info("a", "before")
    paths.metadata_db.chmod(0o444)
    paths.root.chmod(0o555)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    return paths


def beside(paths: LibraryPaths) -> set[str]:
    return {entry.name for entry in paths.root.glob("metadata.db*")}


def test_a_library_that_nobody_may_write_is_read_and_nothing_is_made(
    unwritable: LibraryPaths,
) -> None:
    before = beside(unwritable)
    with closing(MetadataDatabase(unwritable, read_only=True)) as reader:
        assert reader.info("a") == "before"
        assert beside(unwritable) == before
        first = watch(reader).look()
        assert watch(reader).look() == first and not first.lost


def test_what_is_written_there_all_the_same_is_read_as_beside_any_writer(
    unwritable: LibraryPaths,
) -> None:
    with closing(MetadataDatabase(unwritable, read_only=True)) as reader:
        assert reader.info("a") == "before"
        first = watch(reader).look().version
        with closing(MetadataDatabase(unwritable)) as writer:  # its owner may give the right
            writer.set_info("a", "after")
            assert reader.info("a") == "after"
            assert watch(reader).look().version != first
            writer.set_info("a", "later")
            assert reader.info("a") == "later"


def test_it_is_read_where_others_may_write_and_whoever_came_and_left_is_noticed(
    unwritable: LibraryPaths,
) -> None:
    unwritable.root.chmod(0o755)
    with closing(MetadataDatabase(unwritable, read_only=True)) as reader:
        assert reader.info("a") == "before"
        first = watch(reader).look().version
        with closing(MetadataDatabase(unwritable)) as writer:
            writer.set_info("a", "after")
        assert reader.info("a") == "after"
        assert watch(reader).look().version != first


def test_a_log_without_its_index_is_read_only_where_one_can_be_made(
    unwritable: LibraryPaths, tmp_path: Path
) -> None:
    copy = LibraryPaths(tmp_path / "copy")
    with closing(MetadataDatabase(unwritable)) as writer:
        writer.set_info("a", "in the log")
        copy.root.mkdir()
        for name in ("metadata.db", "metadata.db-wal"):
            shutil.copy(unwritable.root / name, copy.root / name)
    with pytest.raises(DatabaseError, match="copy the folder to such a place"):
        MetadataDatabase(copy, read_only=True)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts need root")
def test_a_library_on_a_disk_that_is_mounted_to_be_read_only(
    paths: LibraryPaths, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with closing(MetadataDatabase(paths)) as metadata:
        metadata.set_info("a", "before")
    mounted = subprocess.run(
        ["mount", "--bind", "-o", "ro", str(paths.root), str(other)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        seen = LibraryPaths(other)
        with closing(MetadataDatabase(seen, read_only=True)) as reader:
            assert reader.info("a") == "before"
            with closing(MetadataDatabase(paths)) as writer:  # by the folder's other name
                writer.set_info("a", "after")
                assert reader.info("a") == "after"
                with closing(MetadataDatabase(seen, read_only=True)) as second:
                    assert second.info("a") == "after"
            assert marker_of_open(paths.metadata_db).exists() is False
            assert reader.info("a") == "after" and not watch(reader).look().lost
    finally:
        subprocess.run(["umount", "--lazy", str(other)], check=True)
