"""A video -> frames with exact timestamps, by ffmpeg in a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from src.errors import MediaReadError
from src.processing.capture_dates import (
    camera_of_video,
    date_in_avi,
    date_in_name,
    date_of_video,
)
from src.processing.ffmpeg_log import FfmpegLog, Numbering, Shown, VideoFacts
from src.processing.ffmpeg_process import find_ffmpeg, opened, start
from src.processing.image_loader import check_readable
from src.processing.video_filters import FrameReading, sampled
from src.processing.video_streams import VideoHeader, read_header
from src.records import Frame
from src.stopping import ask_wanted

# What a look-alike's cells may differ by in colour (0..255), for each step that may differ.
LEVELS_A_STEP = 8


class VideoProcessor:
    """Samples frames from videos."""

    def __init__(
        self,
        frames_per_second: float = 1.0,
        duplicate_distance: int = 2,
        frames_per_video: int = 100_000,
    ) -> None:
        """Set the sampling.

        Args:
            frames_per_second: of each 1/frames_per_second of a second, the first frame.
            duplicate_distance: a frame whose dHash differs from the last kept one's in at most
                so many of 64 bits, and its colours by little for each, is left out; -1 keeps
                every sampled frame.
            frames_per_video: how many frames are taken from one at most.
        """
        self.frames_per_second = frames_per_second
        self.duplicate_distance = duplicate_distance
        self.frames_per_video = frames_per_video

    def sampled(self, path: Path, facts: VideoFacts) -> Generator[tuple[Frame, bool]]:
        """Read every sampled frame, each with whether it differs from the last that did.

        Args:
            path: a video file.
            facts: filled while frames come.

        Raises:
            MediaReadError: there is no frame in it that can be read.
        """
        check_readable(path)
        path = Path(os.path.abspath(path))
        program = find_ffmpeg()
        if program is None:
            facts.captured_at = date_in_avi(path) or date_in_name(path.name)
            read = decoded(self._opencv(path), FrameReading(), facts)
        else:
            header = read_header(program, path)
            facts.captured_at, facts.camera = said_of_video(header, path)
            reading = FrameReading.of(header.film())
            command = opened(program, path, *reading.input_options(program))
            command += reading.output_options(sampled(self.frames_per_second))
            read = decoded(command, reading, facts)
        chosen = ChosenFrames(self.duplicate_distance, self.frames_per_video)
        for frame in read:
            differs = chosen.differs(SampleLook.of(frame.image_rgb))
            if chosen.are_enough:
                facts.damage = chosen.what_is_left_out()
                read.close()
                return
            yield frame, differs
        if not chosen.taken:
            raise MediaReadError(path, facts.damage or "there is no video in it")
        facts.judge_length()

    def _opencv(self, path: Path) -> list[str]:
        rate = str(self.frames_per_second)
        return [sys.executable, "-m", "src.processing.opencv_reader", f"file:{path}", rate]


def said_of_video(
    header: VideoHeader, path: Path
) -> tuple[str | None, tuple[str | None, str | None]]:
    """Return when a video was taken, and with which camera; see VideoFacts."""
    at = date_of_video(header.notes) or date_in_avi(path) or date_in_name(path.name)
    return at, camera_of_video(header.notes)


def decoded(
    command: list[str],
    reading: FrameReading,
    facts: VideoFacts,
    numbering: Numbering | None = None,
) -> Generator[Frame]:
    """Run ffmpeg and give out the frames that it samples; close it to end ffmpeg.

    Args:
        command: with the options of `reading`.
        facts: filled while frames come.
        numbering: of a command that begins in the middle of a video; frames whose place it does
            not know are left out.
    """
    with closing(shown_frames(command, reading, facts, numbering)) as shown_ones:
        for shown, content in shown_ones:
            if shown.frame_index is not None:
                image = reading.to_rgb(content, shown.size_wh)
                yield Frame(image, shown.frame_index, shown.timestamp_s)


def shown_frames(
    command: list[str],
    reading: FrameReading,
    facts: VideoFacts,
    numbering: Numbering | None = None,
) -> Generator[tuple[Shown, bytes], None, int]:
    """Run ffmpeg and give out what it says of the frames that it samples, and their bytes.

    Args:
        command, reading, facts, numbering: see decoded.

    Returns:
        ffmpeg's exit code.
    """
    process = start(command)
    assert process.stdout is not None
    log = FfmpegLog(process, facts, numbering)
    try:
        while True:
            with log.waiting():
                shown = log.next_shown()
                expected = 0 if shown is None else reading.bytes_of(shown.size_wh)
                content = process.stdout.read(expected)
                if shown is None or len(content) < expected:
                    code = process.wait()  # its last message may be what is wrong with the video
                    ask_wanted()
                    break
            yield shown, content
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
        log.join()
    return code


class ChosenFrames:
    """Tells which sampled frames look like the last one that was taken.

    Attributes:
        taken: how many do not.
        are_enough: whether one came that would have been too many.
    """

    def __init__(
        self, duplicate_distance: int, most: int = sys.maxsize, last: SampleLook | None = None
    ) -> None:
        """Begin before the first frame; see VideoProcessor.

        Args:
            last: of a frame before that, which counts as taken.
        """
        self._distance, self._most, self._last = duplicate_distance, most, last
        self.taken = 0
        self.are_enough = False

    def differs(self, look: SampleLook) -> bool:
        """Return whether the next frame is to be taken."""
        if self._last is not None and look.is_like(self._last, self._distance):
            return False
        self._last = look
        self.are_enough = self.taken == self._most
        self.taken += 1
        return True

    def what_is_left_out(self) -> str:
        """Return a sentence for a video that has more frames than are taken."""
        return (
            f"only the first {self._most} frames were added; for more, raise "
            "frames_per_video in settings.json, remove the video, and add it again"
        )


@dataclass(frozen=True)
class SampleLook:
    """What two frames that look alike have in common.

    Attributes:
        steps: the dHash, 64 bits; it knows nothing of colours, and nothing of flat pictures.
        colours_rgb: (8, 8, 3) int16, the means of 8x8 cells.
    """

    steps: int
    colours_rgb: np.ndarray

    @staticmethod
    def of(image_rgb: np.ndarray) -> SampleLook:
        """Look at a frame, (H, W, 3) uint8."""
        cells = cv2.resize(image_rgb, (8, 8), interpolation=cv2.INTER_AREA)
        return SampleLook(dhash(image_rgb), cells.astype(np.int16))

    def is_like(self, other: SampleLook, distance: int) -> bool:
        """Return whether at most so many steps differ, and no cell by more than that allows."""
        if (self.steps ^ other.steps).bit_count() > distance:
            return False
        difference = np.abs(self.colours_rgb - other.colours_rgb).max()
        return bool(difference <= LEVELS_A_STEP * max(1, distance))


def dhash(image_rgb: np.ndarray) -> int:
    """Hash an image by the signs of its horizontal brightness steps, 8x8 of them: 64 bits."""
    return dhash_of_grey(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY))


def dhash_of_grey(grey: np.ndarray) -> int:
    """Hash an image (H, W) uint8; see dhash."""
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = np.packbits(small[:, 1:] > small[:, :-1])
    return int.from_bytes(bits.tobytes(), "big")
