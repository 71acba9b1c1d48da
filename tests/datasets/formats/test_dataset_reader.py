"""Images are measured by their heads."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from src.datasets.formats.dataset_reader import image_size


def head_of_png(width: int, height: int) -> bytes:
    """A PNG with no pixels in it."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n\0\0\0\r"
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + b"\0\0\0\0IDAT\x35\xaf\x06\x1e"
    )


def test_no_pixel_is_decoded_to_measure_an_image() -> None:
    assert image_size(io.BytesIO(head_of_png(31_000, 32_000))) == (31_000, 32_000)
    with pytest.raises(ValueError, match="is too large"):
        image_size(io.BytesIO(head_of_png(2**31 - 1, 2**31 - 1)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_an_image_is_measured_upright(kind: str) -> None:
    made, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (7, 3)).save(made, kind, exif=exif)
    made.seek(0)
    assert image_size(made) == (3, 7)
