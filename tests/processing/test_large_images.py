"""A large image is handled a strip at a time: what comes out is the same, and memory is held.

The peak of the whole program: python -m tests.benchmarks.peak_memory
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from src.models import mask_shape
from src.models.mask_shape import full_size
from src.processing import crop, image_decoding
from src.processing.crop import CropCutter
from src.processing.image_decoding import decode
from src.processing.image_loader import load_image
from src.processing.orientation import TURNS


def decoded(path: Path, rows_at_once: int, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Decode an image of 40 x 30 pixels so many rows at a time."""
    monkeypatch.setattr(image_decoding, "STRIP_PIXELS", 40 * rows_at_once)
    found = decode(path, 10**6, None, lambda _: None)
    strips = list(found.strips)
    assert len(strips) >= (2 if rows_at_once < 30 else 1)
    pixels = np.concatenate(strips)
    assert pixels.shape[1::-1] == found.size_wh
    return pixels


def picture(mode: str) -> Image.Image:
    noise = np.random.default_rng(2).integers(0, 255, (30, 40, 3), np.uint8)
    image = Image.fromarray(noise)
    if mode == "I;16":
        return Image.fromarray(noise[..., 0].astype(np.uint16) * 257)
    if mode == "F":
        grey = noise[..., 0].astype(np.float32)
        grey[3, 3] = np.nan
        return Image.fromarray(grey)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(noise[..., 1]))
        return image
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "1", "I;16", "F", "CMYK", "profile"])
def test_strips_make_up_the_whole(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "picture.tif"
    if mode == "profile":
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB", 5000)).tobytes()
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        picture("RGB").save(path, icc_profile=srgb)
        picture("RGB").save(tmp_path / "broken.tif", icc_profile=profile)
        whole = decoded(tmp_path / "broken.tif", 30, monkeypatch)
        np.testing.assert_array_equal(decoded(tmp_path / "broken.tif", 7, monkeypatch), whole)
    else:
        picture(mode).save(path)
    whole = decoded(path, 30, monkeypatch)
    np.testing.assert_array_equal(decoded(path, 7, monkeypatch), whole)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_strips_of_a_turned_image_are_upright(
    tmp_path: Path, orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = picture("RGB")
    image.save(tmp_path / "turned.png", exif=exif)
    turn = TURNS.get(orientation)
    upright = np.asarray(image if turn is None else image.transpose(turn))
    np.testing.assert_array_equal(decoded(tmp_path / "turned.png", 7, monkeypatch), upright)
    np.testing.assert_array_equal(
        load_image(tmp_path / "turned.png", 10**6).frame.image_rgb, upright
    )


def scene(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Smooth noise, and a disc in it as a mask."""
    cells = np.random.default_rng(1).integers(0, 255, (9, 9, 3), np.uint8)
    image = np.asarray(Image.fromarray(cells).resize((side, side), Image.Resampling.BICUBIC))
    y, x = np.ogrid[:side, :side]
    return image, (x - side // 2) ** 2 + (y - side // 3) ** 2 < (side // 4) ** 2


@pytest.mark.parametrize(("side", "most_off"), [(600, 0), (2900, 4)])
def test_a_crop_cut_in_strips_is_that_cut_at_once(
    side: int, most_off: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, mask = scene(side)
    box = (side // 4, side // 12, side // 2 + 1, side // 2 + 1)
    monkeypatch.setattr(crop, "CROP_SIDE", 400)
    at_once = CropCutter(image, 21).cut(mask, box)
    monkeypatch.setattr(crop, "AT_ONCE_PIXELS", 0)
    monkeypatch.setattr(crop, "STRIP_PIXELS", 70_000)
    in_strips = CropCutter(image, 21).cut(mask, box)
    assert in_strips.shape == at_once.shape
    off = np.abs(in_strips.astype(int) - at_once.astype(int))
    assert off.mean() <= most_off / 8 and np.percentile(off, 99) <= most_off
    if side <= 600:  # nothing is shrunk on the way
        np.testing.assert_array_equal(in_strips, at_once)


def test_a_mask_enlarged_in_strips_is_that_enlarged_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rough = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
    at_once = full_size(rough, (700, 500), (16, 11.4))
    monkeypatch.setattr(mask_shape, "AT_ONCE_PIXELS", 9_000)
    in_strips = full_size(rough, (700, 500), (16, 11.4))
    assert np.count_nonzero(in_strips != at_once) <= 2 and 0 < at_once.mean() < 1
