"""What the loaders of other programs read of our datasets; where they are installed.

pip install ultralytics datasets
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src.datasets.annotations import AnnotatedImage, Annotation, PlannedImage
from src.datasets.formats.hugging_face import HuggingFace
from src.datasets.formats.yolo import YoloDetection, YoloSegmentation
from src.datasets.formats.yolo_classification import YoloClassification
from src.datasets.protocols import ExportFormat
from src.models.mask_rle import decode_rle
from src.records import Split
from tests.datasets.formats.drawn_masks import iou
from tests.datasets.formats.planned import (
    HandPlan,
    all_masks,
    crops_of_masks,
    image_of,
    masked,
    read_back,
    write,
)

SPLITS: tuple[Split, ...] = ("train", "val", "test")
LARGER = 8


@pytest.fixture
def ultralytics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module; it keeps its settings in the test's folder, and looks for no font."""
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("YOLO_OFFLINE", "1")
    module = pytest.importorskip("ultralytics")
    from ultralytics.data import utils

    monkeypatch.setattr(utils, "check_font", lambda *_: None)
    return module


def compare_with_ultralytics(
    ultralytics: Any, export_format: ExportFormat, folder: Path, split: str
) -> int:
    """Compare what YOLODataset reads of a split with what we do; returns the annotations."""
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    has_masks = export_format.holds.masks != "no"
    data = check_det_dataset(str(folder / "data.yaml"), autodownload=False)
    dataset = YOLODataset(
        img_path=data[split], data=data, task="segment" if has_masks else "detect", augment=False
    )
    ours = {
        (folder / name).resolve(): image
        for name, image in read_back(export_format, folder).items()
        if image.split == split
    }
    theirs = {Path(each["im_file"]).resolve(): each for each in dataset.labels}
    assert theirs.keys() == ours.keys()
    for path, label in theirs.items():
        image = ours[path]
        assert image.size_wh is not None and label["shape"] == image.size_wh[::-1]
        names = [data["names"][int(each)] for each in label["cls"].ravel()]
        assert names == [each.label for each in image.annotations]
        for at, annotation in enumerate(image.annotations):
            assert annotation.bbox_xywh is not None
            box = label["bboxes"][at].reshape(2, 2) * image.size_wh
            corner = box[0] - box[1] / 2
            assert np.allclose([*corner, *box[1]], annotation.bbox_xywh, atol=1.01)
            if annotation.mask_rle is not None and has_masks:
                check_mask(label["segments"][at], annotation.mask_rle, image)
    return sum(len(image.annotations) for image in ours.values())


def check_mask(segment: np.ndarray, counts: bytes, image: AnnotatedImage) -> None:
    """Compare a ring of corners, from 0 to 1, as ultralytics draws it, with a mask.

    It draws edges a pixel wide on whole pixels: drawn larger these weigh less.
    """
    from ultralytics.data.utils import polygon2mask

    assert image.size_wh is not None
    mask = decode_rle(counts, image.size_wh)
    size_wh = image.size_wh[0] * LARGER, image.size_wh[1] * LARGER
    drawn = polygon2mask(size_wh[::-1], [(segment * size_wh).ravel()])
    edges = np.diff(mask, axis=0).sum() + np.diff(mask, axis=1).sum()
    if mask.sum() >= 500 and edges < mask.sum() / 2:  # else it is all edge: noise, a chessboard
        larger = np.kron(mask, np.ones((LARGER, LARGER), bool))
        assert iou(drawn.astype(bool), larger) >= 0.96


@pytest.mark.parametrize("export_format", [YoloDetection(), YoloSegmentation()])
def test_ultralytics_reads_boxes_and_masks(
    ultralytics: Any, export_format: ExportFormat, tmp_path: Path
) -> None:
    folder = tmp_path / "dataset"
    write(export_format, all_masks(), folder)
    counts = [compare_with_ultralytics(ultralytics, export_format, folder, each) for each in SPLITS]
    assert sum(counts) == all_masks().annotations


def test_ultralytics_reads_classes(ultralytics: Any, tmp_path: Path) -> None:
    from ultralytics.data.utils import check_cls_dataset

    folder = tmp_path / "dataset"
    write(YoloClassification(), crops_of_masks(SPLITS), folder)
    data = check_cls_dataset(str(folder))
    assert data["nc"] == len(crops_of_masks().classes)
    for split in SPLITS:
        images = list(Path(data[split]).rglob("*.jpg"))
        assert {path.parent.name for path in images} <= set(data["names"].values())
        assert len(images) == 4


@pytest.mark.parametrize("splits", [(), SPLITS])
def test_hugging_face_reads_images_and_what_is_in_them(
    tmp_path: Path, splits: tuple[Split, ...]
) -> None:
    datasets = pytest.importorskip("datasets")
    if not hasattr(datasets, "load_dataset"):
        pytest.skip("it is the checkout's folder of that name")
    folder, plan = tmp_path / "dataset", of_all_sorts(splits)
    write(HuggingFace(), plan, folder)
    loaded = datasets.load_dataset(
        "imagefolder", data_dir=str(folder), cache_dir=str(tmp_path / "cache")
    )
    of_split: dict[str, list[PlannedImage]] = {}
    for image in plan:
        name = {"val": "validation", None: "train"}.get(image.split, str(image.split))
        of_split.setdefault(name, []).append(image)
    assert {name: len(rows) for name, rows in loaded.items()} == {
        name: len(images) for name, images in of_split.items()
    }
    for name, images in of_split.items():
        for row, image in zip(loaded[name], images, strict=True):
            each = row["objects"]
            assert row["image"].size == image.size_wh == (row["width"], row["height"])
            assert each["categories"] == [annotation.label for annotation in image.annotations]
            masks = [(annotation.mask_rle or b"").decode() for annotation in image.annotations]
            assert each["mask_rle"] == masks
            boxes = [annotation.bbox_xywh for annotation in image.annotations]
            assert each["is_image"] == [box is None for box in boxes]
            assert each["bbox"] == [list(box or (0, 0, *image.size_wh)) for box in boxes]


def of_all_sorts(splits: tuple[Split, ...]) -> HandPlan:
    """Plan masks, boxes, labels of whole images and images without any, each split one sort."""
    sorts = [
        (masked("cat", 0, confidence=1.0, source="human", segment_id="a"), masked("cat", 1)),
        (Annotation("cat", (3, 4, 20, 9)),),
        (Annotation("indoors", confidence=0.5),),
    ]
    images = [
        image_of(f"{number} {at}", *annotations, split=splits[at] if splits else None)
        for number in range(2)
        for at, annotations in enumerate([*sorts, ()][: len(splits) or None])
    ]
    images.append(image_of("empty", split=splits[0] if splits else None))
    moment = replace(images[0].frame, timestamp_s=0.5)  # of a video
    images[0] = replace(images[0], frame=moment)
    by_split = sorted(images, key=lambda image: splits.index(image.split) if image.split else 0)
    return HandPlan(tuple(by_split), ("cat", "indoors"), splits=splits)
