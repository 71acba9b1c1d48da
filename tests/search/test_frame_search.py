"""`"A" with "B"`: the best frames for both, as plain loops find them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database import frame_search
from src.database.exact_search import COUNTED_EXACTLY
from src.database.filtered_rows import FilteredRows
from src.database.metadata_db import MetadataDatabase
from src.database.vector_db import VectorDatabase
from src.errors import QueryError
from src.models.clip_encoder import ClipEncoder
from src.search.filter_text import parse_filter
from src.search.filters import EVERYTHING, Filter
from src.search.line import Calibration, Level
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


def calibrated(search: SegmentSearch) -> SegmentSearch:
    """Draw lines: high for images, so that they do not compare with words as they are."""
    calibration = Calibration(Level(0.05, 0.02), Level(0.6, 0.05), np.zeros(512, np.float32), 9)
    return SegmentSearch(search._vectors, search._read_image, calibration)


@pytest.mark.parametrize("exactly", [COUNTED_EXACTLY, 0])
@pytest.mark.parametrize("where", ["", "at>=50"])
def test_a_frame_is_as_strong_as_what_it_has_least_of(
    search: SegmentSearch,
    metadata: MetadataDatabase,
    clip: ClipEncoder,
    where: str,
    exactly: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frame_search, "COUNTED_EXACTLY", exactly)
    lines = calibrated(search)
    name, words = "a-060-00000", clip.encode_text(["red"])[0]
    image = search._vectors.embeddings.get([name])[name]
    query = Query((Like(name),), parse_filter(where), 5, beside=(Words("red"),))
    result = lines.search(query)

    by_image = lines.search(Query((Like(name),), query.filter, 400))
    by_words = lines.search(Query((Words("red"),), limit=400))
    assert by_image.line is not None and by_words.line is not None
    expected = []
    left = {segment.id: segment for segment in metadata.segments_where(query.filter)}
    of_frame: dict[int, list[str]] = {}
    for segment in metadata.segments_where(EVERYTHING):
        of_frame.setdefault(segment.frame_index, []).append(segment.id)
    vectors = search._vectors.embeddings.get([each for ids in of_frame.values() for each in ids])
    for ids in of_frame.values():
        own = [(float(vectors[each] @ image), each) for each in ids if each in left]
        if own:
            score, best = max(own)
            other = max(float(vectors[each] @ words) for each in ids)
            steps = (score - by_image.line) / 0.1, (other - by_words.line) / 0.04
            expected.append((min(steps), best))
    expected.sort(reverse=True)
    assert [hit.segment.id for hit in result] == [best for _, best in expected[:5]]
    strengths = [1 / (1 + math.exp(min(50, -steps))) for steps, _ in expected[:5]]
    np.testing.assert_allclose([hit.strength for hit in result], strengths, atol=1e-5)
    above = sum(steps >= 0 for steps, _ in expected)
    assert result.total == len(expected) and abs((result.strong or 0) - above) <= 1
    assert (result.strong or 0) == above or not exactly
    assert result.line == pytest.approx(min(by_image.line, by_words.line))


def test_frames_are_counted_where_a_filter_was_asked_about_some_alone(
    search: SegmentSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FilteredRows, "few", lambda _: None)
    lines, names = calibrated(search), ("a-060-00000", "a-061-00000")
    query = Query((Like(names[0]),), parse_filter("at>=50"), 3, beside=(Like(names[1]),))
    assert lines.search(query, count=False).total is None
    assert lines.search(query).total == 100


def test_frames_that_show_the_same_are_one_hit(
    metadata: MetadataDatabase, search: SegmentSearch, clip: ClipEncoder
) -> None:
    some = unit_vectors(4, seed=9)
    film = metadata.add_media(Path("/films/still"), "video", 10, 10)
    for frame in range(6):  # two things that stay where they are
        segments = new_segments(some[:2], prefix=f"s-{frame}-")
        metadata.store_frame(film, frame, float(frame), (100, 100), segments, clip.name)
    lines = calibrated(search)
    query = Query((Like("s-0-00000"),), limit=3, one_of_each=True, beside=(Like("s-0-00001"),))
    first, *others = lines.search(query)
    assert first.segment.id == "s-0-00000" and len(first.alike) == 5
    assert len(others) == 2 and lines.search(query).strong == 6
    assert all(not hit.alike for hit in lines.search(replace(query, one_of_each=False)))


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
