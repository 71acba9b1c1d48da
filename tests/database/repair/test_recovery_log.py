"""A damaged library and its log: which of its frames still count."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from main import main
from src.config import LibraryPaths
from src.database.connection import PAGE_SIZE
from src.database.metadata_db import MetadataDatabase
from src.database.repair.log_reader import read_log
from tests.conftest import add_media_with, unit_vectors
from tests.database.repair.test_recovery import filled, leave_a_log, rows


def test_a_foreign_log_is_set_aside_and_said(
    paths: LibraryPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(paths, 6)
    truth = rows(paths.metadata_db)
    other = LibraryPaths(tmp_path / "other")
    filled(other, 12)
    leave_a_log(other)
    shutil.copy(other.root / "metadata.db-wal", paths.root / "metadata.db-wal")
    foreign = (paths.root / "metadata.db-wal").read_bytes()
    main(["--library", str(paths.root), "stats"])
    said = capsys.readouterr().err
    assert "log" in said and "set aside" in said
    kept = re.search(r"metadata-log-\S+\.db-wal", said)
    assert kept is not None and (paths.root / kept.group()).read_bytes() == foreign
    assert rows(paths.metadata_db) == truth
    main(["--library", str(paths.root), "stats"])
    assert "set aside" not in capsys.readouterr().err


def test_a_log_of_other_pages_is_set_aside(paths: LibraryPaths, tmp_path: Path) -> None:
    filled(paths, 3)
    truth = rows(paths.metadata_db)
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as db:
        db.execute("PRAGMA page_size = 4096")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE x (y)")
        shutil.copy(tmp_path / "x.db-wal", paths.root / "metadata.db-wal")
    with closing(MetadataDatabase(paths)) as metadata:
        recovered = metadata.connection.recovered
    assert recovered is not None and recovered.log_only
    assert rows(paths.metadata_db) == truth


def logged(paths: LibraryPaths) -> Path:
    """Make a library whose last transactions are in its log, as a killed writer leaves it."""
    copy = paths.root.with_name("killed")
    copy.mkdir()
    with closing(MetadataDatabase(paths)) as metadata:
        for number in range(100, 106):
            add_media_with(metadata, unit_vectors(10, seed=number), f"{number}.jpg")
        for name in ("metadata.db", "metadata.db-wal", "metadata.db.open"):
            shutil.copy(paths.root / name, copy / name)
    return copy


@pytest.mark.parametrize("place", [4, 20, 32 + 3, 32 + 9, 32 + 20, 32 + 24 + 5000])
def test_a_changed_bit_in_the_log_costs_no_later_transaction(
    paths: LibraryPaths, place: int
) -> None:
    filled(paths, 3)
    killed = LibraryPaths(logged(paths))
    truth = rows(paths.metadata_db)
    log = killed.root / "metadata.db-wal"
    content = bytearray(log.read_bytes())
    content[place] ^= 0x10
    log.write_bytes(content)
    with closing(MetadataDatabase(killed)) as metadata:
        recovered = metadata.connection.recovered
    assert recovered is not None and not recovered.lost
    assert rows(killed.metadata_db) == truth


def test_a_log_that_ends_in_half_a_frame_is_no_damage(paths: LibraryPaths) -> None:
    filled(paths, 3)
    killed = LibraryPaths(logged(paths))
    log = killed.root / "metadata.db-wal"
    whole = read_log(log, PAGE_SIZE)
    assert whole is not None and not whole.damaged and not whole.hides
    with log.open("ab") as stream:
        stream.write(log.read_bytes()[32 : 32 + 9000])
    truth = rows(paths.metadata_db)
    with closing(MetadataDatabase(killed)) as metadata:
        assert metadata.connection.recovered is None
    assert rows(killed.metadata_db) == truth
