"""Parts of a video read apart from each other, which make up exactly what reading through gives.

Sampling divides a video into parts of 1/frames_per_second of a second and takes the first frame
of each. A span is a range of such parts. ffmpeg is sent a little before it, and counts frames from
wherever it begins. The first frame behind a span is read with it and with the next one, too: where
it is not the same at the same moment, pixel by pixel, the spans are not used. Where it is, the
count goes on from the one to the other.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from src.processing.ffmpeg_log import Shown, VideoFacts
from src.processing.ffmpeg_process import opened
from src.processing.known_frames import BEFORE_S, seek_options
from src.processing.video_filters import FrameReading, sampled, sampled_from
from src.processing.video_processor import SampleLook, shown_frames
from src.records import Frame

# Where the size of the pictures changes one more frame is sampled; where it does all the time, the
# video is read through.
MOST_FRAMES_A_PART = 4
# Decoding begins at a keyframe. Where it lies farther back than this each span would be decoded
# for the sake of others several times.
MOST_BEFORE_S = 30.0


class NotExactError(Exception):
    """It can't be shown that a span is what reading through gives; the message says why."""


@dataclass(frozen=True)
class Span:
    """A range of parts of a video.

    Attributes:
        begin: its first part; None for whatever the video begins with.
        end: the first part that is not in it.
    """

    frames_per_second: float
    begin: int | None
    end: int

    def part_of(self, moment_s: float) -> int:
        """Return the part that a moment lies in, reckoned as ffmpeg's filter does."""
        return math.floor(moment_s * self.frames_per_second)


@dataclass(frozen=True)
class Seam:
    """A frame by which a span is compared with its neighbour.

    Attributes:
        moment_s: see Shown.
        pixels: their hash.
        count: its place, counted from where ffmpeg began for this span.
    """

    moment_s: float
    size_wh: tuple[int, int]
    pixels: bytes = field(repr=False)
    count: int = field(compare=False)


class SpanReader:
    """Reads one span.

    Attributes:
        first: the first frame in it or behind it; None where the video has none there.
        after: the first frame behind it; None where the video ends in it.
        look_before: of a frame shortly before it, if one was met.
        facts: what was found out about the file as far as it was read.
    """

    def __init__(self, program: str, path: Path, reading: FrameReading, span: Span) -> None:
        """Read nothing yet.

        Args:
            program: ffmpeg.
            path: absolute.
            reading: of the film in it.
        """
        self._program, self._path, self._reading, self._span = program, path, reading, span
        self.first: Seam | None = None
        self.after: Seam | None = None
        self.look_before: SampleLook | None = None
        self.facts = VideoFacts()

    def frames(self) -> Generator[tuple[Frame, float]]:
        """Read its frames, each with its exact moment; close it to stop early.

        A frame's index is its place counted from where ffmpeg began; see Seam.

        Raises:
            NotExactError: what came before it is not to be used, either.
        """
        for before_s in BEFORE_S:
            if (yield from self._frames(before_s)):
                return
        raise NotExactError("no place before it was found to begin at")

    def _frames(self, before_s: float) -> Generator[tuple[Frame, float], None, bool]:
        """Read them from so long before; returns whether that was early enough."""
        span, reading, facts = self._span, self._reading, VideoFacts()
        from_s = None if span.begin is None else span.begin / span.frames_per_second - before_s
        seeks = from_s is not None and from_s > 0
        options = seek_options(from_s) if from_s is not None and seeks else ()
        command = opened(self._program, self._path, *reading.input_options(self._program), *options)
        rate = span.frames_per_second
        select = sampled(rate) if span.begin is None else sampled_from(rate, span.begin - 1)
        command += reading.output_options(select)
        most = MOST_FRAMES_A_PART * (span.end - (span.begin or 0)) + 1
        is_begun, given = not seeks, 0
        with closing(shown_frames(command, reading, facts)) as read:
            while (each := self._next(read)) is not None:
                shown, content = each
                if shown.moment_s is None or shown.frame_index is None:
                    raise NotExactError("the moments of its frames are not known")
                part = span.part_of(shown.moment_s)
                if not is_begun:
                    is_begun = True
                    if from_s is not None and from_s - shown.moment_s > MOST_BEFORE_S:
                        raise NotExactError("its keyframes lie too far apart")
                    # what ffmpeg says of pictures that it began in the middle of is no damage;
                    # long before the span it can't be about its own
                    is_early = before_s == BEFORE_S[-1]
                    if part >= (span.begin or 0) or (facts.damage is not None and not is_early):
                        return False
                    facts.damage = None
                if span.begin is not None and part < span.begin:
                    self.look_before = SampleLook.of(reading.to_rgb(content, shown.size_wh))
                    continue
                if self.first is None:
                    self.first = _seam(shown, content)
                if part >= span.end:
                    self.after = _seam(shown, content)
                    break
                given += 1
                if given > most:
                    raise NotExactError("the size of its pictures changes all the time")
                image = reading.to_rgb(content, shown.size_wh)
                yield Frame(image, shown.frame_index, shown.timestamp_s), shown.moment_s
        if not is_begun:  # some containers are entered too late near their end
            return False
        if facts.damage is not None:
            raise NotExactError(facts.damage)
        self.facts.become(facts)
        return True

    @staticmethod
    def _next(
        read: Generator[tuple[Shown, bytes], None, int],
    ) -> tuple[Shown, bytes] | None:
        try:
            return next(read)
        except StopIteration as end:
            if end.value != 0:
                raise NotExactError(f"its decoder ended with {end.value}") from None
            return None


def _seam(shown: Shown, content: bytes) -> Seam:
    assert shown.moment_s is not None and shown.frame_index is not None
    pixels = hashlib.blake2b(content, digest_size=20).digest()
    return Seam(shown.moment_s, shown.size_wh, pixels, shown.frame_index)
