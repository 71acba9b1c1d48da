"""YOLO, read as its description says, and the layouts in which others write it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from torchvision.datasets import ImageFolder as TorchImageFolder

from src.datasets.annotations import Annotation
from src.datasets.formats.yolo import YoloDetection, YoloSegmentation
from src.datasets.formats.yolo_classification import YoloClassification
from src.datasets.formats.yolo_reading import YoloImport
from src.models.mask_rle import decode_rle
from tests.datasets.formats.drawn_masks import HEIGHT, SIZE, WIDTH, iou
from tests.datasets.formats.planned import (
    FlatImages,
    HandPlan,
    all_masks,
    crops_of_masks,
    image_of,
    imported,
    masked,
    read_back,
    write,
    written_files,
)


def lines_of(folder: Path, split: str) -> dict[str, list[tuple[str, np.ndarray]]]:
    """Read a split as its trainers do: data.yaml, then a text for each image."""
    said = yaml.safe_load((folder / "data.yaml").read_text(encoding="utf-8"))
    assert said["nc"] == len(said["names"])
    found = {}
    for image in sorted((folder / said[split]).iterdir()):
        text = folder / said[split].replace("images", "labels", 1) / f"{image.stem}.txt"
        rows = [row.split() for row in text.read_text(encoding="ascii").splitlines()]
        numbers = [np.array(row[1:], float) for row in rows]
        assert all(((row >= 0) & (row <= 1)).all() for row in numbers)
        found[image.stem] = [
            (said["names"][int(row[0])], values) for row, values in zip(rows, numbers, strict=True)
        ]
    return found


def test_boxes_are_where_its_description_says(tmp_path: Path) -> None:
    plan = all_masks()
    planned = write(YoloDetection(), plan, tmp_path / "d")
    count = 0
    for split in plan.splits:
        for stem, rows in lines_of(tmp_path / "d", split).items():
            wanted = planned[f"images/{split}/{stem}.jpg"].annotations
            for (label, (x, y, w, h)), mine in zip(rows, wanted, strict=True):
                box = np.array([x - w / 2, y - h / 2, w, h]) * [*SIZE, *SIZE]
                assert label == mine.label and mine.bbox_xywh is not None
                assert np.abs(box - mine.bbox_xywh).max() < 0.01
                count += 1
    assert count == plan.annotations


def test_polygons_fill_the_masks_again(tmp_path: Path) -> None:
    plan = all_masks()
    planned = write(YoloSegmentation(), plan, tmp_path / "d")
    for split in plan.splits:
        for stem, rows in lines_of(tmp_path / "d", split).items():
            wanted = planned[f"images/{split}/{stem}.jpg"].annotations
            for (label, points), mine in zip(rows, wanted, strict=True):
                assert label == mine.label and len(points) >= 6 and len(points) % 2 == 0
                ring = points.reshape(-1, 2) * SIZE
                if mine.mask_rle is None:
                    assert mine.bbox_xywh is not None
                    x, y, w, h = mine.bbox_xywh
                    assert np.allclose(ring[[0, 2]], [(x, y), (x + w, y + h)], atol=0.01)
                    continue
                mask = decode_rle(mine.mask_rle, SIZE)
                filled = np.array([row_in_ring(ring, y + 0.5) for y in range(HEIGHT)])
                assert iou(filled, mask) >= 0.98
                # as trainers draw it: with its border, and the corners cut to whole pixels
                drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
                cv2.fillPoly(drawn, [ring.astype(np.int32)], 1)
                if mask.sum() >= 500 and iou(smooth(mask), mask) > 0.9:
                    assert iou(drawn.astype(bool), mask) > 0.9


def row_in_ring(ring: np.ndarray, y: float) -> np.ndarray:
    """Whether the pixel centres of a row are inside, by the even-odd rule: (64,) bool."""
    (x1, y1), (x2, y2) = ring.T, np.roll(ring, -1, axis=0).T
    crossed = (y1 > y) != (y2 > y)
    x1, x2, y1, y2 = x1[crossed], x2[crossed], y1[crossed], y2[crossed]
    crossings = x1 + (y - y1) / (y2 - y1) * (x2 - x1)
    inside: np.ndarray = (crossings[:, None] > np.arange(WIDTH) + 0.5).sum(0) % 2 == 1
    return inside


def smooth(mask: np.ndarray) -> np.ndarray:
    opened: np.ndarray = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3)))
    return opened.astype(bool)


def test_a_dataset_without_splits_and_the_same_bytes(tmp_path: Path) -> None:
    plan = HandPlan(
        (image_of("a 1.5s", masked("cat", 0), Annotation("cat")), image_of("b")), ("cat",)
    )
    for name in "de":
        write(YoloSegmentation(), plan, tmp_path / name)
    files = written_files(tmp_path / "d")
    assert files[0] == "data.yaml" and "labels/all/a 1.5s.txt" in files
    for file in files:
        assert (tmp_path / "d" / file).read_bytes() == (tmp_path / "e" / file).read_bytes()
    assert {image.split for image in read_back(YoloSegmentation(), tmp_path / "d").values()} == {
        None
    }
    images, skipped = imported(YoloImport(), tmp_path / "d")
    assert [len(image.annotations) for image in images] == [1, 0] and not skipped


def test_ten_thousand_classes(tmp_path: Path) -> None:
    names = tuple(f"class: {number}" for number in range(10_000))
    write(YoloDetection(), HandPlan((image_of("a", masked(names[-1], 0)),), names), tmp_path / "d")
    images, _ = imported(YoloImport(), tmp_path / "d")
    assert images[0].annotations[0].label == names[-1]


def test_classification_is_read_by_torchvision(tmp_path: Path) -> None:
    plan = crops_of_masks()
    write(YoloClassification(), plan, tmp_path / "d")
    # every split numbers the classes alike, though one of them has no image at all
    seen = [
        TorchImageFolder(str(tmp_path / "d" / split), allow_empty=True).class_to_idx
        for split in plan.splits
    ]
    assert seen[0] == seen[1] and len(seen[0]) == len(plan.classes)
    assert {image.split for image in read_back(YoloClassification(), tmp_path / "d").values()} == {
        "train",
        "val",
    }
    write(YoloClassification(), crops_of_masks(()), tmp_path / "e")
    assert (tmp_path / "e" / "all" / "cat").is_dir()


# -- what others write

ROWS = "1 0.5 0.5 0.5 0.5\n0 0.1 0.1 0.9 0.1 0.9 0.9\n"


def add(folder: Path, image: str, labels: str | None = None, rows: str = ROWS) -> None:
    (folder / image).parent.mkdir(parents=True, exist_ok=True)
    (folder / image).write_bytes(FlatImages().render(image_of("a"), "frames")[0])
    if labels is not None:
        (folder / labels).parent.mkdir(parents=True, exist_ok=True)
        (folder / labels).write_text(rows, encoding="utf-8")


def read_rows(folder: Path) -> dict[str, str | None]:
    images, skipped = imported(YoloImport(), folder)
    assert not skipped
    for image in images:
        box, polygon = image.annotations
        assert box == Annotation("dog", (16, 12, 32, 24))
        assert polygon.label == "cat" and polygon.mask_rle is not None
    return {image.image.relative_to(folder).as_posix(): image.split for image in images}


def test_a_data_yaml_above_its_splits(tmp_path: Path) -> None:
    add(tmp_path, "train/images/a.jpg", "train/labels/a.txt")
    add(tmp_path, "valid/images/a.jpg", "valid/labels/a.txt")
    text = "train: ../train/images\nval: ../valid/images\n\nnc: 2\nnames: ['cat', 'dog']\n"
    (tmp_path / "data.yaml").write_text(text, encoding="utf-8")
    assert read_rows(tmp_path) == {"train/images/a.jpg": "train", "valid/images/a.jpg": "val"}


def test_darknet(tmp_path: Path) -> None:
    add(tmp_path, "obj_train_data/1.jpg", "obj_train_data/1.txt")
    add(tmp_path, "obj_train_data/2.jpg", "obj_train_data/2.txt")
    (tmp_path / "obj.data").write_text(
        "classes = 2\ntrain = data/train.txt\nvalid = data/v.txt\nnames = data/obj.names\n"
    )
    (tmp_path / "obj.names").write_text("cat\ndog\n")
    (tmp_path / "train.txt").write_text("data/obj_train_data/1.jpg\n")
    (tmp_path / "v.txt").write_text("/home/me/data/obj_train_data/2.jpg\n")
    assert read_rows(tmp_path) == {"obj_train_data/1.jpg": "train", "obj_train_data/2.jpg": "val"}


def test_folders_with_a_list_of_names(tmp_path: Path) -> None:
    add(tmp_path, "images/val/a b.jpg", "labels/val/a b.txt")
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    assert read_rows(tmp_path) == {"images/val/a b.jpg": "val"}


def test_what_is_wrong_costs_that_line(tmp_path: Path) -> None:
    rows = (
        ROWS
        + "7 0.5 0.5 0.1 0.1\n0 2 2 0.1 0.1\n0 0.5 0.5 0 0.1\n0 1 2\nx 1 2 3 4\n0 0.5 nan 0.1 0.1\n"
    )
    add(tmp_path, "images/a.jpg", "labels/a.txt", rows)
    add(tmp_path, "images/b.jpg", "labels/b.txt", "9 0.5 0.5 0.1 0.1\n")
    add(tmp_path, "images/no labels.jpg")
    add(tmp_path, "images/bytes.jpg", "labels/bytes.txt")
    (tmp_path / "labels" / "bytes.txt").write_bytes(b"\xff\xfe")
    (tmp_path / "images" / "broken.jpg").write_bytes(b"\xff\xd8 no image")
    (tmp_path / "labels" / "orphan.txt").write_text(ROWS)
    (tmp_path / "data.yaml").write_text("train: images\nnames:\n  0: cat\n  1: dog\n")
    images, skipped = imported(YoloImport(), tmp_path)
    assert {image.image.stem: len(image.annotations) for image in images} == {
        "a": 2,
        "no labels": 0,
        "bytes": 0,
    }
    assert len(skipped) == 6 + 1 + 1 + 1 + 1
    for why in (
        "unknown class 7",
        "outside its image",
        "no area",
        "3 numbers",
        "'nan'",
        "broken.jpg: it can't",
        "orphan.txt: there is no image",
    ):
        assert any(why in said for said in skipped), (why, skipped)
    with pytest.raises(ValueError):
        read_back(YoloDetection(), tmp_path)


def test_links_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    add(tmp_path, "secret.jpg", "secret.txt")
    add(tmp_path / "d", "images/a.jpg", "labels/a.txt")
    (tmp_path / "d" / "images" / "s.jpg").symlink_to(tmp_path / "secret.jpg")
    (tmp_path / "d" / "data.yaml").write_text("train: list.txt\nnames: [cat, dog]\n")
    (tmp_path / "d" / "list.txt").write_text("../secret.jpg\nimages/s.jpg\nimages/a.jpg\n")
    images, skipped = imported(YoloImport(), tmp_path / "d")
    assert [image.image.name for image in images] == ["a.jpg"] and len(skipped) == 2
