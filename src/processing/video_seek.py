"""Where in a video decoding may begin, so that its frames are those of reading through.

A keyframe of a container is only a place where a decoder can begin, not always one after which
every picture is exact. What can't be shown to be exact here is read through from the start.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

# Containers that store the time of every frame beside it, and give it unchanged after a seek.
TIMED = ("mov", "matroska")
# Others that do, whose frames are listed first: what is found after a seek has to be on the list.
LISTED = ("mpegts", "avi", "flv")
# A clock that jumps by so much in them is put right by ffmpeg only when it reads through.
JUMP_S = 10.0

# Each packet is a picture by itself.
INTRA = frozenset(
    "mjpeg prores dnxhd huffyuv ffvhuff rawvideo png dvvideo jpeg2000 v210 utvideo cfhd".split()
)
# Nothing behind one of their keyframes, in the order of time, needs what is before it.
KEYED = frozenset("mpeg1video mpeg2video mpeg4 vp8 vp9 av1".split())
# Their keyframes may be others than that; the kind of the picture is looked at.
LOOKED_AT = frozenset("h264 hevc".split())
# What no frame is made from can be left out on the way. HEVC's mark says it of one layer only.
CAN_SKIP = frozenset("h264 mpeg1video mpeg2video mpeg4".split())

MPEG4 = "mpeg4"

_IDR = 5
_FIRST_IRAP, _LAST_IRAP, _LAST_PICTURE = 16, 21, 31


def is_known(codec: str) -> bool:
    """Return whether it is known where decoding of a codec may begin, by ffmpeg's name for it."""
    return codec in INTRA or codec in KEYED or codec in LOOKED_AT


def length_bytes(codec: str, extradata: bytes) -> int:
    """Return how many bytes say how long each unit of a packet is; 0 where start codes do."""
    if not extradata or extradata[0] != 1:
        return 0
    if codec == "h264":
        return (extradata[4] & 3) + 1 if len(extradata) > 4 else 0
    return (extradata[21] & 3) + 1 if len(extradata) > 21 else 0


def begins_anew(codec: str, packet: bytes, unit_length_bytes: int) -> bool:
    """Return whether everything shown from a keyframe on can be decoded from it exactly.

    Args:
        codec: one that is known.
        packet: the keyframe's.
        unit_length_bytes: see length_bytes.
    """
    if codec not in LOOKED_AT:
        return True
    for head in _heads(packet, unit_length_bytes):
        if codec == "h264":
            kind = head & 31
            if 1 <= kind <= _IDR:
                return kind == _IDR  # another is a place to begin, but what follows may be inexact
        else:
            kind = head >> 1 & 63
            if kind <= _LAST_PICTURE:
                return _FIRST_IRAP <= kind <= _LAST_IRAP
    return False


def _heads(packet: bytes, unit_length_bytes: int) -> Iterable[int]:
    """Yield the first byte of each unit of a packet (H.264 annex B, or ISO/IEC 14496-15)."""
    at = 0
    if unit_length_bytes:
        while at + unit_length_bytes < len(packet):
            length = int.from_bytes(packet[at : at + unit_length_bytes], "big")
            at += unit_length_bytes
            yield packet[at]
            at += length
        return
    while (at := packet.find(b"\0\0\1", at)) >= 0 and at + 3 < len(packet):
        at += 3
        yield packet[at]


@dataclass(frozen=True)
class ListedPacket:
    """A packet of a video, as it was met when the whole file was looked through."""

    pts: int | None
    dts: int | None
    bytes: int


def is_orderly(packets: Sequence[ListedPacket], ticks_per_s: float) -> bool:
    """Return whether every frame of a file has its own time, on a clock that never jumps."""
    times = {packet.pts for packet in packets}
    if None in times or len(times) < len(packets):
        return False
    for before, packet in pairwise(packets):
        if before.dts is None or packet.dts is None:
            return False
        if not 0 < packet.dts - before.dts <= JUMP_S * ticks_per_s:
            return False
    return bool(packets)


def last_tick(time_s: float, start_s: float, ticks_per_s: float) -> int:
    """Return the last tick of a stream's clock that is still meant by a moment.

    Times in a library have six digits, as ffmpeg prints them: a frame has not to be missed by
    what that rounds off.
    """
    rounding_s = 1e-6 + min(0.005, 5.1e-6 * abs(time_s))
    return int((time_s + start_s + rounding_s) * ticks_per_s // 1)


def shown_at(times: Sequence[int], tick: int) -> int | None:
    """Return the time of the frame that is shown at a tick: the last one until then.

    Args:
        times: ascending.
    """
    place = bisect_right(times, tick)
    return times[place - 1] if place else None


def upright(matrix: Sequence[int] | None) -> tuple[bool, bool, bool] | None:
    """Read a container's display matrix: whether axes are swapped, then x and y turned round.

    Args:
        matrix: nine numbers (a, b, u, c, d, v, x, y, w) of ISO/IEC 14496-12; None for none.

    Returns:
        None where it is no turn by quarters, with or without a mirror.
    """
    if matrix is None:
        return False, False, False
    a, b, _, c, d = matrix[:5]
    if a and d and not b and not c and abs(a) == abs(d):
        return False, a < 0, d < 0
    if b and c and not a and not d and abs(b) == abs(c):
        return True, c < 0, b < 0
    return None
