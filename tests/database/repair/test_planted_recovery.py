"""What a stranger says of a recovery that never was: in `info`, and in the backups folder."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.database.repair.recovery import KEPT_AS, RECOVERED, SAID, recover
from src.library import MediaLibrary
from tests.conftest import add_media_with, unit_vectors

ENDLESS = (
    "CREATE VIEW info AS WITH RECURSIVE c (key, value) AS"
    " (SELECT 'a', 'b' UNION ALL SELECT key, value FROM c) SELECT * FROM c"
)


@pytest.fixture
def library(paths: LibraryPaths) -> LibraryPaths:
    with closing(MetadataDatabase(paths)) as metadata:
        add_media_with(metadata, unit_vectors(3))
        metadata.paths.files.make_marked_folder("backups")
    return paths


def say(file: Path, kept: object, said: object = "nothing is lost") -> None:
    with closing(sqlite3.connect(file)) as db:
        rows = [(KEPT_AS, kept), (SAID, said)]
        db.executemany("INSERT INTO info (key, value) VALUES (?, ?)", rows)
        db.commit()


@pytest.mark.parametrize("kept", ["", ".", "..", "letter", "a\nb", "settings.json", b"\xff", 5])
@pytest.mark.parametrize("said", ["nothing is lost", b"\0", 7])
def test_a_row_that_no_recovery_wrote_is_not_said(
    library: LibraryPaths, kept: object, said: object
) -> None:
    say(library.metadata_db, kept, said)
    with MediaLibrary(library) as opened:
        assert opened.notice is None


@pytest.mark.parametrize("kept", ["", "..", "letter", b"\xff"])
def test_a_planted_recovery_moves_nothing_but_the_library(
    library: LibraryPaths, kept: object
) -> None:
    mine = [library.root / name for name in ("letter", "letter-wal", "letter-shm")]
    for path in mine:
        path.write_text("mine")
    library.metadata_db.with_name("metadata.db-wal").touch()
    before = library.metadata_db.read_bytes()
    shutil.copyfile(library.metadata_db, library.root / RECOVERED)
    say(library.root / RECOVERED, kept)
    MediaLibrary(library).close()
    assert all(path.read_text() == "mine" for path in mine)
    assert [path.read_bytes() for path in library.root.glob("metadata-damaged-*.db")] == [before]


def test_a_damaged_file_is_kept_where_another_has_its_name(library: LibraryPaths) -> None:
    kept = library.root / "metadata-damaged-2026-01-01T000000.db"
    kept.write_text("an earlier one")
    before = library.metadata_db.read_bytes()
    shutil.copyfile(library.metadata_db, library.root / RECOVERED)
    say(library.root / RECOVERED, kept.name)
    MediaLibrary(library).close()
    assert kept.read_text() == "an earlier one"
    found = {path.read_bytes() for path in library.root.glob("metadata-damaged-*.db")}
    assert found == {before, b"an earlier one"}


@pytest.mark.parametrize("what", ["a view", "a table", "nothing", "noise", "a pipe", "a link"])
def test_a_recovered_library_that_is_none_stays_where_it_is(
    library: LibraryPaths, tmp_path: Path, what: str
) -> None:
    planted = library.root / RECOVERED
    if what in ("a view", "a table"):
        with closing(sqlite3.connect(planted)) as db:
            db.execute(ENDLESS if what == "a view" else "CREATE TABLE info (x)")
    elif what == "a pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("pipes are POSIX's")
        os.mkfifo(planted)
    elif what == "a link":
        shutil.copyfile(library.metadata_db, tmp_path / "other.db")
        planted.symlink_to(tmp_path / "other.db")
    else:
        planted.write_bytes(b"" if what == "nothing" else bytes(range(256)) * 40)
    with MediaLibrary(library) as opened:
        assert opened.metadata.count_segments() == 3 and opened.notice is None
    assert os.path.lexists(planted) and not list(library.root.glob("metadata-damaged-*"))
    if what == "a pipe":
        planted.unlink()
    if what != "a link":  # which the new one replaces as well, and not what it leads to
        result = recover(library.metadata_db)
        assert result.rows and not planted.exists()


def test_a_log_of_terabytes_costs_no_memory(library: LibraryPaths) -> None:
    with library.metadata_db.with_name("metadata.db-wal").open("wb") as stream:
        stream.write(bytes(range(256)) * 16)
        stream.truncate(1 << 40)
    with MediaLibrary(library) as opened:
        assert opened.metadata.count_segments() == 3
