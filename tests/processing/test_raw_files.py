from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.errors import MediaReadError
from src.processing import image_decoding, raw_files
from src.processing.image_loader import IMAGE_SUFFIXES, load_image, media_kind
from tests.processing.raw_media import BLUE, HEADS, RED, dng, jpeg, nef, with_head

LIMIT = 250_000_000


@pytest.fixture
def without_rawpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)  # importing it fails


def decoded(path: Path, limit: int = LIMIT) -> tuple[np.ndarray, image_decoding.Decoded]:
    """Decode here, where an import can be hidden, as the decoder's process does."""
    found = image_decoding.decode(path, limit, None, lambda _: None)
    return np.concatenate(list(found.strips)), found


def test_a_raw_file_is_developed_by_rawpy_in_the_decoders_process(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    path = tmp_path / "photo.dng"
    path.write_bytes(dng((128, 96), preview=jpeg((32, 24))))
    assert media_kind(path) == "image"
    loaded = load_image(path, LIMIT)
    picture = loaded.frame.image_rgb
    assert picture.shape == (96, 128, 3)
    assert picture[48, 30, 0] > 2 * picture[48, 30, 2]
    assert picture[48, 98, 2] > 2 * picture[48, 98, 0]
    assert loaded.note is None
    assert loaded.captured_at == "2021-02-03T04:05:06"


def test_what_rawpy_gives_is_upright_once(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    path = tmp_path / "portrait.dng"
    path.write_bytes(dng((128, 96), orientation=6))
    picture = load_image(path, LIMIT).frame.image_rgb
    assert picture.shape == (128, 96, 3)
    assert picture[30, 48, 0] > picture[30, 48, 2]  # what was left is above
    assert picture[98, 48, 2] > picture[98, 48, 0]


def test_a_raw_file_within_the_limit_of_pixels_only(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    path = tmp_path / "large.dng"
    path.write_bytes(dng((128, 96)))
    with pytest.raises(MediaReadError, match="12,288 pixels are more than the limit of 1,000"):
        load_image(path, 1000)


@pytest.mark.usefixtures("without_rawpy")
@pytest.mark.parametrize("kind", ["dng", "nef", *HEADS])
def test_without_rawpy_the_largest_preview_is_taken_and_said(tmp_path: Path, kind: str) -> None:
    small, large = jpeg((32, 24)), jpeg((96, 64))
    path = tmp_path / f"photo.{kind}"
    made = {"dng": lambda: dng(preview=small + large), "nef": lambda: nef(small + large)}
    path.write_bytes(made[kind]() if kind in made else with_head(HEADS[kind], small, large))
    assert f".{kind}" in IMAGE_SUFFIXES
    assert image_decoding.pixels_of_image(path) is not None
    picture, found = decoded(path)
    assert picture.shape == (64, 96, 3)
    np.testing.assert_allclose(picture[32, 20], RED, atol=20)
    np.testing.assert_allclose(picture[32, 76], BLUE, atol=20)
    assert found.note is not None
    assert "preview of 96 × 64 pixels" in found.note
    assert "the package rawpy is missing; run: " in found.note
    assert found.note.endswith(" -m pip install rawpy")


@pytest.mark.usefixtures("without_rawpy")
def test_a_preview_lies_and_is_dated_as_its_raw_file_says(tmp_path: Path) -> None:
    path = tmp_path / "portrait.nef"
    path.write_bytes(nef(jpeg((96, 64)), orientation=6))
    picture, found = decoded(path)
    assert picture.shape == (96, 64, 3)
    np.testing.assert_allclose(picture[20, 32], RED, atol=20)
    assert found.captured_at == "2019-05-06T07:08:09"
    own = Image.Exif()
    own[0x0112] = 8
    path.write_bytes(nef(jpeg((96, 64), exif=own), orientation=6))
    picture, _ = decoded(path)
    np.testing.assert_allclose(picture[76, 32], RED, atol=20)  # its own word counts


@pytest.mark.usefixtures("without_rawpy")
def test_a_broken_preview_gives_way_to_a_smaller_one(tmp_path: Path) -> None:
    large = jpeg((96, 64))
    path = tmp_path / "photo.raf"
    path.write_bytes(with_head(HEADS["raf"], jpeg((32, 24))) + large[: len(large) // 2])
    picture, _ = decoded(path)
    assert picture.shape == (24, 32, 3)


@pytest.mark.usefixtures("without_rawpy")
def test_a_raw_file_with_no_preview_says_what_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    path.write_bytes(dng())
    with pytest.raises(MediaReadError, match="no preview in it, and the package rawpy is missing"):
        decoded(path)


def test_what_rawpy_can_not_read_gives_its_preview(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    path = tmp_path / "new camera.raf"
    path.write_bytes(with_head(HEADS["raf"], jpeg((96, 64))))
    loaded = load_image(path, LIMIT)
    assert loaded.frame.image_rgb.shape == (64, 96, 3)
    assert loaded.note is not None and "rawpy could not read it (" in loaded.note


def test_a_plain_tiff_is_no_raw_file(tmp_path: Path) -> None:
    path = tmp_path / "plain.tif"
    pages = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    assert not raw_files.is_raw(path)
