"""Searches that a person keeps: names, texts, and what becomes of them in a damaged library."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database.backup import back_up
from src.database.metadata_db import MetadataDatabase
from src.errors import DatabaseError, QueryError
from src.search.saved_searches import SavedSearch, SavedSearches


@pytest.fixture
def saved(metadata: MetadataDatabase) -> SavedSearches:
    return SavedSearches(metadata)


def test_they_are_kept_renamed_and_forgotten(saved: SavedSearches, paths: LibraryPaths) -> None:
    assert saved.all() == ()
    saved.save("Red trucks, 2024", ' "red truck" after:2024 ')
    saved.save("dogs", "tag:dog -leash")
    trucks = SavedSearch("Red trucks, 2024", '"red truck" after:2024')
    assert saved.all() == (SavedSearch("dogs", "tag:dog -leash"), trucks)
    saved.save("  DOGS ", "tag:dog")  # in the place of the one before
    assert saved.all() == (SavedSearch("DOGS", "tag:dog"), trucks)
    assert saved.get("Dogs").text == "tag:dog"
    saved.change_name("dogs", "Dogs")
    saved.change_name("red trucks,  2024", "Trucks")
    with closing(MetadataDatabase(paths, read_only=True)) as again:
        assert [each.name for each in SavedSearches(again).all()] == ["Dogs", "Trucks"]
        with pytest.raises(DatabaseError):
            SavedSearches(again).save("x", "y")
    saved.forget("DOGS")
    assert [each.name for each in saved.all()] == ["Trucks"]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("", "red", "needs a name"),
        ("x" * 81, "red", "at most 80"),
        ("a", "  ", "is empty"),
        ("a", "kind:thing", "frame or object"),
        ("\udc80", "red", "no character"),
    ],
)
def test_what_can_not_be_saved_is_refused(
    saved: SavedSearches, name: str, text: str, why: str
) -> None:
    with pytest.raises(QueryError, match=why):
        saved.save(name, text)
    assert saved.all() == ()


def test_names_are_those_there_are(saved: SavedSearches) -> None:
    saved.save("a", "red")
    saved.save("b", "blue")
    for act in (saved.get, saved.forget, lambda name: saved.change_name(name, "d")):
        with pytest.raises(QueryError, match='no saved search "c"'):
            act("c")
    with pytest.raises(QueryError, match="choose another name"):
        saved.change_name("a", "B")
    assert [each.text for each in saved.all()] == ["red", "blue"]


def test_a_backup_and_a_recovery_carry_them(paths: LibraryPaths) -> None:
    with closing(MetadataDatabase(paths)) as metadata:
        SavedSearches(metadata).save("dogs", "tag:dog")
        truth = SavedSearches(metadata).all()
    with closing(sqlite3.connect(paths.metadata_db)) as db:
        back_up(db, paths.metadata_db)
    paths.metadata_db.write_bytes(np.random.default_rng(0).bytes(200_000))
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.connection.recovered is not None
        assert SavedSearches(metadata).all() == truth
    content = bytearray(paths.metadata_db.read_bytes())
    place = content.index(b"saved search dogstag:dog") + 18
    content[place] ^= 4  # one bit, which its checksum puts back
    paths.metadata_db.write_bytes(content)
    with closing(MetadataDatabase(paths)) as metadata, pytest.raises(DatabaseError):
        SavedSearches(metadata).all()
    with closing(MetadataDatabase(paths)) as metadata:
        assert SavedSearches(metadata).all() == truth
