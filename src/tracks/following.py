"""One thing followed through its video by SAM 2's memory: what it is on each sampled frame."""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from src.counting import clock
from src.database.browse_queries import BrowseQueries
from src.database.frame_spans import stored_frame_times
from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError, ModelNotLoadedError, QueryError
from src.models.mask_rle import decode_rle, encode_rle, mask_ious, measured, rectangle_rle
from src.models.segmenter import Segmenter
from src.models.video_follower import follower_of
from src.processing.found_again import made_by_hand
from src.processing.known_frames import KnownFrame, read_stored
from src.processing.segment_pipeline import CutFrame, FrameResult, SegmentPipeline
from src.processing.unchanged_file import unchanged_file
from src.records import Frame, KeptSegment, MediaFile, StoredSegment
from src.settings import Settings

# From here on a segment that is there is what was followed.
SAME_IOU = 0.8
# A mask that a person drew, or removed, is not made once more beside their own: see SAME_CUT_IOU.
THEIRS_IOU = 0.5
# Frames that are read at once on the way back, unless they are large.
MOST_AT_ONCE = 32
NO_MODEL = (
    "following a segment through its video needs SAM 2.1; `models download sam2.1_hiera_tiny` gets "
    "one, and `models use sam2.1_hiera_tiny` or the Models panel chooses it"
)


@dataclass(frozen=True)
class ThingToFollow:
    """A segment, and the frames of its video on which it is looked for.

    Attributes:
        frames: those that are stored, in the order of time, its own among them.
        known: all stored frames of the video, in the order of time.
    """

    media: MediaFile
    segment: StoredSegment
    mask_rle: bytes
    frames: tuple[KnownFrame, ...]
    known: tuple[KnownFrame, ...]

    @property
    def start(self) -> int:
        """The place of its own frame."""
        return [index for index, _ in self.frames].index(self.segment.frame_index)


@dataclass(frozen=True)
class FoundOnFrame:
    """What the thing is on another frame.

    Attributes:
        known_id: of the segment that it is; None for a new one.
        result: what is to be stored of a new one.
    """

    frame_index: int
    known_id: str | None = None
    result: FrameResult | None = None


def thing_to_follow(
    metadata: MetadataDatabase, segment_id: str, begin_s: float | None, end_s: float | None
) -> ThingToFollow:
    """Check what is asked for, before anything is loaded.

    Raises:
        QueryError, MediaReadError: see Tracks.propagate.
    """
    segment = metadata.segments([segment_id]).get(segment_id)
    media = None if segment is None else metadata.media(segment.media_file_id)
    if segment is None or media is None:
        raise QueryError(f"there is no segment {segment_id} in the library; search for it again")
    if segment.timestamp_s is None:
        raise QueryError(f"{media.path}: this is a photo; only in videos are things followed")
    if segment.kind == "frame":
        raise QueryError("this is the whole frame; choose a segment on it")
    known = stored_frame_times(metadata.connection, media.id)
    first_s = -np.inf if begin_s is None else begin_s
    last_s = np.inf if end_s is None else end_s
    if not first_s <= segment.timestamp_s <= last_s:
        at = clock(segment.timestamp_s, 1)
        raise QueryError(f"the range has to hold the segment itself, which is at {at}")
    frames = tuple(frame for frame in known if first_s <= frame[1] <= last_s)
    if len(frames) < 2:
        raise QueryError("the library has no other frame there; sample the range more finely first")
    media = unchanged_file(metadata, media)
    mask = segment.mask_rle or rectangle_rle(segment.bbox_xywh, segment.frame_wh)
    return ThingToFollow(media, segment, mask, frames, tuple(known))


class Following:
    """Finds a thing on the frames after its own, then on those before it.

    Memory is bounded: what SAM 2 keeps is of the frames near to the last one and to the beginning,
    see VideoMemory.reach; on the way back, frames are read a window at a time, of as many pixels
    as `pixels_at_once` allows.
    """

    def __init__(
        self,
        metadata: MetadataDatabase,
        pipeline: SegmentPipeline,
        segmenter: Segmenter | None,
        settings: Settings,
        thing: ThingToFollow,
    ) -> None:
        """Begin with nothing found.

        Args:
            pipeline: without a segmenter; cuts and embeds new segments.

        Raises:
            ModelNotLoadedError: the segmenter follows nothing through videos.
        """
        follower = follower_of(segmenter, thing.segment.frame_wh, len(thing.frames))
        if follower is None:
            raise ModelNotLoadedError(NO_MODEL)
        self._follower = follower
        self._metadata, self._pipeline, self._settings = metadata, pipeline, settings
        self._queries = BrowseQueries(metadata)
        self._thing = thing
        self._places = {index: place for place, (index, _) in enumerate(thing.frames)}
        width, height = thing.segment.frame_wh
        self.window = max(1, min(MOST_AT_ONCE, settings.pixels_at_once // (width * height)))

    def run(self) -> Iterator[FoundOnFrame]:
        """Look at one frame after another; each gives what is found on it, if only nothing.

        Raises:
            MediaReadError: a frame can't be read.
        """
        thing, start = self._thing, self._thing.start
        with closing(self._read(thing.frames[start:])) as frames:
            first = next(frames)
            mask = decode_rle(thing.mask_rle, thing.segment.frame_wh)
            self._follower.begin(start, first.image_rgb, mask.astype(bool))
            for frame in frames:
                yield self._look(frame)
        for end in range(start, 0, -self.window):
            window = thing.frames[max(0, end - self.window) : end]
            with closing(self._read(window)) as frames:
                read = list(frames)
            while read:
                yield self._look(read.pop())

    def _read(self, wanted: Sequence[KnownFrame]) -> Generator[Frame]:
        """Read frames in the order of time, all of them."""
        path, size_wh = self._thing.media.path, self._thing.segment.frame_wh
        expected = iter(wanted)
        with closing(read_stored(path, wanted, self._thing.known)) as frames:
            for frame in frames:
                index, _ = next(expected)
                if frame.frame_index != index or frame.size_wh != size_wh:
                    raise MediaReadError(
                        path, "has another frame than the library; verify the library"
                    )
                yield frame
        if next(expected, None) is not None:
            raise MediaReadError(path, "not all of its frames could be found")

    def _look(self, frame: Frame) -> FoundOnFrame:
        mask = self._follower.follow(self._places[frame.frame_index], frame.image_rgb)
        nothing = FoundOnFrame(frame.frame_index)
        least = self._settings.min_segment_px
        if np.count_nonzero(mask) < max(1, least):
            return nothing
        counts: bytes = encode_rle(mask)["counts"]
        row = self._metadata.frame_row(self._thing.media.id, frame.frame_index)
        if row is None:  # the video was removed meanwhile
            return nothing
        there = [each for each in self._queries.segments_on(row.id) if each.mask_rle is not None]
        (ious,) = mask_ious([counts], [each.mask_rle or b"" for each in there], frame.size_wh)
        if len(ious) and ious.max() >= SAME_IOU:
            return FoundOnFrame(frame.frame_index, known_id=there[int(ious.argmax())].id)
        theirs = [
            each.id
            for each, iou in zip(there, ious, strict=True)
            if iou >= THEIRS_IOU and each.origin in ("human", "imported")
        ]
        if theirs:
            return FoundOnFrame(frame.frame_index, known_id=theirs[0])
        gone = made_by_hand(there) + self._metadata.edits.removed_masks(row.id)
        (ious,) = mask_ious([counts], gone, frame.size_wh)
        if ious.max(initial=0) >= THEIRS_IOU:
            return nothing
        return FoundOnFrame(frame.frame_index, result=self._cut(frame, counts))

    def _cut(self, frame: Frame, counts: bytes) -> FrameResult:
        """Cut the new segment of a frame, and embed it."""
        area, bbox_xywh = measured(counts, frame.size_wh)
        new = KeptSegment(
            "object", bbox_xywh, area, None, None, counts, secrets.token_hex(12), "tracker"
        )
        bundle, cut = self._pipeline.cut(frame, (new,))
        # the whole frame is there
        beside = tuple(replace(each, parent=None) for each in cut.result.segments[1:])
        alone = CutFrame(replace(cut.result, segments=beside), cut.squares[1:])
        (result,) = self._pipeline.embed([(bundle, alone)])
        return result
