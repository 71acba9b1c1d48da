"""`"a dog" with "a ball"`: hits like the first thing, in frames that hold the others, too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from src.database.text_normalization import as_query
from src.database.vector_db import VectorDatabase, check_count
from src.errors import QueryError
from src.records import SearchHit, SearchResult
from src.search.query import Query, Term, Words
from src.search.term_embedding import read_terms, sum_of


def search_frames(
    vectors: VectorDatabase, query: Query, embed: Callable[[Term], np.ndarray]
) -> SearchResult:
    """Find the frames that hold all that a query names with "with", best first.

    A frame has the lowest of the best scores that its segments have for each of these things. Its
    hit is the segment that is best for the query's terms, among those that the filter leaves.

    Args:
        embed: gives the embedding of a term, (512,) float32.

    Raises:
        QueryError: a thing has no word that the CLIP in use knows, the terms cancel each other, or
            the limit is under 1.
    """
    check_count(query.limit)
    unknown, known, asked = list[str](), list[str](), list[np.ndarray]()
    for thing in (query.terms, *((term,) for term in query.beside)):
        read = read_terms(vectors.clip, thing)
        unknown += read.unknown
        known += read.known
        if not read.terms:
            said = next(as_query(term.text) for term in thing if isinstance(term, Words))
            raise QueryError(f'there is no word in "{said}" that can be searched for')
        total = sum_of(read.terms, [embed(term) for term in read.terms])
        asked.append(np.asarray(total / np.linalg.norm(total), np.float32))
    scored = vectors.embeddings.best_in_frames(asked, query.limit, query.filter)
    segments = vectors.metadata.segments([segment_id for segment_id, _ in scored])
    tags = vectors.metadata.tags_of(list(segments))
    hits = tuple(
        SearchHit(segments[segment_id], score, tags.get(segment_id, ()))
        for segment_id, score in scored
        if segment_id in segments
    )
    return SearchResult(hits, tuple(unknown), tuple(known))
