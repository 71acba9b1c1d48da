"""COCO: pycocotools reads what is written, and what others write is read."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from torchvision.datasets import CocoDetection

from src.datasets.annotations import Annotation
from src.datasets.formats.coco import Coco, CocoImport
from src.datasets.polygons import counts_of_runs
from src.models.mask_rle import decode_rle
from tests.datasets.formats.drawn_masks import HEIGHT, SIZE, WIDTH, iou
from tests.datasets.formats.planned import (
    FlatImages,
    HandPlan,
    all_masks,
    image_of,
    imported,
    masked,
    read_back,
    write,
    written_files,
)


@pytest.mark.parametrize("masks", ["exact", "polygons"])
def test_pycocotools_reads_the_same_masks(tmp_path: Path, masks: str) -> None:
    plan = all_masks()
    planned = write(Coco(), plan, tmp_path / "d", masks=masks, licence="CC0")
    read = 0
    for split in plan.splits:
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(str(tmp_path / "d" / "annotations" / f"instances_{split}.json"))
        assert [each["name"] for each in coco.loadCats(coco.getCatIds())] == list(plan.classes)
        assert coco.dataset["licenses"] == [{"id": 1, "name": "CC0", "url": ""}]
        for image in coco.loadImgs(coco.getImgIds()):
            wanted = planned[f"images/{split}/{image['file_name']}"].annotations
            found = coco.loadAnns(coco.getAnnIds(image["id"], iscrowd=False))
            assert len(found) == len(wanted)
            for its, mine in zip(found, wanted, strict=True):
                assert plan.classes[its["category_id"] - 1] == mine.label
                assert tuple(its["bbox"]) == mine.bbox_xywh
                if mine.mask_rle is None:
                    assert its["segmentation"] == []
                    continue
                mask = decode_rle(mine.mask_rle, SIZE)
                assert its["area"] == mask.sum()
                if masks == "exact":
                    assert its["segmentation"]["counts"] == mine.mask_rle.decode()
                assert iou(coco.annToMask(its).astype(bool), mask) >= (
                    0.98 if masks == "polygons" else 1
                )
                read += 1
    assert read > 40


def test_torchvision_loads_it(tmp_path: Path) -> None:
    plan = all_masks(("train",))
    write(Coco(), plan, tmp_path / "d")
    file = tmp_path / "d" / "annotations" / "instances_train.json"
    with contextlib.redirect_stdout(io.StringIO()):
        loaded = CocoDetection(str(tmp_path / "d" / "images" / "train"), str(file))
    assert len(loaded) == len(plan) and loaded[0][0].size == SIZE
    assert sum(len(target) for _, target in loaded) == plan.annotations


def test_what_is_said_of_labels_comes_back_and_the_bytes_are_the_same(tmp_path: Path) -> None:
    said = masked("cat", 0, confidence=0.625, source="auto", segment_id="s-1")
    plan = HandPlan((image_of("a", said, Annotation("dog")), image_of("b")), ("cat", "dog"))
    for name in "de":
        write(Coco(), plan, tmp_path / name)
    files = written_files(tmp_path / "d")
    assert files == ["annotations/instances.json", "images/a.jpg", "images/b.jpg"]
    for file in files:
        assert (tmp_path / "d" / file).read_bytes() == (tmp_path / "e" / file).read_bytes()
    image = read_back(Coco(), tmp_path / "d")["images/a.jpg"]
    assert image.annotations == (said,) and image.media == "photos/a.jpg" and image.split is None
    # a label of a whole image has no room, and what a model said is none of people
    images, skipped = imported(CocoImport(), tmp_path / "d")
    assert [image.image.name for image in images] == ["b.jpg"]
    assert skipped == ["a.jpg: a model's label is left out"]


def test_ten_thousand_classes(tmp_path: Path) -> None:
    names = tuple(f"class {number}" for number in range(10_000))
    plan = HandPlan((image_of("a", masked(names[-1], 0)),), names)
    write(Coco(), plan, tmp_path / "d")
    images, skipped = imported(CocoImport(), tmp_path / "d")
    assert images[0].annotations[0].label == names[-1] and not skipped


SQUARE = [10, 10, 20, 10, 20, 20, 10, 20]


def others(folder: Path, annotations: list[Any], **content: Any) -> Path:
    """Write a file of another program, and one image."""
    folder.mkdir()
    (folder / "a b.jpg").write_bytes(FlatImages().render(image_of("a"), "frames")[0])
    of_image = {"id": 7, "file_name": "a b.jpg", "width": WIDTH, "height": HEIGHT}
    said = {
        "images": [of_image],
        "categories": [{"id": 3, "name": "cat"}],
        "annotations": [{"image_id": 7, "category_id": 3} | each for each in annotations],
    }
    (folder / "_annotations.coco.json").write_text(json.dumps(said | content), encoding="utf-8")
    return folder


def test_what_others_write_is_read(tmp_path: Path) -> None:
    two = [SQUARE, [value + 5 for value in SQUARE]]
    runs = [100, 10, 0, 5, WIDTH * HEIGHT - 115]
    folder = others(
        tmp_path / "valid",
        [
            {"bbox": [1.5, 2.2, 10, 10.4], "iscrowd": 0},
            {"segmentation": two, "bbox": [10, 10, 15, 15]},
            {"segmentation": {"size": [HEIGHT, WIDTH], "counts": runs}, "bbox": [0, 0, 1, 1]},
            {"segmentation": [], "bbox": [-3, 40, 10, 30]},
            # 5 in two characters where one would do, then 10 and the rest
            {"segmentation": {"size": [HEIGHT, WIDTH], "counts": "U0:ao2"}},
        ],
    )
    for path in (folder, folder / "_annotations.coco.json"):
        (image,), skipped = imported(CocoImport(), path)
        assert not skipped and image.size_wh == SIZE
        rounded, joined, of_runs, cut, long = image.annotations
        assert rounded == Annotation("cat", (2, 2, 10, 11))
        mask = np.zeros((HEIGHT, WIDTH), bool)
        mask[10:20, 10:20] = mask[15:25, 15:25] = True
        assert joined.mask_rle is not None
        assert (decode_rle(joined.mask_rle, SIZE) == mask).all()
        assert of_runs.bbox_xywh == (2, 4, 1, 15)
        assert cut.bbox_xywh == (0, 40, 7, 8)
        assert long.mask_rle == counts_of_runs([5, 10, WIDTH * HEIGHT - 15], SIZE)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"category_id": 9, "bbox": [1, 1, 2, 2]}, "unknown category 9"),
        ({"category_id": [], "bbox": [1, 1, 2, 2]}, "unknown category"),
        ({"bbox": [64, 1, 2, 2]}, "outside its image"),
        ({"bbox": [1, 1, 0, 2]}, "no area"),
        ({"bbox": [1, 1, "2", 2]}, "not a number"),
        ({"bbox": [1e400, 1, 2, 2]}, "not a number"),
        ({"bbox": [10**400, 1, 2, 2]}, "not a number"),
        ({"bbox": [1e308, 1, 1.7e308, 2]}, "not a number"),
        ({"bbox": [1, 1, 2, 2], "confidence": 10**400}, "not a number"),
        ({"bbox": [1, 1, 2, 2], "confidence": 95}, "not from 0 to 1"),
        ({"bbox": None}, "not 4 numbers"),
        ({"segmentation": [[1, 2, 3, 4]]}, "not a list of three or more points"),
        ({"segmentation": [[1, 2, 3, 4, 5]]}, "not a list of three or more points"),
        ({"segmentation": [[1, 2, 3, 4, 5, None]]}, "not a number"),
        ({"segmentation": [[900, 900, 990, 900, 990, 990]]}, "covers no pixel"),
        ({"segmentation": {"size": [1, 2], "counts": [2]}}, "another size"),
        ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": [5]}}, "don't fit"),
        ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": "~~é"}}, "ascii"),
        ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": "oooooooo"}}, "number"),
        ({"segmentation": [SQUARE], "iscrowd": 1}, "crowd"),
        ({"image_id": 8, "bbox": [1, 1, 2, 2]}, "which is not listed"),
        ({"image_id": {}, "bbox": [1, 1, 2, 2]}, "image_id is missing"),
    ],
)
def test_what_is_wrong_costs_that_annotation(tmp_path: Path, wrong: Any, why: str) -> None:
    folder = others(tmp_path / "d", [wrong, {"segmentation": [SQUARE]}])
    (image,), skipped = imported(CocoImport(), folder)
    assert len(image.annotations) == 1 and len(skipped) == 1 and why in skipped[0]
    with pytest.raises(ValueError, match=r".+: .+"):
        read_back(Coco(), folder)


def test_halves_of_characters_are_no_names(tmp_path: Path) -> None:
    said = {"image_id": 1, "bbox": [1, 1, 2, 2], "segment_id": "\ud800"}
    images = [{"id": 1, "file_name": "a b.jpg", "media": "x/\ud800.jpg"}]
    folder = others(tmp_path / "d", [said], images=images)
    (image,), skipped = imported(CocoImport(), folder)
    assert not skipped and image.media is None and image.annotations[0].segment_id is None


def test_images_that_are_not_as_they_are_said(tmp_path: Path) -> None:
    images = [
        {"id": 1, "file_name": "gone.jpg"},
        {"id": 2, "file_name": "../../etc/passwd"},
        {"id": 3, "file_name": "a b.jpg", "width": 10, "height": -10},
        {"id": 4, "file_name": "/elsewhere/a b.jpg"},
        {"id": 5, "file_name": "no image.jpg"},
        {"id": 6},
        7,
        {"id": 8, "file_name": "a b.jpg", "frame_index": 10**400},
        {"id": 9, "file_name": "a b.jpg", "frame_index": 1e300},
        {"id": 10, "file_name": "a b.jpg", "frame_index": -1},
        {"id": 11, "file_name": "a/" * 200_000 + "b.jpg"},
    ]
    folder = others(tmp_path / "d", [{"image_id": 4, "bbox": [1, 1, 2, 2]}], images=images)
    (folder / "no image.jpg").write_text("no image", encoding="utf-8")
    (image,), skipped = imported(CocoImport(), folder)
    assert image.image == folder / "a b.jpg" and len(skipped) == 10
    for content in ("[]", "{", '{"images": ' + "[" * 100_000):
        (folder / "_annotations.coco.json").write_text(content, encoding="utf-8")
        with pytest.raises(ValueError):
            list(CocoImport().read(folder, None, lambda *_: None))  # type: ignore[arg-type]
