"""A video -> frames with exact timestamps, by ffmpeg in a process of its own."""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, NamedTuple

import cv2
import imageio_ffmpeg
import numpy as np

from src.config import APPLICATION_FOLDER, NO_CONSOLE
from src.errors import MediaReadError
from src.processing.image_loader import check_readable
from src.records import Frame

# ffmpeg opens nothing but the file named, and reads it as a container of video only: a playlist
# that calls itself .mp4 must not send it elsewhere.
PROTOCOLS = "file,pipe"
DEMUXERS = "mov,matroska,avi,mpeg,mpegts,mpegvideo,asf,flv,ogg,h264,hevc,m4v"
OPENCV_OPTIONS = f"protocol_whitelist;{PROTOCOLS}|format_whitelist;{DEMUXERS}"
# ffmpeg decodes whole seconds of video in one; without a frame for so long, while one is
# waited for, it hangs.
STALL_S = 120.0
LOOK_EVERY_S = 1.0
# 12K is 80 million; an 8K film with its frames in flight takes 2 GiB.
MAX_PIXELS = 100_000_000
MEMORY_BYTES = 6 << 30
# Pixels are made square up to this; a header can claim that each is as wide as a wall.
MAX_SAR = 8
# What a look-alike's cells may differ by in colour (0..255), for each step that may differ.
LEVELS_A_STEP = 8
# A container may say a little more than its last frame shows: audio's end, rounding.
SHORT_S = 2.0

# ffmpeg repeats titles, comments and names of files: each line is known by how it begins.
DURATION = re.compile(r"\[info\]   Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)(?:, start: (-?[\d.]+))?")
SHOWN = re.compile(
    r"\[Parsed_showinfo_(\d+) .*?\] n: *\d+ pts: *\S+ +pts_time: *(\S+).* s:(\d+)x(\d+)"
)
DAMAGE = re.compile(r"(?:\[[^\]]* @ \w+\] )?\[(?:error|fatal)\] (.*)")
CREATED = re.compile(r"creation_time\s*: (\S+)")


@dataclass
class VideoFacts:
    """What is learnt of a video while it is read; whole once its frames are through.

    Attributes:
        duration_s: as the container says; None when it does not.
        captured_at: creation time in the container, ISO 8601.
        last_timestamp_s: of the last frame decoded, sampled or not.
        damage: why the video is not whole, in words for a person; None for a sound one.
    """

    duration_s: float | None = None
    captured_at: str | None = None
    last_timestamp_s: float | None = None
    damage: str | None = None


@cache
def find_ffmpeg() -> str | None:
    """Find an ffmpeg that can do the work: on PATH first, else the one in imageio-ffmpeg."""
    candidates = [shutil.which("ffmpeg")]
    try:
        candidates.append(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        pass  # no binary for this platform in the wheel
    for program in candidates:
        if program is not None and _works(program):
            return program
    return None


def _works(program: str) -> bool:
    """Try it on nothing: one before 5.1 starts, but does not know -fps_mode."""
    command = [program, "-v", "error", "-f", "lavfi", "-i", "nullsrc=duration=0.1"]
    command += ["-fps_mode", "passthrough", "-f", "null", "-"]
    try:
        ran = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            creationflags=NO_CONSOLE,
        )
        return ran.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@cache
def _ends_with_us() -> tuple[str, ...]:
    """Give the start of a command that Linux kills when the thread that runs it is gone.

    It ends an ffmpeg that hangs after the application was killed; one that does not hang ends
    anyway, when nobody reads its frames. Empty where there is no such program.
    """
    program = shutil.which("setpriv") if sys.platform == "linux" else None
    if program is None:
        return ()
    start = (program, "--pdeathsig", "KILL", "--")
    try:
        tried = subprocess.run([*start, "true"], capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return start if tried.returncode == 0 else ()  # an old one, or busybox's


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

    def frames(self, path: Path, facts: VideoFacts) -> Generator[Frame]:
        """Read the sampled frames that differ from the one before, in order.

        Args:
            path: a video file.
            facts: filled while frames come.

        Raises:
            MediaReadError: there is no frame in it that can be read.
        """
        with closing(self.sampled(path, facts)) as frames:
            yield from (frame for frame, differs in frames if differs)

    def sampled(self, path: Path, facts: VideoFacts) -> Generator[tuple[Frame, bool]]:
        """Read every sampled frame, and say of each whether it differs from the last that did.

        Args, Raises: as of frames.
        """
        check_readable(path)
        path = Path(os.path.abspath(path))
        program = find_ffmpeg()
        command = self._opencv(path) if program is None else self._ffmpeg(program, path)
        read = self._read(command, facts)
        last: _Look | None = None
        taken = 0
        for frame in read:
            this = _Look.of(frame.image_rgb)
            if last is not None and this.is_like(last, self.duplicate_distance):
                yield frame, False
                continue
            last = this
            if taken == self.frames_per_video:
                facts.damage = (
                    f"only the first {taken} frames were added; for more, raise "
                    "frames_per_video in settings.json, remove the video, and add it again"
                )
                read.close()
                return
            taken += 1
            yield frame, True
        if not taken:
            raise MediaReadError(path, facts.damage or "there is no video in it")
        _judge_length(facts)

    def _ffmpeg(self, program: str, path: Path) -> list[str]:
        rate = self.frames_per_second
        # The first showinfo counts every frame of the source, the second only those sampled.
        filters = (
            "showinfo=checksum=0,"
            f"select='isnan(prev_selected_t)+gt(floor(t*{rate}),floor(prev_selected_t*{rate}))',"
            f"scale=w='max(1,round(iw*clip(sar,1/{MAX_SAR},{MAX_SAR})))':h=ih,setsar=1,showinfo=checksum=0"
        )
        return [
            program, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info",
            "-protocol_whitelist", PROTOCOLS, "-format_whitelist", DEMUXERS,
            "-max_pixels", str(MAX_PIXELS),
            "-i", f"file:{path}", "-map", "0:V:0", "-vf", filters, "-fps_mode", "passthrough",
            # each frame in its own size, which showinfo says, also where that changes
            "-noautoscale", "-f", "rawvideo", "-c:v", "rawvideo", "-pix_fmt", "rgb24", "pipe:1",
        ]  # fmt: skip

    def _opencv(self, path: Path) -> list[str]:
        rate = str(self.frames_per_second)
        return [sys.executable, "-m", "src.processing.opencv_reader", f"file:{path}", rate]

    def _read(self, command: list[str], facts: VideoFacts) -> Generator[Frame]:
        process = subprocess.Popen(
            [*_ends_with_us(), *command],
            cwd=APPLICATION_FOLDER,
            env={**os.environ, "OPENCV_FFMPEG_CAPTURE_OPTIONS": OPENCV_OPTIONS},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            creationflags=NO_CONSOLE,
        )
        assert process.stdout is not None and process.stderr is not None
        _limit(process)
        log = _FfmpegLog(process, facts)
        try:
            while True:
                with log.waiting():
                    shown = log.next_shown()
                    image = None if shown is None else _read_rgb(process.stdout, shown.size_wh)
                    if shown is None or image is None:
                        process.wait()  # what it says last may be what is wrong with the video
                        break
                yield Frame(image, shown.frame_index, shown.timestamp_s)
        finally:
            process.kill()
            process.stdout.close()
            process.wait()
            log.join()


def _limit(process: subprocess.Popen[bytes]) -> None:
    """Let ffmpeg take no more memory than a film needs, and write no file. Linux alone can."""
    if sys.platform == "linux":
        import resource

        for what, most in (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
        ):
            with suppress(ProcessLookupError):  # it has ended already
                resource.prlimit(process.pid, what, (most, most))


class _Shown(NamedTuple):
    """What ffmpeg says of a sampled frame before it gives it."""

    frame_index: int
    timestamp_s: float
    size_wh: tuple[int, int]


class _FfmpegLog:
    """Reads ffmpeg's stderr beside its frames, and ends an ffmpeg that hangs."""

    def __init__(self, process: subprocess.Popen[bytes], facts: VideoFacts) -> None:
        self.process = process
        self.facts = facts
        # A Ctrl-C in the middle of Queue.get can leave its lock taken for good; a SimpleQueue has
        # none that a signal could interrupt.
        self._shown: queue.SimpleQueue[_Shown | None] = queue.SimpleQueue()
        self._waits = False
        self._last_sign_s = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        threading.Thread(target=self._watch, daemon=True).start()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Within, ffmpeg has to show that it is alive; else it may be it that waits for us."""
        self._last_sign_s = time.monotonic()
        self._waits = True
        try:
            yield
        finally:
            self._waits = False

    def next_shown(self) -> _Shown | None:
        """Wait for the next sampled frame to be announced; None once there is none."""
        return self._shown.get()

    def join(self) -> None:
        self._thread.join()
        self._done.set()

    def _watch(self) -> None:
        while not self._done.wait(LOOK_EVERY_S):
            if self._waits and time.monotonic() - self._last_sign_s > STALL_S:
                self.facts.damage = f"reading stopped responding for {STALL_S:.0f} s"
                self.process.kill()
                return

    def _read(self) -> None:
        assert self.process.stderr is not None
        first_filter: str | None = None
        # counted here: ffmpeg begins anew where the size of the pictures changes
        source_index = -1
        counts_from_zero = False  # whether a container's duration has what is before its start
        for raw in self.process.stderr:
            line = raw.decode("utf-8", "replace")
            if match := SHOWN.match(line):
                first_filter = first_filter or match[1]
                timestamp_s = float(match[2]) if match[2] != "NOPTS" else 0.0
                self._last_sign_s = time.monotonic()
                if match[1] == first_filter:
                    source_index += 1
                    self.facts.last_timestamp_s = timestamp_s
                else:
                    size_wh = int(match[3]), int(match[4])
                    self._shown.put(_Shown(source_index, timestamp_s, size_wh))
            elif line.startswith("[info] Input #0, matroska"):
                counts_from_zero = True
            elif match := DURATION.match(line):
                hours, minutes, seconds, start_s = match.groups()
                said_s = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
                late_s = max(0.0, float(start_s or 0)) if counts_from_zero else 0.0
                self.facts.duration_s = said_s - late_s
            elif self.facts.captured_at is None and (match := CREATED.search(line)):
                self.facts.captured_at = match[1]
            elif self.facts.damage is None and (match := DAMAGE.match(line)):
                self.facts.damage = _in_words(match[1])
        self.process.stderr.close()
        self._shown.put(None)


def _in_words(message: str) -> str:
    """Turn ffmpeg's error into a person's words."""
    if "matches no streams" in message or "does not contain any stream" in message:
        return "there is no video in it"
    if "moov atom not found" in message:
        return "incomplete file (the index of its frames is missing)"
    return f"damaged or incomplete file ({message.strip()[:120]})"


def _judge_length(facts: VideoFacts) -> None:
    """Compare the last frame with the container's duration: ffmpeg says nothing of a cut."""
    if facts.duration_s is None or facts.last_timestamp_s is None:
        return
    missing_s = facts.duration_s - facts.last_timestamp_s
    if missing_s > max(SHORT_S, 0.05 * facts.duration_s):
        facts.damage = (
            f"only the first {facts.last_timestamp_s:.1f} s of {facts.duration_s:.1f} s "
            "could be read"
        )


@dataclass(frozen=True)
class _Look:
    """What two frames that look alike have in common.

    Attributes:
        steps: the dHash, 64 bits; it knows nothing of colours, and nothing of flat pictures.
        colours_rgb: (8, 8, 3) int16, the means of 8x8 cells.
    """

    steps: int
    colours_rgb: np.ndarray

    @staticmethod
    def of(image_rgb: np.ndarray) -> _Look:
        cells = cv2.resize(image_rgb, (8, 8), interpolation=cv2.INTER_AREA)
        return _Look(dhash(image_rgb), cells.astype(np.int16))

    def is_like(self, other: _Look, distance: int) -> bool:
        """Say whether at most so many steps differ, and no cell by more than that allows."""
        if (self.steps ^ other.steps).bit_count() > distance:
            return False
        difference = np.abs(self.colours_rgb - other.colours_rgb).max()
        return bool(difference <= LEVELS_A_STEP * max(1, distance))


def dhash(image_rgb: np.ndarray) -> int:
    """Hash an image by the signs of its horizontal brightness steps, 8x8 of them: 64 bits."""
    grey = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = np.packbits(small[:, 1:] > small[:, :-1])
    return int.from_bytes(bits.tobytes(), "big")


def _read_rgb(stream: IO[bytes], size_wh: tuple[int, int]) -> np.ndarray | None:
    """Read one frame: (H, W, 3) uint8 RGB; None where it is cut."""
    width, height = size_wh
    content = stream.read(width * height * 3)
    if len(content) < width * height * 3:
        return None
    return np.frombuffer(content, np.uint8).reshape(height, width, 3)
