"""Queries of several terms, with signs and weights."""

from __future__ import annotations

import math

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.database.vector_db import VectorDatabase
from src.errors import QueryError
from src.models.clip_encoder import ClipEncoder
from src.search.filter_text import parse_filter
from src.search.query import Like, Query, Term, Words
from src.search.segment_search import SegmentSearch
from tests.conftest import add_media_with, unit_vectors

VECTORS = unit_vectors(40)


@pytest.fixture
def search(metadata: MetadataDatabase, paths: LibraryPaths, clip: ClipEncoder) -> SegmentSearch:
    add_media_with(metadata, VECTORS, model=clip.name)
    return SegmentSearch(VectorDatabase(paths, clip, metadata), lambda _: np.zeros((0, 0, 3)))


def like(number: int, weight: float = 1.0) -> Like:
    return Like(f"a.jpg-{number:05}", weight=weight)


def test_terms_are_weighed_and_what_is_negative_is_taken_off(search: SegmentSearch) -> None:
    found = search.search(Query((like(3), like(5, 0.5), like(7, -2)), limit=40))
    sums = VECTORS @ (VECTORS[3] + 0.5 * VECTORS[5] - 2 * VECTORS[7])
    assert [hit.segment.id for hit in found] == [f"a.jpg-{i:05}" for i in np.argsort(-sums)]


def test_words_alone_are_scored_as_they_are(search: SegmentSearch, clip: ClipEncoder) -> None:
    found = search.search(Query((Words("red"),), limit=40))
    scores = np.sort(VECTORS @ clip.encode_text(["red"])[0])[::-1]
    np.testing.assert_allclose([hit.score for hit in found], scores, rtol=1e-4, atol=1e-6)
    less = search.search(Query((Words("red", weight=-1.0),), limit=40))
    np.testing.assert_allclose([hit.score for hit in less], -scores[::-1], rtol=1e-4, atol=1e-6)


def test_a_filter_leaves_out(search: SegmentSearch) -> None:
    where = parse_filter("segment:a.jpg-00003,a.jpg-00009 not segment:a.jpg-00003")
    assert [hit.segment.id for hit in search.search(Query((like(3),), where))] == ["a.jpg-00009"]


def test_words_that_are_not_known_are_named(search: SegmentSearch) -> None:
    found = search.search(Query((Words("lorry"), like(3))))
    assert found.unknown_words == ("lorry",) and found[0].segment.id == "a.jpg-00003"


@pytest.mark.parametrize("terms", [(), (like(3), like(3, -1)), (Like("gone"),)])
def test_a_query_that_means_nothing_is_refused(
    search: SegmentSearch, terms: tuple[Term, ...]
) -> None:
    with pytest.raises(QueryError):
        search.search(Query(terms))


@pytest.mark.parametrize("weight", [0, math.nan, math.inf])
def test_a_weight_is_a_number(weight: float) -> None:
    with pytest.raises(QueryError, match="weight"):
        Words("red", weight=weight)
