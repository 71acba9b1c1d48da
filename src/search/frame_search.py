"""`"a dog" with "a ball"`: hits like the first thing, in frames that hold the others, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from src.database.text_normalization import as_query
from src.database.vector_db import VectorDatabase, check_count
from src.errors import QueryError
from src.records import SearchHit, SearchResult
from src.search.query import Query, Term, Words


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
        terms = [replace(t, text=as_query(t.text)) if isinstance(t, Words) else t for t in thing]
        words = [term.text for term in terms if isinstance(term, Words)]
        unknown += [word for text in words for word in vectors.clip.unknown_words(text)]
        known += [word for text in words for word in vectors.clip.known_words(text)]
        # words of which none is known have no part in it
        asked.append(_sum([t for t in terms if _says_something(vectors, t)], embed))
        if not asked[-1].any():
            raise QueryError(f'there is no word in "{words[0]}" that can be searched for')
    scored = vectors.embeddings.best_in_frames(asked, query.limit, query.filter)
    segments = vectors.metadata.segments([segment_id for segment_id, _ in scored])
    tags = vectors.metadata.tags_of(list(segments))
    hits = tuple(
        SearchHit(segments[segment_id], score, tags.get(segment_id, ()))
        for segment_id, score in scored
        if segment_id in segments
    )
    return SearchResult(hits, tuple(unknown), tuple(known))


def _says_something(vectors: VectorDatabase, term: Term) -> bool:
    return not isinstance(term, Words) or bool(vectors.clip.known_words(term.text))


def _sum(terms: Sequence[Term], embed: Callable[[Term], np.ndarray]) -> np.ndarray:
    """Add up terms, each times its weight: (512,) float32 of length 1, or zeros of no term."""
    if not terms:
        return np.zeros(1, np.float32)
    total = np.sum([term.weight * embed(term) for term in terms], axis=0)
    length = float(np.linalg.norm(total))
    if length < 1e-6:
        raise QueryError("the parts of this search cancel each other; take one away")
    return np.asarray(total / length, np.float32)
