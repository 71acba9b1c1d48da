"""labelme: its shapes, read as labelme reads them, and what others write."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from src.datasets.annotations import Annotation
from src.datasets.formats.labelme import Labelme, LabelmeImport
from src.models.mask_rle import decode_rle
from tests.datasets.formats.drawn_masks import HEIGHT, SIZE, WIDTH, drawn_masks, iou
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


def drawn(shape: dict[str, Any]) -> np.ndarray:
    """Fill a shape as labelme does."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    if shape["shape_type"] == "mask":
        (left, top), (right, bottom) = shape["points"]
        with Image.open(io.BytesIO(base64.b64decode(shape["mask"]))) as image:
            mask[top : bottom + 1, left : right + 1] = np.asarray(image).astype(bool)
        return mask
    image = Image.new("L", SIZE)
    points = [tuple(point) for point in shape["points"]]
    if shape["shape_type"] == "rectangle":
        ImageDraw.Draw(image).rectangle([points[0], points[1]], outline=1, fill=1)
    else:
        ImageDraw.Draw(image).polygon(points, outline=1, fill=1)
    return np.asarray(image).astype(bool)


@pytest.mark.parametrize("masks", ["exact", "polygons"])
def test_its_shapes_are_the_masks(tmp_path: Path, masks: str) -> None:
    plan, kinds = all_masks(), set()
    planned = write(Labelme(), plan, tmp_path / "d", masks=masks)
    for file, image in planned.items():
        said = json.loads((tmp_path / "d" / file).with_suffix(".json").read_text(encoding="utf-8"))
        assert said["imagePath"] == Path(file).name and said["imageData"] is None
        assert (said["imageWidth"], said["imageHeight"]) == SIZE
        shapes = said["shapes"]
        for mine in image.annotations:
            parts = [shapes.pop(0)]
            while parts[0]["group_id"] is not None and shapes:
                if (shapes[0]["group_id"], shapes[0]["label"]) != (
                    parts[0]["group_id"],
                    mine.label,
                ):
                    break
                parts.append(shapes.pop(0))
            kinds |= {part["shape_type"] for part in parts}
            assert all(part["label"] == mine.label for part in parts)
            mask = np.any([drawn(part) for part in parts], axis=0)
            if parts[0]["shape_type"] == "mask":
                assert mine.mask_rle is not None and (mask == decode_rle(mine.mask_rle, SIZE)).all()
            elif mine.mask_rle is not None and mask.sum() >= 500:
                assert iou(mask, decode_rle(mine.mask_rle, SIZE)) > 0.9
        assert not shapes
    assert kinds == {"mask", "rectangle"} | ({"polygon"} if masks == "polygons" else set())


def test_labels_of_an_image_are_flags_and_the_bytes_are_the_same(tmp_path: Path) -> None:
    plan = HandPlan(
        (image_of("a 0.5s", masked("cat", 1), Annotation("dawn")), image_of("b")), ("cat", "dawn")
    )
    for name in "de":
        write(Labelme(), plan, tmp_path / name)
    files = written_files(tmp_path / "d")
    assert files == ["a 0.5s.jpg", "a 0.5s.json", "b.jpg", "b.json"]
    for file in files:
        assert (tmp_path / "d" / file).read_bytes() == (tmp_path / "e" / file).read_bytes()
    dawn, cat = read_back(Labelme(), tmp_path / "d")["a 0.5s.jpg"].annotations
    assert dawn == Annotation("dawn") and cat.label == "cat"
    images, skipped = imported(LabelmeImport(), tmp_path / "d")
    assert len(images) == 2 and not skipped


def others(folder: Path, *shapes: Any, **content: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "a b.jpg").write_bytes(FlatImages().render(image_of("a"), "frames")[0])
    said = {"version": "4.0.0", "flags": {"night": False}, "shapes": shapes, "imagePath": "a b.jpg"}
    said |= {"imageData": None, "imageHeight": HEIGHT, "imageWidth": WIDTH}
    (folder / "a b.json").write_text(json.dumps(said | content), encoding="utf-8")
    return folder


def shape(points: Any, kind: str | None = "polygon", label: Any = "cat", **more: Any) -> Any:
    return {"label": label, "points": points, "shape_type": kind, "group_id": None} | more


SQUARE = [[10, 10], [20, 10], [20, 20], [10, 20]]


def test_what_others_write_is_read(tmp_path: Path) -> None:
    encoded = io.BytesIO()
    Image.fromarray(drawn_masks()[0].astype(np.uint8) * 255).save(encoded, "PNG")
    png = base64.b64encode(encoded.getvalue()).decode()
    folder = others(
        tmp_path / "d",
        shape(SQUARE, group_id=0),
        shape([[40.5, 30], [10.2, 5]], "rectangle", "dog"),
        shape([[x + 30, y] for x, y in SQUARE], None, group_id=0),
        shape([[30, 24], [30, 34]], "circle", "sun"),
        shape([[0, 0], [63, 47]], "mask", mask=png),
        imagePath="..\\elsewhere\\a b.jpg",
        flags={"night": True, "day": False},
    )
    for path in (folder, folder / "a b.json"):
        (image,), skipped = imported(LabelmeImport(), path)
        assert not skipped
        night, two, dog, sun, mask = image.annotations
        assert night == Annotation("night") and dog == Annotation("dog", (10, 5, 31, 25))
        assert two.bbox_xywh == (10, 10, 40, 10) and two.mask_rle is not None
        assert decode_rle(two.mask_rle, SIZE).sum() == 200
        assert sun.bbox_xywh == (20, 14, 20, 20)
        assert mask.mask_rle is not None
        assert (decode_rle(mask.mask_rle, SIZE) == drawn_masks()[0]).all()


def test_boxes_of_one_group_are_one_thing(tmp_path: Path) -> None:
    folder = others(
        tmp_path / "d",
        shape([[1, 1], [5, 5]], "rectangle", group_id=1),
        shape([[11, 1], [15, 5]], "rectangle", group_id=1),
        shape([[21, 1], [25, 5]], "rectangle", group_id=2),
    )
    (image,), skipped = imported(LabelmeImport(), folder)
    two, one = image.annotations
    assert not skipped and two.bbox_xywh == (1, 1, 14, 4) and two.mask_rle is not None
    assert decode_rle(two.mask_rle, SIZE).sum() == 32
    assert one == Annotation("cat", (21, 1, 4, 4))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (shape(SQUARE[:2]), "fewer than three points"),
        (shape([[1, 2], [3, 4], [5, "6"]]), "not a number"),
        (shape([[1, 2], [3, 4], [5]]), "not 2 numbers"),
        (shape([[100, 100], [200, 100], [200, 200]]), "covers no pixel"),
        (shape(SQUARE, "linestrip"), "no area"),
        (shape(SQUARE, "rectangle"), "does not have two points"),
        (shape([[70, 1], [80, 9]], "rectangle"), "outside its image"),
        (shape([[0, 0], [9, 9]], "mask"), "not a PNG"),
        (shape([[0, 0], [9, 9]], "mask", mask="%%"), "not base64"),
        (shape([[0, 0], [1e300, 9]], "mask", mask=""), "not a number"),
        (shape([[0, 0], [1e9, 9]], "mask", mask=""), "larger than its image"),
        (shape([[1e12, 0], [1e12, 0]], "mask", mask=""), "not a PNG"),
        (shape(SQUARE, label=""), "no label"),
        (shape(SQUARE, label="__ignore__"), "to be ignored"),
        (5, "a shape is not an object"),
    ],
)
def test_what_is_wrong_costs_that_shape(tmp_path: Path, wrong: Any, why: str) -> None:
    folder = others(tmp_path / "d", wrong, shape(SQUARE))
    (image,), skipped = imported(LabelmeImport(), folder)
    assert len(image.annotations) == 1 and len(skipped) == 1 and why in skipped[0]
    with pytest.raises(ValueError):
        read_back(Labelme(), folder)


@pytest.mark.parametrize("path", ["gone.jpg", "../../secret.jpg", "/etc/passwd", "", 5, None])
def test_an_image_that_is_not_there_costs_that_image(tmp_path: Path, path: Any) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"\xff\xd8")
    folder = others(tmp_path / "d", shape(SQUARE), imagePath=path)
    images, skipped = imported(LabelmeImport(), folder)
    assert not images and len(skipped) == 1
