"""What is said of images that are sound, and of which not everything is shown."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.errors import MediaReadError
from src.processing.image_loader import load_image
from src.processing.image_notes import page_indexes

LIMIT = 250_000_000
WHOLE = "the file breaks off after its last pixel: the picture is complete"


def frames(count: int, size_wh: tuple[int, int] = (32, 24)) -> list[Image.Image]:
    shades = [(250 - 40 * number, 10, 40 * number) for number in range(count)]
    return [Image.new("RGB", size_wh, shade) for shade in shades]


def saved(path: Path, images: list[Image.Image], **options: object) -> Path:
    images[0].save(path, save_all=True, append_images=images[1:], **options)
    return path


def note(path: Path) -> str | None:
    return load_image(path, LIMIT).note


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "avif"])
def test_of_an_animation_the_first_frame_is_read_and_the_others_are_counted(
    tmp_path: Path, suffix: str
) -> None:
    path = saved(tmp_path / f"moving.{suffix}", frames(5), duration=100)
    loaded = load_image(path, LIMIT)
    assert loaded.note == "an animation: the first of 5 frames"
    np.testing.assert_allclose(loaded.frame.image_rgb[12, 16], (250, 10, 0), atol=16)
    assert note(saved(tmp_path / f"still.{suffix}", frames(1))) is None


def test_several_pictures_in_one_heif_are_counted(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif")
    path = saved(tmp_path / "burst.heic", frames(3, (64, 64)))
    assert note(path) == "one of 3 pictures in the file"


def test_of_a_tiff_the_pages_are_counted_and_previews_are_not(tmp_path: Path) -> None:
    pages = frames(3, (64, 48))
    assert note(saved(tmp_path / "pages.tif", pages)) == "the first of 3 pages"
    assert note(saved(tmp_path / "one.tif", pages[:1])) is None
    assert note(saved(tmp_path / "big.tif", pages, big_tiff=True)) == "the first of 3 pages"
    small = Image.new("RGB", (32, 24))
    assert len(page_indexes(saved(tmp_path / "unmarked.tif", [small, pages[0]]))) == 1
    marked = Image.new("RGB", (60, 20))
    marked.encoderinfo = {"tiffinfo": {254: 1}}  # type: ignore[attr-defined]
    assert len(page_indexes(saved(tmp_path / "marked.tif", [pages[0], marked]))) == 1
    other = Image.new("RGB", (20, 60))
    assert len(page_indexes(saved(tmp_path / "scans.tif", [pages[0], other]))) == 2


def noise(size_wh: tuple[int, int]) -> Image.Image:
    width, height = size_wh
    rough = np.random.default_rng(1).integers(0, 255, (height // 4, width // 4, 3), np.uint8)
    return Image.fromarray(rough).resize(size_wh)


def jpeg(**options: object) -> bytes:
    stream = io.BytesIO()
    noise((200, 120)).save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


KINDS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_rows": 1},
    "full colour": {"subsampling": 0},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("behind", [b"", b"\xff", b"\0" * 700])
def test_a_jpeg_that_breaks_off_behind_its_last_pixel_is_read(
    tmp_path: Path, kind: str, behind: bytes
) -> None:
    whole, path = jpeg(**KINDS[kind]), tmp_path / "cut.jpg"
    path.write_bytes(whole[:-2] + behind)
    loaded = load_image(path, LIMIT)
    assert loaded.note == WHOLE
    expected = np.asarray(Image.open(io.BytesIO(whole)).convert("RGB"))
    np.testing.assert_array_equal(loaded.frame.image_rgb, expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [4, 10, 200, 2000])
@pytest.mark.parametrize("padding", [0, 4096])
def test_a_jpeg_that_breaks_off_before_is_refused(
    tmp_path: Path, kind: str, missing: int, padding: int
) -> None:
    path = tmp_path / "cut.jpg"
    path.write_bytes(jpeg(**KINDS[kind])[:-missing] + bytes(padding))
    with pytest.raises(MediaReadError, match="damaged or incomplete file"):
        load_image(path, LIMIT)


def test_a_progressive_jpeg_without_its_last_scans_is_refused(tmp_path: Path) -> None:
    whole, path = jpeg(progressive=True), tmp_path / "cut.jpg"
    path.write_bytes(whole[: whole.rindex(b"\xff\xda")])  # sharp cut, nothing half
    with pytest.raises(MediaReadError, match="damaged or incomplete file"):
        load_image(path, LIMIT)


def test_a_jpeg_with_its_end_has_no_note(tmp_path: Path) -> None:
    path = tmp_path / "whole.jpg"
    path.write_bytes(jpeg())
    assert note(path) is None


def test_a_cut_jpeg_is_read_smaller_for_a_thumbnail(tmp_path: Path) -> None:
    stream, path = io.BytesIO(), tmp_path / "cut.jpg"
    noise((1200, 800)).save(stream, "JPEG", quality=90)
    path.write_bytes(stream.getvalue()[:-2])
    assert load_image(path, LIMIT, draft_side=300).frame.size_wh == (600, 400)
