"""Videos as sequences of frames: the numbers of tracks, and the frames between others."""

from __future__ import annotations

from collections.abc import Mapping

from src.database.metadata_db import MetadataDatabase
from src.datasets.media_counts import MediaCounts


def track_numbers(media: Mapping[int, MediaCounts]) -> dict[str, int]:
    """Number the tracks of a dataset from 1.

    In the order of media files, and then of when they are seen first: the ids that a library gives
    are of its own history.

    Args:
        media: what is exported of each media file, by its id.

    Returns:
        By the ids of segments that are in a track.
    """
    numbers: dict[int, int] = {}
    found: dict[str, int] = {}
    for media_id in sorted(media):
        tracked = [
            (each.frame_index, each.track_id, each.id)
            for each in media[media_id].segments
            if each.track_id is not None
        ]
        for _, track_id, segment_id in sorted(tracked):
            found[segment_id] = numbers.setdefault(track_id, len(numbers) + 1)
    return found


def empty_frames(
    metadata: MetadataDatabase, media: Mapping[int, MediaCounts]
) -> dict[int, set[int]]:
    """Find the frames of media files of which nothing is exported.

    Args:
        media: what is exported of each media file, by its id.
    """
    return {
        media_id: metadata.stored_frames(media_id) - counts.frames
        for media_id, counts in media.items()
    }


def frames_between(
    media: Mapping[int, MediaCounts], empty: Mapping[int, set[int]]
) -> dict[int, set[int]]:
    """Keep the frames that lie between two of which something is exported.

    Args:
        media: what is exported of each media file, by its id.
        empty: the frames of which nothing is.
    """
    return {
        media_id: {
            index for index in empty[media_id] if min(counts.frames) < index < max(counts.frames)
        }
        for media_id, counts in media.items()
    }
