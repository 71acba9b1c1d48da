"""labelme: a JSON file beside each image, with its shapes; and back."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from src.datasets.annotations import AnnotatedImage, Annotation, PlannedDataset, PlannedImage
from src.datasets.atomic_output import DatasetFolder
from src.datasets.boxes import whole_box
from src.datasets.dataset_writer import DatasetWriter
from src.datasets.formats.annotation_values import numbers, with_mask
from src.datasets.formats.dataset_reader import (
    DatasetReader,
    folder_of,
    heads,
    read_leniently,
    read_strictly,
    split_of_path,
)
from src.datasets.formats.json_reading import json_object, listed
from src.datasets.formats.mask_outlines import MASKS_AS, ellipse, filled, plain_parts
from src.datasets.formats.palette import png_of_mask, read_png
from src.datasets.polygons import counts_of_cut, cut_mask, union
from src.datasets.protocols import Holds, Skipped
from src.events import Event, Progress
from src.models.mask_rle import rectangle_rle
from src.options import NoOptions, option
from src.records import BoxXywh, ImageForm

VERSION = "5.5.0"
# A file may have its image in it.
LARGEST = 1 << 28
# What labelme's own examples call a part of an image that is to be passed over.
_IGNORED = "__ignore__"


@dataclass(frozen=True)
class LabelmeOptions:
    masks: str = option("exact", "Masks as", choices=MASKS_AS)


class Labelme:
    """A file with shapes for each image, which labelme opens.

    A part of a mask is a polygon, and parts of one thing have one group. What has holes is a shape
    of the type "mask": polygons have none. Labels of the image as a whole are its flags.
    """

    key, label = "labelme", "labelme"
    summary = "A JSON file with polygons beside each image."
    options: type[LabelmeOptions] = LabelmeOptions
    forms: tuple[ImageForm, ...] = ("frames", "crops", "blurred", "cutouts")
    holds = Holds(masks="polygons", image_labels=True)
    is_for_training = False

    def write(
        self, dataset: PlannedDataset, options: LabelmeOptions, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write the images and their files; see `ExportFormat`."""
        for done, image in enumerate(dataset, start=1):
            flags = {each.label: each for each in image.annotations if each.bbox_xywh is None}
            boxed = [each for each in image.annotations if each.bbox_xywh is not None]
            image = replace(image, annotations=(*flags.values(), *boxed))
            folder = image.split or ""
            file = output.add_image(image, folder)
            if file is not None:
                name = f"{folder}/{image.stem}.json" if folder else f"{image.stem}.json"
                text = _text(image, file, list(flags), boxed, options.masks == "polygons")
                output.add_file(name, text.encode("utf-8"))
            yield Progress("export", done, len(dataset))

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read all files; see `ExportFormat`."""
        return read_strictly(dataset, _read)


class LabelmeImport:
    """Reads polygons, rectangles, circles, masks and flags."""

    key, label = Labelme.key, Labelme.label
    summary = "Polygons, rectangles and masks of labelme's JSON files."
    options: type[NoOptions] = NoOptions

    def detect(self, path: Path) -> bool:
        """Return whether it is, or has, a file of labelme; see `Importer`."""
        return any(_is_labelme(head) for head in heads(path, ".json"))

    def read(self, path: Path, options: NoOptions, skipped: Skipped) -> Iterator[AnnotatedImage]:
        """Read what people labelled; see `Importer`."""
        return read_leniently(path, skipped, _read)


def _text(
    image: PlannedImage,
    file: str,
    flags: list[str],
    boxed: list[Annotation],
    as_polygons: bool,
) -> str:
    shapes = [
        shape
        for group, each in enumerate(boxed, start=1)
        for shape in _shapes(each, image.size_wh, group, as_polygons)
    ]
    said = {
        "version": VERSION,
        "flags": dict.fromkeys(flags, True),
        "shapes": shapes,
        "imagePath": PurePosixPath(file).name,
        "imageData": None,
        "imageHeight": image.size_wh[1],
        "imageWidth": image.size_wh[0],
    }
    return json.dumps(said, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _shapes(
    annotation: Annotation, size_wh: tuple[int, int], group: int, as_polygons: bool
) -> list[dict[str, Any]]:
    assert annotation.bbox_xywh is not None
    x, y, w, h = annotation.bbox_xywh
    counts = annotation.mask_rle
    if counts is None:
        return [_shape(annotation, "rectangle", [[x, y], [x + w, y + h]])]
    parts = plain_parts(counts, size_wh) if as_polygons else None
    if parts is not None:
        several = group if len(parts) > 1 else None
        return [
            _shape(annotation, "polygon", np.round(part, 3).tolist(), several) for part in parts
        ]
    mask, (x, y, w, h) = cut_mask(counts, size_wh)
    shape = _shape(annotation, "mask", [[x, y], [x + w - 1, y + h - 1]])
    return [shape | {"mask": base64.b64encode(png_of_mask(mask)).decode("ascii")}]


def _shape(
    annotation: Annotation, kind: str, points: list[list[float]], group: int | None = None
) -> dict[str, Any]:
    return {
        "label": annotation.label,
        "points": points,
        "group_id": group,
        "description": "",
        "shape_type": kind,
        # a flag is there or not: the value is in its name
        "flags": {f"{name}: {value}": True for name, value in annotation.attributes},
        "mask": None,
    }


# -- reading


@dataclass
class _Thing:
    """What shapes of one group are."""

    label: str
    masks: list[bytes] = field(default_factory=list)
    boxes: list[BoxXywh] = field(default_factory=list)


def _is_labelme(head: str) -> bool:
    return head.lstrip("\ufeff \r\n\t").startswith("{") and '"shapes"' in head


def _read(reader: DatasetReader) -> Iterator[AnnotatedImage]:
    found = False
    for file in reader.names(".json"):
        image: AnnotatedImage | None = None
        shapes: list[Any] = []
        with reader.part(file):
            content = json_object(reader.read(file, LARGEST))
            if "shapes" not in content or "imagePath" not in content:
                continue  # another program's
            found = True
            shapes = listed(content["shapes"])
            image = _image(reader, file, content)
        if image is None or image.size_wh is None:
            continue
        flags = image.annotations
        annotations = [*flags, *_things(reader, file, shapes, image.size_wh)]
        if annotations or not shapes:
            yield replace(image, annotations=tuple(annotations))
    if not found:
        raise ValueError("there is no JSON file of labelme")


def _image(reader: DatasetReader, file: str, content: dict[str, Any]) -> AnnotatedImage:
    size = content.get("imageWidth"), content.get("imageHeight")
    name, size_wh = reader.image(
        content["imagePath"], (folder_of(file),), None if None in size else size
    )
    flags = content.get("flags")
    labels = [name for name, is_set in flags.items() if is_set] if isinstance(flags, dict) else []
    return AnnotatedImage(
        Path(name),
        tuple(Annotation(label) for label in labels),
        size_wh=size_wh,
        split=split_of_path(name),
    )


def _things(
    reader: DatasetReader, file: str, shapes: list[Any], size_wh: tuple[int, int]
) -> Iterator[Annotation]:
    """Read shapes; those of one label and one group are one thing."""
    things: dict[object, _Thing] = {}
    for at, shape in enumerate(shapes):
        with reader.part(file):
            label, group = _named(shape)
            read = _read_shape(shape, label, size_wh)
            thing = things.setdefault((label, group) if group is not None else at, _Thing(label))
            if read.mask_rle is not None:
                thing.masks.append(read.mask_rle)
            elif read.bbox_xywh is not None:
                thing.boxes.append(read.bbox_xywh)
    for thing in things.values():
        if not thing.masks and len(thing.boxes) == 1:
            yield Annotation(thing.label, thing.boxes[0])
        elif thing.masks or thing.boxes:
            # a box around masks says nothing more; several boxes are parts
            masks = thing.masks or [rectangle_rle(box, size_wh) for box in thing.boxes]
            yield with_mask(thing.label, union(masks, size_wh), size_wh)


def _named(shape: object) -> tuple[str, int | str | None]:
    """Read the label of a shape, and its group."""
    if not isinstance(shape, dict):
        raise ValueError("a shape is not an object")
    label, group = shape.get("label"), shape.get("group_id")
    if not isinstance(label, str) or not label.strip():
        raise ValueError("a shape has no label")
    if label == _IGNORED:
        raise ValueError(f"a shape is marked to be ignored ({_IGNORED})")
    return label, group if isinstance(group, int | str) else None


def _read_shape(shape: dict[str, Any], label: str, size_wh: tuple[int, int]) -> Annotation:
    kind = shape.get("shape_type") or "polygon"
    points = [tuple(numbers(point, 2)) for point in listed(shape.get("points"))]
    if kind == "polygon":
        return with_mask(label, filled([points], size_wh), size_wh)
    if kind not in ("rectangle", "circle", "mask"):
        raise ValueError(f"a shape is a {kind!r}, which has no area")
    if len(points) != 2:
        raise ValueError(f"a {kind} does not have two points")
    (x, y), (to_x, to_y) = points
    if kind == "circle":
        radius = float(np.hypot(to_x - x, to_y - y))
        return with_mask(label, filled([ellipse(x, y, radius, radius).tolist()], size_wh), size_wh)
    x, to_x, y, to_y = min(x, to_x), max(x, to_x), min(y, to_y), max(y, to_y)
    if kind == "rectangle":
        return Annotation(label, whole_box((x, y, to_x - x, to_y - y), size_wh))
    left, top = round(x), round(y)
    w, h = round(to_x) + 1 - left, round(to_y) + 1 - top
    if w > size_wh[0] or h > size_wh[1]:  # a small PNG can fill any memory
        raise ValueError("a mask is larger than its image")
    mask = _mask(shape.get("mask"), (w, h))
    return with_mask(label, counts_of_cut(mask, left, top, size_wh), size_wh)


def _mask(encoded: object, size_wh: tuple[int, int]) -> np.ndarray:
    """Read a mask (H, W) bool from a PNG in base64."""
    try:
        content = base64.b64decode(encoded if isinstance(encoded, str) else "", validate=True)
    except binascii.Error as exc:
        raise ValueError("a mask is not base64") from exc
    return np.asarray(read_png(content, size_wh).convert("L")) > 0
