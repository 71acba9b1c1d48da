"""A frame at its full size, with the segments on it, for a person to edit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from src.database.browse_queries import BrowseQueries
from src.database.frame_spans import stored_frame_times
from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError, QueryError
from src.models.mask_rle import rectangle_rle
from src.processing.frame_reader import read_frames_again
from src.processing.known_copies import KnownCopies
from src.processing.known_frames import KnownFrame
from src.processing.media_finder import content_hash
from src.records import MediaFile, StoredSegment
from src.search.query import GONE
from src.settings import Settings

CHANGED = "changed since it was added; add it again first"


@dataclass(frozen=True)
class FrameToEdit:
    """A frame that a person edits.

    Attributes:
        frame_id: its row.
        digest: of the media file's content.
        image_rgb: (H, W, 3) uint8.
        segments: all on the frame, by their ids; the whole frame first.
    """

    frame_id: int
    media: MediaFile
    frame_index: int
    digest: str
    image_rgb: np.ndarray = field(repr=False, compare=False)
    segments: dict[str, StoredSegment]

    @property
    def size_wh(self) -> tuple[int, int]:
        return self.image_rgb.shape[1], self.image_rgb.shape[0]


def open_frame(metadata: MetadataDatabase, settings: Settings, segment_id: str) -> FrameToEdit:
    """Read the frame that a segment is of, from its media file.

    Raises:
        QueryError: the segment is no longer in the library.
        MediaReadError: the file can't be read, or is another one now.
    """
    queries = BrowseQueries(metadata)
    segments = queries.segments_of_frame(segment_id)
    media = metadata.media(segments[0].media_file_id) if segments else None
    if media is None:
        raise QueryError(GONE)
    media = KnownCopies(metadata).at_hand(media)
    index = segments[0].frame_index
    row = metadata.frame_row(media.id, index)
    known = stored_frame_times(metadata.connection, media.id)
    image_rgb = read_frame(media, index, segments[0].frame_wh, settings, known)
    if row is None or media.content_hash is None:
        raise QueryError(GONE)
    by_id = {segment.id: segment for segment in queries.segments_on(row.id)}
    return FrameToEdit(row.id, media, index, media.content_hash, image_rgb, by_id)


def read_frame(
    media: MediaFile,
    frame_index: int,
    size_wh: tuple[int, int],
    settings: Settings,
    known: Sequence[KnownFrame] = (),
) -> np.ndarray:
    """Read one frame of a media file at its full size: (H, W, 3) uint8 RGB.

    Args:
        known: of a video, see read_frames_again.

    Raises:
        MediaReadError: the file can't be read, is another one now, or has no such frame.
    """
    try:
        is_same = content_hash(media.path) == media.content_hash
    except OSError as exc:
        raise MediaReadError(media.path, f"can't be read ({exc.strerror or exc})") from exc
    if not is_same:
        raise MediaReadError(media.path, CHANGED)
    with closing(read_frames_again(media, {frame_index}, settings, known)) as frames:
        for frame in frames:
            if frame.frame_index == frame_index and frame.size_wh == size_wh:
                return np.ascontiguousarray(frame.image_rgb)
    raise MediaReadError(media.path, f"has no frame {frame_index:,} of {size_wh[0]} x {size_wh[1]}")


def stored_mask(segment: StoredSegment) -> bytes:
    """Return a segment's mask as compressed COCO RLE counts; its box where it has none.

    Raises:
        QueryError: it is a whole frame, which has no outline.
    """
    if segment.kind == "frame":
        raise QueryError(
            "this is the whole frame, which has no outline; choose a segment, or add a new one"
        )
    if segment.mask_rle is not None:
        return segment.mask_rle
    return rectangle_rle(segment.bbox_xywh, segment.frame_wh)
