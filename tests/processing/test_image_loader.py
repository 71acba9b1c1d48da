from __future__ import annotations

import os
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from src.errors import MediaReadError
from src.processing.decoder_process import DECODERS
from src.processing.image_loader import load_image, load_image_content, media_kind, save_jpeg

LIMIT = 250_000_000


def halves(size_wh: tuple[int, int] = (40, 20)) -> Image.Image:
    """A picture that is red on its left half and blue on its right."""
    image = Image.new("RGB", size_wh, (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, size_wh[0] // 2, size_wh[1]))
    return image


def load(path: Path) -> np.ndarray:
    return load_image(path, LIMIT).frame.image_rgb


@pytest.mark.parametrize(
    "suffix", [".jpg", ".png", ".webp", ".bmp", ".tif", ".gif", ".jp2", ".ppm", ".tga", ".ico"]
)
def test_formats_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"halves{suffix}"
    halves((64, 64)).save(path)
    pixels = load(path)
    assert pixels.shape == (64, 64, 3) and pixels.dtype == np.uint8
    assert media_kind(path) == "image"
    np.testing.assert_allclose(pixels[32, 8], (255, 0, 0), atol=12)
    np.testing.assert_allclose(pixels[32, 56], (0, 0, 255), atol=12)


def test_heic_is_read_where_its_package_is(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif")
    path = tmp_path / "halves.heic"
    halves((64, 64)).save(path)
    assert media_kind(path) == "image"
    np.testing.assert_allclose(load(path)[32, 8], (255, 0, 0), atol=20)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    turn_back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = halves()
    if orientation in turn_back:
        stored = stored.transpose(turn_back[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    stored.save(path, exif=exif)
    np.testing.assert_array_equal(load(path), np.asarray(halves()))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "F", "YCbCr"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((8, 8), 65535, np.uint16))
    elif mode == "F":
        image = Image.fromarray(np.linspace(0, 5, 64, dtype=np.float32).reshape(8, 8))
    else:
        image = Image.new("RGB", (8, 8), "white").convert(mode)
    path = tmp_path / "image.tif"
    image.save(path)
    pixels = load(path)
    assert pixels.shape == (8, 8, 3) and pixels.max() >= 250


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    path = tmp_path / "clear.png"
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(path)
    assert load(path).min() == 255


def test_when_a_photo_was_taken_is_read(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    path = tmp_path / "photo.jpg"
    halves().save(path, exif=exif)
    assert load_image(path, LIMIT).captured_at == "2024-05-06T07:08:09"


def test_odd_notes_do_not_cost_the_picture(tmp_path: Path) -> None:
    ascii_text, short = 2, 3
    notes = [  # a width, and a resolution, as text; and that the camera was held upright
        struct.pack("<HHI4s", 0x0100, ascii_text, 3, b"40"),
        struct.pack("<HHIHH", 0x0112, short, 1, 6, 0),
        struct.pack("<HHI4s", 0x011A, ascii_text, 3, b"72"),
    ]
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(notes)) + b"".join(notes) + bytes(4)
    path = tmp_path / "portrait.jpg"
    halves().save(path, exif=exif)
    assert load(path).shape == (40, 20, 3)


def test_a_date_that_is_none_is_not_taken_for_one(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0132] = "Sat Jun 1 2021"
    path = tmp_path / "photo.jpg"
    halves().save(path, exif=exif)
    assert load_image(path, LIMIT).captured_at is None


def test_a_drawing_kept_in_a_pngs_text_does_not_cost_the_picture(tmp_path: Path) -> None:
    text = PngInfo()
    text.add_text("mxfile", "a drawing " * 300_000, zip=True)
    path = tmp_path / "drawing.png"
    halves().save(path, pnginfo=text)
    np.testing.assert_array_equal(load(path), np.asarray(halves()))


def test_a_name_does_not_decide_what_a_file_is(tmp_path: Path) -> None:
    path = tmp_path / "really a png.mp4"
    halves().save(path, format="PNG")
    assert media_kind(path) == "image"
    assert load(path).shape == (20, 40, 3)


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(9999)))


def test_a_bomb_of_pixels_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(30_000, 30_000))
    with pytest.raises(MediaReadError, match="900,000,000 pixels are more than the limit"):
        load(path)


def test_a_cut_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    whole = save_jpeg(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8))
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaReadError, match="damaged or incomplete file"):
        load(path)


def test_what_can_not_be_media_says_why(tmp_path: Path) -> None:
    empty, text, link = tmp_path / "empty.jpg", tmp_path / "text.jpg", tmp_path / "link.jpg"
    empty.touch()
    text.write_text("not an image at all")
    link.symlink_to(tmp_path / "nowhere.jpg")
    for path, reason in (
        (empty, "empty"),
        (text, "a text file"),
        (link, "leads to no file"),
        (tmp_path / "missing.jpg", "no such file"),
        (tmp_path, "not a file"),
    ):
        with pytest.raises(MediaReadError, match=reason):
            media_kind(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.jpg"
    os.mkfifo(path)
    with pytest.raises(MediaReadError, match="not a file"):
        media_kind(path)


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    halves().save(path)
    path.chmod(0)
    root = os.geteuid() == 0  # who may read everything
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(MediaReadError, match="permission to read it"):
            media_kind(path)
    finally:
        if root:
            os.seteuid(0)


def test_pasted_bytes_are_read_as_a_file_is_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    whole = save_jpeg(np.full((30, 40, 3), 90, np.uint8))
    asked = []
    ask = DECODERS.ask
    monkeypatch.setattr(DECODERS, "ask", lambda *what: asked.append(what) or ask(*what))
    assert load_image_content(whole, 10**9).frame.size_wh == (40, 30)
    assert len(asked) == 1  # in a process apart
    for content, reason in (
        (whole[:200], "damaged"),
        (b"%!PS", "a PostScript or EPS"),
        (b"", "empty"),
    ):
        with pytest.raises(MediaReadError, match=f"^pasted image: .*{reason}"):
            load_image_content(content, 10**9)
    with pytest.raises(MediaReadError, match="more than the limit"):
        load_image_content(whole, 100)
    assert not list(tmp_path.iterdir())
