"""A query -> hits. VectorDatabase, one layer down, scores one embedding; here terms become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from src.database.browse_queries import BrowseQueries
from src.database.text_normalization import as_query
from src.database.vector_db import FEWEST, VectorDatabase, check_count
from src.errors import QueryError
from src.records import BoxXywh, SearchHit, SearchResult
from src.search.filters import Filter
from src.search.frame_search import FrameQuery
from src.search.grouping import one_of_each
from src.search.line import Calibration, QueryLine
from src.search.query import GONE, Image, ImageFile, Like, Query, Term, Words
from src.search.segment_map import SegmentMap, SegmentMaps
from src.search.term_embedding import read_terms, sum_of

# Hits that are looked at for one of each: at least so many, so many for each that is wanted, and,
# where most are of few things, so many in all.
FEWEST_HITS, HITS_A_CARD, MOST_HITS = 64, 4, 4000


class SegmentSearch:
    """Answers queries with one CLIP."""

    def __init__(
        self,
        vectors: VectorDatabase,
        read_image: Callable[[Path], np.ndarray],
        calibration: Calibration | None = None,
    ) -> None:
        """Search with what scores embeddings.

        Args:
            read_image: reads a file: (H, W, 3) uint8 RGB.
            calibration: of the CLIP that embeds; None draws no lines.
        """
        self._vectors = vectors
        self._read_image = read_image
        self._calibration = calibration

    def search(self, query: Query, count: bool = True) -> SearchResult:
        """Find the segments that fit a query, best first.

        Words alone are searched for as VectorDatabase.search_by_text does it. Of several terms
        the embeddings are added up, each times its weight, and the score of a hit is its cosine
        similarity to that sum, -1 to 1 as with one term. So the order is that of the weighted sum
        of the scores for each term, and only the weights' ratio counts.

        Where one of each is wanted, hits are looked at until there are enough different ones, up to
        4,000 or four for each. What such a search finds first does not depend on its limit, but
        how many are known to be alike does.

        Without terms all that the filter leaves is found, unscored, in the order of
        BrowseQueries.segments_in_order. With things beside the terms it is frames that are
        scored: see FrameQuery.

        Args:
            count: whether to count what a filter leaves where that is not known yet: seconds in a
                large library.

        Raises:
            QueryError: there is neither term nor filter, the terms cancel each other, words are
                none, an image's part lies outside it, a segment is gone, or the limit is under 1.
            MediaReadError: an image can't be read.
        """
        if query.beside:
            frames = FrameQuery(self._vectors, query, self._embedding, self._line)
            return self._counted(self._found(query, frames.search), frames.count_frames, count)
        if not query.terms:
            return self._left_by(query.filter, query.limit, count)
        only = query.terms[0] if len(query.terms) == 1 else None
        if isinstance(only, Words) and only.weight > 0:
            line = None if self._calibration is None else QueryLine(self._calibration.words)
            text = only.text
            found = self._found(
                query, lambda n: self._vectors.search_by_text(text, n, query.filter, line)
            )
            return self._counted(found, partial(self._count_left, query.filter), count)
        read = read_terms(self._vectors.clip, query.terms)
        if not read.terms:
            return SearchResult((), read.unknown)
        embeddings = [self._embedding(term) for term in read.terms]
        total = sum_of(read.terms, embeddings)
        line = self._line(read.terms, embeddings)
        found = self._found(
            query, lambda n: self._vectors.search_by_embedding(total, n, query.filter, line)
        )
        found = replace(found, unknown_words=read.unknown, known_words=read.known)
        return self._counted(found, partial(self._count_left, query.filter), count)

    def strengths(self, query: Query, maps: SegmentMaps, segment_map: SegmentMap) -> np.ndarray:
        """Say of each point of a map how strong a hit of the terms of a query it is.

        What a person has tagged with the very words has 1, as in `search`.

        Returns:
            (N,) float32, 0 to 1, with 0.5 on the line; zeros where no line can be drawn.

        Raises:
            QueryError, MediaReadError: see search.
        """
        terms = read_terms(self._vectors.clip, query.terms).terms
        strengths = np.zeros(len(segment_map), np.float32)
        if terms:
            embeddings = [self._embedding(term) for term in terms]
            total = sum_of(terms, embeddings)
            line = self._line(terms, embeddings)
            if line is not None:
                scores = maps.scores(segment_map, total / np.linalg.norm(total))
                best = np.sort(scores)[::-1][:FEWEST].tolist()
                strengths = line.strengths(scores, line(best, len(scores)))
        tagged = self._tagged_so(query)
        if tagged:
            strengths[np.isin(np.array(segment_map.segment_ids), tagged)] = 1
        return strengths

    def scores(self, query: Query, segment_ids: Sequence[str]) -> dict[str, float]:
        """Score segments for the terms of a query as `search` does, whatever its filter leaves.

        Returns:
            By id; segments without an embedding are left out. Empty where no term says anything.

        Raises:
            QueryError, MediaReadError: see search.
        """
        terms = read_terms(self._vectors.clip, query.terms).terms
        found: dict[str, float] = {}
        if terms:
            total = sum_of(terms, [self._embedding(term) for term in terms])
            total = total / np.linalg.norm(total)
            vectors = self._vectors.embeddings.get(segment_ids)
            if vectors:
                scored = np.stack(list(vectors.values())) @ total
                found = dict(zip(vectors, scored.tolist(), strict=True))
        wanted = set(segment_ids)
        found.update((each, 1.0) for each in self._tagged_so(query) if each in wanted)
        return found

    def _tagged_so(self, query: Query) -> list[str]:
        """List the segments that a person has tagged with the very words of a query."""
        only = query.terms[0] if len(query.terms) == 1 else None
        if not isinstance(only, Words):
            return []
        browse = BrowseQueries(self._vectors.metadata)
        return browse.tagged_by_people(as_query(only.text), browse.metadata.count_segments())

    def _found(self, query: Query, search: Callable[[int], SearchResult]) -> SearchResult:
        """Search for hits, or for so many that there are enough different ones among them."""
        if not query.one_of_each or self._calibration is None:
            return search(query.limit)
        check_count(query.limit)
        n = max(FEWEST_HITS, HITS_A_CARD * query.limit)
        while True:
            found = search(n)
            metadata = self._vectors.metadata
            ids = [hit.segment.id for hit in found]
            cards = one_of_each(
                found.hits,
                query.limit,
                self._calibration.images.low,
                metadata.dhashes_of(ids),
                self._vectors.embeddings.get,
                metadata.duplicates.copies_among(hit.segment.media_file_id for hit in found),
                metadata.tracks.spans(ids),
            )
            if len(cards) >= query.limit or len(found) < n or n >= MOST_HITS:
                return replace(found, hits=tuple(cards))
            n = min(4 * n, MOST_HITS)

    def _line(self, terms: Sequence[Term], embeddings: Sequence[np.ndarray]) -> QueryLine | None:
        if self._calibration is None:
            return None
        return self._calibration.line_of(
            [
                (term.weight, isinstance(term, Words), each)
                for term, each in zip(terms, embeddings, strict=True)
            ]
        )

    def _counted(
        self, found: SearchResult, count_all: Callable[[], int], count: bool
    ) -> SearchResult:
        """Count what was scored, where only the nearest were asked whether a filter leaves them."""
        if found.line is None or found.total is not None or not count:
            return found
        return replace(found, total=count_all())

    def _count_left(self, where: Filter) -> int:
        return BrowseQueries(self._vectors.metadata).count_where(where)

    def _left_by(self, where: Filter, limit: int, count: bool) -> SearchResult:
        if not where:
            raise QueryError("the search is empty; type what you are looking for")
        check_count(limit)
        browse, metadata = BrowseQueries(self._vectors.metadata), self._vectors.metadata
        segments = browse.segments_in_order(where, limit + 1)
        has_more, segments = len(segments) > limit, segments[:limit]
        tags = metadata.tags_of([segment.id for segment in segments])
        hits = tuple(SearchHit(each, None, tags.get(each.id, ())) for each in segments)
        left = len(hits)
        if has_more:
            if not count:
                return SearchResult(hits, has_more=True)
            left = browse.count_where(where)
        return SearchResult(hits, left_by_filter=left)

    def _embedding(self, term: Term) -> np.ndarray:
        """Embed a term: (512,) float32, L2-normalised."""
        if isinstance(term, Words):
            of_words: np.ndarray = self._vectors.clip.encode_text([term.text])[0]
            return of_words
        if isinstance(term, Like):
            embedding = self._vectors.embeddings.get([term.segment_id]).get(term.segment_id)
            if embedding is None:
                raise QueryError(GONE)
            return embedding
        assert isinstance(term, Image | ImageFile)
        image = self._read_image(term.path) if isinstance(term, ImageFile) else term.image_rgb
        of_image: np.ndarray = self._vectors.clip.encode_image([_part(image, term.box_xywh)])[0]
        return of_image


def _part(image_rgb: np.ndarray, box_xywh: BoxXywh | None) -> np.ndarray:
    if box_xywh is not None:
        x, y, w, h = box_xywh
        image_rgb = image_rgb[max(0, y) : y + h, max(0, x) : x + w]
    if image_rgb.size == 0:
        raise QueryError(f"the part {box_xywh} lies outside the image")
    return image_rgb
