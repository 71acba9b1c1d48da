"""What a library needs done now and then, beside all else."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.database import connection
from src.database.backup import backups, damage_of
from src.database.metadata_db import MetadataDatabase
from src.errors import DatabaseError
from src.events import Progress
from src.library import MediaLibrary
from src.models.model_manager import ModelManager
from src.processing.file_jobs import go_through
from tests.conftest import add_media_with, unit_vectors


@pytest.fixture
def large(paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch) -> LibraryPaths:
    """A library that counts as a large one, whose backup is due."""
    with closing(MetadataDatabase(paths)) as metadata:
        add_media_with(metadata, unit_vectors(300))
    monkeypatch.setattr(connection, "LARGE", 0)
    return paths


def kept(paths: LibraryPaths) -> list[Path]:
    return backups(paths.metadata_db)


def test_a_large_library_opens_before_its_backup_is_written(
    large: LibraryPaths, models: ModelManager
) -> None:
    with MediaLibrary(large, models, upkeep_later=True) as library:
        assert kept(large) == [] and library.upkeep.backup_waits
        steps = library.upkeep.back_up()
        next(steps)
        library.metadata.set_info("meanwhile", "written")
        assert all(isinstance(step, Progress) for step in steps)
        (backup,) = kept(large)
        assert not library.upkeep.backup_waits
        with closing(sqlite3.connect(backup)) as copy:
            assert damage_of(copy) == []
            assert copy.execute("SELECT count(*) FROM segments").fetchone() == (300,)
    with MediaLibrary(large, models, upkeep_later=True) as library:
        assert not library.upkeep.backup_waits


def test_a_backup_that_is_stopped_leaves_nothing(large: LibraryPaths, models: ModelManager) -> None:
    with MediaLibrary(large, models, upkeep_later=True) as library:
        steps = library.upkeep.back_up()
        next(steps)
        steps.close()  # type: ignore[attr-defined]
        names = {path.name for path in (large.root / "backups").iterdir()}
        assert not any(name.endswith((".db", ".tmp")) for name in names) or kept(large)
        assert not any(name.endswith(".tmp") for name in names)


def test_damage_that_the_backup_finds_is_mended_at_the_next_start(
    large: LibraryPaths, models: ModelManager
) -> None:
    with MediaLibrary(large, models, upkeep_later=True) as library:
        db = library.metadata.connection.read()
        size = db.execute("PRAGMA page_size").fetchone()[0]
        page = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'segments_by_frame'"
        ).fetchone()[0]
        with library.metadata.connection.write() as writer:
            writer.execute("INSERT INTO info (key, value) VALUES ('a', 'b')")
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        descriptor = os.open(large.metadata_db, os.O_WRONLY)
        os.pwrite(descriptor, b"\xff" * 64, (page - 1) * size)
        os.close(descriptor)
        with pytest.raises(DatabaseError, match="start the application again"):
            list(library.upkeep.back_up())
        assert kept(large) == []
    with MediaLibrary(large, models, upkeep_later=True) as library:
        assert library.notice is not None
        assert library.metadata.count_segments() == 300


@pytest.mark.parametrize("later", [True, False])
def test_the_index_is_told_at_the_end_of_a_job_or_by_one_of_its_own(
    paths: LibraryPaths, models: ModelManager, later: bool
) -> None:
    with MediaLibrary(paths, models, upkeep_later=later) as library:
        job = go_through(iter(()), lambda: library.index, not later)
        vectors = unit_vectors(3)
        add_media_with(library.metadata, vectors, model=library.clip.name)
        assert library.upkeep.index_waits
        told = [event for event in job if isinstance(event, Progress)]
        assert told == ([] if later else [Progress("index", 3, 3)])
        assert library.upkeep.index_waits == later
        assert library.index.problems() == []
        found = library.vectors.search_by_embedding(vectors[1], 1)
        assert found[0].segment.id == "a.jpg-00001"
        list(library.upkeep.tell_index())
        assert not library.upkeep.index_waits and library.index.problems() == []
