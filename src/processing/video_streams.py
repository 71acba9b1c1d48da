"""The video streams in a file, as ffmpeg lists them, and which of them is the film."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from src.errors import MediaReadError
from src.processing import ffmpeg_log
from src.processing.ffmpeg_process import opened, start
from src.processing.tone_mapping import BT2020, HLG, LINEAR, PQ, SRGB

# How much of a file is searched to distinguish a film from a still picture beside it.
LOOK_S = 10
# ffmpeg's description of a file is a few thousand bytes; a hostile file could make it longer.
MOST_BYTES = 4 << 20

STREAM = re.compile(r"\[info\]   Stream #0:(\d+).*?: Video: (\w+)(.*)")
SOUND = re.compile(r"\[info\]   Stream #0:\d+.*?: Audio: ")
RATE = re.compile(r", (\d+(?:\.\d+)?)(k?) fps\b")
# the pixel format, what is said of it in brackets, and the size
PICTURE = re.compile(r", (\w+)(?:\(((?:[^()]|\([^()]*\))*)\))?, (\d+)x(\d+)")
NOTE = re.compile(r"\[info\] {4,8}([^ :][^:]*?) *: (.*)")
PACKET = re.compile(r"(\d+), +-?\d+, +-?\d+,")
WITH_ALPHA = re.compile(r"yuva|rgba|bgra|argb|abgr|gbrap|ya8|ya16|ayuv|vuya|pal8")

# What ffmpeg calls primaries and transfer functions that are not shown as they are.
PRIMARIES = {"bt2020": BT2020, "smpte431": 11, "smpte432": 12}
TRANSFERS = {"linear": LINEAR, "iec61966-2-1": SRGB, "smpte2084": PQ, "arib-std-b67": HLG}


@dataclass
class VideoStream:
    """A video stream, as its container and its header describe it.

    Attributes:
        index: among all streams of the file.
        codec, pixel_format: ffmpeg's names for them; the format is empty where it is unknown.
        matrix: ffmpeg's name for how colours become luminance; None where nothing is said.
        primaries, transfer: their numbers in ITU-T H.273; those of BT.709 where nothing is said,
            and for what is shown as it is: the standards of television.
        is_interlaced: whether its first frames are.
        is_default: whether the container names it as the one to show.
        is_cover: a picture attached to the film.
        has_hidden_alpha: whether WebM keeps its transparency beside the pictures themselves.
        packets: how many were found at the start, three at most.
        frames_per_second: as the header says, on average; None where it says nothing.
    """

    index: int
    codec: str
    pixel_format: str = ""
    size_wh: tuple[int, int] = (0, 0)
    matrix: str | None = None
    primaries: int = 1
    transfer: int = 1
    is_interlaced: bool = False
    is_default: bool = False
    is_cover: bool = False
    has_hidden_alpha: bool = False
    packets: int = 0
    frames_per_second: float | None = None

    @property
    def has_alpha(self) -> bool:
        return self.has_hidden_alpha or WITH_ALPHA.match(self.pixel_format) is not None


@dataclass
class VideoHeader:
    """The metadata of a media file.

    Attributes:
        streams: its video streams, in order.
        notes: the names and values in it, of the file first, then of its video streams.
        has_sound: whether there is a stream of sound.
        length_s: what it says; 0 where it says nothing.
    """

    streams: list[VideoStream] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    has_sound: bool = False
    length_s: float = 0.0

    def film(self) -> VideoStream | None:
        """Choose the stream that is the film: the default one, else the largest that moves."""
        films = [stream for stream in self.streams if not stream.is_cover]
        films = [stream for stream in films if stream.packets > 1] or films
        films = [stream for stream in films if stream.is_default] or films
        return max(films, key=lambda stream: stream.size_wh[0] * stream.size_wh[1], default=None)


def read_header(program: str, path: Path) -> VideoHeader:
    """Ask ffmpeg what is in a file; where it can't say, the header is empty.

    Args:
        path: absolute.

    Raises:
        MediaReadError: ffmpeg hangs.
    """
    command = opened(program, path, "-t", str(LOOK_S))
    # the packets of every stream, not decoded, go to the log
    command += ["-map", "0:V", "-c", "copy", "-copyinkf", "-frames:v", "3"]
    process = start([*command, "-f", "framecrc", "pipe:2"])
    assert process.stdout is not None and process.stderr is not None
    hung = threading.Event()

    def end() -> None:
        hung.set()
        process.kill()

    watch = threading.Timer(ffmpeg_log.STALL_S, end)
    watch.start()
    try:
        said = process.stderr.read(MOST_BYTES)
    finally:
        watch.cancel()
        process.kill()
        process.stdout.close()
        process.stderr.close()
        process.wait()
    if hung.is_set():
        raise MediaReadError(path, ffmpeg_log.stood_still())
    return parse_header(said.decode("utf-8", "replace").splitlines())


def parse_header(lines: Iterable[str]) -> VideoHeader:
    """Read ffmpeg's list of what is in its input, and of packets that it copied."""
    header = VideoHeader()
    mapped: list[VideoStream] = []  # streams in the order of the output
    stream: VideoStream | None = None
    in_input = True
    of_other = False  # whether notes are those of sound or subtitles
    for line in lines:
        # ffmpeg 5 describes its output before it says what is mapped, later ones after
        if in_input and line.startswith(("[info] Stream mapping:", "[info] Output #0")):
            in_input = False
            mapped = [stream for stream in header.streams if not stream.is_cover]
        elif not in_input:
            match = PACKET.match(line)
            if match and int(match[1]) < len(mapped):
                mapped[int(match[1])].packets += 1
        elif match := STREAM.match(line):
            stream = _stream(int(match[1]), match[2], match[3])
            header.streams.append(stream)
            of_other = False
        elif match := ffmpeg_log.DURATION.match(line):
            hours, minutes, seconds, _ = match.groups()
            header.length_s = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        elif line.startswith("[info]   Stream #0:"):
            of_other = True
            header.has_sound |= SOUND.match(line) is not None
        elif not of_other and (match := NOTE.match(line)):
            name, value = match[1].lower(), match[2].strip()
            header.notes.append((name, value))
            if stream is not None and name == "alpha_mode":
                stream.has_hidden_alpha = value == "1" and stream.codec in ("vp8", "vp9")
    return header


def _stream(index: int, codec: str, description: str) -> VideoStream:
    stream = VideoStream(index, codec)
    picture = PICTURE.search(description)
    if picture is None:
        return stream
    stream.pixel_format, details = picture[1], picture[2] or ""
    stream.size_wh = int(picture[3]), int(picture[4])
    for detail in details.split(", "):
        if detail.endswith(("first", "(swapped)")):
            stream.is_interlaced = True
        elif detail.count("/") == 2:
            matrix, primaries, transfer = detail.split("/")
            stream.matrix = None if matrix in ("unknown", "reserved") else matrix
            stream.primaries = PRIMARIES.get(primaries, 1)
            stream.transfer = TRANSFERS.get(transfer, 1)
            if stream.transfer in (PQ, HLG) and primaries == "unknown":
                stream.primaries = BT2020
        elif detail in ("bt709", "smpte170m", "smpte240m"):  # all three are called the same
            stream.matrix = detail
    flags = description[picture.end() :]
    if match := RATE.search(flags):
        stream.frames_per_second = float(match[1]) * (1000 if match[2] else 1)
    stream.is_default = "(default)" in flags
    stream.is_cover = "(attached pic)" in flags or "(timed thumbnails)" in flags
    return stream
