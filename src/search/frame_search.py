"""`"a dog" with "a ball"`: hits like the first thing, in frames that hold the others, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from src.database.browse_queries import BrowseQueries
from src.database.frame_search import Thing
from src.database.text_normalization import as_query
from src.database.vector_db import FEWEST, VectorDatabase, check_count
from src.errors import QueryError
from src.records import SearchHit, SearchResult
from src.search.line import QueryLine, strength_of
from src.search.query import Query, Term, Words
from src.search.term_embedding import read_terms, sum_of

# Takes terms with their embeddings; gives the line of a search for them alone.
LineOf = Callable[[Sequence[Term], Sequence[np.ndarray]], QueryLine | None]


class FrameQuery:
    """A query for several things in one frame, as the CLIP in use reads it.

    Each thing has its own line, that of a search for it alone. A frame is as strong a hit as the
    thing is that it has least of: the weakest of the best strengths that its segments have for
    each. So it is above the line where all of its things are. Without lines the cosines are
    compared as they are. Its hit is the segment that is best for the query's terms, among those
    that the filter leaves, and its score the cosine of what it has least of.
    """

    def __init__(
        self,
        vectors: VectorDatabase,
        query: Query,
        embed: Callable[[Term], np.ndarray],
        line_of: LineOf,
    ) -> None:
        """Read a query.

        Args:
            embed: gives the embedding of a term, (512,) float32.

        Raises:
            QueryError: a thing has no word that the CLIP in use knows, the terms cancel each
                other, or the limit is under 1.
        """
        check_count(query.limit)
        self._vectors, self._query = vectors, query
        unknown, known = list[str](), list[str]()
        asked, lines = list[np.ndarray](), list[QueryLine | None]()
        for thing in (query.terms, *((term,) for term in query.beside)):
            read = read_terms(vectors.clip, thing)
            unknown += read.unknown
            known += read.known
            if not read.terms:
                said = next(as_query(term.text) for term in thing if isinstance(term, Words))
                raise QueryError(f'there is no word in "{said}" that can be searched for')
            embeddings = [embed(term) for term in read.terms]
            total = sum_of(read.terms, embeddings)
            asked.append(np.asarray(total / np.linalg.norm(total), np.float32))
            lines.append(line_of(read.terms, embeddings))
        self._unknown, self._known = tuple(unknown), tuple(known)
        self._things, self._has_line = self._with_lines(asked, lines)

    def _with_lines(
        self, asked: Sequence[np.ndarray], lines: Sequence[QueryLine | None]
    ) -> tuple[list[Thing], bool]:
        """Draw the line of each thing by its best hits; without one of them there is none."""
        plain = [Thing(embedding) for embedding in asked]
        things = []
        for number, (embedding, line) in enumerate(zip(asked, lines, strict=True)):
            if line is None:
                return plain, False
            where = None if number else self._query.filter
            found = self._vectors.embeddings.find(embedding, FEWEST, where, line)
            if found.line is None:  # there is nothing
                return plain, False
            things.append(Thing(embedding, found.line, line.scale))
        return things, True

    def search(self, n: int) -> SearchResult:
        """Find the n best frames."""
        vectors = self._vectors
        found = vectors.embeddings.best_in_frames(self._things, n, self._query.filter)
        ids = [frame.segment_id for frame in found.best]
        segments = vectors.metadata.segments(ids)
        tags = vectors.metadata.tags_of(list(segments))
        hits = tuple(
            SearchHit(
                segments[frame.segment_id],
                frame.score,
                tags.get(frame.segment_id, ()),
                strength=strength_of(frame.steps) if self._has_line else None,
            )
            for frame in found.best
            if frame.segment_id in segments
        )
        result = SearchResult(hits, self._unknown, self._known)
        if not self._has_line:
            return result
        lowest = min(thing.zero for thing in self._things)
        return replace(result, line=lowest, strong=found.above, total=found.among)

    def count_frames(self) -> int:
        """Count the frames of which the filter leaves something."""
        return BrowseQueries(self._vectors.metadata).count_frames_where(self._query.filter)
