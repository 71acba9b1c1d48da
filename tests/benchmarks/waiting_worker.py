"""A worker that waits in place of computing, so that many of them fit on one machine."""

from __future__ import annotations

import os
import pickle
import socket
import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

# What a frame costs a worker, and of how many segments it is.
SECONDS, SEGMENTS = "WAITING_WORKER_S", "WAITING_WORKER_SEGMENTS"


class WaitingWorker:
    """Answers as Worker does, with a result that it has made once."""

    def __init__(self, setup: bytes, cores: int, *files: bytes) -> None:
        self._seconds = float(os.environ[SECONDS])
        self._segments = int(os.environ[SEGMENTS])
        from src.processing.cluster.planning import Share
        from src.processing.cluster.span_work import KnownFiles

        self._made: Any = None
        self._files = KnownFiles()
        self._works = threading.Semaphore(Share(cores).threads(cuts_nothing=False))
        self._clip = pickle.loads(setup).clip

    def about(self) -> tuple[str, str]:
        return socket.gethostname(), "none"

    def image(self, work: bytes, content: bytes | None = None) -> bytes:
        """Give a result after a while, whatever is asked."""
        from src.processing.cluster.work import ImageMade, Outcome
        from src.processing.ffmpeg_log import VideoFacts

        if self._made is None:
            self._made = ImageMade(self._result(), VideoFacts())
        with self._works:
            time.sleep(self._seconds)
        return pickle.dumps(Outcome(self._made))

    def span(self, work: bytes, content: bytes | None = None) -> bytes:
        """Read and decode a part of a video, and wait for each of its frames."""
        from src.processing.cluster.span_work import make_span
        from src.processing.cluster.work import NOT_READ, span_answer

        asked = pickle.loads(work)
        if not self._files.has(asked.path, asked.size, asked.digest):
            return NOT_READ

        def make(frame: Any) -> Any:
            time.sleep(self._seconds)
            where = {"frame_index": frame.frame_index, "timestamp_s": frame.timestamp_s}
            result: Future[Any] = Future()
            result.set_result(replace(self._result(), **where, size_wh=frame.size_wh))
            return result

        with self._works:
            return span_answer(lambda: make_span(Path(asked.path), asked, -1, make, lambda: None))

    def _result(self) -> Any:
        """Make a frame of as many segments: the whole, and squares with crops of 12 kB."""
        import numpy as np

        from src.models.mask_rle import encode_rle
        from src.processing.segment_pipeline import FrameResult, SegmentResult
        from src.records import EMBEDDING_DIM, FrameLook

        lot = np.random.default_rng(os.getpid())
        segments = []
        for number in range(self._segments):
            mask = np.zeros((480, 640), bool)
            x, y = 16 * (number % 32), 16 * (number // 32 % 24)
            mask[y : y + 64, x : x + 64] = True
            rle = None if number == 0 else encode_rle(mask)["counts"]
            segments.append(
                SegmentResult(
                    "frame" if number == 0 else "object",
                    (0, 0, 640, 480) if number == 0 else (x, y, 64, 64),
                    640 * 480 if number == 0 else 4096,
                    None if number == 0 else 0.9,
                    None if number == 0 else 0.95,
                    rle,
                    lot.bytes(12_000),
                    (),
                    None if number == 0 else 0,
                )
            )
        vectors = lot.normal(size=(self._segments, EMBEDDING_DIM)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        look = FrameLook("0" * 16, 100.0)
        where = 0, None, (640, 480), look
        return FrameResult(*where, tuple(segments), vectors, self._clip, "starter-sam")
