"""Backups of metadata.db, and what is left of it when bytes of it are changed."""

from __future__ import annotations

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
from src.database import connection, migrations
from src.database.backup import KEPT, back_up, backups, is_due
from src.database.metadata_db import MetadataDatabase
from src.database.migrations import MIGRATIONS
from src.errors import DatabaseError
from src.library_files import MARKER
from src.records import Tag
from tests.conftest import add_media_with, unit_vectors
from tests.database.sound_backup import newest_sound

TABLES = {
    "media_files": "id",
    "frames": "id",
    "segments": "id",
    "tags": "id",
    "segment_tags": "segment_id, tag_id",
    "removed_tags": "segment_id, tag_id",
    "embeddings": "id",
}


def filled(paths: LibraryPaths, files: int = 40) -> None:
    with closing(MetadataDatabase(paths)) as metadata:
        for number in range(files):
            name = f"{number}.jpg"
            add_media_with(metadata, unit_vectors(25, seed=number), name)
            metadata.add_tags(f"{name}-00003", [Tag(f"mine {number}", 1.0, "human")], "human")
            metadata.remove_tag(f"{name}-00004", f"mine {number}")


def rows(file: Path) -> dict[str, set[tuple[object, ...]]]:
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        return {table: set(db.execute(f"SELECT * FROM {table}")) for table in TABLES}


def back_up_now(paths: LibraryPaths) -> Path:
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        return back_up(db, paths.metadata_db)


def age_backups(paths: LibraryPaths, days: float) -> None:
    for path in backups(paths.metadata_db):
        os.utime(path, (time.time() - days * 86400,) * 2)


def damage_pages(file: Path, pages: list[int]) -> None:
    size = connection.PAGE_SIZE
    with file.open("r+b") as stream:
        for page in pages:
            stream.seek(page * size)
            stream.write(bytes(255 - byte for byte in stream.read(200)) if page else b"")
            stream.seek(page * size)
            stream.write(b"\xa5" * 200)


def test_a_backup_a_day_and_five_are_kept(paths: LibraryPaths) -> None:
    filled(paths, 2)
    for day in range(8):
        age_backups(paths, 1.5)
        for _ in range(2):  # twice a day makes one backup
            MetadataDatabase(paths).close()
        assert len(backups(paths.metadata_db)) == min(day + 1, KEPT)
    newest = newest_sound(paths.metadata_db)
    assert newest is not None and rows(newest) == rows(paths.metadata_db)
    others = {path.name for path in (paths.root / "backups").iterdir() if path.suffix != ".db"}
    assert others == {MARKER}


def test_a_backup_of_the_future_stops_no_other_and_is_no_newer(paths: LibraryPaths) -> None:
    filled(paths, 2)
    MetadataDatabase(paths).close()
    (first,) = backups(paths.metadata_db)
    ahead = first.with_name("metadata-2999-01-01T000000.db")
    first.rename(ahead)
    os.utime(ahead, (time.time() + 3600,) * 2)
    assert is_due(paths.metadata_db)
    for _ in range(2):  # the second has the one of today
        MetadataDatabase(paths).close()
        assert len(backups(paths.metadata_db)) == 2
        assert newest_sound(paths.metadata_db) != ahead
    for _ in range(KEPT):
        age_backups(paths, 1.5)
        MetadataDatabase(paths).close()
    assert len(backups(paths.metadata_db)) == KEPT and not ahead.exists()


def test_a_library_that_is_closed_well_is_opened_as_it_was(paths: LibraryPaths) -> None:
    filled(paths, 2)
    before = rows(paths.metadata_db)
    metadata = MetadataDatabase(paths)
    assert metadata.connection.recovered is None
    metadata.close()
    assert rows(paths.metadata_db) == before


@pytest.mark.parametrize("with_backup", [True, False], ids=["with a backup", "with none"])
@pytest.mark.parametrize("seed", range(6))
def test_damaged_pages_are_noticed_and_what_is_readable_kept(
    paths: LibraryPaths, with_backup: bool, seed: int
) -> None:
    filled(paths)
    truth = rows(paths.metadata_db)
    if with_backup:
        back_up_now(paths)
        age_backups(paths, 2)
    total = paths.metadata_db.stat().st_size // connection.PAGE_SIZE
    random = np.random.default_rng(seed)
    pages = sorted(int(page) for page in random.choice(np.arange(1, total), 4, replace=False))
    damage_pages(paths.metadata_db, pages)
    damaged = paths.metadata_db.read_bytes()

    metadata = MetadataDatabase(paths)
    recovered = metadata.connection.recovered
    assert recovered is not None and recovered.kept.read_bytes() == damaged
    assert "damaged" in str(recovered) and recovered.kept.name in str(recovered)
    unindexed = metadata.connection.read().execute("SELECT count(*) FROM unindexed").fetchone()[0]
    metadata.close()
    found = rows(paths.metadata_db)
    assert unindexed == len(found["embeddings"])
    ids = {table: {row[0] for row in truth[table]} for table in TABLES}
    for table in TABLES:  # nothing is invented, and what is lost is said
        assert {row[0] for row in found[table]} <= ids[table], table
        if table != "media_files":  # those with gaps are looked at again
            assert found[table] <= truth[table], table
        gone = len(truth[table]) - len(found[table])
        assert recovered.lost.get(table, 0) == gone, table
    for table in ("media_files", "frames", "tags"):  # a page or two of each at most is hit
        assert len(found[table]) >= len(truth[table]) // 2, table
    # a page holds 7 embeddings, or a fifth of these segments
    assert len(found["embeddings"]) >= 0.5 * len(truth["embeddings"])
    if with_backup:
        assert found["segment_tags"] == truth["segment_tags"]
        assert found["segments"] == truth["segments"]
        assert found["embeddings"] == truth["embeddings"]
    again = MetadataDatabase(paths)
    assert again.connection.recovered is None  # told once
    again.close()


def test_a_file_with_no_readable_header_comes_back_from_the_backup(paths: LibraryPaths) -> None:
    filled(paths, 5)
    back_up_now(paths)
    truth = rows(paths.metadata_db)
    paths.metadata_db.write_bytes(np.random.default_rng(0).bytes(200_000))
    with closing(MetadataDatabase(paths)) as metadata:
        recovered = metadata.connection.recovered
    assert recovered is not None and recovered.backup is not None
    assert rows(paths.metadata_db) == truth


def test_a_damaged_backup_is_passed_over(paths: LibraryPaths) -> None:
    filled(paths, 5)
    good = back_up_now(paths)
    bad = back_up_now(paths)
    damage_pages(bad, [0, 1, 2])
    assert newest_sound(paths.metadata_db) == good


KILLED = """
import sys
from pathlib import Path
from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
metadata = MetadataDatabase(LibraryPaths(Path(sys.argv[1])))
metadata.set_info("acknowledged", "yes")
print("said", flush=True)
sys.stdin.read()
"""


def leave_a_log(paths: LibraryPaths) -> None:
    """Have a process write and die, so that its log is not in the file yet."""
    command = [sys.executable, "-c", KILLED, str(paths.root)]
    with subprocess.Popen(
        command, cwd=APPLICATION_FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"said\n"
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_what_was_acknowledged_outlives_a_kill_and_a_missing_log_leaves_a_sound_library(
    paths: LibraryPaths,
) -> None:
    filled(paths, 3)
    truth = rows(paths.metadata_db)
    leave_a_log(paths)
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.info("acknowledged") == "yes"
    leave_a_log(paths)
    paths.metadata_db.with_name("metadata.db-wal").unlink()
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.integrity_problems() == []
        assert metadata.connection.recovered is None
    assert rows(paths.metadata_db) == truth


def test_a_change_of_schema_that_dies_half_way_leaves_the_old_one_and_a_backup(
    paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(paths, 3)
    shutil.rmtree(paths.root / "backups", ignore_errors=True)
    truth = rows(paths.metadata_db)

    def half(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE half (id INTEGER)")
        db.execute("DELETE FROM segments")
        raise KeyboardInterrupt

    def whole(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE half (id INTEGER)")

    for step in (half, whole):
        steps = (*MIGRATIONS, step)
        monkeypatch.setattr(migrations, "MIGRATIONS", steps)
        monkeypatch.setattr(connection, "MIGRATIONS", steps)
        if step is half:
            with pytest.raises(KeyboardInterrupt):
                MetadataDatabase(paths)
            assert rows(paths.metadata_db) == truth
        else:
            MetadataDatabase(paths).close()
    assert rows(paths.metadata_db) == truth
    assert [rows(path) for path in backups(paths.metadata_db)] == [truth, truth]


def test_there_is_no_change_of_schema_without_a_backup(
    paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(paths, 1)
    shutil.rmtree(paths.root / "backups", ignore_errors=True)
    (paths.root / "backups").write_text("in the way")
    steps = (*MIGRATIONS, lambda db: None)
    monkeypatch.setattr(migrations, "MIGRATIONS", steps)
    monkeypatch.setattr(connection, "MIGRATIONS", steps)
    before = paths.metadata_db.read_bytes()
    with pytest.raises(DatabaseError, match="backup"):
        MetadataDatabase(paths)
    assert paths.metadata_db.read_bytes() == before


def test_a_newer_library_is_refused_with_every_byte_as_it_was(paths: LibraryPaths) -> None:
    filled(paths, 1)
    leave_a_log(paths)
    with closing(sqlite3.connect(f"{paths.metadata_db.as_uri()}", uri=True)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        db.commit()
        files = {path: path.read_bytes() for path in paths.root.glob("metadata.db*")}
        copies = {path.name: content for path, content in files.items() if "-shm" not in path.name}
    other = LibraryPaths(paths.root.with_name("newer"))
    other.root.mkdir()
    for name, content in copies.items():
        (other.root / name).write_bytes(content)
    with pytest.raises(DatabaseError, match="newer version"):
        MetadataDatabase(other)
    assert {name: (other.root / name).read_bytes() for name in copies} == copies
