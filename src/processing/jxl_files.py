"""JPEG XL by the package pillow-jxl-plugin (libjxl), and what that leaves to be done.

The plugin decodes an image when it is opened. So its size is read here first (ISO/IEC 18181-1,
its headers), and compared with the limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image

from src.processing.opened_image import OpenedImage, check_pixels

try:
    from pillow_jxl import JpegXLImagePlugin

    # Threads take memory of their own, which the limit does not allow for.
    JpegXLImagePlugin.DECODE_THREADS = 0
    HAS_PLUGIN = True
except ImportError:
    HAS_PLUGIN = False

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_HEADER_BYTES = 32  # more than the sizes and the flags behind them take
_MOST_BOXES = 1000
_RATIOS = ((1, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


@dataclass(frozen=True)
class JxlHeader:
    """The header of a JPEG XL image; its size is that of the stored pixels."""

    size_wh: tuple[int, int]
    is_animated: bool


def jxl_header(path: Path) -> JxlHeader | None:
    """Read the header of a JPEG XL image; None for a file of another kind."""
    codestream = _codestream(path)
    if codestream is None:
        return None
    bits = _Bits(codestream)
    size_wh = _size(bits)
    is_animated = False
    if not bits.take(1) and bits.take(1):  # not all as usual, and more fields
        bits.take(3)  # its orientation, which the decoder applies
        if bits.take(1):
            _size(bits)  # the size at which it is meant to be seen
        has_preview = bits.take(1)
        is_animated = not has_preview and bool(bits.take(1))
    return JxlHeader(size_wh, is_animated)


def open_jxl(
    path: Path, pixel_limit: int, draft_side: int | None, on_size: Callable[[int], None]
) -> OpenedImage | None:
    """Open a JPEG XL image; see image_decoding.decode.

    Returns:
        The image; None for a file of another kind, and where the plugin is not installed.

    Raises:
        MediaReadError: it is too large; anything else: it is damaged.
    """
    header = jxl_header(path) if HAS_PLUGIN else None
    if header is None:
        return None
    width, height = header.size_wh
    check_pixels(path, width * height, pixel_limit)
    on_size(width * height)
    image = Image.open(path, formats=["JXL"])
    if not image.jpeg:  # type: ignore[attr-defined]
        # libjxl has turned it as the image itself says; EXIF says the same once more
        image.getexif()[ExifTags.Base.Orientation] = 1
    note = "an animation: one frame of it" if header.is_animated else None
    return OpenedImage(image, note)


def _codestream(path: Path) -> bytes | None:
    """Read how the image itself begins, which may lie in boxes."""
    with path.open("rb") as stream:
        head = stream.read(12)
        if head.startswith(_CODESTREAM):
            stream.seek(0)
            return stream.read(_HEADER_BYTES)
        if head != _CONTAINER:
            return None
        for _ in range(_MOST_BOXES):
            at, box = stream.tell(), stream.read(8)
            size, kind = int.from_bytes(box[:4], "big"), box[4:]
            if size == 1:
                size = int.from_bytes(stream.read(8), "big")
            if kind in (b"jxlc", b"jxlp"):
                if kind == b"jxlp":
                    stream.read(4)  # the part's number
                found = stream.read(_HEADER_BYTES)
                return found if found.startswith(_CODESTREAM) else None
            if size < 8:
                return None
            stream.seek(at + size)
    return None


class _Bits:
    """Takes numbers from bytes, the lowest bits first."""

    def __init__(self, codestream: bytes) -> None:
        self._left = int.from_bytes(codestream[2:], "little")

    def take(self, count: int) -> int:
        found = self._left & ((1 << count) - 1)
        self._left >>= count
        return found


def _size(bits: _Bits) -> tuple[int, int]:
    is_small = bits.take(1)

    def side() -> int:
        if is_small:
            return 8 * (bits.take(5) + 1)
        return bits.take((9, 13, 18, 30)[bits.take(2)]) + 1

    height = side()
    ratio = bits.take(3)
    across, down = _RATIOS[ratio]
    return (side() if ratio == 0 else height * across // down), height
