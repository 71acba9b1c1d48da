"""A library examined and repaired: crops against rows, rows against crops, the index."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from src.config import LibraryPaths
from src.crop_shape import CROP_SIDE
from src.database.embedding_store import EmbeddingStore
from src.database.frame_spans import stored_frame_times
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import crop_hash
from src.database.vector_index import VectorIndex
from src.errors import DatabaseError, MediaReadError
from src.events import Event, ProblemFound, said
from src.library_files import KEEP, MARKER
from src.models.mask_rle import decode_rle
from src.ownership import SEGMENTS
from src.presence import FilePresence
from src.processing.crop import CropCutter, fitted
from src.processing.crop_files import OURS
from src.processing.frame_reader import read_frames_again
from src.processing.image_loader import load_image, save_jpeg
from src.processing.known_copies import KnownCopies
from src.processing.media_finder import content_hash
from src.records import Frame, StoredSegment
from src.settings import Settings

# A crop has at most 1024 x 1024 pixels, and a JPEG of noise 2 bytes for each.
LARGEST_CROP = 16 << 20
GONE = "the file is missing; its segments are kept"
AWAY = "the file can't be reached now; its segments are kept"


def examine(
    metadata: MetadataDatabase,
    index: VectorIndex,
    settings: Settings,
    reembed: Callable[[], Iterator[Event]],
    repair: bool,
) -> Iterator[Event]:
    """Find what is wrong with a library, and repair it when asked to.

    Crops that are missing or half are cut again from their media files, crop files that belong
    to no segment are removed, embeddings that are missing or mean nothing are made again from
    the crops, and an index, or a file for searches, that can't be trusted is made again.

    Args:
        reembed: embeds what has no embedding of the CLIP in use.
    """
    left = yield from _rows(metadata, repair)
    if left:
        return  # such rows can't be compared with anything
    yield from _media(metadata, repair)
    yield from _crops(metadata, settings, repair)
    replaced = yield from _embeddings(index.embeddings, reembed, repair)
    for problem in index.embeddings.scan_problems():
        if repair:
            index.embeddings.scan.distrust(problem)
            index.embeddings.keep_scanned()
        mended = repair and not index.embeddings.scan_problems()
        yield ProblemFound(f"search: {problem}", mended)
    for problem in index.problems() or (["it holds the old embeddings"] if replaced else []):
        if repair:
            yield from index.rebuild()
        yield ProblemFound(f"index: {problem}", mended=repair and not index.problems())
    if repair:
        yield from index.catch_up()


def _media(metadata: MetadataDatabase, repair: bool) -> Iterator[Event]:
    """Look for files that failed, or are missing; a known copy takes the place of one."""
    every = metadata.all_media()
    found = FilePresence().look(media.path for media in every)
    copies = KnownCopies(metadata)
    for media in every:
        if media.status == "failed":
            yield ProblemFound(f"{media.path}: {media.error}", mended=False)
        elif media.status != "done":
            yield ProblemFound(f"{media.path}: not finished; run ingest again", mended=False)
        elif found[media.path] == "away":
            yield ProblemFound(f"{media.path}: {AWAY}", mended=False, is_missing_file=True)
        elif found[media.path] == "gone":
            copy = copies.take_over(media) if repair else None
            what = GONE if copy is None else f"the file is missing; {copy} takes its place"
            yield ProblemFound(f"{media.path}: {what}", copy is not None, is_missing_file=True)


def _rows(metadata: MetadataDatabase, repair: bool) -> Generator[Event, None, bool]:
    """Look for rows that can't be what was stored; returns whether there are any left."""
    damaged = yield from said("rows", metadata.look_for_damaged_rows())
    problems = metadata.integrity_problems()
    counts = metadata.miscounted()
    if repair and (damaged or problems or counts):
        mended = metadata.connection.mend()
        gone = set() if mended is None else {(each.table, each.key) for each in mended.left}
        if mended is not None and mended.damaged:
            yield ProblemFound(f"{metadata.paths.metadata_db}: {mended}", mended=not mended.left)
    else:
        gone = {(each.table, each.key) for each in damaged}
    for each in damaged:
        is_lost = (each.table, each.key) in gone
        yield ProblemFound(f"{metadata.paths.metadata_db}: {each}", mended=not is_lost)
    for problem in problems:
        yield ProblemFound(f"{metadata.paths.metadata_db}: {problem}", mended=repair)
    for table, (counted, there) in counts.items():
        what = f"{table} had {counted:,} rows, and {there:,} are there"
        yield ProblemFound(f"{metadata.paths.metadata_db}: {what}", mended=repair)
    return bool(damaged or problems) and not repair


def _embeddings(
    embeddings: EmbeddingStore, reembed: Callable[[], Iterator[Event]], repair: bool
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
    users: Counter[Path] | None = None
    missing = _without_crop(metadata, settings, repair)
    for _, some in itertools.groupby(missing, key=lambda segment: segment.media_file_id):
        wanted, mended = list(some), set[str]()
        if repair:
            users = _users_of_crops(metadata) if users is None else users
            wanted = [
                segment
                if users[segment.crop_path] == 1 and _is_named_by_us(metadata, segment)
                else _with_file_of_its_own(metadata, segment)
                for segment in wanted
            ]
            mended = _cut_again(metadata, wanted, settings)
        for segment in wanted:
            yield ProblemFound(
                f"{segment.crop_path}: a crop of {segment.media_path} is missing or damaged",
                mended=segment.id in mended,
            )


def _without_crop(
    metadata: MetadataDatabase, settings: Settings, repair: bool
) -> Iterator[StoredSegment]:
    """Look for segments whose crop is missing or damaged, those of a media file together.

    With `repair`, hashes that are not known are taken from the crops that are sound.
    """
    for segments in metadata.segments_in_parts():
        hashes = metadata.crop_hashes([segment.id for segment in segments])
        taken = dict[str, str]()
        for segment in segments:
            content = read_crop(metadata.paths, segment.crop_path)
            known_hash = hashes.get(segment.id)
            if content is None or not _is_as_stored(content, known_hash):
                yield segment
            elif known_hash is None and repair and _decodes(segment.crop_path, settings):
                taken[segment.id] = crop_hash(content)
        if taken:
            metadata.set_crop_hashes(taken)


def _users_of_crops(metadata: MetadataDatabase) -> Counter[Path]:
    """Count the segments of each crop file."""
    parts = metadata.segments_in_parts()
    return Counter(segment.crop_path for segments in parts for segment in segments)


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
        if entry.is_folder:
            what = "can't be looked into, or lies too deep to be this program's; it stays"
        yield ProblemFound(f"{paths.root / entry.name}: {what}", mended=bool(ours and repair))


def read_crop(paths: LibraryPaths, path: Path) -> bytes | None:
    """Read a crop file; None where there is no regular file of a crop's size, or only a link."""
    try:
        return paths.files.read(paths.name(path), LARGEST_CROP)
    except OSError:
        return None


def _is_as_stored(content: bytes, known_hash: str | None) -> bool:
    """Compare a crop with its hash; without one it has to be a JPEG from its start to its end."""
    if known_hash is not None:
        return crop_hash(content) == known_hash
    return content[:2] == b"\xff\xd8" and content[-2:] == b"\xff\xd9"


def _is_named_by_us(metadata: MetadataDatabase, segment: StoredSegment) -> bool:
    return OURS.fullmatch(metadata.paths.name(segment.crop_path)) is not None


def _with_file_of_its_own(metadata: MetadataDatabase, segment: StoredSegment) -> StoredSegment:
    """Assign a segment another crop file than the one that a stranger's rows share or name."""
    paths = metadata.paths
    name = hashlib.sha1(segment.id.encode("utf-8", "surrogateescape")).hexdigest()
    path = paths.extracted_segments / "elsewhere" / f"{name}.jpg"
    metadata.set_crop_path(segment.id, paths.name(path))
    return replace(segment, crop_path=path)


def _decodes(path: Path, settings: Settings) -> bool:
    try:
        load_image(path, settings.pixel_limit)
    except MediaReadError:
        return False
    return True


def _cut_again(
    metadata: MetadataDatabase, wanted: list[StoredSegment], settings: Settings
) -> set[str]:
    """Cut crops of one media file's segments from its file again; returns whose were made."""
    media = metadata.media(wanted[0].media_file_id)
    by_frame: dict[int, list[StoredSegment]] = {}
    for segment in wanted:
        by_frame.setdefault(segment.frame_index, []).append(segment)
    made: dict[str, str] = {}
    if media is None:
        return set()
    try:
        if content_hash(media.path) != media.content_hash:
            return set()  # another picture lies in its place now
        known = stored_frame_times(metadata.connection, media.id)
        with closing(read_frames_again(media, by_frame.keys(), settings, known)) as frames:
            for frame in frames:
                for segment in by_frame.pop(frame.frame_index, ()):
                    made[segment.id] = _cut(metadata.paths, frame, segment, settings)
    except MediaReadError:
        pass  # what could not be made again is reported as missing
    metadata.set_crop_hashes(made)
    return set(made)


def _cut(paths: LibraryPaths, frame: Frame, segment: StoredSegment, settings: Settings) -> str:
    """Cut a crop again; returns its hash."""
    if segment.mask_rle is None:
        crop = fitted(frame.image_rgb, CROP_SIDE)
    else:
        mask = decode_rle(segment.mask_rle, segment.frame_wh)
        crop = CropCutter(frame.image_rgb, settings.blur_kernel).cut(mask, segment.bbox_xywh)
    path: Path = segment.crop_path
    try:
        content = save_jpeg(crop)
        paths.files.write(paths.name(path), content)
    except OSError as exc:
        raise DatabaseError(
            f"{path}: the crop can't be written ({exc.strerror or exc}); see that the disk has "
            "room, then verify again: nothing is lost"
        ) from exc
    return crop_hash(content)
