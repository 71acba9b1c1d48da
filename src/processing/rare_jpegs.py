"""JPEGs of kinds that Pillow does not read: more than eight bits, lossless, JPEG-LS.

imagecodecs decodes them (by libjpeg-turbo, liblj92 and CharLS), and they are shown from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from src.processing.jpeg_structure import (
    JPEG_LS,
    LARGEST_BYTES,
    SCAN,
    JpegFrame,
    jpeg_frame,
    markers,
)
from src.processing.opened_image import check_pixels
from src.processing.samples import Samples

_BEFORE_FRAME_BYTES = 16 << 20
_MODES = {1: "L", 3: "RGB"}
_APP1 = 0xE1


@dataclass(frozen=True)
class RareJpeg:
    """A JPEG that has been decoded.

    Attributes:
        about: an image of one pixel with its EXIF, which says how it lies and when it was taken.
    """

    samples: Samples
    about: Image.Image


def is_rare_jpeg(path: Path) -> bool:
    """Return whether a file is a JPEG that Pillow does not read, and that is read here."""
    with path.open("rb") as stream:
        return _frame(stream.read(_BEFORE_FRAME_BYTES)) is not None


def read_rare_jpeg(path: Path, pixel_limit: int, on_size: Callable[[int], None]) -> RareJpeg | None:
    """Decode such a file; None for one of another kind.

    Raises:
        MediaReadError: it is too large; anything else: it is damaged.
    """
    with path.open("rb") as stream:
        content = stream.read(LARGEST_BYTES)
    frame = _frame(content)
    if frame is None:
        return None
    width, height = frame.size_wh
    check_pixels(path, width * height, pixel_limit)
    on_size(width * height)
    pixels = _decoded(content, frame).reshape(height, width, len(frame.components))
    samples = Samples(
        frame.size_wh,
        lambda box: pixels[box[1] : box[3], box[0] : box[2]],
        _MODES[len(frame.components)],
        black=0,
        white=2.0**frame.bits - 1,
    )
    about = Image.new("L", (1, 1))
    if (exif := _exif(content)) is not None:
        about.info["exif"] = exif
    return RareJpeg(samples, about)


def _frame(content: bytes) -> JpegFrame | None:
    if not content.startswith(b"\xff\xd8\xff"):
        return None
    frame = jpeg_frame(content)
    if frame is None or frame.is_common or len(frame.components) not in _MODES:
        return None
    return frame if frame.is_decoded_by_others else None


def _decoded(content: bytes, frame: JpegFrame) -> np.ndarray:
    import imagecodecs

    decode = imagecodecs.jpegls_decode if frame.process == JPEG_LS else imagecodecs.jpeg8_decode
    pixels: np.ndarray = decode(content)
    return pixels


def _exif(content: bytes) -> bytes | None:
    """Find the EXIF ahead of the first scan."""
    for marker, at in markers(content):
        if marker == SCAN:
            return None
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        segment = content[at + 4 : at + 2 + length]
        if marker == _APP1 and segment.startswith(b"Exif\0\0"):
            return segment
    return None
