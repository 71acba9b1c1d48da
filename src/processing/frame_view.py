"""A stored segment -> its whole frame, with every segment's mask, for a person to look at."""

from __future__ import annotations

import cv2
import numpy as np

from src.database.catalog import Catalog
from src.errors import QueryError
from src.models.mask_rle import decode_rle
from src.processing.image_loader import load_image
from src.records import FrameView, StoredSegment


def frame_view(catalog: Catalog, segment_id: str, pixel_limit: int) -> FrameView:
    """Put a segment's frame together from what the library keeps.

    Raises:
        QueryError: the segment is no longer in the library.
        MediaReadError: the frame's crop is missing; `verify --repair` makes it again.
    """
    segments = catalog.segments_of_frame(segment_id)
    media = catalog.metadata.media(segments[0].media_file_id) if segments else None
    if media is None:
        raise QueryError("this segment is no longer in the library; search again")
    # "frame" sorts before "object": the whole frame is first, and its crop is the picture
    image = load_image(segments[0].crop_path, pixel_limit).frame.image_rgb
    height, width = image.shape[:2]
    masks = np.empty((len(segments), height, width), bool)
    outlines: list[tuple[np.ndarray, ...]] = []
    for row, segment in enumerate(segments):
        masks[row] = _mask_at(segment, (width, height))
        outlines.append(() if segment.mask_rle is None else _outlines(masks[row]))
    return FrameView(
        image,
        tuple(segments),
        masks,
        tuple(outlines),
        catalog.metadata.tags_of([segment.id for segment in segments]),
        media,
        tuple(catalog.sampled_frames(media.id)),
    )


def _mask_at(segment: StoredSegment, size_wh: tuple[int, int]) -> np.ndarray:
    """A segment's mask, resized to a picture of its frame: (h, w) bool."""
    if segment.mask_rle is None:
        return np.ones((size_wh[1], size_wh[0]), bool)
    mask = decode_rle(segment.mask_rle, segment.frame_wh).view(np.uint8)
    mask *= 255  # in place: a frame may have 250 million pixels
    small: np.ndarray = cv2.resize(mask, size_wh, interpolation=cv2.INTER_AREA) > 127
    return small


def _outlines(mask: np.ndarray) -> tuple[np.ndarray, ...]:
    """The outlines of a mask (h, w) bool, holes too, through the edges of its pixels."""
    # A contour through pixel centres would lie half a pixel inside; at twice the size less.
    large = cv2.resize(mask.astype(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    found, _ = cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_TC89_L1)
    return tuple(
        ((points[:, 0].astype(np.float32) + 0.5) / 2) for points in found if len(points) > 2
    )
