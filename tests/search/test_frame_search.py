"""`"A" with "B"`: the best frames for both, as plain loops find them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database.filtered_rows import FilteredRows
from src.database.metadata_db import MetadataDatabase
from src.database.vector_db import VectorDatabase
from src.errors import QueryError
from src.models.clip_encoder import ClipEncoder
from src.search.filter_text import parse_filter
from src.search.filters import EVERYTHING, Filter
from src.search.query import Like, Query, Term, Words
from src.search.query_text import parse_query
from src.search.segment_search import SegmentSearch
from tests.conftest import add_media_with, new_segments, unit_vectors

FRAMES = 150


def add_frames(metadata: MetadataDatabase, model: str, name: str, seed: int) -> None:
    """Add a video of 150 frames with 1 to 6 segments each, some of them the same in many."""
    draw = np.random.default_rng(seed)
    vectors = unit_vectors(6 * FRAMES, seed=seed)
    vectors[draw.integers(len(vectors), size=90)] = vectors[0]
    media = metadata.add_media(Path("/films") / name, "video", 10, 10)
    for frame in range(FRAMES):
        some = vectors[6 * frame :][: draw.integers(1, 7)]
        segments = new_segments(some, prefix=f"{name}-{frame:03}-")
        metadata.store_frame(media, frame, float(frame), (100, 100), segments, model)
    metadata.update_media(media, status="done", content_hash=name)


@pytest.fixture
def search(metadata: MetadataDatabase, paths: LibraryPaths, clip: ClipEncoder) -> SegmentSearch:
    add_frames(metadata, clip.name, "a", 1)
    return SegmentSearch(VectorDatabase(paths, clip, metadata), lambda _: np.zeros((0, 0, 3)))


def by_loops(
    metadata: MetadataDatabase, queries: list[np.ndarray], where: Filter
) -> list[tuple[str, float]]:
    left = {segment.id for segment in metadata.segments_where(where)}
    rows = metadata.connection.read().execute(
        "SELECT s.id, s.frame_id, e.vector FROM segments s JOIN embeddings e ON e.segment_id = s.id"
    )
    frames: dict[int, list[tuple[str, np.ndarray]]] = {}
    for segment_id, frame, vector in rows:
        frames.setdefault(frame, []).append((segment_id, np.frombuffer(vector, "<f4")))
    found = []
    for segments in frames.values():
        own = [(-float(v @ queries[0]), name) for name, v in segments if name in left]
        if own:
            others = [max(float(v @ query) for _, v in segments) for query in queries[1:]]
            found.append((-min(-min(own)[0], *others), min(own)[1]))
    return [(name, -score) for score, name in sorted(found)]


@pytest.mark.parametrize("is_few", [True, False])
@pytest.mark.parametrize("where", ["", "at>=50", "segment:a-003-00001,a-007-00000 or at:9"])
def test_frames_are_those_that_loops_find(
    search: SegmentSearch,
    metadata: MetadataDatabase,
    where: str,
    is_few: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not is_few:
        monkeypatch.setattr(FilteredRows, "few", lambda _: None)
    get = search._vectors.embeddings.get
    for names in (["a-000-00000", "a-001-00000"], ["a-060-00000", "a-061-00000", "a-062-00000"]):
        queries = [get([name])[name] for name in names]
        first, *others = map(Like, names)
        expected = by_loops(metadata, queries, parse_filter(where))
        for limit in (1, 5, 400):
            query = Query((first,), parse_filter(where), limit, beside=tuple(others))
            hits = search.search(query).hits
            scores = [hit.score for hit in hits]
            np.testing.assert_allclose(scores, [s for _, s in expected[:limit]], atol=1e-6)
            assert len({hit.segment.frame_index for hit in hits}) == len(hits)
            if where:  # without, some are as good as others to the last digits
                assert [hit.segment.id for hit in hits] == [name for name, _ in expected[:limit]]


def test_what_comes_and_goes_counts(search: SegmentSearch, metadata: MetadataDatabase) -> None:
    get = search._vectors.embeddings.get
    names = ["a-000-00000", "a-001-00000"]
    queries = [get([name])[name] for name in names]
    query = Query((Like(names[0]),), limit=400, beside=(Like(names[1]),))
    search.search(query)
    add_frames(metadata, search._vectors.clip.name, "b", 2)
    with metadata.connection.write() as db:
        db.execute("DELETE FROM segments WHERE id LIKE 'a-01%'")
    found = [(hit.segment.id, hit.score) for hit in search.search(query)]
    expected = by_loops(metadata, queries, EVERYTHING)
    assert len(found) == len(expected) > 250
    np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], atol=1e-6)


def test_words_and_their_sums_are_what_is_asked(
    search: SegmentSearch, metadata: MetadataDatabase, clip: ClipEncoder
) -> None:
    red, blue, green = clip.encode_text(["red", "blue", "green"])
    total = (red - 0.5 * green) / np.linalg.norm(red - 0.5 * green)
    found = search.search(parse_query('+"red" with "blue" -0.5:green', limit=20))
    expected = by_loops(metadata, [total, blue], EVERYTHING)[:20]
    np.testing.assert_allclose(
        [hit.score for hit in found], [score for _, score in expected], atol=1e-5
    )
    assert found.known_words == ("red", "green", "blue") and not found.unknown_words


@pytest.mark.parametrize("beside", [Words("lorry"), Like("gone")])
def test_a_thing_that_means_nothing_is_refused(search: SegmentSearch, beside: Term) -> None:
    with pytest.raises(QueryError):
        search.search(Query((Words("red"),), beside=(beside,)))


def test_a_library_of_nothing_has_no_frame(
    metadata: MetadataDatabase, paths: LibraryPaths, clip: ClipEncoder
) -> None:
    search = SegmentSearch(VectorDatabase(paths, clip, metadata), lambda _: np.zeros((0, 0, 3)))
    assert not search.search(parse_query('"red" with "blue"'))
    add_media_with(metadata, unit_vectors(3), model=clip.name)
    assert len(search.search(parse_query('"red" with "blue"'))) == 1
