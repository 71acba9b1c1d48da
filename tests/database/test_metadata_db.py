from __future__ import annotations

import itertools
import shutil
import sqlite3
import threading
from contextlib import closing

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database.browse_queries import BrowseQueries
from src.database.decisions import replace_automatic_tags
from src.database.metadata_db import MetadataDatabase
from src.database.migrations import MIGRATIONS
from src.errors import DatabaseError
from src.records import Tag
from src.search.filters import EVERYTHING
from src.search.leaves import segment_filter
from tests.conftest import MODEL, add_frame_of_qualities, add_media_with, new_segments, unit_vectors


def test_the_specified_tables_are_there(metadata: MetadataDatabase) -> None:
    rows = metadata.connection.read().execute("SELECT name FROM sqlite_master WHERE type='table'")
    assert {"media_files", "segments", "tags", "segment_tags"} <= {row["name"] for row in rows}


def test_a_frame_is_stored_whole_or_not_at_all(metadata: MetadataDatabase) -> None:
    media_id = add_media_with(metadata, unit_vectors(3))
    twice = new_segments(unit_vectors(2, seed=1), prefix="b")
    with pytest.raises(DatabaseError):
        metadata.store_frame(media_id, 1, None, (100, 100), [*twice, twice[0]], MODEL)
    assert metadata.stored_frames(media_id) == {0}
    assert metadata.counts()["segments"] == 3


def test_removing_a_media_file_takes_everything_of_it(metadata: MetadataDatabase) -> None:
    media_id = add_media_with(metadata, unit_vectors(3))
    metadata.add_tags("a.jpg-00000", [Tag("red", 0.5, "auto")], "vocabulary")
    crops = metadata.remove_media(media_id)
    assert len(crops) == 3
    db = metadata.connection.read()
    for table in ("frames", "segments", "embeddings", "segment_tags", "unindexed"):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0, table
    # Chroma may hold them still, and has to be told
    assert db.execute("SELECT count(*) FROM index_removals").fetchone()[0] == 3


def test_tags_are_added_changed_and_removed(metadata: MetadataDatabase) -> None:
    add_media_with(metadata, unit_vectors(2))
    first = "a.jpg-00000"
    metadata.add_tags(first, [Tag("red", 0.5, "auto"), Tag("Star", 0.9, "auto")], "vocabulary")
    metadata.add_tags(first, [Tag("RED", 1.0, "human")], "human")
    assert metadata.tags_of([first])[first] == (Tag("red", 1.0, "human"), Tag("Star", 0.9, "auto"))
    metadata.remove_tag(first, "star")
    assert metadata.tag_counts() == {"red": 1}


def test_what_a_person_took_off_comes_back_from_that_person_only(
    metadata: MetadataDatabase,
) -> None:
    add_media_with(metadata, unit_vectors(2))
    first, second = "a.jpg-00000", "a.jpg-00001"
    guess = (Tag("red", 0.5, "auto"),)
    metadata.add_tags(first, guess, "vocabulary")
    metadata.remove_tag(first, "RED")
    metadata.remove_tag(first, "never heard of")
    metadata.remove_tag("gone", "red")
    assert metadata.removed_tags_of([first, second]) == {first: ("red",)}
    with metadata.connection.write() as db:
        replace_automatic_tags(db, {first: guess, second: guess})
    assert metadata.tags_of([first, second]) == {second: guess}
    metadata.add_tags(first, [Tag("red", 1.0, "human")], "human")
    assert metadata.tags_of([first])[first] == (Tag("red", 1.0, "human"),)
    assert metadata.removed_tags_of([first]) == {}


NAMES = (("Ärger", "ärger"), ("Caf\u00e9", "cafe\u0301"), ("STRASSE", "straße"), ("Ёлка", "ёлка"))


@pytest.mark.parametrize(("name", "other"), NAMES)
def test_a_tag_is_the_same_in_any_case_and_however_its_accents_are_made(
    metadata: MetadataDatabase, name: str, other: str
) -> None:
    add_media_with(metadata, unit_vectors(2))
    first, second = "a.jpg-00000", "a.jpg-00001"
    metadata.add_tags(first, [Tag(name, 0.5, "auto")], "vocabulary")
    metadata.add_tags(first, [Tag(other, 1.0, "human")], "human")
    assert metadata.tags_of([first]) == {first: (Tag(name, 1.0, "human"),)}
    assert BrowseQueries(metadata).tagged_by_people(other, 9, EVERYTHING) == [first]
    assert [s.id for s in metadata.segments_where(segment_filter(tags=(other,)))] == [first]
    metadata.remove_tag(first, other)
    assert metadata.removed_tags_of([first]) == {first: (name,)}
    with metadata.connection.write() as db:
        replace_automatic_tags(db, dict.fromkeys((first, second), (Tag(other, 0.5, "auto"),)))
    assert metadata.tags_of([first, second]) == {second: (Tag(name, 0.5, "auto"),)}


@pytest.mark.parametrize(("name", "other"), NAMES)
def test_a_tag_that_an_earlier_version_kept_twice_is_found_and_removed_as_one(
    metadata: MetadataDatabase, name: str, other: str
) -> None:
    add_media_with(metadata, unit_vectors(2))
    segment = "a.jpg-00000"
    metadata.add_tags(segment, [Tag(name, 1.0, "human")], "human")
    with metadata.connection.write() as db:
        db.execute("INSERT INTO tags (name, added_by) VALUES (?, 'human')", (other,))
    metadata.add_tags(segment, [Tag(other, 1.0, "human")], "human")
    assert len(metadata.tags_of([segment])[segment]) == 2
    for written in (name, other):
        assert BrowseQueries(metadata).tagged_by_people(written, 9, EVERYTHING) == [segment]
    metadata.remove_tag(segment, name)
    assert metadata.tags_of([segment]) == {}


def test_another_program_can_read_and_write_a_librarys_tags(metadata: MetadataDatabase) -> None:
    add_media_with(metadata, unit_vectors(1))
    metadata.add_tags("a.jpg-00000", [Tag("Ärger", 1.0, "human")], "human")
    with closing(sqlite3.connect(metadata.paths.metadata_db)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT name FROM tags WHERE name = 'Ärger'").fetchall() == [("Ärger",)]
        db.execute("UPDATE tags SET prompt = 'a photo of it'")


def test_a_filter_narrows_by_kind_media_and_tag(metadata: MetadataDatabase) -> None:
    one = add_media_with(metadata, unit_vectors(3), "a.jpg")
    add_media_with(metadata, unit_vectors(4, seed=1), "b.jpg")
    metadata.add_tags("a.jpg-00001", [Tag("red", 0.4, "auto")], "vocabulary")
    assert len(metadata.segments_where(segment_filter())) == 7
    assert len(metadata.segments_where(segment_filter(media_file_ids=(one,)))) == 3
    assert metadata.segments_where(segment_filter(kinds=("frame",))) == []
    tagged = metadata.segments_where(segment_filter(tags=("red",)))
    assert [segment.id for segment in tagged] == ["a.jpg-00001"]
    assert metadata.segments_where(segment_filter(tags=("red",), min_confidence=0.5)) == []


def test_segments_are_listed_in_parts_as_they_are_at_once(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src.database.rows.CHUNK", 3)
    add_media_with(metadata, unit_vectors(4), "a.jpg")
    gone = add_media_with(metadata, unit_vectors(4, seed=1), "b.jpg")
    parts = list(metadata.segments_in_parts())
    assert [len(part) for part in parts] == [3, 3, 2]
    assert list(itertools.chain(*parts)) == metadata.segments_where()
    (part,) = metadata.segments_in_parts(segment_filter(segment_ids=("b.jpg-00001",)))
    assert [segment.id for segment in part] == ["b.jpg-00001"]
    some = metadata.segments_in_parts()
    first = next(some)
    metadata.remove_media(gone)
    assert [*first, *itertools.chain(*some)] == metadata.segments_where()


def test_a_filter_leaves_out_worse_masks_and_never_whole_frames(
    metadata: MetadataDatabase,
) -> None:
    add_frame_of_qualities(metadata, [None, 0.5, 0.9, 0.7])
    assert not segment_filter(min_predicted_iou=0.0) and segment_filter(min_predicted_iou=0.7)

    def left(least: float) -> list[str]:
        found = metadata.segments_where(segment_filter(min_predicted_iou=least))
        return [segment.id[-1] for segment in found]

    assert (left(0.0), left(0.7), left(0.95)) == (["0", "1", "2", "3"], ["0", "2", "3"], ["0"])


def test_embeddings_come_back_as_they_went_in(metadata: MetadataDatabase) -> None:
    vectors = unit_vectors(2)
    add_media_with(metadata, vectors)
    row = metadata.connection.read().execute("SELECT vector FROM embeddings ORDER BY id").fetchone()
    np.testing.assert_array_equal(np.frombuffer(row["vector"], "<f4"), vectors[0])


def test_readers_in_other_threads_see_what_is_committed(metadata: MetadataDatabase) -> None:
    seen: list[int] = []
    with metadata.connection.write() as db:
        db.execute("INSERT INTO info (key, value) VALUES ('a', 'b')")
        reader = threading.Thread(target=lambda: seen.append(metadata.info("a") is not None))
        reader.start()
        reader.join()
    assert seen == [False]
    assert metadata.info("a") == "b"


def test_a_library_of_a_newer_version_is_refused_and_untouched(paths: LibraryPaths) -> None:
    MetadataDatabase(paths).close()
    newer = len(MIGRATIONS) + 1
    with sqlite3.connect(paths.metadata_db) as db:
        db.execute(f"PRAGMA user_version = {newer}")
    db.close()
    before = paths.metadata_db.read_bytes()
    with pytest.raises(DatabaseError, match="newer version"):
        MetadataDatabase(paths)
    assert paths.metadata_db.read_bytes() == before


def test_a_file_that_is_no_library_is_refused(paths: LibraryPaths) -> None:
    paths.create()
    paths.metadata_db.write_bytes(b"not a database, but long enough to look into" * 100)
    with pytest.raises(DatabaseError, match="can't be opened"):
        MetadataDatabase(paths)


def test_once_closed_all_of_it_is_in_the_one_file(paths: LibraryPaths) -> None:
    metadata = MetadataDatabase(paths)
    add_media_with(metadata, unit_vectors(3))
    assert metadata.counts()["segments"] == 3  # this thread has a reader now
    looked, over = threading.Event(), threading.Event()

    def look() -> None:  # and so has another, whose connection lives on for a while
        cursor = metadata.connection.read().execute("SELECT id FROM segments")
        cursor.fetchone()
        looked.set()
        over.wait(30)

    for in_a_query in (False, True):
        if in_a_query:
            metadata = MetadataDatabase(paths)
            other = threading.Thread(target=look)
            other.start()
            looked.wait(30)
        metadata.update_media(1, error=f"a note {in_a_query}")
        metadata.close()
        copy = LibraryPaths(paths.root.with_name(f"copy {in_a_query}"))
        copy.create()
        shutil.copy2(paths.metadata_db, copy.metadata_db)
        with closing(MetadataDatabase(copy)) as copied:
            assert copied.counts()["segments"] == 3
        if not in_a_query:
            assert not list(paths.root.glob("metadata.db-*"))
    over.set()
    other.join()


def test_closing_under_a_query_lets_it_end(metadata: MetadataDatabase) -> None:
    begun, ends = threading.Event(), []

    def count_long() -> None:
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)"
        rows = metadata.connection.read().execute(f"{numbers} SELECT i FROM n")
        for row in rows:
            begun.set()
            last = row
        ends.append(last[0])

    thread = threading.Thread(target=count_long)
    thread.start()
    begun.wait()
    metadata.close()
    thread.join()
    assert ends == [400000]
    with pytest.raises(DatabaseError, match="is closed"):
        metadata.connection.read()
    with pytest.raises(DatabaseError, match="is closed"), metadata.connection.write():
        pass


def test_a_library_opened_for_reading_sees_and_can_not_write(paths: LibraryPaths) -> None:
    MetadataDatabase(paths, read_only=True).close()  # one that is not there is made
    writer = MetadataDatabase(paths)
    reader = MetadataDatabase(paths, read_only=True)
    writer.set_info("a", "b")
    assert reader.info("a") == "b"
    with pytest.raises(DatabaseError, match="reading only"):
        reader.set_info("a", "c")
    reader.close()
    writer.close()


def test_a_filter_names_more_segments_and_files_than_sqlite_has_parameters(
    metadata: MetadataDatabase,
) -> None:
    media_id = add_media_with(metadata, unit_vectors(3))
    ids = (*(f"gone {number}" for number in range(40_000)), "a.jpg-00001")
    found = metadata.segments_where(segment_filter(segment_ids=ids))
    assert [segment.id for segment in found] == ["a.jpg-00001"]
    files = (*range(1000, 41_000), media_id)
    assert len(metadata.segments_where(segment_filter(media_file_ids=files))) == 3
    assert list(BrowseQueries(metadata).media_cards(files)) == [media_id]
    assert metadata.segments_where(segment_filter(segment_ids=())) == []
