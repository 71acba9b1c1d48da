"""Pascal VOC: strict readers of its XML and of its palettes, and what others write."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from src.datasets.annotations import Annotation
from src.datasets.formats.voc import Voc
from src.datasets.formats.voc_reading import VocImport
from src.models.mask_rle import decode_rle
from tests.datasets.formats.drawn_masks import HEIGHT, SIZE, WIDTH, drawn_masks
from tests.datasets.formats.planned import (
    NAMES,
    FlatImages,
    HandPlan,
    all_masks,
    box_of,
    image_of,
    imported,
    masked,
    read_back,
    write,
    written_files,
)

# Colours of the first numbers and of the last one, as the challenge lists them.
COLOURS = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 3: (128, 128, 0), 4: (0, 0, 128)}
COLOURS |= {8: (64, 0, 0), 15: (192, 128, 128), 20: (0, 64, 128), 255: (224, 224, 192)}


def numbers_in(file: Path) -> np.ndarray:
    """Read a PNG of numbers as strictly as its readers do."""
    with Image.open(file) as image:
        assert image.mode == "P" and image.size == SIZE
        palette = image.getpalette()
        assert palette is not None and len(palette) == 768
        for number, colour in COLOURS.items():
            assert tuple(palette[3 * number : 3 * number + 3]) == colour
        return np.asarray(image)


def boxes_in(file: Path, image: str) -> list[tuple[str, tuple[int, int, int, int]]]:
    """Read an XML file by the order of elements that the challenge has."""
    root = ElementTree.parse(file).getroot()
    assert root.tag == "annotation"
    names = [child.tag for child in root if child.tag != "object"]
    assert names == ["folder", "filename", "source", "size", "segmented"]
    assert root.findtext("filename") == image
    assert [each.text for each in root.iterfind("size/*")] == [str(WIDTH), str(HEIGHT), "3"]
    found = []
    for thing in root.iterfind("object"):
        assert [each.tag for each in thing] == ["name", "pose", "truncated", "difficult", "bndbox"]
        assert [each.tag for each in thing.iterfind("bndbox/*")] == ["xmin", "ymin", "xmax", "ymax"]
        left, top, right, bottom = (int(each.text or "") for each in thing.iterfind("bndbox/*"))
        assert 1 <= left <= right <= WIDTH and 1 <= top <= bottom <= HEIGHT
        box = (left - 1, top - 1, right - left + 1, bottom - top + 1)
        found.append((thing.findtext("name") or "", box))
    return found


def test_boxes_masks_and_lists(tmp_path: Path) -> None:
    plan, root = all_masks(), tmp_path / "d"
    planned = write(Voc(), plan, root)
    listed = []
    for split in plan.splits:
        stems = (root / f"ImageSets/Main/{split}.txt").read_text(encoding="utf-8").splitlines()
        of_masks = root / f"ImageSets/Segmentation/{split}.txt"
        assert of_masks.read_text(encoding="utf-8").splitlines() == stems
        listed += stems
        for stem in stems:
            image = planned[f"JPEGImages/{stem}.jpg"]
            assert image.split == split
            boxes = boxes_in(root / "Annotations" / f"{stem}.xml", f"{stem}.jpg")
            assert boxes == [(each.label, each.bbox_xywh) for each in image.annotations]
            things = numbers_in(root / "SegmentationObject" / f"{stem}.png")
            classes = numbers_in(root / "SegmentationClass" / f"{stem}.png")
            for number, mine in enumerate(image.annotations, start=1):
                seen = things == number
                assert (classes[seen] == NAMES.index(mine.label) + 1).all()
                if mine.mask_rle is None:
                    assert not seen.any()
                else:
                    assert (decode_rle(mine.mask_rle, SIZE) == seen).all()
    assert listed == [image.stem for image in plan.images]
    of_cats = (root / "ImageSets/Main/cat_train.txt").read_text(encoding="utf-8").splitlines()
    assert "photo 00 é  1" in of_cats and "photo 01 é -1" in of_cats


def test_the_smaller_lies_on_top(tmp_path: Path) -> None:
    large, small, hidden = masked("cat", 3), masked("dog", 0), masked("cat", 0)
    only_box = Annotation("dog", (2, 2, 9, 9))
    plan = HandPlan((image_of("a", small, hidden, large, only_box),), ("cat", "dog"))
    planned = write(Voc(), plan, tmp_path / "d")
    masks = [each.mask_rle for each in planned["JPEGImages/a.jpg"].annotations]
    mask = drawn_masks()[0]
    assert masks[0] == small.mask_rle and masks[1] is None and masks[3] is None
    assert masks[2] is not None and (decode_rle(masks[2], SIZE) == ~mask).all()
    things = numbers_in(tmp_path / "d/SegmentationObject/a.png")
    assert (things == np.where(mask, 1, 3)).all()
    alone = HandPlan((image_of("b", small, only_box),), ("cat", "dog"))
    write(Voc(), alone, tmp_path / "e")
    # what has no mask is open: neither the thing nor the background
    open_box = numbers_in(tmp_path / "e/SegmentationClass/b.png")[2:11, 2:11]
    assert (open_box[~mask[2:11, 2:11]] == 255).all()


def test_without_masks_and_the_same_bytes(tmp_path: Path) -> None:
    plan = HandPlan((image_of("a", masked("cat", 0), Annotation("cat")), image_of("b")), ("cat",))
    for name in "de":
        write(Voc(), plan, tmp_path / name)
    for file in written_files(tmp_path / "d"):
        assert (tmp_path / "d" / file).read_bytes() == (tmp_path / "e" / file).read_bytes()
    assert (tmp_path / "d/ImageSets/Main/trainval.txt").read_text() == "a\nb\n"
    assert {image.split for image in read_back(Voc(), tmp_path / "d").values()} == {None}
    write(Voc(), plan, tmp_path / "f", with_masks=False)
    assert not [file for file in written_files(tmp_path / "f") if file.startswith("Segm")]


def test_more_things_and_classes_than_a_palette_has(tmp_path: Path) -> None:
    names = tuple(f"class {number}" for number in range(10_000))
    row = [masked(names[at], 4 + at % 2) for at in range(260)]
    plan = HandPlan((image_of("a", *row),), names)
    planned = write(Voc(), plan, tmp_path / "d")
    assert len(planned["JPEGImages/a.jpg"].annotations) == 260
    assert not (tmp_path / "d" / "SegmentationClass").exists()
    assert len(written_files(tmp_path / "d" / "ImageSets")) == 2


# -- what others write


def add(root: Path, stem: str, objects: str = "", size: str = "") -> None:
    for folder in ("JPEGImages", "Annotations"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "JPEGImages" / f"{stem}.jpg").write_bytes(
        FlatImages().render(image_of("a"), "frames")[0]
    )
    text = f"<annotation><filename>{stem}.jpg</filename>{size}{objects}</annotation>"
    (root / "Annotations" / f"{stem}.xml").write_text(text, encoding="utf-8")


def thing(name: str, *box: object) -> str:
    edges = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    inside = "".join(f"<{edge}>{value}</{edge}>" for edge, value in edges)
    return f"<object><name>{name}</name><bndbox>{inside}</bndbox></object>"


def add_mask(root: Path, kind: str, stem: str, mask: np.ndarray, mode: str, value: object) -> None:
    (root / kind).mkdir(exist_ok=True)
    image = Image.new(mode, SIZE)
    if mode == "P":
        image.putpalette(
            [value for number in range(256) for value in COLOURS.get(number, (9, 9, 9))]
        )
    image.paste(value, mask=Image.fromarray(mask))  # type: ignore[arg-type]
    image.save(root / kind / f"{stem}.png")


@pytest.mark.parametrize("mode", ["P", "RGB"])
def test_masks_of_others_meet_their_boxes(tmp_path: Path, mode: str) -> None:
    mask = drawn_masks()[0]
    x, y, w, h = box_of(mask)
    other = thing("dog", 1, 1, 3, 3)
    add(tmp_path, "a", other + thing("cat", x + 0.6, y + 1, x + w, y + h))
    # numbered in another order than the XML file has, or in any colour at all
    value = 1 if mode == "P" else (17, 34, 51)
    add_mask(tmp_path, "SegmentationObject", "a", mask, mode, value)
    (tmp_path / "ImageSets" / "Main").mkdir(parents=True)
    (tmp_path / "ImageSets" / "Main" / "val.txt").write_text("a\n")
    (image,), skipped = imported(VocImport(), tmp_path)
    dog, cat = image.annotations
    assert not skipped and image.split == "val"
    assert dog == Annotation("dog", (0, 0, 3, 3)) and cat.label == "cat"
    assert cat.mask_rle is not None and (decode_rle(cat.mask_rle, SIZE) == mask).all()


def test_masks_alone_with_names_of_classes(tmp_path: Path) -> None:
    mask = drawn_masks()[1]
    add(tmp_path, "a b")
    (tmp_path / "Annotations" / "a b.xml").unlink()
    (tmp_path / "class_names.txt").write_text("_background_\nbus\ntv/monitor\n")
    add_mask(tmp_path, "SegmentationClass", "a b", mask, "P", 2)
    for things in (False, True):
        if things:
            add_mask(tmp_path, "SegmentationObject", "a b", mask, "P", 1)
        (image,), skipped = imported(VocImport(), tmp_path)
        assert not skipped and [each.label for each in image.annotations] == ["tv/monitor"]
        assert image.annotations[0].bbox_xywh == box_of(mask)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (thing("cat", 65, 1, 70, 9), "outside its image"),
        (thing("cat", 9, 1, 7, 9), "no area"),
        (thing("cat", 9, 1, "x", 9), "not a number"),
        (thing("cat", 9, 1, "nan", 9), "no area"),
        (thing(" ", 1, 1, 7, 9), "has no name"),
        ("<object><name>cat</name></object>", "not a number"),
    ],
)
def test_what_is_wrong_costs_that_thing(tmp_path: Path, wrong: str, why: str) -> None:
    add(tmp_path, "a", wrong + thing("dog", 1, 1, 3, 3))
    (image,), skipped = imported(VocImport(), tmp_path)
    assert [each.label for each in image.annotations] == ["dog"]
    assert len(skipped) == 1 and why in skipped[0]
    with pytest.raises(ValueError):
        read_back(Voc(), tmp_path)


def test_what_is_wrong_costs_that_image(tmp_path: Path) -> None:
    add(tmp_path, "good", thing("dog", 1, 1, 3, 3))
    add(
        tmp_path,
        "size",
        thing("dog", 1, 1, 3, 3),
        "<size><width>9</width><height>9</height></size>",
    )
    add(tmp_path, "gone", thing("dog", 1, 1, 3, 3))
    (tmp_path / "JPEGImages" / "gone.jpg").unlink()
    add(tmp_path, "deep", "<a>" * 1000)
    add(tmp_path, "mask", thing("dog", 1, 1, 3, 3))
    add_mask(tmp_path, "SegmentationObject", "mask", drawn_masks()[0], "P", 9)
    add(tmp_path, "png", thing("dog", 1, 1, 3, 3))
    (tmp_path / "SegmentationObject" / "png.png").write_bytes(b"no PNG")
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><annotation>&b;</annotation>'
    (tmp_path / "Annotations" / "bomb.xml").write_text(bomb)
    images, skipped = imported(VocImport(), tmp_path)
    assert sorted(image.image.stem for image in images) == ["good", "mask", "png", "size"]
    assert {image.size_wh for image in images} == {SIZE, (9, 9)}  # who takes it in looks at that
    for why in (
        "is not there",
        "nested too deeply",
        "document type",
        "not a PNG",
        "has no class",
    ):
        assert any(why in said for said in skipped), (why, skipped)
