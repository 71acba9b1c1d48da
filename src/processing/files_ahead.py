"""Files read before their turn: what they are, their hashes, and the first frame of images cut."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from src.crop_shape import CROP_SIDE
from src.errors import MediaReadError
from src.processing.embedding_batches import EmbeddingBatches
from src.processing.ffmpeg_log import VideoFacts
from src.processing.frames import read_sampled
from src.processing.frames_ahead import ReadFrame, as_read
from src.processing.image_loader import look_into
from src.processing.media_finder import guessed_kind
from src.processing.segment_pipeline import FrameResult, SegmentPipeline
from src.processing.video_spans import NotExactError
from src.processing.work_threads import WorkThreads
from src.records import Frame, MediaKind
from src.settings import Settings
from src.stopping import waited_for

if TYPE_CHECKING:
    from src.processing.cluster.videos import VideoInSpans

# Each is read to its end for its hash.
VIDEOS_AHEAD = 16
# So many files are passed over in search of one that is worth it.
_MOST_LOOKED_AT = 64

SampledFrames = Generator[tuple[Frame, bool]]


class FileAhead:
    """One file, read in a thread; what went wrong is raised where the job asks for it.

    Attributes:
        digest: of its content; None where that was not read.
        facts: of the file, filled while frames come.
        later: frames after the first, which are not read yet.
        video: begun to be read elsewhere; None for what is read here.
    """

    def __init__(self, path: Path, before: FileAhead | None = None) -> None:
        """Read nothing yet.

        Args:
            before: the file whose turn comes before and that is read, too.
        """
        self.path = path
        self.is_hashed = Event()
        self._before = before
        self.digest: str | None = None
        self.facts = VideoFacts()
        self.later: SampledFrames | None = None
        self.video: VideoInSpans | None = None
        self._stamp: tuple[int, int] | None = None
        self._kind: MediaKind | None = None
        self._unknown: Exception | None = None
        self._first: ReadFrame | None = None
        self._unread: BaseException | None = None
        self._embedded: Future[FrameResult] = Future()

    def kind(self) -> MediaKind:
        """Return what media_kind does, or raise what it does."""
        if self._unknown is not None:
            raise self._unknown
        assert self._kind is not None
        return self._kind

    def first(self) -> ReadFrame:
        """Return the first frame of an image; raises what reading it did."""
        if self._unread is not None:
            raise self._unread
        assert self._first is not None
        return self._first

    def is_unchanged(self) -> bool:
        """Return whether size and time of the file are those that it was read with."""
        return self._stamp is not None and _stamp(self.path) == self._stamp

    def has_frame(self, digest: str) -> bool:
        """Return whether its first frame was read of a content with this hash."""
        return self.digest == digest and (self._first is not None or self._unread is not None)

    def close(self) -> None:
        """Drop what was begun elsewhere."""
        if self.video is not None:
            self.video.close()
            self.video = None

    def read(
        self,
        settings: Settings,
        content_hash: Callable[[Path], str],
        is_wanted: Callable[[str], bool],
        pipeline: SegmentPipeline,
        threads: WorkThreads,
        batches: EmbeddingBatches,
    ) -> None:
        """Read it, in a thread.

        Args:
            content_hash: of a file.
            is_wanted: whether frames of a content with such a hash will be asked for.
            batches: embeds frames that are not cut any further; this was announced there.
        """
        self._stamp = _stamp(self.path)
        try:
            try:
                pixels = self._looked_into(content_hash, pipeline.reads_videos)
                if self._before is not None:  # of copies the first is wanted, as in their turns
                    self._before.is_hashed.wait()
                    self._before = None
                is_cut = self.digest is not None and is_wanted(self.digest)
            finally:
                self.is_hashed.set()
            if is_cut and self._kind == "video":
                self._begin_video(pipeline)
            elif is_cut and pipeline.reads_images:
                self._have_cut(pipeline, pixels)
            elif is_cut:
                with threads.room_for(pixels):
                    self._cut_first(settings, pipeline, batches)
        finally:
            batches.end_one()

    def _looked_into(self, content_hash: Callable[[Path], str], reads_videos: bool) -> int:
        """Find out what the file is, and hash it; returns the pixels of an image."""
        try:
            self._kind, pixels = look_into(self.path)
        except Exception as exc:
            self._unknown = exc
            return 0
        if self._kind == "image" or reads_videos:
            try:
                self.digest = content_hash(self.path)
            except (MediaReadError, OSError):
                return 0  # it is read again in its turn, and what is wrong is found then
        if pixels == 0 and self._stamp is not None:  # its header says too little
            return self._stamp[0]
        return pixels

    def _begin_video(self, pipeline: SegmentPipeline) -> None:
        assert self.digest is not None and self._stamp is not None
        try:
            self.video = pipeline.video(self.path, self.digest, self._stamp[0])
        except (MediaReadError, NotExactError, OSError):
            pass  # what is wrong is found in its turn

    def _have_cut(self, pipeline: SegmentPipeline, pixels: int) -> None:
        """Have an image read and cut elsewhere; what reads it bounds the pictures in memory."""
        assert self.digest is not None and self._stamp is not None
        try:
            made = pipeline.image(self.path, self.digest, self._stamp[0], pixels)
        except BaseException as exc:
            self._unread = exc
            return
        if made is None:
            return  # it has changed: it is read in its turn
        self.facts, result = made.facts, made.result
        where = result.frame_index, result.timestamp_s, result.size_wh
        self._first = ReadFrame(*where, True, 1.0, self._embedded)
        self._embedded.set_result(result)

    def _cut_first(
        self, settings: Settings, pipeline: SegmentPipeline, batches: EmbeddingBatches
    ) -> None:
        # of a large JPEG that stays whole only what its crop needs is decoded
        draft_side = CROP_SIDE if pipeline.cuts_nothing else None
        frames = read_sampled(self.path, "image", settings, self.facts, draft_side)
        try:
            frame, differs = next(frames)
            more = self.facts.frames > 1
            if not more:  # it would keep the picture in memory
                with closing(frames):
                    for _ in frames:
                        raise AssertionError("an image of one frame has another")
            self._first = as_read(frame, differs, self.facts, self._embedded)
            self.later = frames if more else None
        except BaseException as exc:
            self._unread = exc
            return
        try:
            if pipeline.embeds_in_batches:
                batches.add(*pipeline.cut(frame), self._embedded)
            else:
                self._embedded.set_result(pipeline.process(frame))
        except BaseException as exc:
            self._embedded.set_exception(exc)


class FilesAhead:
    """The files of a job in their order, the next of them read ahead of their turn."""

    def __init__(
        self,
        files: Iterable[Path],
        is_worth_it: Callable[[Path], bool],
        begin: Callable[[FileAhead], Future[None]],
        batches: EmbeddingBatches,
        most: int,
        most_videos: int = VIDEOS_AHEAD,
    ) -> None:
        """Begin with the first when it is asked for.

        Args:
            is_worth_it: whether a file will be read in its turn.
            begin: has a file read in a thread.
            batches: embeds frames; hears of every file that is read, or will not be.
            most: so many files are begun or done, and wait for their turn.
            most_videos: among them.
        """
        self._files = iter(files)
        self._is_worth_it, self._begin, self._batches = is_worth_it, begin, batches
        self._most, self._most_videos = most, most_videos
        self._held: Path | None = None  # a video for which there is no room yet
        self._begun = 0
        self._last: FileAhead | None = None
        self._videos = 0
        self._next: deque[tuple[Path, FileAhead | None, Future[None] | None]] = deque()

    def take(self, path: Path) -> Generator[None, None, FileAhead | None]:
        """Return the next file of the job once it is read, and have others begun.

        It yields now and then while that is waited for.

        Returns:
            None where it was not read, or has changed since.
        """
        self._look_further()
        while self._next:
            there, file, read = self._next.popleft()
            if file is None or read is None:
                if there == path:
                    return None
                continue
            self._begun -= 1
            self._videos -= guessed_kind(there) == "video"
            if there == path:
                self._look_further()
                yield from waited_for(read)
                if file.is_unchanged():
                    return file
                file.close()
                return None
            if read.cancel():
                file.is_hashed.set()
                self._batches.end_one()
            else:
                read.add_done_callback(partial(_close, file))
        return None

    def _look_further(self) -> None:
        while self._begun < self._most and len(self._next) < _MOST_LOOKED_AT:
            path = self._held or next(self._files, None)
            self._held = None
            if path is None:
                return
            if not self._is_worth_it(path):
                self._next.append((path, None, None))
                continue
            is_video = guessed_kind(path) == "video"
            if is_video and self._videos >= self._most_videos:
                self._held = path
                return
            self._videos += is_video
            file = self._last = FileAhead(path, self._last)
            self._batches.announce()
            self._next.append((path, file, self._begin(file)))
            self._begun += 1


def _close(file: FileAhead, read: Future[None]) -> None:
    file.close()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns
