"""ffmpeg's log while it decodes: frames, the file's length, damage."""

from __future__ import annotations

import queue
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import NamedTuple, Protocol

from src.stopping import ASK_EVERY_S, wanted

# ffmpeg decodes whole seconds of video in one; without a frame for so long, while one is
# waited for, it hangs.
STALL_S = 120.0
LOOK_EVERY_S = ASK_EVERY_S
# A container may say a little more than its last frame shows: audio's end, rounding.
SHORT_S = 2.0

# The names of the filters that report frames: all of the source, the same once they are
# deinterlaced (only where they are), and those sampled.
SOURCE, DEINTERLACED, SAMPLED = "source", "deinterlaced", "sampled"

# ffmpeg repeats titles, comments and names of files: each line is known by how it begins.
DURATION = re.compile(r"\[info\]   Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)(?:, start: (-?[\d.]+))?")
SHOWN = re.compile(
    r"\[showinfo@(\w+) .*?\] n: *(\d+) pts: *(\S+) +pts_time: *(\S+)"
    r"(?: +duration: *\S+ +duration_time: *(\S+))?.* s:(\d+)x(\d+)"
)
CONFIGURED = re.compile(rf"\[showinfo@{SOURCE} .*?\] config in ")
CLOCK = re.compile(rf"\[showinfo@{SAMPLED} .*?\] \[info\] config in time_base: (\d+)/(\d+)")
DAMAGE = re.compile(r"(?:\[[^\]]* @ \w+\] )?\[(?:error|fatal)\] (.*)")


@dataclass
class VideoFacts:
    """What is found out about a video while it is read; complete once all frames are read.

    Attributes:
        duration_s: as the container says, or up to the end of the last frame; see judge_length.
        captured_at: when it was taken, ISO 8601 with the offset where one is known.
        last_timestamp_s: of the last frame decoded, sampled or not.
        last_duration_s: how long that frame is shown.
        damage: why the video is not whole, in words for a person; None for a sound one.
        note: what there is to know of a sound file, in words for a person.
        frames: how many an image has, which are the pages of a TIFF.
        camera: its make and model.
    """

    duration_s: float | None = None
    captured_at: str | None = None
    last_timestamp_s: float | None = None
    last_duration_s: float = 0.0
    damage: str | None = None
    note: str | None = None
    frames: int = 1
    camera: tuple[str | None, str | None] = (None, None)

    def become(self, other: VideoFacts) -> None:
        """Take over what was found out elsewhere."""
        for each in fields(other):
            setattr(self, each.name, getattr(other, each.name))

    def judge_length(self) -> None:
        """Compare the last frame's end with the duration: ffmpeg does not report a cut.

        Where no duration is said, or frames go on long after it, they are right: streams without
        an index have theirs guessed from the bit rate.
        """
        if self.last_timestamp_s is None:
            return
        end_s = self.last_timestamp_s + self.last_duration_s
        said_s = 0.0 if self.duration_s is None else self.duration_s
        tolerated_s = max(SHORT_S, 0.05 * said_s)
        if self.duration_s is None or end_s - said_s > tolerated_s:
            self.duration_s = end_s
        elif said_s - end_s > tolerated_s:
            self.damage = f"only the first {end_s:.1f} s of {said_s:.1f} s could be read"


class Numbering(Protocol):
    """Gives frames their place in the video where ffmpeg began in the middle of it.

    Attributes:
        is_lost: whether it will never know it, so that ffmpeg works for nothing.
    """

    is_lost: bool

    def see(self, count: int, timestamp_s: float) -> None:
        """Take note of a frame of the source, which ffmpeg counts from where it began."""
        ...

    def frame_index(self, count: int) -> int | None:
        """Return the place of such a frame; None while it is not known."""
        ...


class Shown(NamedTuple):
    """ffmpeg's announcement of a sampled frame.

    Attributes:
        frame_index: None where its place is not known.
        timestamp_s: in six digits, as ffmpeg says it.
        moment_s: the same in full, as its filters reckon with it; None where it is not known.
    """

    frame_index: int | None
    timestamp_s: float
    size_wh: tuple[int, int]
    moment_s: float | None = None


class FfmpegLog:
    """Reads ffmpeg's stderr beside its frames, and ends an ffmpeg that hangs."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        facts: VideoFacts,
        numbering: Numbering | None = None,
    ) -> None:
        """Read from now on.

        Args:
            facts: filled meanwhile.
            numbering: of an ffmpeg that began in the middle; None for one that began at the start.
        """
        self.process = process
        self.facts = facts
        self._numbering = numbering
        # A Ctrl-C in the middle of Queue.get can leave its lock taken for good; a SimpleQueue has
        # none that a signal could interrupt.
        self._shown: queue.SimpleQueue[Shown | None] = queue.SimpleQueue()
        self._waits = False
        self._last_sign_s = time.monotonic()
        self._done = threading.Event()
        self._go_on = wanted()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        threading.Thread(target=self._watch, daemon=True).start()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Inside the block ffmpeg must show that it is alive; outside it may be waiting for us."""
        self._last_sign_s = time.monotonic()
        self._waits = True
        try:
            yield
        finally:
            self._waits = False

    def next_shown(self) -> Shown | None:
        """Wait for the next sampled frame to be announced; None once there is none."""
        return self._shown.get()

    def join(self) -> None:
        """Wait until all has been read; the process has to have ended."""
        self._thread.join()
        self._done.set()

    def _watch(self) -> None:
        while not self._done.wait(LOOK_EVERY_S):
            if self._waits and not self._go_on():
                self.process.kill()
                return
            if self._waits and time.monotonic() - self._last_sign_s > STALL_S:
                self.facts.damage = stood_still()
                self.process.kill()
                return

    def _read(self) -> None:
        assert self.process.stderr is not None
        # ffmpeg counts from 0 again where the size of the pictures changes
        frames_before, source_index, frame_index = 0, -1, -1
        tick_s: float | None = None
        counts_from_zero = False  # whether a container's duration has what is before its start
        for raw in self.process.stderr:
            line = raw.decode("utf-8", "replace")
            if match := SHOWN.match(line):
                which, count, tick, at_s, lasts_s, width, height = match.groups()
                timestamp_s = float(at_s) if at_s != "NOPTS" else 0.0
                self._last_sign_s = time.monotonic()
                if which == SAMPLED:
                    size_wh = int(width), int(height)
                    moment_s = None
                    if tick_s is not None and tick != "NOPTS":
                        moment_s = int(tick) * tick_s
                    place = self._place(frame_index)
                    self._shown.put(Shown(place, timestamp_s, size_wh, moment_s))
                    continue
                frame_index = frames_before + int(count)
                if which == SOURCE:
                    source_index = frame_index
                    self._take_last(timestamp_s, lasts_s)
                    if self._numbering is not None:
                        self._numbering.see(frame_index, timestamp_s)
                        if self._numbering.is_lost:
                            self.process.kill()
            elif CONFIGURED.match(line):
                frames_before = source_index + 1
            elif match := CLOCK.match(line):
                tick_s = int(match[1]) / int(match[2])
            elif line.startswith("[info] Input #0, matroska"):
                counts_from_zero = True
            elif match := DURATION.match(line):
                hours, minutes, seconds, start_s = match.groups()
                said_s = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
                late_s = max(0.0, float(start_s or 0)) if counts_from_zero else 0.0
                self.facts.duration_s = said_s - late_s
            elif self.facts.damage is None and (match := DAMAGE.match(line)):
                self.facts.damage = _in_words(match[1])
        self.process.stderr.close()
        self._shown.put(None)

    def _place(self, count: int) -> int | None:
        return count if self._numbering is None else self._numbering.frame_index(count)

    def _take_last(self, timestamp_s: float, lasts_s: str | None) -> None:
        """Note a frame of the source; where its duration is not said, the last gap is it."""
        facts = self.facts
        if lasts_s not in (None, "NOPTS", "0"):
            facts.last_duration_s = float(lasts_s)
        elif facts.last_timestamp_s is not None:
            facts.last_duration_s = max(0.0, timestamp_s - facts.last_timestamp_s)
        facts.last_timestamp_s = timestamp_s


def stood_still() -> str:
    """Record that ffmpeg was ended because it hung."""
    return f"reading stopped responding for {STALL_S:.0f} s"


def _in_words(message: str) -> str:
    """Turn ffmpeg's error into a person's words."""
    if "matches no streams" in message or "does not contain any stream" in message:
        return "there is no video in it; sound files can't be added"
    if "moov atom not found" in message:
        return "incomplete file (the index of its frames is missing)"
    if "not on whitelist" in message:
        return "of a kind that is not read as a video here"
    return f"damaged or incomplete file ({message.strip()[:120]})"
