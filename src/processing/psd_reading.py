"""Photoshop's files of one, sixteen and thirty-two bits: their merged picture.

Pillow reads those of eight bits. The format is Adobe's "Photoshop File Formats Specification";
a file of version 2 (PSB) differs in the width of two lengths.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from src.processing.colour_tags import Cicp
from src.processing.grey_range import scaled
from src.processing.samples import CHANNELS, SIXTEEN_BIT_PIXELS, Samples
from src.processing.tone_mapping import LINEAR

MODES = {0: "L", 1: "L", 3: "RGB", 4: "CMYK", 8: "L", 9: "LAB"}
# In these 0 is white: no ink, or none of its light taken.
BITMAP, CMYK = 0, 4
RAW, PACK_BITS = 0, 1
_PROFILE = 1039
_MOST_RESOURCES = 1000


@dataclass(frozen=True)
class PsdPicture:
    """The merged picture of a file.

    Attributes:
        size_wh: in pixels.
        depth: bits of a sample.
        mode: Photoshop's number of what the channels are.
        channels: how many there are.
        alpha: the first channel after those of the mode is transparency, not a mask kept.
        profile: an ICC profile, or None.
        offset: where the pixels begin, with the two bytes that say how they are packed.
        large: the file is a PSB.
    """

    size_wh: tuple[int, int]
    depth: int
    mode: int
    channels: int
    alpha: bool
    profile: bytes | None
    offset: int
    large: bool

    @property
    def pillow_reads(self) -> bool:
        """Pillow reads it right."""
        return self.depth == 8 and not self.large

    def samples(self, path: Path) -> Samples:
        """Decode it.

        Raises:
            ValueError: it is of a kind that is not read here; OSError: it is cut short.
        """
        if self.mode not in MODES or self.depth not in (1, 8, 16, 32):
            raise ValueError(f"Photoshop's mode {self.mode} of {self.depth} bits is not read")
        mode = MODES[self.mode]
        count = CHANNELS[mode]
        if self.channels < count:
            raise ValueError("channels are missing")
        kept = count + self.alpha
        width, height = self.size_wh
        fine = self.depth > 8 and width * height <= SIXTEEN_BIT_PIXELS
        most = 65535 if fine else 255
        stored = np.empty((height, width, kept), np.uint16 if fine else np.uint8)
        full = 1.0 if self.depth in (1, 32) else 2.0**self.depth - 1
        ends = (full, 0.0) if self.mode in (BITMAP, CMYK) else (0.0, full)
        with path.open("rb") as stream:
            for channel, row, values in self._rows(stream, kept):
                of_alpha = channel == count
                shares = scaled(values, *((0.0, full) if of_alpha else ends))
                stored[row, :, channel] = np.rint(shares * most)
        # Floats are linear light, as the profile says if there is one.
        linear = self.depth == 32 and self.profile is None
        return Samples(
            self.size_wh,
            lambda box: stored[box[1] : box[3], box[0] : box[2]],
            mode,
            black=0,
            white=most,
            alpha=most if self.alpha else None,
            profile=self.profile,
            cicp=Cicp(1, LINEAR) if linear else None,
        )

    def _rows(self, stream: IO[bytes], kept: int) -> Iterator[tuple[int, int, np.ndarray]]:
        """Read channel after channel: its number, that of the row, and the row's values."""
        width, height = self.size_wh
        row_bytes = (width * self.depth + 7) // 8
        stream.seek(self.offset)
        (packing,) = struct.unpack(">H", _exactly(stream, 2))
        lengths = np.full(kept * height, row_bytes)
        if packing == PACK_BITS:
            kind = np.dtype(">u4" if self.large else ">u2")
            table = _exactly(stream, self.channels * height * kind.itemsize)
            lengths = np.frombuffer(table, kind)[: kept * height]
        elif packing != RAW:
            raise ValueError(f"its packing ({packing}) is not read here")
        for number, length in enumerate(lengths):
            content = _exactly(stream, int(length))
            if packing == PACK_BITS:
                content = _unpacked(content)
            yield number // height, number % height, self._values(content[:row_bytes])

    def _values(self, row: bytes) -> np.ndarray:
        if self.depth == 1:
            return np.unpackbits(np.frombuffer(row, np.uint8))[: self.size_wh[0]]
        return np.frombuffer(row, {8: "u1", 16: ">u2", 32: ">f4"}[self.depth])


def read_header(path: Path) -> PsdPicture | None:
    """Read what comes ahead of the pixels; None: the file is not Photoshop's."""
    with path.open("rb") as stream:
        head = stream.read(26)
        if len(head) < 26 or head[:4] != b"8BPS":
            return None
        version, channels, height, width, depth, mode = struct.unpack(">4xH6xHIIHH", head)
        stream.seek(_length(stream, 4), 1)
        size = _length(stream, 4)
        after = stream.tell() + size
        profile = _profile(stream, after)
        stream.seek(after)
        wide = 8 if version == 2 else 4
        size = _length(stream, wide)
        after = stream.tell() + size
        extra = channels - CHANNELS.get(MODES.get(mode, ""), channels)
        alpha = extra > 0 and (size == 0 or _has_transparency(stream, wide))
        return PsdPicture(
            (width, height), depth, mode, channels, alpha, profile, after, version == 2
        )


def _has_transparency(stream: IO[bytes], wide: int) -> bool:
    """Read the start of the layers, which say it by a number of layers below zero."""
    layers = _length(stream, wide)
    if layers:
        return bool(int.from_bytes(stream.read(2), "big", signed=True) < 0)
    stream.seek(4, 1)  # of more than eight bits: among the blocks after them
    start = stream.read(4096)
    return any(kind in start for kind in (b"8BIMMt16", b"8BIMMt32", b"8BIMMtrn"))


def _profile(stream: IO[bytes], end: int) -> bytes | None:
    for _ in range(_MOST_RESOURCES):
        if stream.tell() + 12 > end:
            break
        head = stream.read(7)
        if head[:4] != b"8BIM":
            break
        kind, name = struct.unpack(">4xHB", head)
        stream.seek(name + (name + 1) % 2, 1)
        size = _length(stream, 4)
        if kind == _PROFILE:
            return stream.read(min(size, end - stream.tell()))
        stream.seek(size + size % 2, 1)
    return None


def _unpacked(content: bytes) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.packbits_decode(content))


def _length(stream: IO[bytes], size: int) -> int:
    return int.from_bytes(stream.read(size), "big")


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise OSError("the file ends before its pixels do")
    return content
