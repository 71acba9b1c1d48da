"""Another SAM: frames cut again, and the work of people carried over to the new segments."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass

from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import frames_cut_by_others
from src.errors import MediaReadError
from src.events import (
    AnnotationUnmatched,
    Event,
    FileDone,
    FileFailed,
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
from src.processing.frame_reader import read_frames_again
from src.processing.frames_ahead import ReadFrame, as_read, frames_ahead
from src.processing.known_copies import KnownCopies
from src.processing.media_finder import content_hash
from src.processing.models_in_use import ClipBundle
from src.processing.pending_deletes import remove_left_crops
from src.processing.segment_pipeline import FrameResult, SegmentPipeline
from src.processing.segment_writer import SegmentWriter
from src.processing.work_threads import WorkThreads, taken_ahead
from src.records import Frame, KeptSegment, MediaFile
from src.settings import Settings
from src.stopping import result_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _FileToCut:
    """A media file whose turn comes.

    Attributes:
        wanted: ids of its frames by their indexes, without those that are cut.
        cut: its frames, where they are read and cut before its turn.
    """

    media: MediaFile
    wanted: dict[int, int]
    cut: Future[list[ReadFrame]] | None


class SegmentAgain:
    """One job of cutting again what another SAM has cut.

    A frame is changed in one transaction, so a job that is killed goes on with the next one.
    """

    def __init__(
        self,
        metadata: MetadataDatabase,
        clip_bundle: Callable[[], ClipBundle],
        mask_generator: Segmenter,
        settings: Settings,
        tell_index: bool = True,
    ) -> None:
        """Set a job up; see SegmentPipeline, and go_through for `tell_index`."""
        self._tell_index = tell_index
        self.metadata = metadata
        self.sam = mask_generator.name
        self.copies = KnownCopies(metadata)
        self.clip_bundle = clip_bundle
        self.settings = settings
        self.pipeline = SegmentPipeline(clip_bundle, mask_generator, settings)
        self.writer = SegmentWriter(metadata, self.pipeline.embed_again)

    def run(self) -> Iterator[Event]:
        """Cut every frame again that another SAM has cut.

        Where a person has worked on a segment, the tags go to the new segment that is the same
        thing; one without such a match stays beside the new ones (`AnnotationUnmatched`). Files
        that are gone or changed keep their segments (`FileFailed`).

        Raises:
            DatabaseError: the library can't be written to; the job can't go on.
        """
        remove_left_crops(self.metadata)
        by_media = frames_cut_by_others(self.metadata.connection, self.sam)
        frames = sum(len(wanted) for wanted in by_media.values())
        yield JobStarted(len(by_media), {"image": frames})
        with self.pipeline.threads() as threads:
            files = self._files(by_media, threads)
            totals = yield from go_through(
                files, lambda: self.clip_bundle().index, self._tell_index
            )
        remove_left_crops(self.metadata)
        yield JobDone(len(by_media), totals.frames, totals.segments, tuple(totals.failed))

    def _files(
        self, by_media: Mapping[int, dict[int, int]], threads: WorkThreads
    ) -> Iterator[tuple[FileStarted, Generator[Event]]]:
        begun = (self._begun(media_id, wanted, threads) for media_id, wanted in by_media.items())
        for number, file in enumerate(taken_ahead(begun, 2 * threads.count), start=1):
            if file is not None:  # else removed meanwhile
                work = FileWork("image", len(file.wanted))
                yield FileStarted(file.media.path, number, work), self._file(file, threads)

    def _begun(
        self, media_id: int, wanted: dict[int, int], threads: WorkThreads
    ) -> _FileToCut | None:
        """Have an image cut before its turn: a video has enough frames for all threads."""
        if (media := self.metadata.media(media_id)) is None:
            return None
        media = self.copies.at_hand(media)
        is_short = media.kind == "image" and len(wanted) == 1
        cut = threads.submit(self._cut, media, frozenset(wanted), threads) if is_short else None
        return _FileToCut(media, wanted, cut)

    def _file(self, file: _FileToCut, threads: WorkThreads) -> Generator[Event]:
        media = file.media
        try:
            yield from self._frames(file, threads)
            if file.wanted:
                left = len(file.wanted)
                raise MediaReadError(media.path, f"{left} of its frames could not be found")
        except MediaReadError as exc:
            yield FileFailed(media.path, f"{exc.reason}; its segments are unchanged")
            return
        except OSError as exc:  # it went between two looks at it
            yield FileFailed(media.path, f"can't be read ({exc.strerror or exc})")
            return
        except Exception as exc:
            if not is_file_error(exc):
                raise
            log.warning("%s could not be segmented again", media.path, exc_info=True)
            yield FileFailed(media.path, f"could not be segmented again ({format_error(exc)})")
            return
        yield FileDone(media.path, *self.metadata.count_of_media(media.id))

    def _frames(self, file: _FileToCut, threads: WorkThreads) -> Iterator[Event]:
        """Cut the frames of a file again; what remains in `wanted` was not met."""
        media = file.media
        assert media.content_hash is not None
        with closing(self._read(file, threads)) as frames:
            for frame in frames:
                index, moment_s = frame.frame_index, frame.timestamp_s
                if frame.result is None:
                    yield FrameSkipped(media.path, index, frame.fraction)
                    continue
                frame_id, result = file.wanted.pop(index), result_of(frame.result)
                replaced = self.writer.replace_segments(frame_id, media.content_hash, result)
                for segment_id, tags in replaced.stay:
                    yield AnnotationUnmatched(media.path, index, moment_s, segment_id, tags)
                yield FrameStored(media.path, index, moment_s, replaced.added, frame.fraction)

    def _read(self, file: _FileToCut, threads: WorkThreads) -> Generator[ReadFrame]:
        if file.cut is not None:
            yield from result_of(file.cut)
            return
        media, left = file.media, set(file.wanted)

        def wanted(frame: Frame, differs: bool) -> Sequence[KeptSegment] | None:
            if frame.frame_index not in left:
                return None
            left.discard(frame.frame_index)  # a frame may come twice
            return ()

        facts = VideoFacts(duration_s=media.duration_s)
        with closing(self._checked(media, file.wanted)) as frames:
            each = ((frame, True) for frame in frames)
            yield from frames_ahead(each, facts, wanted, self.pipeline, threads)

    def _cut(
        self, media: MediaFile, wanted: Collection[int], threads: WorkThreads
    ) -> list[ReadFrame]:
        """Read an image and cut what is wanted of it, in a thread."""
        facts, cut = VideoFacts(), []
        with (
            threads.room_for((media.width or 0) * (media.height or 0)),
            closing(self._checked(media, wanted)) as frames,
        ):
            for frame in frames:
                result: Future[FrameResult] | None = None
                if frame.frame_index in wanted:
                    result = Future()
                    result.set_result(self.pipeline.process(frame))
                cut.append(as_read(frame, True, facts, result))
        return cut

    def _checked(self, media: MediaFile, wanted: Collection[int]) -> Generator[Frame]:
        """Read a file's frames again if it has the content that the library knows."""
        if content_hash(media.path) != media.content_hash:
            raise MediaReadError(media.path, "changed since it was added; add it again first")
        yield from read_frames_again(media, wanted, self.settings)
