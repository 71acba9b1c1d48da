"""Search and the index, with a real Chroma in its real child process."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from src.config import APPLICATION_FOLDER, LibraryPaths
from src.database.embedding_store import EmbeddingStore
from src.database.index_server import marker_of
from src.database.metadata_db import MetadataDatabase
from src.database.vector_db import VectorDatabase
from src.database.vector_index import VectorIndex
from src.errors import EmbeddingError, QueryError
from src.models.clip_encoder import ClipEncoder
from src.records import Tag
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


def nearest(index: VectorIndex, vector: np.ndarray, n: int) -> list[str]:
    """Ask Chroma's graph, as another program may."""
    process = index._opened()
    assert process is not None
    answer, _ = process.ask({"verb": "query", "n": n}, vector.astype("<f4").tobytes())
    found: list[str] = answer["ids"]
    return found


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
    assert nearest(index, vectors[123], 5)[0] == "a.jpg-00123"
    assert index.problems() == []


def test_what_was_opened_ahead_is_what_is_told(
    metadata: MetadataDatabase, index: VectorIndex
) -> None:
    vectors = unit_vectors(30)
    add_media_with(metadata, vectors)
    index.open_ahead()
    index.open_ahead()
    catch_up(index)
    assert nearest(index, vectors[7], 1) == ["a.jpg-00007"]
    folders = [each for each in metadata.paths.chroma_db.iterdir() if each.is_dir()]
    assert folders == [folder_of(index, metadata)]


def test_an_index_that_is_being_opened_is_closed_too(
    metadata: MetadataDatabase, index: VectorIndex
) -> None:
    add_media_with(metadata, unit_vectors(3))
    index.open_ahead()
    index.close()
    assert index._process is None
    assert not any(each.name == "index" for each in threading.enumerate())
    catch_up(index)


def test_removed_segments_leave_the_index(
    metadata: MetadataDatabase, index: VectorIndex, embeddings: EmbeddingStore
) -> None:
    vectors = unit_vectors(30)
    media_id = add_media_with(metadata, vectors, "a.jpg")
    add_media_with(metadata, unit_vectors(30, seed=1), "b.jpg")
    catch_up(index)
    metadata.remove_media(media_id)
    catch_up(index)
    found = nearest(index, vectors[3], 60)
    assert len(found) == 30
    assert not any(segment_id.startswith("a.jpg") for segment_id in found)


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
    assert nearest(again, vectors[2], 1) == ["a.jpg-00002"]
    assert folder_of(again, metadata) == folder
    again.close()


def test_a_child_killed_while_writing_costs_a_rebuild_and_nothing_else(
    metadata: MetadataDatabase, index: VectorIndex
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
    assert nearest(index, vectors[599], 1) == ["a.jpg-00599"]


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
    assert again.problems(), "a damaged index was trusted"
    assert embeddings.best(vectors[4], 1, segment_filter())[0][0] == "a.jpg-00004"
    add_media_with(metadata, unit_vectors(5, seed=3), "b.jpg")
    catch_up(again)
    assert again.problems() == [] and nearest(again, vectors[4], 1) == ["a.jpg-00004"]
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


def test_what_is_removed_takes_no_place_from_what_is_left(
    metadata: MetadataDatabase,
    paths: LibraryPaths,
    clip: ClipEncoder,
) -> None:
    film = unit_vectors(1)[0] + 0.3 * unit_vectors(300, seed=5)
    film /= np.linalg.norm(film, axis=1, keepdims=True)
    add_media_with(metadata, unit_vectors(200, seed=7), model=clip.name)
    media_id = add_media_with(metadata, film, "film.jpg", model=clip.name)
    with VectorDatabase(paths, clip, metadata, use_index=True) as database:
        assert database.index is not None
        catch_up(database.index)
        metadata.remove_media(media_id)
        found = database.search_by_embedding(film[0], 10)
        order = np.argsort(-(unit_vectors(200, seed=7) @ film[0]))[:10]
        assert [hit.segment.id for hit in found] == [f"a.jpg-{number:05}" for number in order]


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


@pytest.mark.parametrize("kept", [True, False], ids=["in a file", "in memory"])
def test_exact_search_follows_what_is_added_and_removed(
    metadata: MetadataDatabase, embeddings: EmbeddingStore, kept: bool
) -> None:
    vectors, more = unit_vectors(50), unit_vectors(50, seed=1)

    def best(vector: np.ndarray) -> str:
        if kept:
            embeddings.keep_scanned()
        return embeddings.best(vector, 1, segment_filter())[0][0]

    first = add_media_with(metadata, vectors, "a.jpg")
    assert best(vectors[30]) == "a.jpg-00030"
    second = add_media_with(metadata, more, "b.jpg")
    assert best(more[20]) == "b.jpg-00020"
    only = segment_filter(media_file_ids=(second,))
    assert embeddings.best(vectors[30], 1, only)[0][0].startswith("b.jpg")
    metadata.remove_media(first)
    assert best(vectors[30]).startswith("b.jpg")
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
    monkeypatch.setattr("src.database.index_process.REQUEST_S", 2.0)
    monkeypatch.setattr("src.database.index_process.LEAVE_S", 1.0)
    vectors = unit_vectors(60)
    add_media_with(metadata, vectors, model=clip.name)
    with VectorDatabase(paths, clip, metadata, use_index=True) as database:
        index = database.index
        assert index is not None
        catch_up(index)
        for failures in (1, 2):
            assert nearest(index, vectors[0], 1) == ["a.jpg-00000"]
            assert index._process is not None
            os.kill(index._process.pid, how)
            more = unit_vectors(5, seed=failures)
            add_media_with(metadata, more, f"{failures}.jpg", clip.name)
            catch_up(index)  # finds it out, and makes it again
            assert index.failure is None and index._distrusted == failures
            for number in (5, 6):
                assert database.search_by_embedding(vectors[number], 1)[0].segment.id == (
                    f"a.jpg-{number:05}"
                )
        assert index.problems() == []


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
