"""The frames of a clip: what a video shows at even steps from the very moment on."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from math import ceil, inf
from pathlib import Path

import numpy as np

from src.processing.ffmpeg_log import VideoFacts
from src.processing.frame_reader import EVERY_FRAME
from src.processing.known_frames import KnownFrame, read_range
from src.records import Frame

# The rates of television are thousandths off what headers say in two digits.
_OF_TELEVISION = {
    round(1000 * whole / 1001, 2): Fraction(1000 * whole, 1001) for whole in (24, 30, 60, 120)
}
_USUAL, _MOST = Fraction(30), Fraction(120)
# Times are rounded: a frame that comes by so much after a step is shown at it. A range that ends by
# so small a share of a step after one has none for that.
_LATE_S, _SHARE = 0.002, Fraction(1, 20)


def frame_rate(said: float | None) -> Fraction:
    """Choose the frames a second of a clip, by what a video's header says.

    Args:
        said: None where it says nothing.
    """
    if said is None or not 1 <= said <= _MOST:
        return _USUAL
    return _OF_TELEVISION.get(round(said, 2), Fraction(said).limit_denominator(100))


def steps_of(begin_s: float, end_s: float, rate: Fraction) -> int:
    """Count the frames of a clip: at least one."""
    return max(1, ceil((Fraction(end_s) - Fraction(begin_s)) * rate - _SHARE))


def at_steps(
    frames: Iterable[Frame], begin_s: float, end_s: float, rate: Fraction
) -> Iterator[tuple[float, np.ndarray]]:
    """Yield the frame that is shown at each step of a clip; fewer where the video ends before.

    Args:
        frames: of the video in order, from one that is shown at the beginning or before.

    Yields:
        The time of the step in the video, and its frame: (H, W, 3) uint8 RGB.
    """
    times = (float(begin_s + step / rate) for step in range(steps_of(begin_s, end_s, rate)))
    at_s = next(times)
    last: Frame | None = None
    for frame in frames:
        if last is not None and (frame.timestamp_s or 0.0) <= (last.timestamp_s or 0.0):
            continue  # it has come before
        while last is not None and at_s < (frame.timestamp_s or 0.0) - _LATE_S:
            yield at_s, last.image_rgb
            following = next(times, None)
            if following is None:
                return
            at_s = following
        last = frame
    if last is None:
        return
    ends_s = (last.timestamp_s or 0.0) + float(1 / rate) - _LATE_S
    for time_s in (at_s, *times):
        if time_s >= ends_s:
            return
        yield time_s, last.image_rgb


def read_from(path: Path, begin_s: float, known: Sequence[KnownFrame]) -> Generator[Frame]:
    """Read all frames of a video, from that which is shown at a moment on.

    Args:
        known: frames of it that are stored, in the order of time: reading begins near one of them.

    Raises:
        MediaReadError: nothing in the file can be read.
    """
    # what is shown then may have been shown for long, but no longer than a stored frame before it
    first_s = max((at_s for _, at_s in known if at_s <= begin_s), default=0.0)
    before: Frame | None = None
    with closing(read_range(path, first_s, inf, EVERY_FRAME, known, VideoFacts())) as frames:
        for frame in frames:
            if (frame.timestamp_s or 0.0) <= begin_s + _LATE_S:
                before = frame
                continue
            if before is not None:
                yield before
                before = None
            yield frame
        if before is not None:
            yield before
