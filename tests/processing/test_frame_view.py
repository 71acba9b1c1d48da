"""Masks at the size of a picture, and frames that are drawn once."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from src.config import LibraryPaths
from src.errors import DamagedMaskError
from src.library import MediaLibrary
from src.models.mask_rle import decode_rle, encode_rle
from src.processing import frame_view
from src.processing.frame_view import mask_at
from src.settings import Settings
from tests.conftest import add_frame_of_qualities

SIZES = [
    ((4000, 3000), (1024, 768)),
    ((3000, 4000), (768, 1024)),
    ((4032, 2268), (1024, 576)),
    ((1999, 1501), (1024, 769)),  # no pixels of the two begin together
    ((320, 240), (320, 240)),
    ((7, 5000), (1, 1024)),
]
SHAPES = ["an ellipse", "a corner", "a dot", "noise", "all", "nothing"]


def drawn(shape: str, size_wh: tuple[int, int]) -> np.ndarray:
    width, height = size_wh
    mask = np.zeros((height, width), np.uint8)
    if shape == "an ellipse":
        axes = width // 7 + 1, height // 5 + 1
        cv2.ellipse(mask, (width // 3, height // 2), axes, 30, 0, 360, 1, -1)
    elif shape == "a corner":
        mask[-height // 9 :, -width // 9 :] = 1
    elif shape == "a dot":
        mask[height // 2, width // 2] = 1
    elif shape == "noise":
        part = mask[: height // 2, : width // 2]  # of all of it, coding alone takes seconds
        part[:] = np.random.default_rng(1).random(part.shape) > 0.5
    elif shape == "all":
        mask[:] = 1
    return mask


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("frame_wh", "size_wh"), SIZES)
def test_a_mask_is_what_the_whole_one_is_when_it_is_shrunk(
    frame_wh: tuple[int, int], size_wh: tuple[int, int], shape: str
) -> None:
    rle = encode_rle(drawn(shape, frame_wh))["counts"]
    whole = decode_rle(rle, frame_wh).view(np.uint8) * np.uint8(255)
    shrunk = cv2.resize(whole, size_wh, interpolation=cv2.INTER_AREA) > 127
    found = mask_at(rle, frame_wh, size_wh)
    assert found.shape == shrunk.shape and found.dtype == bool
    assert (found != shrunk).mean() < 0.001  # where just half of a pixel is covered


def test_a_damaged_mask_is_refused() -> None:
    rle = encode_rle(drawn("a corner", (40, 30)))["counts"]
    with pytest.raises(DamagedMaskError):
        mask_at(rle, (41, 30), (20, 15))


@pytest.fixture
def library(paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch) -> MediaLibrary:
    """A frame with two segments, its crop in its place."""
    library = MediaLibrary(paths, settings=Settings())
    add_frame_of_qualities(library.metadata, [None, 0.8, 0.9])
    for crop in library.metadata.crop_paths():
        path = paths.root / crop
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((100, 100, 3), np.uint8))
    return library


def test_a_frame_is_drawn_once_whatever_is_tagged(
    library: MediaLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    load_image = frame_view.load_image

    def loading(path: Path, limit: int) -> object:
        read.append(path)
        return load_image(path, limit)

    monkeypatch.setattr(frame_view, "load_image", loading)
    segment_id = library.metadata.segment_ids()[1]
    first = library.browse.frame_view(segment_id)
    library.add_tag(segment_id, "mine")
    second = library.browse.frame_view(segment_id)
    assert [tag.name for tag in second.tags[segment_id]] == ["mine"]
    assert second.masks is first.masks and len(read) == 1
    crop = first.segments[0].crop_path
    cv2.imwrite(str(crop), np.full((50, 50, 3), 200, np.uint8))  # verify has made it again
    os.utime(crop, (1e9, 1e9))
    third = library.browse.frame_view(segment_id)
    assert third.image_rgb.shape == (50, 50, 3) and third.masks.shape[1:] == (50, 50)
    library.close()
