"""media file -> frames -> segments -> embeddings -> library."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from src.database.frame_spans import stored_frame_times
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import imported_frames
from src.errors import MediaReadError
from src.events import (
    Event,
    FileDone,
    FileFailed,
    FileKnown,
    FileStarted,
    FrameSkipped,
    FrameStored,
    JobDone,
    JobStarted,
    ReadHere,
)
from src.models.segmenter import Segmenter
from src.processing.changed_files import ChangedFiles
from src.processing.content_check import ContentCheck, MediaToRead
from src.processing.embedding_batches import EmbeddingBatches
from src.processing.expected_work import expected_work, in_all
from src.processing.ffmpeg_log import VideoFacts
from src.processing.file_errors import format_error, is_file_error
from src.processing.file_jobs import go_through
from src.processing.files_ahead import FileAhead, FilesAhead
from src.processing.frames import read_sampled
from src.processing.frames_ahead import ReadFrame, Wanted, frames_ahead
from src.processing.media_finder import is_out_of_reach
from src.processing.media_registration import find, is_unicode, register
from src.processing.models_in_use import ClipBundle
from src.processing.moved_files import MovedFiles
from src.processing.pending_deletes import remove_left_crops
from src.processing.segment_pipeline import FrameResult, SegmentPipeline
from src.processing.segment_writer import SegmentWriter
from src.processing.video_spans import NotExactError
from src.processing.work_threads import WorkThreads
from src.records import Frame, KeptSegment
from src.settings import Settings
from src.stopping import Result, waited_for

if TYPE_CHECKING:
    from src.processing.cluster.videos import VideoInSpans

log = logging.getLogger(__name__)


class Ingest:
    """A job that adds media to a library."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        clip_bundle: Callable[[], ClipBundle],
        mask_generator: Segmenter | None,
        settings: Settings,
        tell_index: bool = True,
        pipeline: SegmentPipeline | None = None,
    ) -> None:
        """Set a job up; see SegmentPipeline, and go_through for `tell_index`.

        Args:
            pipeline: does the work on frames where not this process does all of it.
        """
        self._tell_index = tell_index
        self.metadata = metadata
        self.clip_bundle = clip_bundle
        self.settings = settings
        self._here = SegmentPipeline(clip_bundle, mask_generator, settings)
        self.pipeline = pipeline or self._here
        self.writer = SegmentWriter(metadata, self.pipeline.embed_again)
        self.moved = MovedFiles(metadata)
        self.changed = ChangedFiles(metadata)

    def run(self, paths: Iterable[Path], again: bool = False) -> Iterator[Event]:
        """Add files and folders, and whatever an earlier job left that no person stopped.

        What a person has removed comes back where it is named itself, and stays away where only
        a folder is named in which it lies.

        Every event is a safe place to stop: a frame is stored whole or not at all, and the
        next run goes on with the frame after the last one stored.

        Args:
            again: bring back what lies in folders, too.

        Raises:
            DatabaseError: the library can't be written to; the job can't go on.
        """
        remove_left_crops(self.metadata)
        found = find(self.metadata, paths, again, self.settings.passed_over_folders)
        files = register(self.metadata, found.files)
        yield from self.moved.follow([path for path in files if is_unicode(path)], found.removed)
        files += [path for path in found.removed if path in self.moved.came]
        # where no SAM is in use there is nothing to add to them
        uncut = {} if self.pipeline.cuts_nothing else imported_frames(self.metadata.connection)
        check = ContentCheck(self.metadata, self.moved, self.changed, files, found.wanted, uncut)
        rate = self.settings.frames_per_second
        works = [expected_work(path, check.is_probably_known(path), rate) for path in files]
        yield JobStarted(len(files), in_all(works))
        yield from found.failed
        if all(work.kind == "known" for work in works):
            self.pipeline = self._here  # nothing that others would have to be started for
        yield from self.pipeline.begin()
        with self.pipeline.threads() as threads:
            batches = EmbeddingBatches(self.pipeline.embed, threads.count)
            ahead = FilesAhead(
                files,
                partial(check.is_worth_reading, with_videos=self.pipeline.reads_videos),
                partial(self._read_ahead, check, threads, batches),
                batches,
                self.pipeline.files_at_once(threads),
            )
            totals = yield from go_through(
                (
                    (FileStarted(path, number, work), self._media_file(path, check, ahead, threads))
                    for number, (path, work) in enumerate(zip(files, works, strict=True), start=1)
                ),
                lambda: self.clip_bundle().index,
                self._tell_index,
            )
            yield from self.pipeline.news(at_end=True)
        remove_left_crops(self.metadata)
        stay_away = [path for path in found.removed if path not in self.moved.came]
        found.tally.removed += stay_away + totals.removed
        yield JobDone(
            len(files),
            totals.frames,
            totals.segments,
            (*found.failed, *totals.failed),
            passed_over=found.tally.passed_over,
        )

    def _read_ahead(
        self,
        check: ContentCheck,
        threads: WorkThreads,
        batches: EmbeddingBatches,
        file: FileAhead,
    ) -> Future[None]:
        return threads.submit(
            file.read,
            self.settings,
            self.moved.content_hash,
            check.is_new,
            self.pipeline,
            threads,
            batches,
        )

    def _media_file(
        self, path: Path, check: ContentCheck, ahead: FilesAhead, threads: WorkThreads
    ) -> Generator[Event]:
        """Add a file, if its content is new; what is wrong with it costs this file alone."""
        if not is_unicode(path):
            yield FileFailed(path, "its name is not valid Unicode; rename the file")
            return
        yield from self.pipeline.news()
        file: FileAhead | None = None
        try:
            file = yield from self._meanwhile(ahead.take(path))
            media = check.begin(path, file)
            if isinstance(media, MediaToRead):
                yield from self._frames(media, file, threads)
            else:
                yield media
        except MediaReadError as exc:
            yield self._waits_or_failed(path, exc.reason)
        except OSError as exc:  # it was removed meanwhile
            yield self._waits_or_failed(path, f"can't be read ({exc.strerror or exc})")
        except Exception as exc:
            if not is_file_error(exc):
                raise
            log.warning("%s could not be processed", path, exc_info=True)
            yield self._failed(path, f"could not be processed ({format_error(exc)})")
        finally:
            if file is not None:
                file.close()

    def _frames(
        self, media: MediaToRead, file: FileAhead | None, threads: WorkThreads
    ) -> Iterator[Event]:
        """Add a file's frames: each is cut into segments, embedded, and stored."""
        path, change = media.path, media.change
        stored = set[int]() if change.replaces else self.metadata.stored_frames(change.media_id)
        stored -= media.uncut.keys()
        change.look_at_old_frames(self.settings.pixel_limit)
        size_wh: tuple[int, int] | None = None
        standing = _StandingFrame(self.metadata, change.media_id)
        video = yield from self._in_spans(file, media, stored)
        if file is None or change.takes_over or not file.has_frame(media.digest):
            file = FileAhead(path)
        if video is not None:
            file.video, file.facts = video, video.facts
        facts = file.facts

        def wanted(frame: Frame, differs: bool) -> Sequence[KeptSegment] | None:
            if not differs or frame.frame_index in stored:
                return None
            return change.kept_on(frame)

        # a cancelled job leaves no ffmpeg behind
        with closing(self._read(file, media, wanted, threads)) as frames:
            for frame in frames:
                yield from self.pipeline.news()
                if isinstance(frame, ReadHere):
                    yield frame
                if not isinstance(frame, ReadFrame):
                    continue
                size_wh = frame.size_wh
                standing.see(frame)
                if frame.result is None or frame.frame_index in stored:
                    yield FrameSkipped(path, frame.frame_index, frame.fraction)
                    continue
                cut = yield from self._meanwhile(waited_for(frame.result))
                result = change.without_found_again(cut)
                if frame.frame_index in media.uncut:
                    count = self._cut_imported(media, result)
                else:
                    count = self.writer.store_frame(media.digest, result, change)
                if count is None:
                    yield FileKnown(path, "removed from the library in the meantime")
                    return
                yield FrameStored(path, frame.frame_index, frame.timestamp_s, count, frame.fraction)
        if facts.damage is not None and is_out_of_reach(path):
            raise MediaReadError(path, "can no longer be reached")  # not damaged: cut off
        standing.end()
        yield self._done(media, facts, size_wh)

    def _cut_imported(self, media: MediaToRead, result: FrameResult) -> int | None:
        """Put what SAM has cut beside the segments that came with a dataset.

        Returns:
            How many are new; None when the media file has been removed meanwhile.
        """
        frame_id = media.uncut[result.frame_index]
        replaced = self.writer.replace_segments(frame_id, media.digest, result)
        return None if self.metadata.media(media.change.media_id) is None else replaced.added

    def _read(
        self, file: FileAhead, media: MediaToRead, wanted: Wanted, threads: WorkThreads
    ) -> Generator[ReadFrame | ReadHere | None]:
        """Read a file's frames, from the second on where the first was read ahead of its turn."""
        if file.has_frame(media.digest):
            yield file.first()
            later = file.later
        elif file.video is not None:
            later = None
            yield from self._read_in_spans(file.video, wanted, threads)
        else:
            later = read_sampled(file.path, media.kind, self.settings, file.facts)
        if later is not None:
            with closing(later):
                yield from frames_ahead(later, file.facts, wanted, self.pipeline, threads)

    def _in_spans(
        self, file: FileAhead | None, media: MediaToRead, stored: Container[int]
    ) -> Generator[Event, None, VideoInSpans | None]:
        """Have a video read by others, where they can do it; it may be begun already."""
        if media.kind != "video" or not self.pipeline.reads_videos:
            return None
        # what people did on its frames, or came with them, is looked for in the pictures
        is_simple = not (media.change.takes_over or media.uncut)
        if file is not None and file.video is not None:
            if is_simple and not stored and file.digest == media.digest:
                return file.video
            file.close()
        if not is_simple:
            yield ReadHere(media.path, "people have worked on its frames, or they were imported")
            return None
        times = dict(stored_frame_times(self.metadata.connection, media.change.media_id))
        size = media.path.stat().st_size
        try:
            return self.pipeline.video(media.path, media.digest, size, times)
        except NotExactError as exc:
            yield ReadHere(media.path, str(exc))
            return None

    def _read_in_spans(
        self, video: VideoInSpans, wanted: Wanted, threads: WorkThreads
    ) -> Generator[ReadFrame | ReadHere | None]:
        """Read a video by way of others; what they can't read exactly is read through here."""
        last, fraction = -1, 0.0
        with closing(video.frames()) as frames:
            while True:
                try:
                    frame = next(frames)
                except StopIteration as end:
                    if end.value:
                        return
                    break
                if frame is not None:
                    last, fraction = frame.frame_index, frame.fraction
                yield frame
        yield ReadHere(video.path, video.trouble)
        video.facts.become(VideoFacts())

        def wanted_still(frame: Frame, differs: bool) -> Sequence[KeptSegment] | None:
            return wanted(frame, differs) if frame.frame_index > last else None

        with closing(read_sampled(video.path, "video", self.settings, video.facts)) as later:
            for frame in frames_ahead(later, video.facts, wanted_still, self.pipeline, threads):
                yield replace(frame, fraction=max(fraction, frame.fraction))

    def _meanwhile(self, waiting: Generator[None, None, Result]) -> Generator[Event, None, Result]:
        """Wait for something, and say meanwhile who works."""
        while True:
            try:
                next(waiting)
            except StopIteration as end:
                made: Result = end.value
                return made
            yield from self.pipeline.news()

    def _done(
        self, media: MediaToRead, facts: VideoFacts, size_wh: tuple[int, int] | None
    ) -> FileDone:
        """Store what is known of a file now that its last frame has come."""
        media_id = media.change.media_id
        width, height = size_wh or (None, None)
        # its frames are on the disk; lost in a power cut, this is done again without reading them
        with self.metadata.connection.write(lasting=False):
            self.metadata.update_media(
                media_id,
                status="done",
                error=facts.damage,
                note=facts.note,
                width=width,
                height=height,
                duration_s=facts.duration_s,
                captured_at=facts.captured_at,
                camera_make=facts.camera[0],
                camera_model=facts.camera[1],
            )
            lost = media.change.end()
        note = "; ".join(filter(None, (facts.damage, facts.note, lost))) or None
        return FileDone(media.path, *self.metadata.count_of_media(media_id), note)

    def _waits_or_failed(self, path: Path, reason: str) -> FileFailed:
        """Leave a file for the next run when its drive is gone: the file itself may be sound."""
        if not is_out_of_reach(path):
            return self._failed(path, reason)
        return FileFailed(path, "its folder can't be reached; it will be added when it can")

    def _failed(self, path: Path, reason: str) -> FileFailed:
        media = self.metadata.media_by_path(path)
        if media is not None and (media.status == "done" or self.changed.give_back(media)):
            reason += "; what was added before is kept"
        elif media is not None:
            self.metadata.update_media(media.id, status="failed", error=reason, note=None)
        return FileFailed(path, reason)


class _StandingFrame:
    """Stores up to when a frame stands for those that are skipped after it as too similar."""

    def __init__(self, metadata: MetadataDatabase, media_id: int) -> None:
        self._metadata, self._media_id = metadata, media_id
        self._frame_index: int | None = None
        self._until_s: float | None = None

    def see(self, frame: ReadFrame) -> None:
        if frame.differs:
            self.end()
            self._frame_index = frame.frame_index
        else:
            self._until_s = frame.timestamp_s

    def end(self) -> None:
        if self._frame_index is not None and self._until_s is not None:
            self._metadata.set_until(self._media_id, self._frame_index, self._until_s)
        self._until_s = None
