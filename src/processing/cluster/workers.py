"""What runs on a cluster: a plain class that knows the models and no library, nor Ray."""

from __future__ import annotations

import os
import pickle
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from src.processing.cluster.work import (
    NOT_READ,
    OTHER_FFMPEG,
    ImageMade,
    ImageWork,
    SpanMade,
    SpanWork,
    WorkerSetup,
    outcome_of,
    span_answer,
)

if TYPE_CHECKING:
    from src.processing.segment_pipeline import CutFrame, FrameResult
    from src.records import Frame

Made = TypeVar("Made")


class Worker:
    """Reads images and videos, cuts frames and embeds them. Several threads may ask it at once."""

    def __init__(self, setup: bytes, cores: int, *files: bytes) -> None:
        """Load the models.

        Args:
            setup: a pickled WorkerSetup.
            cores: that are its own.
            files: contents of the models' files, in the order of their names in the setup.

        Raises:
            RuntimeError: these files make other models here than where they come from.
        """
        from src.models.model_manager import ModelManager
        from src.processing.cluster.planning import Share
        from src.processing.cluster.span_work import KnownFiles
        from src.processing.work_threads import WorkThreads
        from src.settings import NO_SAM

        made: WorkerSetup = pickle.loads(setup)
        self._tagger, self._settings = made.tagger, made.settings
        self._torch_threads = 1 if made.shares_cores else max(1, cores)
        self._set_threads()
        with tempfile.TemporaryDirectory(prefix="models-") as folder:
            for name, content in zip(made.files, files, strict=True):
                file = Path(folder) / PurePosixPath(name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            models = ModelManager(
                folder,
                "auto",
                made.settings.batch_size,
                made.settings.points_per_side,
                made.clip_choice,
                made.sam_choice,
            )
            self._clip = models.load_clip()
            self._segmenter = None if made.sam == NO_SAM else models.load_sam()
        sam = NO_SAM if self._segmenter is None else self._segmenter.name
        if (self._clip.name, sam) != (made.clip, made.sam):
            raise RuntimeError(
                f"the worker loaded {self._clip.name} and {sam} in place of {made.clip} and "
                f"{made.sam}: see that it has the same packages as this machine"
            )
        passes = 1 if self._segmenter is None else getattr(self._segmenter, "passes_at_once", None)
        self._turn: Any = threading.Lock() if passes is None else nullcontext()
        self._room = WorkThreads(1, made.settings.pixels_at_once)
        self._batches = self._new_batches(cores)
        self._files = KnownFiles()
        # it is called by one thread more, so that it can say what it is whatever it works on
        self._works = threading.Semaphore(Share(cores).threads(self._segmenter is None))
        # each has an ffmpeg of its own, which takes more than one core and much memory
        self._spans = threading.Semaphore(max(2, cores))

    def about(self) -> tuple[str, str]:
        """Return its machine and what it computes on."""
        return socket.gethostname(), self._clip.device.type

    def frame(self, work: bytes) -> bytes:
        """Cut a frame that was read elsewhere: a pickled (Frame, kept segments)."""

        def made() -> Any:
            with self._expected():
                result = self._begun(*pickle.loads(work))
            return result.result()

        with self._works:
            return outcome_of(made)

    def image(self, work: bytes, content: bytes | None = None) -> bytes:
        """Read an image and cut it.

        Args:
            work: a pickled ImageWork.
            content: of the file; None reads it where the worker may find it.

        Returns:
            NOT_READ where it finds no such file, or another content; else the pickled Outcome,
            whose value is an ImageMade, or None where the content is another one by now.
        """
        from src.processing.cluster.span_work import is_that_file

        asked: ImageWork = pickle.loads(work)
        with self._works:
            if content is not None:
                return outcome_of(
                    lambda: _with_file(asked, content, lambda path: self._image(path, asked.pixels))
                )
            if not is_that_file(asked.path, asked.size, asked.digest):
                return NOT_READ
            return outcome_of(lambda: self._image(Path(asked.path), asked.pixels))

    def span(self, work: bytes, content: bytes | None = None) -> bytes:
        """Read a part of a video and cut its frames.

        Args:
            work: a pickled SpanWork.
            content: see `image`.

        Returns:
            NOT_READ as `image` does; OTHER_FFMPEG where frames may come out otherwise; else a
            span_answer.
        """
        from src.processing.cluster.span_work import has_ffmpeg

        asked: SpanWork = pickle.loads(work)
        if not has_ffmpeg(asked.ffmpeg):
            return OTHER_FFMPEG
        with self._works:
            if content is not None:
                return span_answer(
                    lambda: _with_file(asked, content, lambda path: self._span(path, asked))
                )
            if not self._files.has(asked.path, asked.size, asked.digest):
                return NOT_READ
            return span_answer(lambda: self._span(Path(asked.path), asked))

    def _span(self, path: Path, asked: SpanWork) -> SpanMade:
        from src.processing.cluster.span_work import make_span
        from src.processing.segment_pipeline import EMBEDDED_AT_ONCE, cut_frame, embed_frames

        waiting: list[tuple[CutFrame, Future[FrameResult]]] = []

        def embed() -> None:
            results = embed_frames([cut for cut, _ in waiting], self._clip, self._tagger)
            for (_, future), result in zip(waiting, results, strict=True):
                future.set_result(result)
            waiting.clear()

        def make(frame: Frame) -> Future[FrameResult]:
            future: Future[FrameResult]
            if self._segmenter is not None:
                with self._room.room_for(frame.size_wh[0] * frame.size_wh[1]):
                    return self._begun(frame)
            self._set_threads()
            future = Future()
            waiting.append((cut_frame(frame, self._clip, None, self._settings), future))
            if len(waiting) == EMBEDDED_AT_ONCE:
                embed()
            return future

        with self._spans:
            return make_span(
                path,
                asked,
                self._settings.duplicate_distance,
                make,
                lambda: embed() if waiting else None,
            )

    def _image(self, path: Path, pixels: int) -> ImageMade:
        from src.crop_shape import CROP_SIDE
        from src.processing.ffmpeg_log import VideoFacts
        from src.processing.frames import read_sampled

        facts = VideoFacts()
        # the same that is decoded here; see FileAhead
        draft_side = CROP_SIDE if self._segmenter is None else None
        with self._expected(), self._room.room_for(pixels):
            read = list(read_sampled(path, "image", self._settings, facts, draft_side))
            result = self._begun(read[0][0])
        return ImageMade(result.result(), facts)

    @contextmanager
    def _expected(self) -> Iterator[None]:
        """Have frames that are not cut wait for this one, to be embedded in a batch with it."""
        self._batches.announce()
        try:
            yield
        finally:
            self._batches.end_one()

    def _begun(self, frame: Any, kept: Any = ()) -> Future[FrameResult]:
        from src.processing.segment_pipeline import cut_frame, process_frame

        self._set_threads()
        result: Future[FrameResult] = Future()
        clip, settings = self._clip, self._settings
        if self._segmenter is None:
            self._batches.add(None, cut_frame(frame, clip, None, settings, kept), result)
            return result
        with self._turn:
            made = process_frame(frame, clip, self._tagger, self._segmenter, settings, kept)
        result.set_result(made)
        return result

    def _new_batches(self, cores: int) -> Any:
        from src.processing.embedding_batches import EmbeddingBatches
        from src.processing.segment_pipeline import embed_frames

        return EmbeddingBatches(
            lambda frames: embed_frames([cut for _, cut in frames], self._clip, self._tagger),
            max(1, cores),
        )

    def _set_threads(self) -> None:
        """Say how many threads torch takes: it is asked by each thread that computes."""
        import cv2
        import torch

        torch.set_num_threads(self._torch_threads)
        cv2.setNumThreads(self._torch_threads)


def _with_file(
    asked: ImageWork | SpanWork, content: bytes, make: Callable[[Path], Made]
) -> Made | None:
    """Do work on a file that was sent; None where its content is another one by now."""
    from src.processing.media_finder import content_hash

    with tempfile.TemporaryDirectory(prefix="media-") as folder:
        path = Path(folder) / os.path.basename(asked.name)
        path.write_bytes(content)
        return make(path) if content_hash(path) == asked.digest else None
