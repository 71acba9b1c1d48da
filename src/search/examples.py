"""Examples that are in the library themselves: shown among the hits, and not counted as found."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from src.records import SearchHit, SearchResult, StoredSegment
from src.search.query import ImageFile, Like, Query


def mark_examples(query: Query, result: SearchResult) -> SearchResult:
    """Mark the hits that a query is an example of, and leave them out of the counts.

    A segment is the example itself, and an image file is where its whole frame is in the library.
    A part of an image is no segment, and what hits are to be unlike is not sought. Where frames
    are counted instead of segments, the result stays as it is.
    """
    is_example = _test_of(query)
    if is_example is None or query.beside:
        return result
    hits = tuple(_marked(hit, is_example) for hit in result.hits)
    found = [each for hit in hits for each in hit.with_alike if each.is_example]
    if not found:
        return result
    strong = sum(each.is_strong for each in found)
    return replace(
        result,
        hits=hits,
        strong=None if result.strong is None else max(0, result.strong - strong),
        total=None if result.total is None else max(0, result.total - len(found)),
    )


def _test_of(query: Query) -> Callable[[StoredSegment], bool] | None:
    """Return what says of a segment whether it is an example; None where a query names none."""
    wanted = [term for term in query.terms if term.weight > 0]
    ids = {term.segment_id for term in wanted if isinstance(term, Like)}
    files = {
        os.path.abspath(term.path)
        for term in wanted
        if isinstance(term, ImageFile) and term.box_xywh is None
    }
    if not ids and not files:
        return None

    def is_example(segment: StoredSegment) -> bool:
        if segment.id in ids:
            return True
        is_first = segment.kind == "frame" and segment.frame_index == 0
        return is_first and os.path.abspath(segment.media_path) in files

    return is_example


def _marked(hit: SearchHit, is_example: Callable[[StoredSegment], bool]) -> SearchHit:
    alike = tuple(_marked(each, is_example) for each in hit.alike)
    return replace(hit, alike=alike, is_example=is_example(hit.segment))
