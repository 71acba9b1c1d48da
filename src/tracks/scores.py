"""How well the frames of a video answer a query: the curve over its timeline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from src.database.conditions import segment_ids_where
from src.database.frame_spans import stored_frame_times
from src.database.metadata_db import MetadataDatabase
from src.errors import QueryError
from src.search.leaves import MediaFileIs
from src.search.query import Query
from src.search.segment_search import SegmentSearch
from src.track_records import ScoreCurve

# The line is drawn by the best of the whole library.
_BEST = 8


def score_curve(
    metadata: MetadataDatabase, search: SegmentSearch, media_file_id: int, query: Query
) -> ScoreCurve:
    """Score each sampled frame of a video by its best segment that the query's filter leaves.

    A frame of which it leaves nothing has no score.

    Args:
        query: with terms; what it wants beside them in a frame is left out.

    Raises:
        QueryError: it has no terms, or another reason of SegmentSearch.search.
        MediaReadError: an image in it can't be read.
    """
    if not query.terms:
        raise QueryError("there is nothing to score; search for words or an image first")
    alone = replace(query, beside=(), one_of_each=False, limit=_BEST)
    line = search.search(alone, count=False).line
    left = segment_ids_where(query.filter & MediaFileIs((media_file_id,)))
    rows = (
        metadata.connection.read()
        .execute(
            "SELECT s.id, f.timestamp_s FROM frames f JOIN segments s ON s.frame_id = f.id"
            f" WHERE f.media_file_id = ? AND f.timestamp_s IS NOT NULL AND s.id IN ({left.sql})"
            " ORDER BY f.frame_index, s.id",
            (media_file_id, *left.values),
        )
        .fetchall()
    )
    metadata.rows.check_columns("frames", (None, "timestamp_s"), rows)
    moments = {row[0]: float(row[1]) for row in rows}
    scores = search.scores(alone, list(moments))
    best: dict[float, str] = {}
    for segment_id, at_s in moments.items():
        if segment_id in scores and (at_s not in best or scores[segment_id] > scores[best[at_s]]):
            best[at_s] = segment_id
    times = [float(at_s) for _, at_s in stored_frame_times(metadata.connection, media_file_id)]
    ids = [best.get(at_s, "") for at_s in times]
    return ScoreCurve(
        np.array(times, np.float64),
        np.array([scores.get(segment_id, np.nan) for segment_id in ids], np.float32),
        tuple(ids),
        line,
    )
