"""Frames of a video that the library knows in part, read from the middle with their exact places.

No index of the file is needed: ffmpeg begins a little before two frames whose places and times
are stored, and counts on from them. Where they don't come exactly as they are stored, the video
is read from its start, as it was when it was added.
"""

from __future__ import annotations

import math
import os
import sys
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

from src.processing.ffmpeg_log import VideoFacts
from src.processing.ffmpeg_process import find_ffmpeg, opened
from src.processing.image_loader import check_readable
from src.processing.video_filters import FrameReading, at_moments, numbered, sampled
from src.processing.video_processor import VideoProcessor, decoded
from src.processing.video_streams import read_header
from src.records import Frame

# How long before the first frame that it counts from ffmpeg is sent, and again where it came too
# late: containers without an index are entered by a guess, and some codecs give frames late.
BEFORE_S = (1.0, 10.0)
# The frames that it counts from: the second says whether nothing was lost after the first.
ANCHORS = 2
# ffmpeg says times in six digits: after some hours a stored one may be so much beside its frame.
ROUNDED_S = 0.1
# A command line of Linux's takes 128 KiB in one word.
NUMBERED_AT_ONCE, MOMENTS_AT_ONCE = 2000, 1000

# A frame's place among all of a video, and when it is shown, in seconds.
KnownFrame = tuple[int, float]


def read_range(
    path: Path,
    begin_s: float,
    end_s: float,
    frames_per_second: float,
    known: Sequence[KnownFrame],
    facts: VideoFacts,
) -> Generator[Frame]:
    """Read the frames of a range as they would be sampled of the whole; close it to stop early.

    Some that lie before the range come, too, as places to stop.

    Args:
        path: of a video that has not changed since.
        begin_s, end_s: the frame of either moment is in the range.
        known: frames of it that are stored, in the order of time.
        facts: filled while frames come; what is wrong with the video as far as it is read.

    Raises:
        MediaReadError: there is no frame in it that can be read.
    """
    check_readable(path)
    with closing(_range_and_after(path, begin_s, frames_per_second, known, facts)) as frames:
        for frame in frames:
            if frame.timestamp_s is not None and frame.timestamp_s > end_s:
                return
            yield frame


def _range_and_after(
    path: Path,
    begin_s: float,
    frames_per_second: float,
    known: Sequence[KnownFrame],
    facts: VideoFacts,
) -> Generator[Frame]:
    part = math.floor(begin_s * frames_per_second)
    anchors = anchors_before(part / frames_per_second, known)
    # the first that is given out may not be the first of its part, so it is of the one before
    select = sampled(frames_per_second, (part - 1) / frames_per_second - ROUNDED_S)
    if (yield from _from_middle(path, anchors, select, facts)):
        return
    whole = VideoProcessor(frames_per_second, -1, sys.maxsize)
    with closing(whole.sampled(path, facts)) as read:
        yield from (frame for frame, _ in read)


def read_stored(
    path: Path, wanted: Sequence[KnownFrame], known: Sequence[KnownFrame]
) -> Generator[Frame]:
    """Read frames that are stored, beginning a little before the first; close it to stop early.

    Args:
        path: of a video that has not changed since.
        wanted: in the order of time.
        known: all frames of it that are stored, in the order of time.
    """
    check_readable(path)
    for begin in range(0, len(wanted), MOMENTS_AT_ONCE):
        some = wanted[begin : begin + MOMENTS_AT_ONCE]
        left = {index for index, _ in some}
        select = at_moments([moment_s for _, moment_s in some])
        anchors = anchors_before(some[0][1], known)
        with closing(_from_middle(path, anchors, select, VideoFacts())) as frames:
            for frame in frames:
                if frame.frame_index in left:
                    left.discard(frame.frame_index)
                    yield frame
                if not left:
                    break
        if left:
            with closing(read_numbered(path, sorted(left), VideoFacts())) as frames:
                yield from frames


def _from_middle(
    path: Path, anchors: Sequence[KnownFrame], select: str, facts: VideoFacts
) -> Generator[Frame, None, bool]:
    """Read selected frames from behind some that are known, up to the end of a video.

    Returns:
        Whether it could be done; where not, nothing was given out.
    """
    program = find_ffmpeg()
    if program is None or not anchors:
        return False
    path = Path(os.path.abspath(path))
    reading = FrameReading.of(read_header(program, path).film())
    for before_s in BEFORE_S:
        from_s = anchors[0][1] - before_s
        if from_s <= 0:
            break
        command = opened(program, path, *reading.input_options(program), *seek_options(from_s))
        command += reading.output_options(select)
        counted, found = CountedFrom(anchors), VideoFacts()
        with closing(decoded(command, reading, found, counted)) as frames:
            try:
                for number, frame in enumerate(frames):
                    if number == 0:  # what it said of pictures that it began before is no damage
                        found.damage = None
                    yield frame
            finally:
                if counted.is_sure:
                    facts.become(found)
        if counted.is_sure:
            return True
    return False


def read_numbered(path: Path, frame_indexes: Sequence[int], facts: VideoFacts) -> Generator[Frame]:
    """Read frames by their places, reading the video through; close it to stop early.

    Where the size of the pictures changes, or there is no ffmpeg, others or none may come.

    Args:
        frame_indexes: in ascending order.
    """
    check_readable(path)
    program = find_ffmpeg()
    if program is None:
        return
    path = Path(os.path.abspath(path))
    reading = FrameReading.of(read_header(program, path).film())
    for begin in range(0, len(frame_indexes), NUMBERED_AT_ONCE):
        some = frame_indexes[begin : begin + NUMBERED_AT_ONCE]
        command = opened(program, path, *reading.input_options(program))
        command += reading.output_options(numbered(some))
        with closing(decoded(command, reading, facts)) as frames:
            for frame in frames:
                yield frame
                if frame.frame_index == some[-1]:
                    break


def seek_options(from_s: float) -> list[str]:
    """Return the options with which ffmpeg begins at the keyframe before a moment.

    The times of frames are those that they have when the file is read from its start.
    """
    return ["-ss", f"{from_s:.6f}", "-noaccurate_seek", "-copyts", "-start_at_zero"]


def anchors_before(before_s: float, known: Sequence[KnownFrame]) -> list[KnownFrame]:
    """Choose the stored frames that those from a moment on are counted from; none: too few."""
    times = Counter(timestamp_s for _, timestamp_s in known)
    before = [frame for frame in known if frame[1] < before_s and times[frame[1]] == 1]
    return before[-ANCHORS:] if len(before) >= ANCHORS else []


class CountedFrom:
    """Counts the frames of a video from some that are known.

    Attributes:
        is_sure: whether all of them came, each once, with as many others between them as there
            are: then the place of every frame after them is known.
        is_lost: whether one came otherwise, or not in its turn; see Numbering.
    """

    def __init__(self, anchors: Sequence[KnownFrame]) -> None:
        self.is_sure = self.is_lost = False
        self._left = list(anchors)
        self._shift: int | None = None
        self._last_s = -math.inf

    def see(self, count: int, timestamp_s: float) -> None:
        """Take note of a frame; see Numbering."""
        if self.is_sure or self.is_lost:
            return
        self.is_lost = timestamp_s <= self._last_s  # out of order, or two at one moment
        self._last_s = timestamp_s
        index, expected_s = self._left[0]
        if timestamp_s < expected_s:
            return
        del self._left[0]
        shift = index - count
        self.is_lost |= timestamp_s != expected_s or self._shift not in (None, shift)
        self._shift = shift
        self.is_sure = not self._left and not self.is_lost

    def frame_index(self, count: int) -> int | None:
        """Return the place of a frame; see Numbering."""
        return None if not self.is_sure or self._shift is None else count + self._shift
