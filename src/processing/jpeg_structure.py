"""A JPEG's markers: what process it is of, and whether all of it is there (ITU-T T.81)."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path

from PIL import Image

# Start of frame, each with what it says; not among them: DHT, JPG and DAC, which lie between.
_FRAMES = frozenset((*range(0xC0, 0xD0), 0xF7)) - {0xC4, 0xC8, 0xCC}
_LOSSLESS = frozenset((0xC3, 0xC7, 0xCB, 0xCF))
_ARITHMETIC = frozenset((0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF))
JPEG_LS = 0xF7
SCAN, _END = 0xDA, 0xD9
_BREAKS_OFF = -1
_COEFFICIENTS = 64
# In a scan's data a marker is what follows FF, but for stuffed zeros, restarts and fill bytes.
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# What may stand in place of a missing rest: none, all bits 0, all bits 1, and a mixture.
_RESTS = (b"\0" * 64, b"\xff\0" * 64, b"\x5a" * 64, b"")
# A JPEG that lacks its end is read into memory.
LARGEST_BYTES = 256 << 20


@dataclass(frozen=True)
class JpegFrame:
    """The frame header of a JPEG.

    Attributes:
        process: the second byte of its marker.
        bits: of each sample.
        components: their numbers.
    """

    process: int
    bits: int
    size_wh: tuple[int, int]
    components: bytes

    @property
    def is_common(self) -> bool:
        """Whether it is of a process that every program reads."""
        return self.bits == 8 and self.process in (0xC0, 0xC1, 0xC2)

    @property
    def is_decoded_by_others(self) -> bool:
        """Whether imagecodecs reads what not every program does."""
        return self.process in (0xC0, 0xC1, 0xC2, 0xC3, JPEG_LS)

    @property
    def name(self) -> str:
        """Its name for a person, with an article."""
        if self.process == JPEG_LS:
            return "a JPEG-LS image"
        if self.process in _LOSSLESS:
            return "a lossless JPEG"
        if self.process in _ARITHMETIC:
            return "a JPEG with arithmetic coding"
        if self.bits != 8:
            return f"a JPEG with {self.bits} bits per colour"
        return "a JPEG of a rare kind"


def jpeg_frame(content: bytes | mmap, at: int = 0) -> JpegFrame | None:
    """Read the frame header of a JPEG that begins at an offset; None where there is none."""
    at += 2
    while at + 10 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if marker in _FRAMES:
            height, width = (int.from_bytes(content[at + n : at + n + 2], "big") for n in (5, 7))
            count = content[at + 9]
            if length != 8 + 3 * count or not width or not height:
                return None
            components = bytes(content[at + 10 : at + 10 + 3 * count : 3])
            return JpegFrame(marker, content[at + 4], (width, height), components)
        if length < 2 or marker < 0xC0 or 0xD0 <= marker <= 0xDA:
            return None
        at += 2 + length
    return None


def breaks_off(path: Path) -> bool:
    """Return whether the last scan of a JPEG continues to the end of the file without a marker.

    Decoders take what fills such a file up for pixels, and say nothing.
    """
    if path.stat().st_size > LARGEST_BYTES:
        return False
    return any(marker == _BREAKS_OFF for marker, _ in markers(path.read_bytes()))


def without_end(path: Path, draft: Callable[[Image.Image], None]) -> Image.Image | None:
    """Decode a JPEG that breaks off, if it does so behind its last pixel.

    That is so when every scan is there, and what could follow the last byte changes no pixel.

    Args:
        draft: prepares an image that has been opened; it may ask for a smaller size.

    Returns:
        The image, decoded; None when some of it is missing.
    """
    if path.stat().st_size > LARGEST_BYTES:
        return None
    content = _without_padding(path.read_bytes())
    if not _has_every_scan(content):
        return None
    looks = set()
    for rest in _RESTS:
        image = Image.open(io.BytesIO(content + rest + bytes((0xFF, _END))), formats=["JPEG"])
        draft(image)
        image.load()
        looks.add(_digest(image))
    return image if len(looks) == 1 else None


def _digest(image: Image.Image) -> bytes:
    """Hash an image's pixels, some rows at a time: a second copy of all could be too much."""
    digest = hashlib.blake2b()
    width, height = image.size
    rows = max(1, (1 << 22) // width)
    for top in range(0, height, rows):
        digest.update(image.crop((0, top, width, min(height, top + rows))).tobytes())
    return digest.digest()


def _has_every_scan(content: bytes) -> bool:
    """Return whether each coefficient of each component is there in full, by the scans' headers."""
    frame = jpeg_frame(content)
    if frame is None:
        return False
    missing = {component: [True] * _COEFFICIENTS for component in frame.components}
    for marker, at in markers(content):
        header = content[at + 4 : at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")]
        if marker != SCAN or len(header) < 4:
            continue
        first, last, approximation = header[-3:]
        is_exact = approximation & 15 == 0
        for component in header[1 : 1 + 2 * header[0] : 2]:
            for number in range(first, min(last, _COEFFICIENTS - 1) + 1):
                if component in missing:
                    missing[component][number] = not is_exact
    return bool(missing) and not any(any(each) for each in missing.values())


def markers(content: bytes) -> Iterator[tuple[int, int]]:
    """List a JPEG's markers and where they lie, with _BREAKS_OFF after a scan that never ends.

    It stops at the end of the image, and where something else lies between two segments.
    """
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        yield marker, at
        if marker == _END:
            return
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == SCAN:
            found = _MARKER_IN_SCAN.search(content, at)
            if found is None:
                yield _BREAKS_OFF, len(content)
                return
            at = found.start()


def _without_padding(content: bytes) -> bytes:
    """Remove zeros that fill a file up, and half a marker; a stuffed zero stays."""
    stripped = content.rstrip(b"\0")
    if stripped.endswith(b"\xff") and len(stripped) < len(content):
        return stripped + b"\0"
    return stripped.rstrip(b"\xff")
