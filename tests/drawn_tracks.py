"""Videos with segments whose tracks are known, for tests of what stands on tracks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment
from src.records import Segment
from tests.conftest import MODEL, small_mask, unit_vectors

METHOD = "test linker@1"


def add_video(
    metadata: MetadataDatabase,
    frames: int = 6,
    things: int = 2,
    name: str = "v.mp4",
    step_s: float = 1.0,
    vectors: np.ndarray | None = None,
) -> int:
    """Add a video that is read through; returns its id.

    Each frame has the whole of it, and each of the things at its place: see segment_of.

    Args:
        step_s: from one sampled frame to the next.
        vectors: (frames * (things + 1), 512) float32 in the order of frames, the whole one first;
            None for random ones.
    """
    media_id = metadata.add_media(Path("/videos") / name, "video", 10, 10)
    if vectors is None:
        vectors = unit_vectors(frames * (things + 1))
    for number in range(frames):
        rows = vectors[number * (things + 1) :]
        segments = [_segment(name, number, None, rows[0])]
        segments += [_segment(name, number, thing, rows[thing + 1]) for thing in range(things)]
        metadata.store_frame(
            media_id, round(number * step_s * 25), number * step_s, (100, 100), segments, MODEL
        )
    metadata.update_media(
        media_id, status="done", content_hash=name, duration_s=float(frames * step_s)
    )
    return media_id


def segment_of(thing: int | None, frame: int, name: str = "v.mp4") -> str:
    """Name the segment that shows a thing in a frame; None for that of the whole frame."""
    return f"{name}-{frame}-{'frame' if thing is None else thing}"


def link_things(
    metadata: MetadataDatabase, media_id: int, tracks: Sequence[Sequence[str]]
) -> list[int]:
    """Link segments to tracks as the linker does; returns the tracks' ids in the same order."""
    metadata.tracks.replace_linked(media_id, tracks, METHOD)
    found = metadata.segments([track[0] for track in tracks])
    return [found[track[0]].track_id or 0 for track in tracks]


def _segment(name: str, frame: int, thing: int | None, vector: np.ndarray) -> NewSegment:
    crop = np.zeros((4, 4, 3), np.uint8)
    segment_id = segment_of(thing, frame, name)
    mask = (
        Segment("frame", (0, 0, 100, 100), 10_000, None, None, None, crop)
        if thing is None
        else Segment("object", (thing % 50, 0, 4, 4), 16, 0.9, 0.9, small_mask(thing), crop)
    )
    return NewSegment(segment_id, mask, f"extracted_segments/{segment_id}.jpg", vector)
