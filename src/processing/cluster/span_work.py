"""A span of a video read, cut and embedded by a worker, and the files that it knows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from src.errors import MediaReadError
from src.processing.cluster.work import SampledFrame, SpanMade, SpanWork
from src.processing.ffmpeg_process import find_ffmpeg, version_of
from src.processing.media_finder import content_hash
from src.processing.video_processor import ChosenFrames, SampleLook
from src.processing.video_spans import NotExactError, SpanReader

if TYPE_CHECKING:
    from src.processing.segment_pipeline import FrameResult
    from src.records import Frame


@dataclass
class _KnownFile:
    lock: threading.Lock
    stamp: tuple[int, int, int] | None = None
    digest: str = ""


class KnownFiles:
    """Hashes of files under the paths of a worker, each read once while it does not change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, _KnownFile] = {}

    def has(self, path: str, size: int, digest: str) -> bool:
        """Return what is_that_file does; several threads may ask."""
        return is_that_file(path, size, digest, self._hash)

    def _hash(self, path: Path) -> str:
        status = path.stat()
        stamp = status.st_size, status.st_mtime_ns, status.st_ino
        with self._lock:
            known = self._files.setdefault(str(path), _KnownFile(threading.Lock()))
        with known.lock:  # the others wait for who reads it
            if known.stamp != stamp:
                known.digest, known.stamp = content_hash(path), stamp
            return known.digest


def is_that_file(
    path: str, size: int, digest: str, hashed: Callable[[Path], str] = content_hash
) -> bool:
    """Return whether a path leads a worker to the very file, of the same size and content."""
    try:
        return Path(path).stat().st_size == size and hashed(Path(path)) == digest
    except (OSError, ValueError, MediaReadError):
        return False


def has_ffmpeg(version: str) -> bool:
    """Return whether the ffmpeg of this machine says so of its version."""
    program = find_ffmpeg()
    return program is not None and version_of(program) == version


def make_span(
    path: Path,
    asked: SpanWork,
    duplicate_distance: int,
    make: Callable[[Frame], Future[FrameResult]],
    end: Callable[[], None],
) -> SpanMade:
    """Read a span and make the results of its frames.

    Args:
        path: of the very file.
        duplicate_distance: see VideoProcessor.
        make: makes the result of a frame, now or together with others; it needs its picture no
            longer then.
        end: has results made that still wait for others.
    """
    program = find_ffmpeg()
    assert program is not None  # the worker has looked
    reader = SpanReader(program, path, asked.reading, asked.span)
    sampled: list[tuple[SampledFrame, Future[FrameResult] | None]] = []
    chosen: ChosenFrames | None = None
    try:
        with closing(reader.frames()) as frames:
            for frame, moment_s in frames:
                chosen = chosen or ChosenFrames(duplicate_distance, last=reader.look_before)
                look = SampleLook.of(frame.image_rgb)
                differs = chosen.differs(look)
                if asked.cut is None:
                    is_cut = differs and frame.timestamp_s not in asked.stored
                else:
                    is_cut = moment_s in asked.cut
                result = make(frame) if is_cut else None
                where = frame.frame_index, moment_s, frame.timestamp_s, frame.size_wh
                sampled.append((SampledFrame(*where, look, None), result))
    except NotExactError as exc:
        return SpanMade(trouble=str(exc))
    end()
    made = tuple(
        frame if result is None else replace(frame, result=result.result())
        for frame, result in sampled
    )
    return SpanMade(None, made, reader.first, reader.after, reader.facts)
