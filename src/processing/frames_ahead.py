"""Frames cut before their turn: several at a time, and given out in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from src.processing.ffmpeg_log import VideoFacts
from src.processing.frames import fraction_read
from src.processing.segment_pipeline import FrameResult, SegmentPipeline
from src.processing.work_threads import WorkThreads
from src.records import Frame, KeptSegment

# What a frame is to have besides what is found in it; None for a frame that is not to be cut.
Wanted = Callable[[Frame, bool], Sequence[KeptSegment] | None]


@dataclass(frozen=True)
class ReadFrame:
    """A frame whose picture is no longer needed.

    Attributes:
        frame_index, timestamp_s, size_wh: of the frame.
        differs: from the one before; see read_sampled.
        fraction: how much of its file is read with it, 0 to 1.
        result: what was made of it, or will be; None where nothing was asked for.
    """

    frame_index: int
    timestamp_s: float | None
    size_wh: tuple[int, int]
    differs: bool
    fraction: float
    result: Future[FrameResult] | None


def frames_ahead(
    frames: Iterable[tuple[Frame, bool]],
    facts: VideoFacts,
    wanted: Wanted,
    pipeline: SegmentPipeline,
    threads: WorkThreads,
) -> Generator[ReadFrame]:
    """Have the frames of a file cut in threads, one more than there are; close it to drop them.

    Args:
        frames, facts: see read_sampled.

    Raises:
        What reading raises, once all that came before it has been given out.
    """
    waiting: deque[tuple[ReadFrame, int]] = deque()
    trouble: Exception | None = None
    try:
        try:
            for frame, differs in frames:
                kept = wanted(frame, differs)
                work = None if kept is None else threads.submit(pipeline.process, frame, kept)
                pixels = 0 if work is None else frame.size_wh[0] * frame.size_wh[1]
                waiting.append((as_read(frame, differs, facts, work), pixels))
                del frame, work
                while _are_enough(waiting, threads):
                    yield waiting.popleft()[0]
        except Exception as exc:  # the frames before it are sound
            trouble = exc
        while waiting:
            yield waiting.popleft()[0]
        if trouble is not None:
            raise trouble
    finally:
        for read, _ in waiting:
            if read.result is not None:
                read.result.cancel()


def as_read(
    frame: Frame, differs: bool, facts: VideoFacts, result: Future[FrameResult] | None
) -> ReadFrame:
    """Leave the picture out of a frame."""
    fraction = fraction_read(frame, facts.duration_s, facts.frames)
    where = frame.frame_index, frame.timestamp_s
    return ReadFrame(*where, frame.size_wh, differs, fraction, result)


def _are_enough(waiting: deque[tuple[ReadFrame, int]], threads: WorkThreads) -> bool:
    """Return whether the first of the frames that wait should be given out before one more comes.

    At once where it has nothing to wait for.
    """
    first = waiting[0][0].result if waiting else None
    if not waiting or first is None or first.done():
        return bool(waiting)
    unfinished = [px for read, px in waiting if read.result is not None and not read.result.done()]
    return len(unfinished) > threads.count or sum(unfinished) >= threads.most_pixels
