"""The results of a search along the videos that they lie in."""

from __future__ import annotations

from collections.abc import Sequence

from src.database.browse_queries import BrowseQueries
from src.database.metadata_db import MetadataDatabase
from src.records import SearchHit
from src.track_records import VideoMoment, VideoMoments


def moments_along_videos(
    metadata: MetadataDatabase, hits: Sequence[SearchHit]
) -> list[VideoMoments]:
    """Gather hits by video: a moment for each track, or for a segment that is in none.

    Args:
        hits: best first; of each those that it stands for are moments as well.

    Returns:
        The videos in the order of their best hits; photos are left out.
    """
    every = [
        each for hit in hits for each in hit.with_alike if each.segment.timestamp_s is not None
    ]
    spans = metadata.tracks.spans([hit.segment.id for hit in every])
    by_video: dict[int, dict[str, VideoMoment]] = {}
    for hit in every:
        segment = hit.segment
        at = segment.timestamp_s or 0.0
        begin_s, end_s = spans.get(segment.id, (at, at))
        key = segment.id if segment.track_id is None else f"track {segment.track_id}"
        moments = by_video.setdefault(segment.media_file_id, {})
        moments.setdefault(key, VideoMoment(segment.id, begin_s, end_s, hit.score, hit.is_strong))
    cards = BrowseQueries(metadata).media_cards(list(by_video))
    return [
        VideoMoments(
            cards[media_id].media,
            cards[media_id].poster,
            tuple(sorted(moments.values(), key=lambda each: (each.begin_s, each.end_s))),
        )
        for media_id, moments in by_video.items()
        if media_id in cards
    ]
