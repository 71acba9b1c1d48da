"""The images of a dataset beside the media that they are made of."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from src.database.metadata_db import MetadataDatabase
from src.dataset_images import CHANGED, DatasetImages
from src.datasets.annotations import PlannedImage
from src.datasets.formats.tag_folders import TagFolders
from src.datasets.plan import DatasetPlan
from src.datasets.protocols import Holds
from src.errors import MediaReadError
from src.records import ImageForm, Tag
from src.search.recipe import Recipe
from src.settings import Settings
from tests.conftest import MakeVideo
from tests.datasets.drawn_library import WH, a_mask, a_picture, add_file, add_frame, add_photo


class AnyImages(TagFolders):
    """A format that has room for everything."""

    forms = ("frames", "crops", "blurred", "cutouts")
    holds = Holds(masks="exact", image_labels=True)
    is_for_training = True


@pytest.fixture
def images(metadata: MetadataDatabase) -> Iterator[DatasetImages]:
    made = DatasetImages(metadata, Settings())
    yield made
    made.close()


def planned(metadata: MetadataDatabase, form: ImageForm) -> list[PlannedImage]:
    return list(DatasetPlan(metadata, Recipe(images=form), AnyImages()))


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_a_plain_picture_is_given_as_it_is(
    metadata: MetadataDatabase, images: DatasetImages, tmp_path: Path
) -> None:
    for number, suffix in enumerate((".png", ".jpg", ".bmp")):
        path = tmp_path / f"photo{suffix}"
        ids = add_photo(metadata, path, [a_mask((8, 8, 20, 20))], number)
        metadata.add_tags(ids[1], [Tag("red", 1.0, "human")], "human")
    made = {}
    for image in planned(metadata, "frames"):
        result = images.render(image, "frames")
        assert result is not None
        made[image.frame.path.suffix] = result
    for suffix in (".png", ".jpg"):
        assert made[suffix] == ((tmp_path / f"photo{suffix}").read_bytes(), suffix)
    content, suffix = made[".bmp"]
    assert suffix == ".jpg" and decoded(content).shape == (WH[1], WH[0], 3)


def test_a_picture_that_lies_on_its_side_is_written_upright(
    metadata: MetadataDatabase, images: DatasetImages, tmp_path: Path
) -> None:
    path = tmp_path / "turned.jpg"
    turned = Image.fromarray(np.rot90(a_picture(3)).copy())  # the camera was held so
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(path, exif=exif, quality=95)
    media_id = add_file(metadata, path, "image")
    ids = add_frame(metadata, media_id, path.name, [a_mask((0, 0, 8, 8))])
    metadata.add_tags(ids[1], [Tag("red", 1.0, "human")], "human")
    (image,) = planned(metadata, "frames")
    result = images.render(image, "frames")
    assert result is not None
    upright = decoded(result[0])
    assert upright.shape == (WH[1], WH[0], 3)
    assert np.abs(upright.astype(int) - a_picture(3)).mean() < 12
    assert Image.open(io.BytesIO(result[0])).getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("form", ["crops", "cutouts"])
def test_a_segment_is_cut_out_where_it_is(
    metadata: MetadataDatabase, images: DatasetImages, tmp_path: Path, form: ImageForm
) -> None:
    mask = a_mask((16, 16, 24, 24), hole=True)
    ids = add_photo(metadata, tmp_path / "photo.png", [mask])
    metadata.add_tags(ids[1], [Tag("red", 1.0, "human")], "human")
    (image,) = planned(metadata, form)
    assert image.cut is not None
    x, y, w, h = image.cut.box_xywh
    assert (w, h) == image.size_wh and x < 16 and y < 16
    result = images.render(image, form)
    assert result is not None
    cut = decoded(result[0])
    expected = a_picture(0)[y : y + h, x : x + w]
    if form == "cutouts":
        alpha = mask[y : y + h, x : x + w]
        assert cut.shape == (h, w, 4) and np.array_equal(cut[..., 3] > 0, alpha)
        assert np.array_equal(cut[..., :3], np.where(alpha[..., None], expected, 0))
    else:
        assert np.abs(cut.astype(int) - expected).mean() < 12
    (annotation,) = image.annotations
    assert annotation.bbox_xywh == (16 - x, 16 - y, 24, 24)


def test_the_kept_crop_is_given_where_the_ground_is_blurred(
    metadata: MetadataDatabase, images: DatasetImages, tmp_path: Path
) -> None:
    ids = add_photo(metadata, tmp_path / "photo.png", [a_mask((16, 16, 24, 24))])
    metadata.add_tags(ids[1], [Tag("red", 1.0, "human")], "human")
    (image,) = planned(metadata, "blurred")
    assert images.render(image, "blurred") == (f"crop of {ids[1]}".encode(), ".jpg")


def test_frames_of_a_video_are_those_that_were_segmented(
    metadata: MetadataDatabase, images: DatasetImages, make_video: MakeVideo
) -> None:
    path = make_video("a.mp4", 3.0, "-r", "10")
    media_id = add_file(metadata, path, "video")
    capture = cv2.VideoCapture(str(path))
    everyone = []
    while (read := capture.read())[0]:
        everyone.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    size_wh = everyone[0].shape[1], everyone[0].shape[0]
    for index in (20, 0, 7):  # 7 is none that is sampled today
        add_whole_frame(metadata, media_id, index, size_wh)
    found = planned(metadata, "frames")
    assert [image.frame.frame_index for image in found] == [0, 7, 20]
    for image in found:
        result = images.render(image, "frames")
        assert result is not None
        frame = decoded(result[0]).astype(int)
        distances = [np.abs(frame - other).mean() for other in everyone]
        assert int(np.argmin(distances)) == image.frame.frame_index
    assert [image.stem for image in found] == ["a 00000.000s", "a 00000.700s", "a 00002.000s"]


def add_whole_frame(
    metadata: MetadataDatabase, media_id: int, index: int, size_wh: tuple[int, int]
) -> None:
    mask = np.zeros((size_wh[1], size_wh[0]), bool)
    mask[:10, :10] = True
    ids = add_frame(metadata, media_id, "v", [mask], index, index / 10, size_wh)
    metadata.add_tags(ids[1], [Tag("red", 1.0, "human")], "human")


def test_a_file_that_is_another_one_now_is_said(
    metadata: MetadataDatabase, images: DatasetImages, tmp_path: Path
) -> None:
    path = tmp_path / "photo.png"
    ids = add_photo(metadata, path, [a_mask((16, 16, 24, 24))])
    metadata.add_tags(ids[1], [Tag("red", 1.0, "human")], "human")
    (image,) = planned(metadata, "frames")
    os.utime(path, (0, 0))  # copied, and still the same
    assert images.render(image, "frames") == (path.read_bytes(), ".png")
    images.close()
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(MediaReadError, match=CHANGED):
        images.render(image, "frames")
    path.unlink()
    images.close()
    with pytest.raises(MediaReadError, match="can't be read"):
        images.render(image, "frames")
