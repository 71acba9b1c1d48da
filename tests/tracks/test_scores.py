"""The curve of a query over a video: as search scores, frame by frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment
from src.database.vector_db import VectorDatabase
from src.errors import QueryError
from src.models.clip_encoder import ClipEncoder
from src.records import Segment, Tag
from src.search.query import Query, Words
from src.search.query_text import parse_query
from src.search.segment_search import SegmentSearch
from src.tracks.scores import score_curve
from tests.conftest import unit_vectors
from tests.tracks.test_timeline import EMPTY, MASK, WH


def no_image(path: Path) -> np.ndarray:
    raise AssertionError(path)


@pytest.fixture
def media_id(metadata: MetadataDatabase, clip: ClipEncoder) -> int:
    vectors = unit_vectors(24, seed=3)
    for name in ("a.mp4", "b.mp4"):
        media_id = metadata.add_media(Path("/videos") / name, "video", 10, 10)
        for frame in range(4):
            crop = f"extracted_segments/{name}-{frame}.jpg"
            whole = Segment("frame", (0, 0, *WH), WH[0] * WH[1], None, None, None, EMPTY)
            thing = Segment("object", (2, 2, 10, 10), 100, 0.9, 0.9, MASK, EMPTY)
            place = 3 * frame + 12 * (name == "b.mp4")
            tags = (Tag("mine", 1.0, "human"),) if frame == 2 else ()
            new = [NewSegment(f"{name} {frame}", whole, crop, vectors[place])]
            new.append(NewSegment(f"{name} {frame} x", thing, crop, vectors[place + 1], tags))
            new.append(NewSegment(f"{name} {frame} y", thing, crop, vectors[place + 2]))
            metadata.store_frame(media_id, frame, float(frame), WH, new, clip.name)
    return media_id


@pytest.mark.parametrize("text", ["something red", 'red -"blue circle"', "red kind:object", "mine"])
def test_every_frame_has_its_best_score(
    metadata: MetadataDatabase, clip: ClipEncoder, media_id: int, text: str
) -> None:
    with VectorDatabase(metadata.paths, clip, metadata) as vectors:
        search = SegmentSearch(vectors, no_image)
        curve = score_curve(metadata, search, media_id, parse_query(text, 5))
        best: dict[float, tuple[float, str]] = {}
        for hit in search.search(parse_query(text, 100)):
            if hit.segment.media_file_id == media_id:
                at_s = hit.segment.timestamp_s or 0.0
                assert hit.score is not None
                best[at_s] = max(best.get(at_s, (-2.0, "")), (hit.score, hit.segment.id))
    assert curve.times_s.tolist() == [0, 1, 2, 3]
    expected = [best.get(at_s, (np.nan, "")) for at_s in range(4)]
    np.testing.assert_allclose(curve.scores, [score for score, _ in expected], atol=1e-5)
    assert list(curve.segment_ids) == [segment_id for _, segment_id in expected]


@pytest.mark.parametrize(
    ("text", "looked_at"),
    [
        ("red at:0:01..0:02", [False, True, True, False]),
        ("red tag:mine", [False, False, True, False]),
        ("red file:1", [False] * 4),
        ("red kind:object quality>0.95", [False] * 4),
    ],
)
def test_a_frame_that_the_search_did_not_look_at_has_no_score(
    metadata: MetadataDatabase,
    clip: ClipEncoder,
    media_id: int,
    text: str,
    looked_at: list[bool],
) -> None:
    with VectorDatabase(metadata.paths, clip, metadata) as vectors:
        curve = score_curve(
            metadata, SegmentSearch(vectors, no_image), media_id, parse_query(text, 5)
        )
    assert curve.times_s.tolist() == [0, 1, 2, 3]
    assert np.isfinite(curve.scores).tolist() == looked_at
    assert [bool(each) for each in curve.segment_ids] == looked_at
    assert curve.is_empty == (not any(looked_at))
    # a frame stands for what was skipped after it, up to the next
    between = np.arange(4) + 0.5
    assert np.isfinite(curve.at(between)).tolist() == looked_at
    assert curve.at(np.arange(4.0))[curve.scores == curve.scores].tolist() == pytest.approx(
        [each for each in curve.scores.tolist() if each == each]
    )


def test_a_filter_alone_scores_nothing(
    metadata: MetadataDatabase, clip: ClipEncoder, media_id: int
) -> None:
    with VectorDatabase(metadata.paths, clip, metadata) as vectors:
        search = SegmentSearch(vectors, no_image)
        with pytest.raises(QueryError, match="nothing to score"):
            score_curve(metadata, search, media_id, parse_query("kind:object", 5))
        gone = score_curve(metadata, search, media_id + 1, Query((Words("red"),), limit=5))
        assert gone.times_s.size == 0 and gone.segment_ids == ()
