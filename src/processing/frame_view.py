"""A stored segment -> its whole frame, with every segment's mask, for a person to look at."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from src.database.browse_queries import BrowseQueries
from src.errors import QueryError
from src.models.mask_rle import runs_of
from src.processing.image_loader import load_image
from src.records import FrameView, StoredSegment

Outlines = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class _Drawn:
    """What a frame looks like; see FrameView."""

    of: tuple[object, ...]
    image_rgb: np.ndarray
    masks: np.ndarray
    outlines: tuple[Outlines, ...]


class FrameViews:
    """Builds views of frames from what a library stores; calls may come from any thread.

    The last frame stays drawn: a tag changes nothing of that, and a person looks at one frame
    for a while.
    """

    def __init__(self, queries: BrowseQueries) -> None:
        self._queries = queries
        self._lock = threading.Lock()
        self._last: _Drawn | None = None

    def view(self, segment_id: str, pixel_limit: int) -> FrameView:
        """Show a segment in its frame.

        Raises:
            QueryError: the segment is no longer in the library.
            MediaReadError: the frame's crop is missing; `verify --repair` makes it again.
        """
        queries = self._queries
        segments = queries.segments_of_frame(segment_id)
        media = queries.metadata.media(segments[0].media_file_id) if segments else None
        if media is None:
            raise QueryError("this segment is no longer in the library; search again")
        drawn = self._drawn(segments, pixel_limit)
        return FrameView(
            drawn.image_rgb,
            tuple(segments),
            drawn.masks,
            drawn.outlines,
            queries.metadata.tags_of([segment.id for segment in segments]),
            media,
            tuple(queries.sampled_frames(media.id)),
        )

    def _drawn(self, segments: Sequence[StoredSegment], pixel_limit: int) -> _Drawn:
        # "frame" sorts before "object": the whole frame is first, and its crop is the picture
        crop = segments[0].crop_path
        try:
            stamp: object = crop.stat().st_mtime_ns
        except OSError:
            stamp = None  # reading it says why
        of = (crop, stamp, tuple((segment.id, segment.mask_rle) for segment in segments))
        with self._lock:
            last = self._last
        if last is not None and stamp is not None and last.of == of:
            return last
        drawn = _draw(of, segments, load_image(crop, pixel_limit).frame.image_rgb)
        with self._lock:
            self._last = drawn
        return drawn


def _draw(
    of: tuple[object, ...], segments: Sequence[StoredSegment], image_rgb: np.ndarray
) -> _Drawn:
    height, width = image_rgb.shape[:2]
    masks = np.empty((len(segments), height, width), bool)
    outlines: list[Outlines] = []
    for row, segment in enumerate(segments):
        if segment.mask_rle is None:
            masks[row] = True
            outlines.append(())
        else:
            masks[row] = mask_at(segment.mask_rle, segment.frame_wh, (width, height))
            outlines.append(outlines_of(masks[row]))
    masks.flags.writeable = image_rgb.flags.writeable = False  # several views may share them
    return _Drawn(of, image_rgb, masks, tuple(outlines))


def mask_at(rle: bytes, frame_wh: tuple[int, int], size_wh: tuple[int, int]) -> np.ndarray:
    """Read a mask at the size of a picture of its frame: (h, w) bool.

    A pixel belongs to it where at least half of what it covers of the frame does.

    Raises:
        DamagedMaskError: it is no mask of a frame of that size.
    """
    ends = np.cumsum(runs_of(rle, frame_wh))
    starts, ends = ends[:-1:2], ends[1::2]
    mask = np.zeros(size_wh, bool)  # column by column, as COCO has it
    if len(starts):
        # only the part that has some of it, from where pixels of both sizes begin together
        first, last = int(starts[0]) // frame_wh[1], -(-int(ends[-1]) // frame_wh[1])
        (left, right), (small_left, small_right) = _part(first, last, frame_wh[0], size_wh[0])
        part = np.zeros((right - left, frame_wh[1]), np.uint8)
        flat, offset = part.reshape(-1), left * frame_wh[1]
        for start, end in zip((starts - offset).tolist(), (ends - offset).tolist(), strict=True):
            flat[start:end] = 255
        small = cv2.resize(
            part, (size_wh[1], small_right - small_left), interpolation=cv2.INTER_AREA
        )
        mask[small_left:small_right] = small > 127
    return mask.T


def _part(first: int, last: int, size: int, small: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Widen a range of pixels to where those of another size begin, too: both ranges."""
    common = math.gcd(size, small)
    step, small_step = size // common, small // common
    begin, end = first // step, -(-last // step)
    return (begin * step, end * step), (begin * small_step, end * small_step)


def outlines_of(mask: np.ndarray) -> Outlines:
    """Return the outlines of a mask (h, w) bool, holes too, through the edges of its pixels."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    part = mask[top : top + height, left : left + width].view(np.uint8)
    if not part.size:
        return ()
    # A contour through pixel centres would lie half a pixel inside; at twice the size less.
    large = cv2.resize(part, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    found, _ = cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_TC89_L1)
    return tuple(
        ((points[:, 0].astype(np.float32) + 0.5) / 2) + np.array((left, top), np.float32)
        for points in found
        if len(points) > 2
    )
