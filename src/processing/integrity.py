"""A library examined and mended: crops against rows, rows against crops, the index."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from src.config import Settings, write_atomically
from src.database.metadata_db import MetadataDatabase, SegmentFilter
from src.database.vector_index import VectorIndex
from src.errors import MediaReadError
from src.events import Event, ProblemFound
from src.models.mask_rle import decode_rle
from src.processing.crop import blur, cut_crop
from src.processing.frames import read_frames
from src.processing.image_loader import save_jpeg
from src.processing.segment_extractor import CROP_SIDE, fitted
from src.processing.video_processor import VideoFacts
from src.records import Frame, StoredSegment


def examine(
    metadata: MetadataDatabase, index: VectorIndex, settings: Settings, repair: bool
) -> Iterator[Event]:
    """Find what is wrong with a library, and mend it when asked to.

    Crops that are missing are cut again from their media files, crop files that belong to no
    segment are removed, and an index that can't be trusted is made again.
    """
    for problem in metadata.integrity_problems():
        yield ProblemFound(f"{metadata.paths.metadata_db}: {problem}", mended=False)
    for media in metadata.all_media():
        if media.status == "failed":
            yield ProblemFound(f"{media.path}: {media.error}", mended=False)
        elif media.status != "done":
            yield ProblemFound(f"{media.path}: not finished; run ingest again", mended=False)
        elif not media.path.is_file():
            yield ProblemFound(
                f"{media.path}: the file is gone; its segments are kept", mended=False
            )
    yield from _crops(metadata, settings, repair)
    for problem in index.problems():
        if repair:
            yield from index.rebuild()
        yield ProblemFound(f"index: {problem}", mended=repair and not index.problems())


def _crops(metadata: MetadataDatabase, settings: Settings, repair: bool) -> Iterator[Event]:
    folder = metadata.paths.extracted_segments
    known = {metadata.paths.root / crop_path for crop_path in metadata.crop_paths()}
    for path in sorted(folder.rglob("*")):
        ours = metadata.paths.thumbnails in path.parents or path.name == ".gitkeep"
        if path.is_file() and path not in known and not ours:
            if repair:
                path.unlink()
            yield ProblemFound(f"{path}: belongs to no segment", mended=repair)
    missing = [
        segment
        for segment in metadata.segments_where(SegmentFilter())
        if not segment.crop_path.is_file() or segment.crop_path.stat().st_size == 0
    ]
    for _, segments in itertools.groupby(missing, key=lambda segment: segment.media_file_id):
        wanted = list(segments)
        mended = _cut_again(metadata, wanted, settings) if repair else set[str]()
        for segment in wanted:
            yield ProblemFound(
                f"{segment.crop_path}: the crop of a segment of {segment.media_path} is missing",
                mended=segment.id in mended,
            )


def _cut_again(
    metadata: MetadataDatabase, wanted: list[StoredSegment], settings: Settings
) -> set[str]:
    """Cut crops of one media file's segments from its file again; returns whose were made."""
    media = metadata.media(wanted[0].media_file_id)
    made: set[str] = set()
    if media is None:
        return made
    try:
        with closing(read_frames(media.path, media.kind, settings, VideoFacts())) as frames:
            for frame in frames:
                for segment in wanted:
                    if segment.frame_index == frame.frame_index:
                        _cut(frame, segment, settings)
                        made.add(segment.id)
    except MediaReadError:
        pass  # what could not be made again is said to be missing
    return made


def _cut(frame: Frame, segment: StoredSegment, settings: Settings) -> None:
    crop = frame.image_rgb
    if segment.mask_rle is not None:
        mask = decode_rle(segment.mask_rle, segment.frame_wh)
        blurred = blur(frame.image_rgb, settings.blur_kernel)
        crop = cut_crop(frame.image_rgb, blurred, mask, segment.bbox_xywh)
    path: Path = segment.crop_path
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, save_jpeg(fitted(crop, CROP_SIDE)))
