"""Pictures of all kinds in datasets: upright, and what is labelled in them is where it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from src.database.metadata_db import MetadataDatabase
from src.datasets.atomic_output import DatasetFolder
from src.datasets.registry import export_format, export_formats
from src.library_files import SafeFolder
from src.models.mask_rle import decode_rle
from src.records import Tag
from src.search.recipe import Recipe
from tests.datasets.drawn_library import add_file, add_frame
from tests.datasets.exporting import export_dataset

WH, TALL_WH = (160, 120), (48, 1200)
FORMATS = [
    each.key
    for each in export_formats()
    if each.holds.boxes and "frames" in each.forms and not each.holds.sequences
]
# What Pillow's transposition undoes each EXIF orientation.
TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def a_hook(size_wh: tuple[int, int] = WH) -> np.ndarray:
    """A shape that is another one turned or mirrored, with a hole: (H, W) bool."""
    width, height = size_wh
    mask = np.zeros((height, width), bool)
    mask[height // 8 : height // 2, width // 6 : width // 3] = True
    mask[height // 3 : height // 2, width // 6 : width * 3 // 4] = True
    mask[height * 3 // 8 : height * 7 // 16, width * 3 // 8 : width * 5 // 8] = False
    return mask


def picture_of(mask: np.ndarray) -> np.ndarray:
    """Red on grey: (H, W, 3) uint8 RGB."""
    return np.where(mask[..., None], (220, 40, 40), (100, 100, 100)).astype(np.uint8)


def seen_in(image: Image.Image) -> np.ndarray:
    """Find the shape in a picture, in colours or in shades of grey: (H, W) bool."""
    red, green, _ = np.moveaxis(np.asarray(image.convert("RGB")).astype(int), 2, 0)
    is_coloured = np.abs(red - green).max() > 60
    found: np.ndarray = red - green > 80 if is_coloured else red > 160
    return found


def heic(path: Path, image: Image.Image) -> None:
    pytest.importorskip("pillow_heif")
    image.save(path, quality=90)


def animated(path: Path, image: Image.Image) -> None:
    others = [Image.new("RGB", image.size, colour) for colour in ("blue", "green")]
    image.save(path, save_all=True, append_images=others, duration=100)


def exif(number: int) -> Callable[[Path, Image.Image], None]:
    def save(path: Path, image: Image.Image) -> None:
        said = Image.Exif()
        said[0x0112] = number
        image.transpose(TURNED[number]).save(path, exif=said, quality=95)

    return save


def deep(path: Path, image: Image.Image) -> None:
    pixels = np.asarray(image)[..., ::-1].astype(np.uint16) * 257
    assert cv2.imwrite(str(path), pixels)


def deep_grey(path: Path, image: Image.Image) -> None:
    pixels = np.where(seen_in(image), 60_000, 20_000).astype(np.uint16)
    assert cv2.imwrite(str(path), pixels)


def cmyk(path: Path, image: Image.Image) -> None:
    image.convert("CMYK").save(path, quality=95)


def palette(path: Path, image: Image.Image) -> None:
    image.quantize(8).save(path)


KINDS: dict[str, Callable[[Path, Image.Image], None]] = {
    "plain.jpg": lambda path, image: image.save(path, quality=95),
    "photo.heic": heic,
    "animated.gif": animated,
    "animated.webp": animated,
    "animated.png": animated,
    "deep.png": deep,
    "deep.tif": deep,
    "deep grey.png": deep_grey,
    "cmyk.jpg": cmyk,
    "palette.png": palette,
    "tall.png": lambda path, image: image.save(path),
    "tall turned.jpg": exif(6),
    **{f"turned {number}.jpg": exif(number) for number in TURNED},
}


@pytest.fixture
def pictures(metadata: MetadataDatabase, tmp_path: Path) -> MetadataDatabase:
    """A file of each kind, the shape in it labelled; names say which are tall."""
    folder = tmp_path / "media"
    folder.mkdir()
    for name, save in KINDS.items():
        mask = a_hook(TALL_WH if name.startswith("tall") else WH)
        save(folder / name, Image.fromarray(picture_of(mask)))
        size_wh = mask.shape[1], mask.shape[0]
        media_id = add_file(metadata, folder / name, "image", size_wh)
        ids = add_frame(metadata, media_id, name, [mask], size_wh=size_wh)
        metadata.add_tags(ids[1], [Tag("hook", 1.0, "human")], "human")
    return metadata


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("key", FORMATS)
def test_labels_lie_where_they_are_seen(
    pictures: MetadataDatabase, tmp_path: Path, key: str
) -> None:
    list(export_dataset(pictures, tmp_path / key, Recipe(format=key)))
    chosen, found = export_format(key), set[str]()
    for image in chosen.read_back(DatasetFolder(SafeFolder(tmp_path / key))):
        with Image.open(tmp_path / key / image.image) as written:
            assert written.getexif().get(0x0112, 1) == 1
            seen = seen_in(written)
        assert seen.shape[::-1] == (TALL_WH if "tall" in image.image.name else WH)
        found.add(image.image.stem)
        (annotation,) = image.annotations
        assert annotation.bbox_xywh is not None
        x, y, w, h = cv2.boundingRect(seen.astype(np.uint8))
        assert np.allclose(annotation.bbox_xywh, (x, y, w, h), atol=2), image.image
        if chosen.holds.masks != "no":
            assert annotation.mask_rle is not None
            mask = decode_rle(annotation.mask_rle, (seen.shape[1], seen.shape[0]))
            assert iou(mask, seen) >= 0.93, image.image
    assert len(found) == len(KINDS)


def test_segments_are_cut_out_where_they_are_seen(
    pictures: MetadataDatabase, tmp_path: Path
) -> None:
    folder = tmp_path / "cut out"
    list(export_dataset(pictures, folder, Recipe(format="coco", images="cutouts")))
    files = list(folder.rglob("*.png"))
    assert len(files) == len(KINDS)
    for path in files:
        with Image.open(path) as cut:
            alpha = np.asarray(cut)[..., 3] > 0
            on_grey = Image.new("RGBA", cut.size, (100, 100, 100, 255))
            assert iou(alpha, seen_in(Image.alpha_composite(on_grey, cut))) >= 0.93, path
