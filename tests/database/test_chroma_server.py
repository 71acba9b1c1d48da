"""The index in a real Chroma server, which may be gone, slow, emptied, or somebody else's."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from chromadb import HttpClient
from chromadb.config import Settings as ChromaSettings

from src import config
from src.chroma_address import ChromaAddress, is_chroma_address
from src.config import LibraryPaths
from src.database import index_process
from src.database.embedding_store import EmbeddingStore
from src.database.index_on_server import TOKEN
from src.database.metadata_db import MetadataDatabase
from src.database.vector_index import VectorIndex
from src.errors import QueryError
from src.library import MediaLibrary
from src.settings import Settings
from tests.chroma_servers import ChromaServer, in_front_of
from tests.conftest import MODEL, add_media_with, unit_vectors


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    server = ChromaServer(tmp_path_factory.mktemp("chroma"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(running: ChromaServer) -> ChromaServer:
    if not running.answers():
        running.start()
    return running


@pytest.fixture
def embeddings(metadata: MetadataDatabase) -> EmbeddingStore:
    return EmbeddingStore(metadata.connection, MODEL)


def add(metadata: MetadataDatabase, vectors: np.ndarray, name: str = "a.jpg") -> list[str]:
    """Store a photo with such segments; returns their ids."""
    before = set(metadata.segment_ids())
    add_media_with(metadata, vectors, name)
    return [each for each in metadata.segment_ids() if each not in before]


def told(index: VectorIndex) -> None:
    for _ in index.catch_up():
        pass


def as_others_see_it(server: ChromaServer, metadata: MetadataDatabase) -> dict[str, np.ndarray]:
    """Read the collection with Chroma's own client, as another program on the network."""
    name = (metadata.info(f"index of {MODEL}") or "").split()[0]
    settings = ChromaSettings(anonymized_telemetry=False)
    client = HttpClient("127.0.0.1", server.port, database=name, settings=settings)
    found = client.get_collection("media_segments").get(include=["embeddings"])
    vectors = found["embeddings"]
    assert vectors is not None
    return dict(zip(found["ids"], map(np.asarray, vectors), strict=True))


def test_others_find_in_the_server_what_the_library_holds(
    server: ChromaServer, metadata: MetadataDatabase, embeddings: EmbeddingStore
) -> None:
    vectors = unit_vectors(300)
    ids = add(metadata, vectors)
    index = VectorIndex(metadata, embeddings)
    told(index)
    index.close()
    local = set(metadata.paths.chroma_db.iterdir())

    index = VectorIndex(metadata, embeddings, server.address)
    assert index.pending() == 300, "the server knows nothing yet"
    told(index)
    assert index.pending() == 0 and index.problems() == []
    seen = as_others_see_it(server, metadata)
    assert seen.keys() == set(ids)
    np.testing.assert_allclose(seen[ids[7]], vectors[7], atol=1e-6)
    folders = [path for path in local if path.is_dir() and path.exists()]
    assert not folders, "the library's own index is left, though nobody keeps it in step"
    index.close()


def test_a_server_that_is_gone_costs_nothing_and_is_told_when_it_is_back(
    server: ChromaServer, metadata: MetadataDatabase, embeddings: EmbeddingStore
) -> None:
    ids = add(metadata, unit_vectors(50))
    index = VectorIndex(metadata, embeddings, server.address)
    told(index)
    server.stop()
    more = unit_vectors(5, seed=1)
    ids += add(metadata, more, "b.jpg")
    told(index)
    assert index.pending() == 5
    assert index.away is not None and str(server.address) in index.away
    found = embeddings.find(more[2], 1, None, None)
    assert found.best[0][0] == ids[52], "searches need no server"
    for _ in index.rebuild():
        pass
    assert index.pending() == 5, "what can't be reached is not given up"

    server.start()
    told(index)
    assert index.away is None and index.pending() == 0 and index._distrusted == 0
    assert as_others_see_it(server, metadata).keys() == set(ids)
    index.close()


def test_a_server_that_was_emptied_is_filled_again(
    server: ChromaServer, metadata: MetadataDatabase, embeddings: EmbeddingStore
) -> None:
    ids = add(metadata, unit_vectors(40))
    index = VectorIndex(metadata, embeddings, server.address)
    told(index)
    name = (metadata.info(f"index of {MODEL}") or "").split()[0]
    settings = ChromaSettings(anonymized_telemetry=False)
    client = HttpClient("127.0.0.1", server.port, database=name, settings=settings)
    client.delete_collection("media_segments")
    ids += add(metadata, unit_vectors(3, seed=1), "b.jpg")
    told(index)
    assert index.pending() == 0 and index.away is None and index.failure is None
    assert as_others_see_it(server, metadata).keys() == set(ids)
    index.close()


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
def test_a_child_killed_while_it_tells_a_server_loses_and_doubles_nothing(
    server: ChromaServer, metadata: MetadataDatabase, embeddings: EmbeddingStore
) -> None:
    ids = add(metadata, unit_vectors(900))
    index = VectorIndex(metadata, embeddings, server.address)
    telling = index.catch_up()
    next(telling)
    assert index._process is not None
    os.kill(index._process.pid, signal.SIGKILL)
    for _ in telling:
        pass
    assert index.away is not None and index._distrusted == 0
    told(index)
    assert index.pending() == 0 and index._distrusted == 0
    assert sorted(as_others_see_it(server, metadata)) == sorted(ids)
    index.close()


def test_a_token_goes_to_its_own_server_alone(
    server: ChromaServer,
    metadata: MetadataDatabase,
    embeddings: EmbeddingStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    add(metadata, unit_vectors(5))
    with in_front_of(server.port, token="s3cret") as port:
        address = ChromaAddress("127.0.0.1", port)
        index = VectorIndex(metadata, embeddings, address)
        told(index)
        assert index.away is not None and "asks for a token" in index.away
        for named, says in (
            (f"{address} wrong", "refuses the token"),
            ("http://127.0.0.1:1 s3cret", "asks for a token"),
        ):
            monkeypatch.setenv(TOKEN, named)
            told(index)
            assert index.away is not None and says in index.away
        monkeypatch.setenv(TOKEN, f"{address} s3cret")
        told(index)
        assert index.away is None and index.pending() == 0
        index.close()
    assert "s3cret" not in caplog.text
    assert b"s3cret" not in metadata.paths.metadata_db.read_bytes()


def test_a_server_that_does_not_answer_or_is_none_is_left_until_later(
    server: ChromaServer,
    metadata: MetadataDatabase,
    embeddings: EmbeddingStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add(metadata, unit_vectors(5))
    monkeypatch.setattr(index_process, "REQUEST_S", 2.0)
    monkeypatch.setattr(index_process, "START_S", 2.0)
    monkeypatch.setattr(index_process, "LEAVE_S", 1.0)
    with in_front_of(server.port, hangs=True) as port:
        index = VectorIndex(metadata, embeddings, ChromaAddress("127.0.0.1", port))
        told(index)
        assert index.away == "no answer within 2 s" and index._distrusted == 0
        index.close()
    monkeypatch.undo()
    with in_front_of(1) as port:  # it ends every connection without a word
        index = VectorIndex(metadata, embeddings, ChromaAddress("127.0.0.1", port))
        told(index)
        assert index.away is not None and "can't be reached" in index.away
        index.close()


@pytest.mark.parametrize(
    "text",
    ["", "studio", "ftp://a:1", "http://", "http://a b", "http://a:0", "http://a/b", "a:8000"],
)
def test_what_is_no_address_is_refused_with_what_one_looks_like(text: str) -> None:
    assert not is_chroma_address(text)
    with pytest.raises(ValueError, match="http://HOST:8000"):
        ChromaAddress.parse(text)


def test_addresses_are_read_and_a_password_in_one_is_refused() -> None:
    assert str(ChromaAddress.parse("http://studio")) == "http://studio:8000"
    assert str(ChromaAddress.parse(" https://a.b/ ")) == "https://a.b:443"
    assert str(ChromaAddress.parse("http://[::1]:9")) == "http://[::1]:9"
    with pytest.raises(ValueError, match="no password belongs"):
        ChromaAddress.parse("http://me:secret@studio:8000")


def test_a_strangers_library_sends_nothing_to_the_strangers_server(
    paths: LibraryPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "_user_file", lambda: tmp_path / "user" / "library.json")
    paths.create()
    Settings(chroma_server="http://127.0.0.1:9").save(paths.settings)
    with MediaLibrary(paths) as library:
        assert "--chroma http://127.0.0.1:9" in " ".join(library.settings_problems)
        assert library._chroma_server is None and library.index_server is None
        library.keep_index("http://127.0.0.1:9")
        assert library._chroma_server == ChromaAddress("127.0.0.1", 9)
        assert library.index_server == "http://127.0.0.1:9"
    config.remember_library(tmp_path)
    with MediaLibrary(paths) as library:
        assert not library.settings_problems
        with pytest.raises(QueryError, match="no address of a Chroma server"):
            library.keep_index("studio")
        library.keep_index(None)
        assert library.settings.chroma_server is None


def test_a_server_is_tried_and_told_nothing(server: ChromaServer, paths: LibraryPaths) -> None:
    with MediaLibrary(paths) as library, in_front_of(server.port, token="s3cret") as port:
        before = paths.settings.exists()
        assert library.test_server(str(server.address)) is None
        for address, says in (
            ("http://127.0.0.1:1", "can't be reached"),
            (f"http://127.0.0.1:{port}", "asks for a token"),
            ("studio", "no address of a Chroma server"),
        ):
            said = library.test_server(address) or ""
            assert says in said and "Errno" not in said, address
        assert library.settings.chroma_server is None and paths.settings.exists() == before
