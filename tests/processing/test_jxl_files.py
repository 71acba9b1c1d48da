from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.errors import MediaReadError
from src.processing.image_loader import load_image, media_kind
from src.processing.jxl_files import JxlHeader, jxl_header
from tests.processing.raw_media import BLUE, RED, halves

pytest.importorskip("pillow_jxl")
LIMIT = 250_000_000


def jxl(size_wh: tuple[int, int], **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(halves(size_wh)).save(stream, "JXL", lossless=True, **options)
    return stream.getvalue()


@pytest.mark.parametrize("size_wh", [(64, 64), (60, 40), (4, 3), (1200, 9), (7, 301), (64, 36)])
def test_the_size_is_known_before_it_is_decoded(tmp_path: Path, size_wh: tuple[int, int]) -> None:
    path = tmp_path / "a.jxl"
    path.write_bytes(jxl(size_wh))
    assert jxl_header(path) == JxlHeader(size_wh, is_animated=False)
    assert load_image(path, LIMIT).frame.size_wh == size_wh


def test_jpeg_xl_is_read(tmp_path: Path) -> None:
    path = tmp_path / "photo.bin"
    exif = Image.Exif()
    exif[0x0132] = "2020:01:02 03:04:05"
    path.write_bytes(jxl((64, 40), exif=exif.tobytes()))  # in boxes
    assert media_kind(path) == "image"
    loaded = load_image(path, LIMIT)
    np.testing.assert_array_equal(loaded.frame.image_rgb, halves((64, 40)))
    assert (loaded.captured_at, loaded.note) == ("2020-01-02T03:04:05", None)


def test_its_exif_does_not_turn_it(tmp_path: Path) -> None:
    """The standard has the image itself say how it lies, and libjxl turns it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.jxl"
    path.write_bytes(jxl((64, 40), exif=exif.tobytes()))
    assert load_image(path, LIMIT).frame.size_wh == (64, 40)


def test_a_jpeg_packed_as_jpeg_xl_lies_as_the_jpeg_did(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(halves((64, 40))).save(tmp_path / "a.jpg", quality=95, exif=exif)
    Image.open(tmp_path / "a.jpg").save(tmp_path / "a.jxl", lossless_jpeg=True)
    picture = load_image(tmp_path / "a.jxl", LIMIT).frame.image_rgb
    assert picture.shape == (64, 40, 3)
    np.testing.assert_allclose(picture[10, 20], RED, atol=20)
    np.testing.assert_allclose(picture[54, 20], BLUE, atol=20)


def test_one_of_too_many_pixels_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.jxl"
    path.write_bytes(jxl((64, 40))[:40])  # there is nothing to decode
    with pytest.raises(MediaReadError, match="2,560 pixels are more than the limit of 1,000"):
        load_image(path, 1000)


def test_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.jxl"
    path.write_bytes(jxl((64, 40))[:30])
    assert media_kind(path) == "image"
    with pytest.raises(MediaReadError, match="damaged or incomplete file"):
        load_image(path, LIMIT)


def test_an_animation_says_so(tmp_path: Path) -> None:
    # 64 x 64 in steps of eight, more fields, how it lies as usual, no other size, no preview
    flags = 0b1 | 7 << 1 | 1 << 6 | 0 << 9 | 1 << 10 | 0 << 11 | 0 << 14 | 0 << 15 | 1 << 16
    path = tmp_path / "moving.jxl"
    path.write_bytes(b"\xff\x0a" + flags.to_bytes(8, "little"))
    assert jxl_header(path) == JxlHeader((64, 64), is_animated=True)
