"""Written, read as an import does, and written again: the same, within what a format holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from src.datasets.annotations import AnnotatedImage, PlannedImage
from src.datasets.formats.coco import Coco, CocoImport
from src.datasets.formats.cvat import Cvat, CvatImport
from src.datasets.formats.labelme import Labelme, LabelmeImport
from src.datasets.formats.voc import Voc
from src.datasets.formats.voc_reading import VocImport
from src.datasets.formats.yolo import YoloDetection, YoloSegmentation
from src.datasets.formats.yolo_reading import YoloImport
from src.datasets.registry import importer_for
from src.models.mask_rle import decode_rle
from tests.datasets.formats.drawn_masks import SIZE, iou
from tests.datasets.formats.planned import (
    HandPlan,
    all_masks,
    image_of,
    imported,
    write,
    written_files,
)

EXACT: list[tuple[Any, Any, dict[str, object]]] = [
    (Coco(), CocoImport(), {}),
    (YoloDetection(), YoloImport(), {}),
    (Voc(), VocImport(), {}),
    (Labelme(), LabelmeImport(), {}),
    (Cvat(), CvatImport(), {}),
]
NEAR: list[tuple[Any, Any, dict[str, object]]] = [
    (Coco(), CocoImport(), {"masks": "polygons"}),
    (YoloSegmentation(), YoloImport(), {}),
    (Labelme(), LabelmeImport(), {"masks": "polygons"}),
    (Cvat(), CvatImport(), {"masks": "polygons"}),
]


def again(images: list[AnnotatedImage], plan: HandPlan) -> HandPlan:
    """Plan what was read, in the order in which it was planned at first."""
    read = {image.image.stem: image for image in images}
    return replace(plan, images=tuple(_planned(read[each.stem]) for each in plan.images))


def _planned(image: AnnotatedImage) -> PlannedImage:
    return image_of(image.image.stem, *image.annotations, split=image.split)


def name(case: tuple[Any, Any, dict[str, object]]) -> str:
    return " ".join([case[0].key, *map(str, case[2].values())])


@pytest.mark.parametrize("case", EXACT, ids=name)
@pytest.mark.parametrize("splits", [(), ("train", "val", "test")], ids=["unsplit", "split"])
def test_the_same_bytes(tmp_path: Path, case: Any, splits: Any) -> None:
    export_format, importer, options = case
    plan = all_masks(splits)
    if not export_format.holds.several_labels:
        images = tuple(image for image in plan.images if image.stem != "several")
        plan = replace(plan, images=images)
    write(export_format, plan, tmp_path / "d", **options)
    assert type(importer_for(tmp_path / "d")) is type(importer)
    read, skipped = imported(importer, tmp_path / "d")
    assert not skipped
    write(export_format, again(read, plan), tmp_path / "e", **options)
    files = written_files(tmp_path / "d")
    assert files == written_files(tmp_path / "e")
    for file in files:
        assert (tmp_path / "d" / file).read_bytes() == (tmp_path / "e" / file).read_bytes(), file


@pytest.mark.parametrize("case", NEAR, ids=name)
def test_masks_stay_near(tmp_path: Path, case: Any) -> None:
    export_format, importer, options = case
    plan = all_masks(())
    write(export_format, plan, tmp_path / "d", **options)
    images, skipped = imported(importer, tmp_path / "d")
    assert not skipped
    for mine, its in zip(plan.images, again(images, plan).images, strict=True):
        for wanted, found in zip(mine.annotations, its.annotations, strict=True):
            assert wanted.label == found.label
            if wanted.mask_rle is not None:
                assert found.mask_rle is not None
                masks = [decode_rle(each, SIZE) for each in (wanted.mask_rle, found.mask_rle)]
                assert iou(*masks) >= 0.98
    write(export_format, again(images, plan), tmp_path / "e", **options)
    assert written_files(tmp_path / "d") == written_files(tmp_path / "e")
