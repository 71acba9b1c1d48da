from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.errors import MediaReadError
from src.processing.image_loader import load_image, media_kind
from tests.processing.raw_media import BLUE, RED, halves

imagecodecs = pytest.importorskip("imagecodecs")
LIMIT = 250_000_000


def at_bits(bits: int) -> np.ndarray:
    """The halves in more bits."""
    return np.round(halves((64, 48)) / 255.0 * (2**bits - 1)).astype(np.uint16)


FILES = {
    "12 bits": lambda: imagecodecs.jpeg8_encode(at_bits(12), bitspersample=12, level=95),
    "lossless, 8 bits": lambda: imagecodecs.jpeg8_encode(halves((64, 48)), lossless=True),
    "lossless, 16 bits": lambda: imagecodecs.jpeg8_encode(
        at_bits(16), bitspersample=16, lossless=True
    ),
    "JPEG-LS, 8 bits": lambda: imagecodecs.jpegls_encode(halves((64, 48))),
    "JPEG-LS, 16 bits": lambda: imagecodecs.jpegls_encode(at_bits(16)),
}


@pytest.mark.parametrize("kind", FILES)
def test_rare_jpegs_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "scan.jpg"
    path.write_bytes(FILES[kind]())
    assert media_kind(path) == "image"
    picture = load_image(path, LIMIT).frame.image_rgb
    assert picture.shape == (48, 64, 3)
    np.testing.assert_allclose(picture[24, 12], RED, atol=8)
    np.testing.assert_allclose(picture[24, 52], BLUE, atol=8)


def test_they_lie_and_are_dated_as_their_exif_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x0132] = 6, "2020:01:02 03:04:05"
    content, segment = FILES["12 bits"](), exif.tobytes()
    path = tmp_path / "turned.jpg"
    path.write_bytes(
        content[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + content[2:]
    )
    loaded = load_image(path, LIMIT)
    assert loaded.frame.size_wh == (48, 64)
    assert loaded.captured_at == "2020-01-02T03:04:05"


def test_one_of_too_many_pixels_is_refused_and_a_cut_one(tmp_path: Path) -> None:
    content, path = FILES["12 bits"](), tmp_path / "scan.jpg"
    path.write_bytes(content)
    with pytest.raises(MediaReadError, match="3,072 pixels are more than the limit of 1,000"):
        load_image(path, 1000)
    path.write_bytes(content[:200])
    with pytest.raises(MediaReadError, match="damaged or incomplete file"):
        load_image(path, LIMIT)
