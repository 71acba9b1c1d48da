"""Search and the index, with a real Chroma in its real child process."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from src.config import APPLICATION_FOLDER, LibraryPaths
from src.database import vector_cache, vector_db
from src.database.embedding_store import EmbeddingStore
from src.database.index_server import marker_of
from src.database.metadata_db import MetadataDatabase
from src.database.vector_cache import VectorCache
from src.database.vector_db import VectorDatabase
from src.database.vector_index import VectorIndex
from src.errors import EmbeddingError, QueryError
from src.models.clip_encoder import ClipEncoder
from src.records import Tag
from src.search.filters import EVERYTHING
from src.search.leaves import segment_filter
from tests.conftest import MODEL, add_media_with, new_segments, unit_vectors


@pytest.fixture
def embeddings(metadata: MetadataDatabase) -> EmbeddingStore:
    return EmbeddingStore(metadata.connection, MODEL)


@pytest.fixture
def index(metadata: MetadataDatabase, embeddings: EmbeddingStore) -> Iterator[VectorIndex]:
    index = VectorIndex(metadata, embeddings)
    yield index
    index.close()


def catch_up(index: VectorIndex) -> None:
    for _ in index.catch_up():
        pass
    assert index.pending() == 0


def folder_of(index: VectorIndex, metadata: MetadataDatabase) -> Path:
    name = metadata.info(f"index of {MODEL}")
    assert name is not None
    return metadata.paths.chroma_db / name


def test_exact_search_agrees_with_numpy(
    metadata: MetadataDatabase, embeddings: EmbeddingStore
) -> None:
    vectors = unit_vectors(300)
    add_media_with(metadata, vectors)
    query = unit_vectors(1, seed=5)[0]
    found = embeddings.best(query, 7, segment_filter())
    order = np.argsort(-(vectors @ query))[:7]
    assert [segment_id for segment_id, _ in found] == [f"a.jpg-{i:05}" for i in order]
    np.testing.assert_allclose([score for _, score in found], (vectors @ query)[order], rtol=1e-5)


def test_filtered_search_scores_only_what_is_left(
    metadata: MetadataDatabase, embeddings: EmbeddingStore
) -> None:
    vectors = unit_vectors(40)
    add_media_with(metadata, vectors)
    metadata.add_tags("a.jpg-00007", [Tag("red", 0.9, "auto")], "vocabulary")
    found = embeddings.best(vectors[0], 5, segment_filter(tags=("red",)))
    assert [segment_id for segment_id, _ in found] == ["a.jpg-00007"]


def test_the_index_finds_what_sqlite_holds(metadata: MetadataDatabase, index: VectorIndex) -> None:
    vectors = unit_vectors(450)
    add_media_with(metadata, vectors)
    catch_up(index)
    candidates = index.candidates(vectors[123], 5)
    assert candidates is not None
    assert candidates[0] == "a.jpg-00123"
    assert index.problems() == []


def test_removed_segments_leave_the_index(
    metadata: MetadataDatabase, index: VectorIndex, embeddings: EmbeddingStore
) -> None:
    vectors = unit_vectors(30)
    media_id = add_media_with(metadata, vectors, "a.jpg")
    add_media_with(metadata, unit_vectors(30, seed=1), "b.jpg")
    catch_up(index)
    metadata.remove_media(media_id)
    catch_up(index)
    candidates = index.candidates(vectors[3], 60)
    assert candidates is not None
    assert len(candidates) == 30
    assert not any(segment_id.startswith("a.jpg") for segment_id in candidates)


def test_an_index_closed_well_is_opened_again(
    metadata: MetadataDatabase, embeddings: EmbeddingStore, index: VectorIndex
) -> None:
    vectors = unit_vectors(20)
    add_media_with(metadata, vectors)
    catch_up(index)
    folder = folder_of(index, metadata)
    assert marker_of(folder).exists()  # writing has not rested yet
    index.close()
    assert not marker_of(folder).exists()
    again = VectorIndex(metadata, embeddings)
    assert again.candidates(vectors[2], 1) == ["a.jpg-00002"]
    assert folder_of(again, metadata) == folder
    again.close()


def test_a_child_killed_while_writing_costs_a_rebuild_and_nothing_else(
    metadata: MetadataDatabase, embeddings: EmbeddingStore, index: VectorIndex
) -> None:
    vectors = unit_vectors(600)
    add_media_with(metadata, vectors)
    progress = index.catch_up()
    next(progress)
    folder = folder_of(index, metadata)
    assert index._process is not None
    os.kill(index._process.pid, signal.SIGKILL)
    catch_up(index)  # notices, and starts in a fresh folder
    assert folder_of(index, metadata) != folder
    assert not folder.exists()
    assert index.problems() == []
    assert index.candidates(vectors[599], 1) == ["a.jpg-00599"]


@pytest.mark.parametrize("damage", ["gone", "emptied", "truncated", "marked", "grown"])
def test_a_damaged_index_is_noticed_and_rebuilt(
    metadata: MetadataDatabase, embeddings: EmbeddingStore, index: VectorIndex, damage: str
) -> None:
    vectors = unit_vectors(50)
    add_media_with(metadata, vectors)
    catch_up(index)
    folder = folder_of(index, metadata)
    index.close()
    if damage == "gone":
        folder.rename(folder.with_name("elsewhere"))
    elif damage == "emptied":
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    elif damage == "truncated":
        with (folder / "chroma.sqlite3").open("r+b") as stream:
            stream.truncate(5000)
    elif damage == "marked":
        marker_of(folder).touch()
    else:
        with (folder / "link_lists.bin").open("wb") as stream:
            stream.truncate(1 << 40)  # sparse, as a kill in Chroma's flush leaves it
    again = VectorIndex(metadata, embeddings)
    assert again.candidates(vectors[4], 1) is None, "a damaged index was trusted"
    assert embeddings.best(vectors[4], 1, segment_filter())[0][0] == "a.jpg-00004"
    catch_up(again)
    assert again.candidates(vectors[4], 1) == ["a.jpg-00004"]
    again.close()


def test_an_index_that_misses_segments_is_not_trusted(
    metadata: MetadataDatabase, embeddings: EmbeddingStore, index: VectorIndex
) -> None:
    add_media_with(metadata, unit_vectors(20))
    catch_up(index)
    index.close()
    with metadata.connection.write() as db:  # as if told, and it is not
        db.execute("DELETE FROM unindexed")
    add_media_with(metadata, unit_vectors(5, seed=3), "b.jpg")
    with metadata.connection.write() as db:
        db.execute("DELETE FROM unindexed")
    again = VectorIndex(metadata, embeddings)
    assert any("20" in problem for problem in again.problems())
    again.close()


def test_search_over_a_large_library_asks_the_index_and_scores_exactly(
    metadata: MetadataDatabase,
    paths: LibraryPaths,
    clip: ClipEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vector_db, "EXACT_UP_TO", 100)
    vectors = unit_vectors(400)
    add_media_with(metadata, vectors, model=clip.name)
    with VectorDatabase(paths, clip, metadata, use_index=True) as database:
        assert database.index is not None
        catch_up(database.index)
        late = unit_vectors(10, seed=9)
        media_id = add_media_with(metadata, late, "late.jpg", model=clip.name)
        query = vectors[17] + late[3]
        found = database.search_by_embedding(query, 5)
        assert {hit.segment.id for hit in found[:2]} == {"a.jpg-00017", "late.jpg-00003"}
        assert found[0].score == pytest.approx(
            float(np.dot(vectors[17], query / np.linalg.norm(query))), abs=0.05
        )
        metadata.remove_media(media_id)  # Chroma was never told of it, or that it is gone
        found = database.search_by_embedding(query, 5)
        assert all(hit.segment.id.startswith("a.jpg") for hit in found)


def test_a_library_that_fits_in_memory_is_answered_without_the_index(
    metadata: MetadataDatabase,
    paths: LibraryPaths,
    clip: ClipEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An index that gives wrong candidates changes no answer of it."""
    vectors = unit_vectors(20_100)
    add_media_with(metadata, vectors, model=clip.name)
    monkeypatch.setattr(VectorIndex, "candidates", lambda *_: ["a.jpg-00007"])
    with VectorDatabase(paths, clip, metadata, use_index=True) as database:
        query = unit_vectors(1, seed=4)[0]
        nearest = [hit.segment.id for hit in database.search_by_embedding(query, 10)]
    assert nearest == [f"a.jpg-{i:05}" for i in np.argsort(-(vectors @ query))[:10]]


def test_what_is_removed_takes_no_place_from_what_is_left(
    metadata: MetadataDatabase,
    paths: LibraryPaths,
    clip: ClipEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vector_db, "EXACT_UP_TO", 100)
    film = unit_vectors(1)[0] + 0.3 * unit_vectors(300, seed=5)
    film /= np.linalg.norm(film, axis=1, keepdims=True)
    add_media_with(metadata, unit_vectors(200, seed=7), model=clip.name)
    media_id = add_media_with(metadata, film, "film.jpg", model=clip.name)
    with VectorDatabase(paths, clip, metadata, use_index=True) as database:
        assert database.index is not None
        catch_up(database.index)
        metadata.remove_media(media_id)
        found = database.search_by_embedding(film[0], 10)
        exact = database.embeddings.best(film[0], 10, EVERYTHING)
        assert [hit.segment.id for hit in found] == [segment_id for segment_id, _ in exact]


def test_more_results_than_segments_gives_them_all(
    metadata: MetadataDatabase, paths: LibraryPaths, clip: ClipEncoder
) -> None:
    add_media_with(metadata, unit_vectors(3), model=clip.name)
    with VectorDatabase(paths, clip, metadata) as database:
        assert len(database.search_by_text("something red", n_results=1000)) == 3


def test_an_empty_library_gives_no_hits(
    metadata: MetadataDatabase, paths: LibraryPaths, clip: ClipEncoder
) -> None:
    with VectorDatabase(paths, clip, metadata, use_index=True) as database:
        assert len(database.search_by_text("a red circle")) == 0


def test_words_the_starter_does_not_know_are_named_and_not_ranked(
    metadata: MetadataDatabase, paths: LibraryPaths, clip: ClipEncoder
) -> None:
    add_media_with(metadata, unit_vectors(3), model=clip.name)
    with VectorDatabase(paths, clip, metadata) as database:
        some = database.search_by_text("a red lorry")
        assert (some.unknown_words, len(some)) == (("lorry",), 3)
        assert some.known_words == ("red",)
        for query, unknown in (
            ("Lorries!", ("lorries",)),
            ("find me a photo of the Lorries", ("lorries",)),
            ("find me a photo", ()),
            ("???", ()),
        ):
            none = database.search_by_text(query)
            assert (none.unknown_words, none.known_words, len(none)) == (unknown, (), 0)
        for count in (0, 10**20):
            with pytest.raises(QueryError, match="can't be shown"):
                database.search_by_text("red", count)


@pytest.mark.parametrize("query", ["", "  \n "])
def test_an_empty_query_is_refused(
    metadata: MetadataDatabase, paths: LibraryPaths, clip: ClipEncoder, query: str
) -> None:
    with (
        VectorDatabase(paths, clip, metadata) as database,
        pytest.raises(QueryError, match="empty"),
    ):
        database.search_by_text(query)


@pytest.mark.parametrize(
    "embedding", [np.zeros(512), np.full(512, np.nan), np.ones(511), np.full(512, np.inf)]
)
def test_an_embedding_that_means_nothing_is_refused(
    metadata: MetadataDatabase, paths: LibraryPaths, clip: ClipEncoder, embedding: np.ndarray
) -> None:
    with VectorDatabase(paths, clip, metadata) as database, pytest.raises(QueryError):
        database.search_by_embedding(embedding)
    with VectorDatabase(paths, clip, metadata) as database, pytest.raises(QueryError):
        database.search_by_embedding(np.ones(512), n_results=0)


@pytest.mark.parametrize("held", [True, False], ids=["in memory", "from SQLite"])
def test_exact_search_follows_what_is_added_and_removed(
    metadata: MetadataDatabase,
    embeddings: EmbeddingStore,
    monkeypatch: pytest.MonkeyPatch,
    held: bool,
) -> None:
    if not held:
        monkeypatch.setattr("src.database.vector_cache.ROWS_AT_MOST", 10)
    vectors, more = unit_vectors(50), unit_vectors(50, seed=1)

    def nearest(vector: np.ndarray) -> str:
        return embeddings.best(vector, 1, segment_filter())[0][0]

    first = add_media_with(metadata, vectors, "a.jpg")
    assert nearest(vectors[30]) == "a.jpg-00030"
    second = add_media_with(metadata, more, "b.jpg")
    assert nearest(more[20]) == "b.jpg-00020"
    only = segment_filter(media_file_ids=(second,))
    assert embeddings.best(vectors[30], 1, only)[0][0].startswith("b.jpg")
    metadata.remove_media(first)
    assert nearest(vectors[30]).startswith("b.jpg")
    assert len(embeddings.best(vectors[30], 999, segment_filter())) == 50


HOW_IT_DIES = {"crashes": signal.SIGSEGV, "is killed": signal.SIGKILL, "hangs": signal.SIGSTOP}


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("how", HOW_IT_DIES.values(), ids=HOW_IT_DIES.keys())
def test_a_child_that_fails_costs_one_rebuild_and_no_more(
    metadata: MetadataDatabase,
    paths: LibraryPaths,
    clip: ClipEncoder,
    monkeypatch: pytest.MonkeyPatch,
    how: signal.Signals,
) -> None:
    monkeypatch.setattr(vector_db, "EXACT_UP_TO", 10)
    monkeypatch.setattr("src.database.vector_index.QUERY_S", 2.0)
    monkeypatch.setattr("src.database.index_process.LEAVE_S", 1.0)
    vectors = unit_vectors(60)
    add_media_with(metadata, vectors, model=clip.name)
    with VectorDatabase(paths, clip, metadata, use_index=True) as database:
        index = database.index
        assert index is not None
        for failures in (1, 2):
            catch_up(index)
            assert index.candidates(vectors[0], 1) == ["a.jpg-00000"]
            assert index._process is not None
            os.kill(index._process.pid, how)
            for number in (5, 6):  # the search that finds it out, and the next
                assert database.search_by_embedding(vectors[number], 1)[0].segment.id == (
                    f"a.jpg-{number:05}"
                )
            assert (index.failure is None) == (failures == 1)
        for _ in index.catch_up():  # it has failed twice: this session does without it
            pass
        assert index.pending() == 60
        assert database.search_by_embedding(vectors[7], 1)[0].segment.id == "a.jpg-00007"
        for _ in index.rebuild():  # unless a person asks for it
            pass
        assert index.failure is None and index.problems() == []


def test_what_is_held_grows_in_place_and_what_was_handed_out_stays(
    metadata: MetadataDatabase,
) -> None:
    cache = VectorCache(metadata.connection)
    vectors, copies = unit_vectors(60), 0
    add_media_with(metadata, vectors[:1], "0.jpg")
    first = before = cache.rows(1)
    assert first is not None and before is not None
    for number in range(1, 60):
        add_media_with(metadata, vectors[number : number + 1], f"{number}.jpg")
        now = cache.rows(1)
        assert now is not None
        copies += not np.shares_memory(now[1], before[1])
        assert np.array_equal(now[1], vectors[: number + 1]) and len(now[0]) == number + 1
        before = now
    assert copies == 0
    assert np.array_equal(first[1], vectors[:1]) and len(first[0]) == 1


def test_a_frame_stored_in_the_middle_of_a_look_has_nothing_read_twice(
    metadata: MetadataDatabase,
) -> None:
    cache, vectors = VectorCache(metadata.connection), unit_vectors(5)
    add_media_with(metadata, vectors[:2], "0.jpg")
    read: list[str] = []

    def look(statement: str) -> None:
        if "vector" in statement:
            read.append(statement)
            if len(read) == 1:  # after the count, before this very statement
                add_media_with(metadata, vectors[2:], "1.jpg")

    metadata.connection.read().set_trace_callback(look)
    for held in (cache.rows(1), cache.rows(1)):
        assert held is not None
    assert np.array_equal(held[1], vectors)
    assert len([statement for statement in read if "> 0" in statement]) == 1, read


def test_more_than_there_is_room_for_is_held_all_the_same(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_cache, "BATCH", 4)
    cache, vectors = VectorCache(metadata.connection), unit_vectors(60)
    for number, (start, end) in enumerate([(0, 3), (3, 4), (4, 5), (5, 30), (30, 60)]):
        add_media_with(metadata, vectors[start:end], f"{number}.jpg")
        held = cache.rows(1)
        assert held is not None and np.array_equal(held[1], vectors[:end])


def test_nothing_is_held_once_a_library_is_too_large_for_it(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_cache, "BATCH", 4)
    monkeypatch.setattr(vector_cache, "ROWS_AT_MOST", 10)
    cache, vectors = VectorCache(metadata.connection), unit_vectors(20)
    for start, end in ((0, 8), (8, 9), (9, 10)):  # room that grows by half would be for 12
        add_media_with(metadata, vectors[start:end], f"{end}.jpg")
        held = cache.rows(1)
        assert held is not None and len(held[0]) >= 8
        assert len(cache._matrix) <= 10
    first = add_media_with(metadata, vectors[10:], "more.jpg")
    assert cache.rows(1) is None and len(cache._matrix) == 0
    metadata.remove_media(first)
    held = cache.rows(1)
    assert held is not None and len(held[0]) == len(cache._ids[: cache._held])


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such limit")
def test_a_child_that_asks_for_all_memory_is_refused_it() -> None:
    greedy = (
        "from src.database.index_server import SPARE_MEMORY, limit_memory\n"
        "limit_memory(1000)\n"
        "bytearray(SPARE_MEMORY + (1 << 30))"
    )
    result = subprocess.run(
        [sys.executable, "-c", greedy],
        cwd=APPLICATION_FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1 and "MemoryError" in result.stderr


def test_a_child_that_hangs_does_not_outlive_its_parent_for_long(tmp_path: Path) -> None:
    hangs = (
        "import threading\n"
        "from src.database import index_server\n"
        "index_server.LEAVE_S = 0.5\n"
        "index_server.IndexServer.answer = lambda *_: threading.Event().wait()\n"
        "index_server.main()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", hangs, str(tmp_path)],
        cwd=APPLICATION_FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        child.communicate(b'{"verb": "count"}\n', timeout=60)  # and its end of the pipe is closed
        assert child.returncode == 1
    finally:
        child.kill()


BAD = {
    "NaN": np.full(512, np.nan),
    "infinite": np.full(512, np.inf),
    "zero": np.zeros(512),
    "another dimension": np.full(256, 1 / 16),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_vectors_that_mean_nothing_reach_neither_store(
    metadata: MetadataDatabase, embeddings: EmbeddingStore, bad: np.ndarray
) -> None:
    media_id = add_media_with(metadata, unit_vectors(3))
    good = new_segments(unit_vectors(2, seed=1), "new")
    half = [good[0], dataclasses.replace(good[1], embedding=bad)]
    with pytest.raises(EmbeddingError):
        metadata.store_frame(media_id, 1, None, (100, 100), half, MODEL)
    assert metadata.stored_frames(media_id) == {0}
    embeddings.remove([1])
    with pytest.raises(EmbeddingError):
        embeddings.add(["a.jpg-00000"], bad[None])
    assert embeddings.count() == 2 and embeddings.missing() == ["a.jpg-00000"]
