"""Another SAM: frames cut again, and the work of people carried over to the new segments."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing

from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import frames_cut_by_others
from src.errors import MediaReadError
from src.events import (
    AnnotationUnmatched,
    Event,
    FileDone,
    FileFailed,
    FileStarted,
    FrameSkipped,
    FrameStored,
    JobDone,
    JobStarted,
)
from src.models.segmenter import Segmenter
from src.processing.file_errors import format_error, is_file_error
from src.processing.file_jobs import go_through
from src.processing.frame_reader import read_frames_again
from src.processing.frames import fraction_read
from src.processing.known_copies import KnownCopies
from src.processing.media_finder import content_hash
from src.processing.models_in_use import ClipBundle
from src.processing.pending_deletes import remove_left_crops
from src.processing.segment_pipeline import SegmentPipeline
from src.processing.segment_writer import SegmentWriter
from src.records import MediaFile
from src.settings import Settings

log = logging.getLogger(__name__)


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
        yield JobStarted(len(by_media))
        totals = yield from go_through(
            self._files(by_media), lambda: self.clip_bundle().index, self._tell_index
        )
        remove_left_crops(self.metadata)
        yield JobDone(len(by_media), totals.frames, totals.segments, tuple(totals.failed))

    def _files(
        self, by_media: Mapping[int, dict[int, int]]
    ) -> Iterator[tuple[FileStarted, Generator[Event]]]:
        for number, (media_id, wanted) in enumerate(by_media.items(), start=1):
            if (media := self.metadata.media(media_id)) is not None:  # else removed meanwhile
                media = self.copies.at_hand(media)
                yield FileStarted(media.path, number), self._file(media, wanted)

    def _file(self, media: MediaFile, wanted: dict[int, int]) -> Generator[Event]:
        try:
            if content_hash(media.path) != media.content_hash:
                raise MediaReadError(media.path, "changed since it was added; add it again first")
            yield from self._frames(media, wanted)
            if wanted:
                raise MediaReadError(media.path, f"{len(wanted)} of its frames could not be found")
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

    def _frames(self, media: MediaFile, wanted: dict[int, int]) -> Iterator[Event]:
        """Cut the frames of a file again; what remains in `wanted` was not met."""
        assert media.content_hash is not None
        with closing(read_frames_again(media, wanted, self.settings)) as frames:
            for frame in frames:
                index, moment_s = frame.frame_index, frame.timestamp_s
                fraction = fraction_read(frame, media.duration_s)
                frame_id = wanted.pop(index, None)
                if frame_id is None:
                    yield FrameSkipped(media.path, index, fraction)
                    continue
                result = self.pipeline.process(frame)
                replaced = self.writer.replace_segments(frame_id, media.content_hash, result)
                for segment_id, tags in replaced.stay:
                    yield AnnotationUnmatched(media.path, index, moment_s, segment_id, tags)
                yield FrameStored(media.path, index, moment_s, replaced.added, fraction)
