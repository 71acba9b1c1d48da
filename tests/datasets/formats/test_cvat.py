"""CVAT for images: a strict reader of its XML, and what CVAT writes itself."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from src.datasets.annotations import Annotation
from src.datasets.formats.cvat import Cvat, CvatImport
from src.models.mask_rle import decode_rle
from tests.datasets.formats.drawn_masks import HEIGHT, SIZE, WIDTH, iou
from tests.datasets.formats.planned import (
    NAMES,
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

ATTRIBUTES = {
    "box": "label occluded xtl ytl xbr ybr z_order",
    "mask": "label occluded rle left top width height z_order",
    "polygon": "label occluded points z_order group_id",
    "tag": "label",
}


def mask_in(element: ElementTree.Element) -> np.ndarray:
    """Read the runs of a mask as CVAT does: rows of its box, zeros first."""
    left, top, w, h = (int(element.get(name, "")) for name in ("left", "top", "width", "height"))
    values: list[bool] = []
    for number, run in enumerate(element.get("rle", "").split(",")):
        values += [number % 2 == 1] * int(run)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[top : top + h, left : left + w] = np.array(values).reshape(h, w)
    return mask


@pytest.mark.parametrize("masks", ["exact", "polygons"])
def test_its_shapes_are_the_masks(tmp_path: Path, masks: str) -> None:
    plan, kinds = all_masks(), set()
    planned = write(Cvat(), plan, tmp_path / "d", masks=masks)
    root = ElementTree.parse(tmp_path / "d" / "annotations.xml").getroot()
    assert root.tag == "annotations" and root.findtext("version") == "1.1"
    assert [each.text for each in root.iterfind("meta/project/labels/label/name")] == list(NAMES)
    images = root.findall("image")
    assert [each.get("id") for each in images] == [str(at) for at in range(len(plan))]
    for element in images:
        file = f"images/{element.get('subset')}/{element.get('name')}"
        wanted = planned[file].annotations
        assert (element.get("width"), element.get("height")) == tuple(map(str, SIZE))
        shapes = list(element)
        kinds |= {shape.tag for shape in shapes}
        for shape in shapes:
            assert set(shape.keys()) <= set(ATTRIBUTES[shape.tag].split())
        for mine in wanted:
            shape = shapes.pop(0)
            group = shape.get("group_id")
            while group and shapes and shapes[0].get("group_id") == group:
                shapes.pop(0)
            assert shape.get("label") == mine.label
            if shape.tag == "mask":
                assert mine.mask_rle is not None
                assert (mask_in(shape) == decode_rle(mine.mask_rle, SIZE)).all()
        assert not shapes
    assert kinds == {"mask", "box"} | ({"polygon"} if masks == "polygons" else set())


def test_tags_sources_and_the_same_bytes(tmp_path: Path) -> None:
    tag = Annotation("dawn", source="human")
    cat = masked("cat", 0, source="propagated")
    dog = masked("dog", 1, source="auto")
    plan = HandPlan((image_of("a", cat, tag, dog), image_of("b")), ("cat", "dawn", "dog"))
    for name in "de":
        write(Cvat(), plan, tmp_path / name)
    assert written_files(tmp_path / "d") == ["annotations.xml", "images/a.jpg", "images/b.jpg"]
    same = [(tmp_path / name / "annotations.xml").read_bytes() for name in "de"]
    assert same[0] == same[1]
    image = read_back(Cvat(), tmp_path / "d")["images/a.jpg"]
    assert image.annotations == (cat, tag, dog) and image.split is None
    images, skipped = imported(CvatImport(), tmp_path / "d")
    assert images[0].annotations == (cat, tag) and len(images) == 2 and len(skipped) == 1


def others(folder: Path, *shapes: str, name: str = "img 0.jpg", size: int = WIDTH) -> Path:
    (folder / "images" / "Train").mkdir(parents=True)
    image = FlatImages().render(image_of("a"), "frames")[0]
    (folder / "images" / "Train" / "img 0.jpg").write_bytes(image)
    text = (
        "<annotations>\n<version>1.1</version><meta><task><name>t</name></task></meta>"
        f'<image id="0" name="{name}" subset="Train" width="{size}" height="{HEIGHT}">'
        f"{''.join(shapes)}</image></annotations>"
    )
    (folder / "train.xml").write_text(text, encoding="utf-8")
    return folder


def test_an_encoding_that_nobody_knows_is_said(tmp_path: Path) -> None:
    (tmp_path / "annotations.xml").write_text(
        '<?xml version="1.0" encoding="x-none"?><annotations>\n</annotations>', encoding="ascii"
    )
    with pytest.raises(ValueError, match="unknown encoding: x-none"):
        imported(CvatImport(), tmp_path)


BOX = '<box label="cat" xtl="0" ytl="2.4" xbr="4" ybr="4" z_order="1"/>'


def test_what_cvat_writes_is_read(tmp_path: Path) -> None:
    folder = others(
        tmp_path / "d",
        f'{BOX[:-2]}><attribute name="a1">true</attribute></box>',
        '<polygon label="dog" points="10,10;20,10;20,20;10,20" group_id="3"/>',
        '<polygon label="dog" points="30.00,10.00;40,10;40,20;30,20" group_id="3"/>',
        '<mask label="sky" rle="0, 3, 2, 1" left="60" top="40" width="3" height="2"/>',
        '<box label="pen" xtl="20" ytl="22" xbr="40" ybr="26" rotation="90.0"/>',
        '<ellipse label="sun" cx="30" cy="24" rx="10" ry="5"/>',
        '<tag label="night" source="manual"/>',
    )
    for path in (folder, folder / "train.xml"):
        (image,), skipped = imported(CvatImport(), path)
        assert not skipped and image.split == "train"
        cat, dog, sky, pen, sun, night = image.annotations
        assert cat == Annotation("cat", (0, 2, 4, 2), attributes=(("a1", "true"),))
        assert dog.bbox_xywh == (10, 10, 30, 10) and sky.bbox_xywh == (60, 40, 3, 2)
        assert pen.bbox_xywh == (28, 14, 4, 20) and sun.bbox_xywh == (20, 19, 20, 10)
        assert night == Annotation("night", source="human")
        assert sky.mask_rle is not None and decode_rle(sky.mask_rle, SIZE).sum() == 4


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ('<polygon label="" points="1,2;3,4;6,5"/>', "no label"),
        ('<polyline label="cat" points="1.0,2;3,4;5,6;7,8"/>', "no area"),
        ('<skeleton label="cat"><points label="a" points="1,2"/></skeleton>', "no area"),
        ('<polygon label="cat" points="1,2;3,4"/>', "fewer than three points"),
        ('<polygon label="cat" points="1,2;3;6,5"/>', "not a pair of numbers"),
        ('<polygon label="cat" points="1,2;3,nan;6,5"/>', "not a number"),
        ('<polygon label="cat" points="1,2;1e308,-1e308;6,5"/>', "not a number"),
        ('<box label="cat" xtl="70" ytl="2" xbr="80" ybr="4"/>', "outside its image"),
        ('<box label="cat" xtl="7" ytl="2" xbr="inf" ybr="4"/>', "not a number"),
        ('<box label="cat" xtl="7"/>', "not a number"),
        ('<mask label="cat" rle="1" left="0" top="0" width="99999" height="99999"/>', "larger"),
        ('<mask label="cat" rle="1, 2" left="0" top="0" width="2" height="2"/>', "don't fit"),
        ('<mask label="cat" rle="-1, 5" left="0" top="0" width="2" height="2"/>', "don't fit"),
        ('<mask label="cat" rle="x" left="0" top="0" width="2" height="2"/>', "invalid literal"),
        ('<blob label="cat"/>', "is not a shape"),
    ],
)
def test_what_is_wrong_costs_that_shape(tmp_path: Path, wrong: str, why: str) -> None:
    folder = others(tmp_path / "d", wrong, BOX)
    (image,), skipped = imported(CvatImport(), folder)
    assert len(image.annotations) == 1 and len(skipped) == 1 and why in skipped[0]
    with pytest.raises(ValueError):
        read_back(Cvat(), folder)


def test_images_and_files_that_are_wrong(tmp_path: Path) -> None:
    for at, more in enumerate(({"name": "../../a.jpg"}, {"size": 0})):
        images, skipped = imported(CvatImport(), others(tmp_path / str(at), BOX, **more))  # type: ignore[arg-type]
        assert not images and len(skipped) == 1
    folder = others(tmp_path / "d", BOX)
    sound = (folder / "train.xml").read_text(encoding="utf-8")
    for text in (f"<!DOCTYPE a>{sound}", sound[:-20], sound.replace("<image", "<image a='&b;'")):
        (folder / "train.xml").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError):
            list(CvatImport().read(folder, None, lambda *_: None))  # type: ignore[arg-type]
    tracks = sound.replace(
        "</annotations>", "<track id='0' label='cat'><box/></track></annotations>"
    )
    (folder / "train.xml").write_text(tracks, encoding="utf-8")
    images, skipped = imported(CvatImport(), folder)
    assert len(images) == 1 and "a track is of no video" in skipped[0]


def test_polygons_are_near_the_masks(tmp_path: Path) -> None:
    planned = write(Cvat(), all_masks(), tmp_path / "d", masks="polygons")
    for file, image in read_back(Cvat(), tmp_path / "d").items():
        for its, mine in zip(image.annotations, planned[file].annotations, strict=True):
            if mine.mask_rle is not None and its.mask_rle is not None:
                assert iou(decode_rle(its.mask_rle, SIZE), decode_rle(mine.mask_rle, SIZE)) >= 0.98
