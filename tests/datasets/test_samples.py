"""Images of a dataset to look at, before it is written and read back from it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.database.metadata_db import MetadataDatabase
from src.dataset_images import DatasetImages
from src.datasets.formats.coco import Coco
from src.datasets.formats.tag_folders import TagFolders
from src.datasets.plan import DatasetPlan
from src.datasets.samples import COLOURS, samples_of_dataset, samples_of_plan
from src.export_records import ExportSample
from src.records import Tag
from src.search.recipe import Recipe
from src.settings import Settings
from tests.datasets.drawn_library import WH, a_mask, add_photo
from tests.datasets.exporting import export_dataset

BOX = (8, 8, 30, 24)
COCO = Recipe(format="coco", options={})


@pytest.fixture
def photos(metadata: MetadataDatabase, tmp_path: Path) -> list[Path]:
    """Six photos with a red segment each; the last has a rare one as well."""
    paths = [tmp_path / "photos" / f"{number}.png" for number in range(6)]
    for number, path in enumerate(paths):
        ids = add_photo(metadata, path, [a_mask(BOX, hole=True), a_mask((45, 4, 12, 12))], number)
        metadata.add_tags(ids[1], [Tag("red", 1.0, "human")], "human")
        if path is paths[-1]:
            metadata.add_tags(ids[2], [Tag("rare", 1.0, "human")], "human")
    return paths


def read(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def of_plan(metadata: MetadataDatabase, recipe: Recipe, number: int) -> list[ExportSample]:
    written_as = Coco() if recipe.format == "coco" else TagFolders()
    images = DatasetImages(metadata, Settings())
    samples: Iterator[ExportSample] = samples_of_plan(
        DatasetPlan(metadata, recipe, written_as), images, read, number
    )
    found = list(samples)
    images.close()
    return found


def test_they_show_every_class_and_are_the_same_again(
    metadata: MetadataDatabase, photos: list[Path]
) -> None:
    samples = of_plan(metadata, COCO, 2)
    assert {each.name for sample in samples for each in sample.labels} == {"red", "rare"}
    assert [each.media for each in samples] == [each.media for each in of_plan(metadata, COCO, 2)]
    every = of_plan(metadata, COCO, 50)
    assert sorted(each.media for each in every) == [path.name for path in photos]


def test_masks_are_drawn_with_their_holes_and_nothing_else_is_changed(
    metadata: MetadataDatabase, photos: list[Path]
) -> None:
    (sample,) = (each for each in of_plan(metadata, COCO, 50) if each.media == "0.png")
    before, (label,) = read(photos[0].read_bytes()), sample.labels
    assert (label.name, label.bbox_xywh) == ("red", BOX) and label.colour in COLOURS
    assert sample.size_wh == WH
    changed = (sample.image_rgb != before).any(axis=2)
    mask = a_mask(BOX, hole=True)
    assert not changed[~mask].any()
    assert changed[mask].mean() > 0.95


def test_crops_are_shown_one_by_one(metadata: MetadataDatabase, photos: list[Path]) -> None:
    samples = of_plan(metadata, Recipe(images="crops"), 50)
    assert len(samples) == 7
    assert {len(each.labels) for each in samples} == {1}


def test_a_photo_that_is_gone_is_passed_over(
    metadata: MetadataDatabase, photos: list[Path]
) -> None:
    photos[0].unlink()
    samples = of_plan(metadata, COCO, 5)
    assert len(samples) == 5 and "0.png" not in {each.media for each in samples}


def test_they_are_read_from_what_was_written(
    metadata: MetadataDatabase, photos: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "dataset"
    list(export_dataset(metadata, folder, COCO))
    samples = list(samples_of_dataset(folder, Coco(), read, 2))
    assert {each.name for sample in samples for each in sample.labels} == {"red", "rare"}
    before = of_plan(metadata, COCO, 50)
    for sample in samples_of_dataset(folder, Coco(), read, 50):
        (same,) = (each for each in before if Path(each.media).stem == Path(sample.media).stem)
        drawn = [(each.name, each.bbox_xywh) for each in sample.labels]
        assert drawn == [(each.name, each.bbox_xywh) for each in same.labels]
