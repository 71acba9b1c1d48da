"""A library examined and mended: crops against rows, rows against crops, the index."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

from src.config import LibraryPaths, Settings
from src.database.embeddings import EmbeddingTable
from src.database.metadata_db import MetadataDatabase
from src.database.vector_index import VectorIndex
from src.errors import DatabaseError, MediaReadError
from src.events import Event, ProblemFound
from src.library_files import KEEP, MARKER
from src.models.mask_rle import decode_rle
from src.ownership import SEGMENTS
from src.processing.crop import CROP_SIDE, CropCutter, fitted
from src.processing.crop_files import OURS
from src.processing.frames_again import read_frames_again
from src.processing.image_loader import save_jpeg
from src.processing.media_finder import content_hash
from src.records import Frame, SegmentFilter, StoredSegment


def examine(
    metadata: MetadataDatabase,
    index: VectorIndex,
    settings: Settings,
    reembed: Callable[[], Iterator[Event]],
    repair: bool,
) -> Iterator[Event]:
    """Find what is wrong with a library, and mend it when asked to.

    Crops that are missing or half are cut again from their media files, crop files that belong
    to no segment are removed, embeddings that are missing or mean nothing are made again from
    the crops, and an index that can't be trusted is made again.

    Args:
        reembed: embeds what has no embedding of the CLIP in use.
    """
    for problem in metadata.integrity_problems():
        yield ProblemFound(f"{metadata.paths.metadata_db}: {problem}", mended=False)
    for media in metadata.all_media():
        if media.status == "failed":
            yield ProblemFound(f"{media.path}: {media.error}", mended=False)
        elif media.status != "done":
            yield ProblemFound(f"{media.path}: not finished; run ingest again", mended=False)
        elif not os.path.isfile(media.path):  # a folder that may not be entered is no file, too
            yield ProblemFound(
                f"{media.path}: the file is gone; its segments are kept", mended=False
            )
    yield from _crops(metadata, settings, repair)
    replaced = yield from _embeddings(index.embeddings, reembed, repair)
    for problem in index.problems() or (["it holds the old embeddings"] if replaced else []):
        if repair:
            yield from index.rebuild()
        yield ProblemFound(f"index: {problem}", mended=repair and not index.problems())


def _embeddings(
    embeddings: EmbeddingTable, reembed: Callable[[], Iterator[Event]], repair: bool
) -> Generator[Event, None, bool]:
    """Look for segments that no search can find; returns whether embeddings were replaced."""
    unusable = embeddings.unusable()
    found = [(segment_id, "is zero, not finite or of another length") for _, segment_id in unusable]
    found += [(segment_id, "is missing") for segment_id in embeddings.missing()]
    if repair and found:
        embeddings.remove([row for row, _ in unusable])
        yield from reembed()
    left = set(embeddings.missing())
    for segment_id, what in found:
        yield ProblemFound(
            f"segment {segment_id}: its embedding {what}",
            mended=repair and segment_id not in left,
        )
    return repair and bool(unusable)


def _crops(metadata: MetadataDatabase, settings: Settings, repair: bool) -> Iterator[Event]:
    yield from _files_of_no_segment(metadata, repair)
    missing = [
        segment
        for segment in metadata.segments_where(SegmentFilter())
        if not _is_whole(segment.crop_path)
    ]
    for _, segments in itertools.groupby(missing, key=lambda segment: segment.media_file_id):
        wanted = list(segments)
        mended = _cut_again(metadata, wanted, settings) if repair else set[str]()
        for segment in wanted:
            yield ProblemFound(
                f"{segment.crop_path}: a crop of {segment.media_path} is missing or half",
                mended=segment.id in mended,
            )


def _files_of_no_segment(metadata: MetadataDatabase, repair: bool) -> Iterator[Event]:
    """Look for files that are no segment's crop; only those that this program made are removed."""
    paths, files = metadata.paths, metadata.paths.files
    known = {paths.name(paths.crop(crop_path)) for crop_path in metadata.crop_paths()}
    thumbnails = f"{paths.name(paths.thumbnails)}/"
    for entry in files.walk(SEGMENTS):
        if entry.name in known or Path(entry.name).name in (MARKER, KEEP):
            continue
        ours = entry.is_file and OURS.fullmatch(entry.name)
        if ours and entry.name.startswith(thumbnails):
            continue
        if ours and repair:
            files.remove(entry.name)
        what = "belongs to no segment" if ours else "was not made by this program, and stays"
        yield ProblemFound(f"{paths.root / entry.name}: {what}", mended=bool(ours and repair))


def _is_whole(crop: Path) -> bool:
    """Say whether a crop is there from a JPEG's first two bytes to its last two."""
    try:
        with crop.open("rb") as stream:
            if crop.is_symlink():
                return False
            start = stream.read(2)
            stream.seek(-2, os.SEEK_END)
            return start == b"\xff\xd8" and stream.read(2) == b"\xff\xd9"
    except OSError:
        return False


def _cut_again(
    metadata: MetadataDatabase, wanted: list[StoredSegment], settings: Settings
) -> set[str]:
    """Cut crops of one media file's segments from its file again; returns whose were made."""
    media = metadata.media(wanted[0].media_file_id)
    by_frame: dict[int, list[StoredSegment]] = {}
    for segment in wanted:
        by_frame.setdefault(segment.frame_index, []).append(segment)
    made: set[str] = set()
    if media is None:
        return made
    try:
        if content_hash(media.path) != media.content_hash:
            return made  # another picture lies in its place now
        with closing(read_frames_again(media, by_frame.keys(), settings)) as frames:
            for frame in frames:
                for segment in by_frame.pop(frame.frame_index, ()):
                    _cut(metadata.paths, frame, segment, settings)
                    made.add(segment.id)
    except MediaReadError:
        pass  # what could not be made again is said to be missing
    return made


def _cut(paths: LibraryPaths, frame: Frame, segment: StoredSegment, settings: Settings) -> None:
    if segment.mask_rle is None:
        crop = fitted(frame.image_rgb, CROP_SIDE)
    else:
        mask = decode_rle(segment.mask_rle, segment.frame_wh)
        crop = CropCutter(frame.image_rgb, settings.blur_kernel).cut(mask, segment.bbox_xywh)
    path: Path = segment.crop_path
    try:
        paths.files.write(paths.name(path), save_jpeg(crop))
    except OSError as exc:
        raise DatabaseError(
            f"{path}: the crop can't be written ({exc.strerror or exc}); see that the disk has "
            "room, then verify again: nothing is lost"
        ) from exc
