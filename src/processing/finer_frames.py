"""A range of a video sampled more finely: the frames between those that the library has."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from src.counting import clock, counted
from src.database.frame_spans import divide_span, lengthen_span, stored_frame_times
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment
from src.errors import MediaReadError, QueryError
from src.events import (
    Event,
    FileDone,
    FileFailed,
    FileKnown,
    FileStarted,
    FileWork,
    FrameSkipped,
    FrameStored,
    JobDone,
    JobStarted,
)
from src.models.segmenter import Segmenter
from src.processing.ffmpeg_log import VideoFacts
from src.processing.file_errors import format_error, is_file_error
from src.processing.file_jobs import go_through
from src.processing.frames_ahead import ReadFrame, frames_ahead
from src.processing.known_frames import read_range
from src.processing.models_in_use import ClipBundle
from src.processing.pending_deletes import remove_left_crops
from src.processing.segment_pipeline import FrameResult, SegmentPipeline
from src.processing.segment_writer import SegmentWriter
from src.processing.unchanged_file import unchanged_file
from src.processing.work_threads import WorkThreads
from src.records import Frame, KeptSegment, MediaFile
from src.settings import Settings
from src.stopping import result_of

log = logging.getLogger(__name__)

# Frames a second; as in the settings.
LEAST_RATE, MOST_RATE = 1e-6, 1000
# Of a range that can't be read to its end so much may be missing: a container says a little more
# than its last frame shows.
SHORT_S = 2.0


@dataclass
class RangeToSample:
    """What is wanted of which video; see range_to_sample.

    Attributes:
        stored: indexes of the frames that the library has.
        known: the same with their times, in order.
        room: how many more frames may be taken from the video.
        taken: how many are on their way into the library.
        last_s: when the last frame was that was read.
    """

    media: MediaFile
    begin_s: float
    end_s: float
    frames_per_second: float
    known: Sequence[tuple[int, float]]
    room: int
    taken: int = 0
    last_s: float = -math.inf
    stored: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        self.stored = frozenset(index for index, _ in self.known)

    @property
    def frames(self) -> float:
        """Count the frames that the range probably has, without those that are stored."""
        there = sum(self.begin_s <= moment_s <= self.end_s for _, moment_s in self.known)
        end_s = min(self.end_s, self.media.duration_s or self.end_s)
        return max(1.0, (end_s - self.begin_s) * self.frames_per_second - there)

    def has(self, moment_s: float | None) -> bool:
        return moment_s is not None and self.begin_s <= moment_s <= self.end_s

    def fraction(self, moment_s: float | None) -> float:
        """Return how much of the range is read with a frame, 0 to 1."""
        end_s = min(self.end_s, self.media.duration_s or self.end_s)
        if moment_s is None or end_s <= self.begin_s:
            return 0.0
        return min(1.0, max(0.0, (moment_s - self.begin_s) / (end_s - self.begin_s)))


def range_to_sample(
    metadata: MetadataDatabase,
    settings: Settings,
    media_file_id: int,
    begin_s: float,
    end_s: float,
    frames_per_second: float,
) -> RangeToSample:
    """Check what is asked for, before anything changes.

    Args:
        begin_s, end_s: seconds in the video; the frame of either moment is in the range.

    Raises:
        QueryError: it is no video, or there is no such range in it.
        MediaReadError: the file is not here, not wholly in the library, or another one now.
    """
    media = metadata.media(media_file_id)
    if media is None:
        raise QueryError(f"there is no media file {media_file_id} in the library")
    if media.kind != "video":
        raise QueryError(f"{media.path}: this is a photo; only a video has more frames")
    if not LEAST_RATE <= frames_per_second <= MOST_RATE:
        raise QueryError(f"take more than 0 frames a second, and at most {MOST_RATE:,}")
    if not (math.isfinite(begin_s) and math.isfinite(end_s) and 0 <= begin_s < end_s):
        raise QueryError("a range has to begin before it ends, at 0:00 or later")
    if media.duration_s is not None and begin_s > media.duration_s:
        raise QueryError(f"{media.path}: the video ends at {clock(media.duration_s)}")
    media = unchanged_file(metadata, media)
    known = stored_frame_times(metadata.connection, media.id)
    room = settings.frames_per_video - len(known)
    return RangeToSample(media, begin_s, end_s, frames_per_second, known, room)


class FinerFrames:
    """A job that adds frames to a video between those that are there."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        clip_bundle: Callable[[], ClipBundle],
        segmenter: Segmenter | None,
        settings: Settings,
        tell_index: bool = True,
    ) -> None:
        """Set a job up; see SegmentPipeline, and go_through for `tell_index`."""
        self._tell_index = tell_index
        self.metadata = metadata
        self.clip_bundle = clip_bundle
        self.settings = settings
        self.pipeline = SegmentPipeline(clip_bundle, segmenter, settings)
        self.writer = SegmentWriter(metadata, self.pipeline.embed_again)

    def run(self, wanted: RangeToSample) -> Iterator[Event]:
        """Add the frames of a range that sampling at a higher rate takes and the library lacks.

        They are those that adding the video at this rate would take, under the same numbers. What
        looks like the frame before it comes in, too, for it was asked for; a picture that is
        exactly the one before it does not, unless `duplicate_distance` keeps every frame.
        Frames that are stored, and what people did on them, stay as they are. Cancelled or
        killed, the next call goes on.
        """
        path, work = wanted.media.path, FileWork("video", wanted.frames)
        remove_left_crops(self.metadata)
        yield JobStarted(1, {work.kind: work.amount})
        with self.pipeline.threads() as threads:
            totals = yield from go_through(
                [(FileStarted(path, 1, work), self._file(wanted, threads))],
                lambda: self.clip_bundle().index,
                self._tell_index,
            )
        remove_left_crops(self.metadata)
        yield JobDone(1, totals.frames, totals.segments, tuple(totals.failed))

    def _file(self, wanted: RangeToSample, threads: WorkThreads) -> Generator[Event]:
        path, facts = wanted.media.path, VideoFacts()
        kept = "what has come in is kept"
        try:
            yield from self._frames(wanted, facts, threads)
        except MediaReadError as exc:
            yield FileFailed(path, f"{exc.reason}; {kept}")
        except OSError as exc:  # it went between two looks at it
            yield FileFailed(path, f"can't be read ({exc.strerror or exc}); {kept}")
        except Exception as exc:
            if not is_file_error(exc):
                raise
            log.warning("%s could not be sampled more finely", path, exc_info=True)
            yield FileFailed(path, f"could not be sampled ({format_error(exc)}); {kept}")

    def _frames(
        self, wanted: RangeToSample, facts: VideoFacts, threads: WorkThreads
    ) -> Generator[Event]:
        """Cut and store the frames of a range that are not there."""
        media = wanted.media
        assert media.content_hash is not None
        standing = _Standing(self.metadata, media.id)
        with closing(self._read(wanted, facts, threads)) as frames:
            for frame in frames:
                index, moment_s = frame.frame_index, frame.timestamp_s
                fraction = wanted.fraction(moment_s)
                if frame.result is None:
                    standing.see(frame, index in wanted.stored, wanted.has(moment_s))
                    yield FrameSkipped(media.path, index, fraction)
                    continue
                result = result_of(frame.result)
                standing.end()
                change = _FrameBetween(self.metadata, media, standing.last_s)
                count = self.writer.store_frame(media.content_hash, result, change)
                if count is None:
                    yield FileKnown(media.path, "removed from the library in the meantime")
                    return
                standing.see(frame, is_stored=True, is_in_range=True)
                yield FrameStored(media.path, index, moment_s, count, fraction)
        standing.end()
        counts = self.metadata.count_of_media(media.id)
        yield FileDone(media.path, *counts, self._note(wanted, facts))

    def _note(self, wanted: RangeToSample, facts: VideoFacts) -> str | None:
        """Return why a part of the range is missing; None where all of it was added."""
        if wanted.taken >= wanted.room:
            most = counted(self.settings.frames_per_video, "frame")
            return f"the library takes {most} of one video; for more, raise frames_per_video"
        end_s = min(wanted.end_s, wanted.media.duration_s or wanted.end_s)
        if end_s - wanted.last_s > max(SHORT_S, 2 / wanted.frames_per_second):
            until = clock(max(wanted.last_s, 0.0))
            return facts.damage or f"could be read up to {until} only"
        return None

    def _read(
        self, wanted: RangeToSample, facts: VideoFacts, threads: WorkThreads
    ) -> Generator[ReadFrame]:
        with closing(self._sampled(wanted, facts)) as sampled:

            def is_wanted(frame: Frame, differs: bool) -> Sequence[KeptSegment] | None:
                return () if differs else None

            yield from frames_ahead(sampled, facts, is_wanted, self.pipeline, threads)

    def _sampled(self, wanted: RangeToSample, facts: VideoFacts) -> Generator[tuple[Frame, bool]]:
        """Read sampled frames, each with whether it is to be stored."""
        keeps_every = self.settings.duplicate_distance < 0
        media = wanted.media
        # the last one's picture, where it is in the library: its own, or as one that stands for it
        last: np.ndarray | None = None
        reading = wanted.begin_s, wanted.end_s, wanted.frames_per_second, wanted.known
        with closing(read_range(media.path, *reading, facts)) as frames:
            for frame in frames:
                assert frame.timestamp_s is not None
                wanted.last_s = frame.timestamp_s
                is_stored = frame.frame_index in wanted.stored
                is_repeated = (
                    not keeps_every and last is not None and np.array_equal(last, frame.image_rgb)
                )
                is_new = wanted.has(frame.timestamp_s) and not is_stored and not is_repeated
                if is_new and wanted.taken >= wanted.room:
                    return
                wanted.taken += is_new
                last = frame.image_rgb if is_new or is_stored or is_repeated else None
                yield frame, is_new


class _FrameBetween:
    """What changes with a frame that comes between others; see FrameChange."""

    def __init__(
        self, metadata: MetadataDatabase, media: MediaFile, before_s: float | None
    ) -> None:
        self.metadata = metadata
        self.media_id = media.id
        self._content = media.content_hash
        self._before_s = before_s

    def make_room(self) -> list[str]:
        media = self.metadata.media(self.media_id)
        if media is not None and (media.content_hash, media.status) != (self._content, "done"):
            raise MediaReadError(media.path, "was changed in the library in the meantime")
        return []

    def transfer_annotations(self, result: FrameResult, new: Sequence[NewSegment]) -> None:
        """End the time of the frame before at this one."""
        connection = self.metadata.connection
        divide_span(connection, self.media_id, result.frame_index, self._before_s)


class _Standing:
    """Stores up to when a frame stands for its picture's repetitions, which are not stored.

    Attributes:
        last_s: when the last frame was that was read; None before the first.
    """

    def __init__(self, metadata: MetadataDatabase, media_id: int) -> None:
        self._metadata, self._media_id = metadata, media_id
        self.last_s: float | None = None
        self._last: tuple[int, float] | None = None  # of its picture, and not stored

    def see(self, frame: ReadFrame, is_stored: bool, is_in_range: bool) -> None:
        if is_stored:
            self.end()
        elif is_in_range and frame.timestamp_s is not None:
            self._last = frame.frame_index, frame.timestamp_s
        self.last_s = frame.timestamp_s

    def end(self) -> None:
        if self._last is not None:
            lengthen_span(self._metadata.connection, self._media_id, *self._last)
        self._last = None
