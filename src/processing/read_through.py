"""The frames of a video in which no seek can be trusted: read through from its start, by ffmpeg."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Generator
from pathlib import Path

import cv2

from src.errors import MediaReadError
from src.processing.ffmpeg_log import VideoFacts
from src.processing.video_processor import VideoProcessor
from src.processing.video_seek import last_tick
from src.records import Frame
from src.stopping import GoOn, ask, stopped_by
from src.track_records import PlayedFrame

# More than any video has, so every frame is read.
EVERY_FRAME = 1000.0
# Frames behind the last one read that a step back finds without reading the file again.
KEPT = 8
TICKS_PER_S = 1e6
Size = tuple[int, int]


class ReadThrough:
    """Reads on for a later moment, and from the start again for an earlier one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.facts = VideoFacts()
        self._stopped = False
        self._reader: Generator[tuple[Frame, bool]] | None = None
        self._kept: deque[Frame] = deque(maxlen=KEPT)
        self._from_start = True  # whether the first frame is among those kept
        self._ended = False

    def first(self) -> Frame:
        """Read the first frame, at its full size.

        Raises:
            MediaReadError: there is none.
        """
        self._rewind()
        return self._read_on()

    def frame_at(self, time_s: float, size_wh: Size, go_on: GoOn | None = None) -> PlayedFrame:
        """Return the frame that is shown at a moment; see VideoPlayer."""
        return _sized(self._kept[self._find(time_s, go_on)], size_wh)

    def step(
        self, time_s: float, frames: int, size_wh: Size, go_on: GoOn | None = None
    ) -> PlayedFrame:
        """Return a frame before or after the one at a moment; see VideoPlayer."""
        place = self._find(time_s, go_on)
        if place + frames < 0 and not self._from_start:
            self._to_index(max(0, self._kept[place].frame_index + frames), go_on)
            return _sized(self._kept[-1], size_wh)
        place = max(0, place + frames)
        while place >= len(self._kept):
            ask(go_on)
            full = len(self._kept) == KEPT
            if self._read_on_or_none() is None:
                place = len(self._kept) - 1
            elif full:
                place -= 1
        return _sized(self._kept[place], size_wh)

    def frames_from(
        self, time_s: float, size_wh: Size, go_on: GoOn | None = None
    ) -> Generator[PlayedFrame]:
        """Yield the frame at a moment and all after it."""
        last = self._kept[self._find(time_s, go_on)]
        yield _sized(last, size_wh)
        while True:
            later = [frame for frame in self._kept if frame.frame_index > last.frame_index]
            frame = later[0] if later else self._read_on_or_none()
            if frame is None:
                return
            last = frame
            yield _sized(frame, size_wh)

    def stop(self) -> None:
        """Stop the call that is running; any thread may call this."""
        self._stopped = True

    def close(self) -> None:
        """End ffmpeg."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _find(self, time_s: float, go_on: GoOn | None) -> int:
        """Return which of the frames kept is shown at a moment."""
        tick = last_tick(time_s, 0.0, TICKS_PER_S)
        if not self._kept or (_tick(self._kept[0]) > tick and not self._from_start):
            self._rewind()
        while not self._kept or _tick(self._kept[-1]) <= tick:
            ask(go_on)
            if self._read_on_or_none() is None:
                break
        if not self._kept:
            raise self._nothing_there()
        places = [place for place, frame in enumerate(self._kept) if _tick(frame) <= tick]
        return places[-1] if places else 0

    def _to_index(self, frame_index: int, go_on: GoOn | None) -> None:
        self._rewind()
        while self._read_on().frame_index < frame_index:
            ask(go_on)

    def _rewind(self) -> None:
        self.close()
        self._kept.clear()
        self._from_start, self._ended = True, False
        self.facts = VideoFacts()

    def _read_on(self) -> Frame:
        frame = self._read_on_or_none()
        if frame is None:
            raise self._nothing_there()
        return frame

    def _nothing_there(self) -> MediaReadError:
        return MediaReadError(self._path, self.facts.damage or "there is no video in it")

    def _read_on_or_none(self) -> Frame | None:
        if self._ended:
            return None
        with stopped_by(lambda: not self._stopped):
            if self._reader is None:
                every = VideoProcessor(EVERY_FRAME, -1, sys.maxsize)
                self._reader = every.sampled(self._path, self.facts)
            found = next(self._reader, None)
        if found is None:
            self._ended = True
            return None
        self._from_start = self._from_start and len(self._kept) < KEPT
        self._kept.append(found[0])
        return found[0]


def _tick(frame: Frame) -> int:
    return round((frame.timestamp_s or 0.0) * TICKS_PER_S)


def _sized(frame: Frame, size_wh: Size) -> PlayedFrame:
    image_rgb = frame.image_rgb
    if frame.size_wh != size_wh:
        image_rgb = cv2.resize(image_rgb, size_wh, interpolation=cv2.INTER_AREA)
    return PlayedFrame(image_rgb, frame.timestamp_s or 0.0, frame.frame_index)
