"""Reads Pascal VOC: boxes of XML files, and masks of the PNGs that belong to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element

import numpy as np
from PIL import Image

from src.datasets.annotations import AnnotatedImage, Annotation
from src.datasets.boxes import box_iou, whole_box
from src.datasets.formats.annotation_values import with_mask
from src.datasets.formats.dataset_reader import (
    DatasetReader,
    folder_of,
    heads,
    is_image,
    read_leniently,
    split_named,
    split_of_path,
)
from src.datasets.formats.palette import (
    OPEN,
    colour_codes,
    colours_of,
    numbers_of,
    read_png,
    voc_palette,
)
from src.datasets.formats.xml_reading import read_elements
from src.datasets.polygons import counts_of_cut
from src.datasets.protocols import Skipped
from src.options import NoOptions
from src.records import BoxXywh, Split

BACKGROUND, LABELMAP = "background", "labelmap.txt"
# The list of images that are not split: loaders know it.
UNSPLIT = "trainval"
_NAMES = (LABELMAP, "class_names.txt", "labels.txt")
_OF_VOC = (
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse "
    "motorbike person pottedplant sheep sofa train tvmonitor"
).split()
_OBJECTS, _CLASSES = "SegmentationObject", "SegmentationClass"
# A list of images, and a PNG of a mask.
LARGEST = 1 << 26
# From here on a box and a mask are of the same thing.
_LEAST_IOU = 0.5


class VocImport:
    """Reads Pascal VOC, with XML files or with PNGs alone."""

    key, label = "voc", "Pascal VOC"
    summary = "Boxes of VOC's XML files, and masks of its PNGs."
    options: type[NoOptions] = NoOptions

    def detect(self, path: Path) -> bool:
        """Return whether there are XML files of VOC, or its folders of masks; see `Importer`."""
        if path.is_dir() and (path / "JPEGImages").is_dir():
            return True
        return any("<annotation>" in head for head in heads(path, ".xml", most=4096))

    def read(self, path: Path, options: NoOptions, skipped: Skipped) -> Iterator[AnnotatedImage]:
        """Read what people labelled; see `Importer`."""
        return read_leniently(path, skipped, read_voc)


@dataclass(frozen=True)
class _Described:
    """An image by the names of its files.

    Attributes:
        base: the folder that the others lie in.
        xml: None where it has only PNGs.
    """

    base: str
    stem: str
    xml: str | None


def read_voc(reader: DatasetReader) -> Iterator[AnnotatedImage]:
    """Read the images of a dataset with their annotations."""
    label_of = _labels_of_colours(reader)
    splits = _splits(reader)
    found = False
    for described in _described(reader):
        found = True
        image: AnnotatedImage | None = None
        count = 0
        with reader.part(described.xml or f"{described.base}/{_OBJECTS}/{described.stem}.png"):
            element = None if described.xml is None else _element(reader, described.xml)
            objects = [] if element is None else element.findall("object")
            name, size_wh = _image(reader, described, element)
            boxes: list[Annotation | None] = []
            for each in objects:
                boxes.append(None)
                with reader.part(described.xml or name):
                    boxes[-1] = _boxed(each, size_wh)
            annotations = _with_masks(reader, described, boxes, size_wh, label_of)
            count = max(len(objects), len(annotations))
            image = AnnotatedImage(
                Path(name),
                tuple(annotations),
                size_wh=size_wh,
                split=splits.get((described.base, described.stem)) or split_of_path(name),
            )
        if image is not None and (image.annotations or not count):
            yield image
    if not found:
        raise ValueError("there are no annotations of Pascal VOC")


def _described(reader: DatasetReader) -> Iterator[_Described]:
    """List the images that something says what is in them."""
    seen: set[tuple[str, str]] = set()
    for file in reader.names(".xml"):
        folder, stem = folder_of(file), PurePosixPath(file).stem
        base = folder_of(folder) if PurePosixPath(folder).name == "Annotations" else folder
        seen.add((base, stem))
        yield _Described(base, stem, file)
    if reader.chosen is not None:
        return
    for kind in (_OBJECTS, _CLASSES):
        for file in reader.names(".png"):
            folder, stem = folder_of(file), PurePosixPath(file).stem
            base = folder_of(folder)
            if PurePosixPath(folder).name == kind and (base, stem) not in seen:
                seen.add((base, stem))
                yield _Described(base, stem, None)


def _element(reader: DatasetReader, file: str) -> Element:
    with reader.open(file) as stream:
        for element in read_elements(stream, "annotation"):
            return element
    raise ValueError("it has no annotation")


def _image(
    reader: DatasetReader, described: _Described, element: Element | None
) -> tuple[str, tuple[int, int]]:
    """Find the image, and its size."""
    said = "" if element is None else (element.findtext("filename") or "").strip()
    size = None if element is None else _size(element)
    base = described.base
    folders = [f"{base}/JPEGImages" if base else "JPEGImages", f"{base}/images", base]
    if said:
        name = reader.find(said, folders)
        if name is not None and is_image(name):
            return reader.image(said, folders, size)
    stem = described.stem
    suffix = next(
        (
            each
            for each in (".jpg", ".jpeg", ".png", ".JPG", ".bmp", ".webp", ".tif")
            if reader.find(stem + each, folders)
        ),
        ".jpg",
    )
    return reader.image(stem + suffix, folders, size)


def _size(element: Element) -> tuple[int, int] | None:
    """Read the size that is said; None where there is none."""
    try:
        size = tuple(int(element.findtext(f"size/{name}") or 0) for name in ("width", "height"))
    except ValueError as exc:
        raise ValueError("the size of the image is not a number") from exc
    return (size[0], size[1]) if min(size) > 0 else None


def _boxed(element: Element, size_wh: tuple[int, int]) -> Annotation:
    label = (element.findtext("name") or "").strip()
    if not label:
        raise ValueError("an object has no name")
    left, top, right, bottom = (
        _number(element.findtext(f"bndbox/{name}")) for name in ("xmin", "ymin", "xmax", "ymax")
    )
    # pixels are counted from 1, and the last one is inside
    box = whole_box((left - 1, top - 1, right - left + 1, bottom - top + 1), size_wh)
    return Annotation(label, box)


def _number(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError as exc:
        raise ValueError("a box has an edge that is not a number") from exc


# -- masks


def _with_masks(
    reader: DatasetReader,
    described: _Described,
    boxes: list[Annotation | None],
    size_wh: tuple[int, int],
    label_of: Mapping[int, str],
) -> list[Annotation]:
    """Give the things their masks; a mask without a thing is one of its own.

    Args:
        boxes: of the things in the order of the XML file; None for a broken one.
    """
    things = _png(reader, described, _OBJECTS, size_wh)
    labels = _Classes(lambda: _png(reader, described, _CLASSES, size_wh), label_of)
    if things is not None:
        numbers = numbers_of(things)
        counts = np.bincount(numbers.ravel())
        wanted = [number for number in np.flatnonzero(counts).tolist() if number not in (0, OPEN)]
    elif described.xml is None and labels.colours is not None:
        numbers = labels.colours  # no thing is told from another of its class
        wanted = [number for number in np.unique(numbers).tolist() if number in label_of]
    else:
        return [each for each in boxes if each is not None]
    made: dict[int, Annotation] = {}
    more: list[Annotation] = []
    left: list[tuple[np.ndarray, BoxXywh]] = []
    for number in wanted:
        # the number of a thing is its place in the XML file
        thing = boxes[number - 1] if things is not None and number <= len(boxes) else None
        mask, box = _cut(numbers, number, thing)
        if thing is not None and thing.bbox_xywh is not None and _is_in(box, thing.bbox_xywh):
            made[number - 1] = _masked(thing.label, mask, box, size_wh, thing.bbox_xywh)
        else:
            left.append((mask, box))
    for mask, box in left:
        label = labels.most(mask, box)
        at = _likeliest(box, label, boxes, made)
        if at is not None:
            thing = boxes[at]
            assert thing is not None
            made[at] = _masked(thing.label, mask, box, size_wh, thing.bbox_xywh)
        elif label is not None:
            more.append(_masked(label, mask, box, size_wh, None))
        else:
            reader.skip(f"{described.base}/{_OBJECTS}/{described.stem}.png", "a mask has no class")
    return [made.get(at, each) for at, each in enumerate(boxes) if each is not None] + more


def _png(
    reader: DatasetReader, described: _Described, kind: str, size_wh: tuple[int, int]
) -> Image.Image | None:
    """Read the PNG of things or of classes; None where there is none, or it is broken."""
    folder = f"{described.base}/{kind}" if described.base else kind
    file = f"{folder}/{described.stem}.png"
    if file in reader:
        with reader.part(file):
            return read_png(reader.read(file, LARGEST), size_wh)
    return None


def _cut(numbers: np.ndarray, number: int, thing: Annotation | None) -> tuple[np.ndarray, BoxXywh]:
    """Cut out the pixels of a number: (h, w) bool, and where that is.

    Args:
        thing: whose number it may be; looked at first, since an image is larger than its box.
    """
    left = top = 0
    mask = numbers == number
    if thing is not None and thing.bbox_xywh is not None:
        x, y, w, h = thing.bbox_xywh
        inside = mask[y : y + h, x : x + w]
        if np.count_nonzero(inside) == np.count_nonzero(mask):
            left, top, mask = x, y, inside
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    x, y = int(columns[0]), int(rows[0])
    w, h = int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y
    return mask[y : y + h, x : x + w], (left + x, top + y, w, h)


def _masked(
    label: str,
    mask: np.ndarray,
    box: BoxXywh,
    size_wh: tuple[int, int],
    said: BoxXywh | None,
) -> Annotation:
    """Make an annotation of a mask; its box is the one that is said, of what others lie on too."""
    annotation = with_mask(label, counts_of_cut(mask, box[0], box[1], size_wh), size_wh)
    return annotation if said is None else replace(annotation, bbox_xywh=said)


class _Classes:
    """The classes of an image's pixels, decoded where somebody asks for them."""

    def __init__(self, read: Callable[[], Image.Image | None], label_of: Mapping[int, str]) -> None:
        self._read, self._label_of = read, label_of

    @cached_property
    def colours(self) -> np.ndarray | None:
        """The code of each pixel's colour, (H, W) int64; None where there are no classes."""
        image = self._read()
        return None if image is None else colours_of(image)

    def most(self, mask: np.ndarray, box: BoxXywh) -> str | None:
        """Return the class that most pixels of a mask have."""
        if self.colours is None:
            return None
        x, y, w, h = box
        found, counts = np.unique(self.colours[y : y + h, x : x + w][mask], return_counts=True)
        return self._label_of.get(int(found[counts.argmax()]))


def _likeliest(
    box: BoxXywh,
    label: str | None,
    boxes: list[Annotation | None],
    made: Mapping[int, Annotation],
) -> int | None:
    """Find the thing whose box is most like that of a mask."""
    best, found = _LEAST_IOU, None
    for at, each in enumerate(boxes):
        if each is None or each.bbox_xywh is None or at in made:
            continue
        if label in (None, each.label) and box_iou(box, each.bbox_xywh) >= best:
            best, found = box_iou(box, each.bbox_xywh), at
    return found


def _is_in(box: BoxXywh, other: BoxXywh) -> bool:
    """Return whether a box lies in another one, but for a pixel."""
    (x, y, w, h), (left, top, width, height) = box, other
    across = left - 1 <= x and x + w <= left + width + 1
    return across and top - 1 <= y and y + h <= top + height + 1


# -- lists


def _labels_of_colours(reader: DatasetReader) -> dict[int, str]:
    """Read which class a colour of SegmentationClass stands for, but for the background."""
    palette = colour_codes(voc_palette()).tolist()
    file = next((found for name in _NAMES if (found := reader.find(name)) is not None), None)
    if file is None:
        return dict(zip(palette[1:], _OF_VOC[1:], strict=False))
    lines = [line.strip() for line in reader.text(file, LARGEST).splitlines()]
    if PurePosixPath(file).name != LABELMAP:
        return dict(zip(palette[1:], list(filter(None, lines))[1:], strict=False))
    labels = {}
    for line in lines:
        if line and not line.startswith("#"):
            with reader.part(file):
                name, colour, _, _ = (["", *line.rsplit(":", 3)])[-4:]
                if colour:
                    red, green, blue = (int(value) for value in colour.split(","))
                    labels[red << 16 | green << 8 | blue] = name
    labels.pop(0, None)  # black is the background
    return labels


def _splits(reader: DatasetReader) -> dict[tuple[str, str], Split | None]:
    """Read which split the images are in, by their folder and stem."""
    splits: dict[tuple[str, str], Split | None] = {}
    for file in reader.names(".txt"):
        path = PurePosixPath(file)
        parts = path.parent.parts
        split = split_named(path.stem) if path.stem.isalpha() else None
        if split is None or len(parts) < 2 or parts[-2] != "ImageSets":
            continue
        base = "/".join(parts[:-2])
        with reader.part(file):
            for line in filter(None, map(str.strip, reader.text(file, LARGEST).splitlines())):
                splits.setdefault((base, line), split)
    return splits
