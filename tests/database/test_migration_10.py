"""A library of schema 9 is opened without loss: what people gave so far is a label."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from src.config import LibraryPaths
from src.database.connection import Connection
from src.database.metadata_db import MetadataDatabase
from src.database.migrations import MIGRATIONS
from src.records import Tag
from tests.conftest import add_media_with, unit_vectors
from tests.old_schema import make_old


def labels(paths: LibraryPaths) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        return db.execute(
            "SELECT name, position, colour FROM tags WHERE position IS NOT NULL ORDER BY position"
        ).fetchall()


def make_schema_9(paths: LibraryPaths) -> None:
    with closing(MetadataDatabase(paths)) as metadata:
        add_media_with(metadata, unit_vectors(5))
        metadata.add_tags("a.jpg-00001", [Tag("plane", 0.5, "auto")], "vocabulary")
        metadata.add_tags("a.jpg-00001", [Tag("dog", 1.0, "human")], "human")
        metadata.add_tags("a.jpg-00001", [Tag("bus", 1.0, "imported")], "human")
        metadata.add_tags("a.jpg-00002", [Tag("cat", 1.0, "human")], "human")
        metadata.remove_tag("a.jpg-00002", "cat")
    make_old(paths.metadata_db, 9)


def test_what_people_gave_is_a_label_and_what_models_gave_is_none(paths: LibraryPaths) -> None:
    make_schema_9(paths)
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.connection.recovered is None and metadata.connection.mended is None
        assert metadata.damaged_rows() == [] and metadata.miscounted() == {}
        assert metadata.tag_counts() == {"bus": 1, "dog": 1, "plane": 1}
    assert labels(paths) == [("dog", 0, "#E6B450"), ("bus", 1, "#F0686C")]
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_a_damaged_name_stays_known_as_damaged(paths: LibraryPaths) -> None:
    make_schema_9(paths)
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        db.execute("UPDATE tags SET name = 'dig' WHERE name = 'dog'")
        db.commit()
    connection = Connection(paths.metadata_db)
    connection.close()
    with closing(MetadataDatabase(paths)) as metadata:
        (damaged,) = metadata.damaged_rows()
        assert damaged.table == "tags"


def test_what_a_recovery_takes_from_an_older_file_has_labels(paths: LibraryPaths) -> None:
    make_schema_9(paths)
    with open(paths.metadata_db, "r+b") as stream:  # the tree of the tags is where it was
        with closing(sqlite3.connect(paths.metadata_db)) as db:
            root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'roots'").fetchone()
            size = db.execute("PRAGMA page_size").fetchone()[0]
        stream.seek((root[0] - 1) * size)
        stream.write(bytes(size))
    with closing(MetadataDatabase(paths, examine=True)) as metadata:
        assert metadata.connection.recovered is not None
        assert metadata.damaged_rows() == [] and metadata.miscounted() == {}
    assert [row[0] for row in labels(paths)] == ["dog", "bus"]
