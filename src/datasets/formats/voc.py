"""Pascal VOC: an XML file an image, lists of images, and PNGs of classes and of things."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import PurePosixPath

import numpy as np

from src.datasets.annotations import AnnotatedImage, Annotation, PlannedDataset, PlannedImage
from src.datasets.atomic_output import DatasetFolder
from src.datasets.dataset_writer import DatasetWriter
from src.datasets.file_names import folder_names
from src.datasets.formats.dataset_reader import read_strictly
from src.datasets.formats.palette import MOST_NUMBERS, OPEN, png_of_numbers, voc_palette
from src.datasets.formats.voc_reading import BACKGROUND, LABELMAP, UNSPLIT, read_voc
from src.datasets.formats.xml_writing import xml_text
from src.datasets.polygons import counts_of_cut, cut_mask
from src.datasets.protocols import Holds
from src.events import Event, Progress
from src.options import option
from src.records import ImageForm


@dataclass(frozen=True)
class VocOptions:
    with_masks: bool = option(True, "Write masks")


@dataclass(frozen=True)
class _Painted:
    """The masks of an image, of which none covers another any more.

    Attributes:
        annotations: with what is left of their masks to be seen.
        numbers: of the things, from 1 in their order, (H, W) uint8; OPEN where there is a thing
            without a mask. None where no thing has a mask.
    """

    annotations: tuple[Annotation, ...]
    numbers: np.ndarray | None


class Voc:
    """Pascal VOC of 2012.

    A pixel has one thing, with one label: where masks overlap, the smaller lies on top, and a thing
    of which nothing is seen has only its box. What has only a box is open in the PNGs, 255, and so
    no background to a trainer. An image has masks of its first 254 things.
    """

    key, label = "voc", "Pascal VOC"
    summary = "JPEGImages, Annotations, ImageSets, SegmentationClass and SegmentationObject."
    options: type[VocOptions] = VocOptions
    forms: tuple[ImageForm, ...] = ("frames", "crops", "blurred")
    holds = Holds(masks="exact", several_labels=False)
    is_for_training = True

    def write(
        self, dataset: PlannedDataset, options: VocOptions, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write an XML file and PNGs for each image, and the lists; see `ExportFormat`."""
        output.add_file(LABELMAP, _labelmap(dataset.classes).encode("utf-8"))
        done = 0
        for split, images in groupby(dataset, lambda image: image.split):
            lists = _Lists()
            for image in images:
                painted = _painted(image, options.with_masks)
                image = replace(image, annotations=painted.annotations)
                file = output.add_image(image, "JPEGImages")
                if file is not None:
                    lists.add(image, painted.numbers is not None)
                    xml = _xml(dataset.title, image, file, painted.numbers is not None)
                    output.add_file(f"Annotations/{image.stem}.xml", xml.encode("utf-8"))
                    _write_masks(dataset.classes, image, painted.numbers, output)
                done += 1
                yield Progress("export", done, len(dataset))
            lists.write(dataset.classes, split or UNSPLIT, output)

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read all XML files and PNGs; see `ExportFormat`."""
        return read_strictly(dataset, read_voc)


class _Lists:
    """The images of a split, as ImageSets lists them."""

    def __init__(self) -> None:
        self._labels: list[tuple[str, frozenset[str]]] = []
        self._with_masks: list[str] = []

    def add(self, image: PlannedImage, has_masks: bool) -> None:
        self._labels.append((image.stem, frozenset(each.label for each in image.annotations)))
        if has_masks:
            self._with_masks.append(image.stem)

    def write(self, classes: tuple[str, ...], name: str, output: DatasetWriter) -> None:
        """Write the lists: of all images, and for each class those with and without it.

        Those of classes are left out where VOC's palette would not have room for as many.
        """
        stems = [stem for stem, _ in self._labels]
        output.add_file(f"ImageSets/Main/{name}.txt", _lines(stems))
        if self._with_masks:
            output.add_file(f"ImageSets/Segmentation/{name}.txt", _lines(self._with_masks))
        if len(classes) > MOST_NUMBERS:
            return
        for label, file in folder_names(set(classes)).items():
            lines = [f"{stem} {' 1' if label in labels else '-1'}" for stem, labels in self._labels]
            output.add_file(f"ImageSets/Main/{file}_{name}.txt", _lines(lines))


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8")


def _labelmap(classes: tuple[str, ...]) -> str:
    """Write a line for each class: its name, and its colour in SegmentationClass."""
    colours = voc_palette().tolist() if len(classes) <= MOST_NUMBERS else []
    names = (BACKGROUND, *classes)
    lines = ["# label:color_rgb:parts:actions"]
    for number, name in enumerate(names):
        colour = ",".join(map(str, colours[number])) if colours else ""
        lines.append(f"{name}:{colour}::")
    return "\n".join(lines) + "\n"


def _painted(image: PlannedImage, with_masks: bool) -> _Painted:
    """Paint the things of an image over each other, the smaller on top."""
    boxed = [each for each in image.annotations if each.bbox_xywh is not None]
    if not with_masks:
        return _Painted(tuple(replace(each, mask_rle=None) for each in boxed), None)
    if boxed and not any(each.mask_rle for each in boxed):
        return _Painted(tuple(boxed), None)
    numbers = np.zeros(image.size_wh[::-1], np.uint8)
    cuts = {}
    for at, each in enumerate(boxed):
        if each.mask_rle is not None and at < MOST_NUMBERS:
            cuts[at] = cut_mask(each.mask_rle, image.size_wh)
        elif each.bbox_xywh is not None:
            x, y, w, h = each.bbox_xywh
            numbers[y : y + h, x : x + w] = OPEN
    for at in sorted(cuts, key=lambda at: (np.count_nonzero(cuts[at][0]), at), reverse=True):
        mask, (x, y, w, h) = cuts[at]
        numbers[y : y + h, x : x + w][mask] = at + 1
    seen = list(boxed)
    for at, each in enumerate(boxed):
        counts = each.mask_rle
        if counts is None:
            continue
        if at not in cuts:
            counts = None
        else:
            mask, (x, y, w, h) = cuts[at]
            left = numbers[y : y + h, x : x + w] == at + 1
            if not left.any():
                counts = None  # only its box is left of it
            elif (left != mask).any():
                counts = counts_of_cut(left, x, y, image.size_wh)
        seen[at] = replace(each, mask_rle=counts)
    return _Painted(tuple(seen), numbers)


def _write_masks(
    classes: tuple[str, ...],
    image: PlannedImage,
    numbers: np.ndarray | None,
    output: DatasetWriter,
) -> None:
    """Write the PNG of things, and that of classes where the palette has as many."""
    if numbers is None:
        return
    output.add_file(f"SegmentationObject/{image.stem}.png", png_of_numbers(numbers))
    if len(classes) > MOST_NUMBERS:
        return
    class_of = np.zeros(256, np.uint8)
    class_of[OPEN] = OPEN
    numbers_of_classes = {label: number for number, label in enumerate(classes, start=1)}
    for number, each in enumerate(image.annotations[:MOST_NUMBERS], start=1):
        class_of[number] = numbers_of_classes[each.label]
    output.add_file(f"SegmentationClass/{image.stem}.png", png_of_numbers(class_of[numbers]))


def _xml(title: str, image: PlannedImage, file: str, has_masks: bool) -> str:
    """Write the things of an image; pixels are counted from 1, and the last one is inside."""
    width, height = image.size_wh
    objects = []
    for each in image.annotations:
        assert each.bbox_xywh is not None
        x, y, w, h = each.bbox_xywh
        is_cut = x == 0 or y == 0 or x + w == width or y + h == height
        objects.append(
            f"  <object>\n    <name>{xml_text(each.label)}</name>\n"
            f"    <pose>Unspecified</pose>\n    <truncated>{int(is_cut)}</truncated>\n"
            "    <difficult>0</difficult>\n    <bndbox>\n"
            f"      <xmin>{x + 1}</xmin>\n      <ymin>{y + 1}</ymin>\n"
            f"      <xmax>{x + w}</xmax>\n      <ymax>{y + h}</ymax>\n"
            "    </bndbox>\n  </object>\n"
        )
    return (
        "<annotation>\n  <folder>JPEGImages</folder>\n"
        f"  <filename>{xml_text(PurePosixPath(file).name)}</filename>\n"
        f"  <source>\n    <database>{xml_text(title)}</database>\n  </source>\n"
        f"  <size>\n    <width>{width}</width>\n    <height>{height}</height>\n"
        f"    <depth>3</depth>\n  </size>\n  <segmented>{int(has_masks)}</segmented>\n"
        f"{''.join(objects)}</annotation>\n"
    )
