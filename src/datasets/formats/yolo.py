"""YOLO for detection and segmentation: images/train, labels/train and data.yaml."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from src.datasets.annotations import AnnotatedImage, Annotation, PlannedDataset
from src.datasets.atomic_output import DatasetFolder
from src.datasets.dataset_writer import DatasetWriter
from src.datasets.formats.dataset_reader import read_strictly
from src.datasets.formats.yaml_subset import quoted
from src.datasets.formats.yolo_reading import read_yolo
from src.datasets.polygons import joined_ring, mask_parts
from src.datasets.protocols import Holds
from src.events import Event, Progress
from src.options import NoOptions
from src.records import ImageForm, Split

# The folder of a dataset that is not split.
ALL = "all"


class YoloDetection:
    """A line per segment: class, centre and size of its box, as fractions of the image's size."""

    key, label = "yolo_detection", "YOLO detection"
    summary = "data.yaml, images, and a text file with boxes for each."
    options: type[NoOptions] = NoOptions
    forms: tuple[ImageForm, ...] = ("frames", "crops", "blurred")
    holds = Holds(masks="no")
    is_for_training = True

    def write(
        self, dataset: PlannedDataset, options: NoOptions, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write data.yaml, and the images with their labels; see `ExportFormat`."""
        numbers = {label: number for number, label in enumerate(dataset.classes)}
        output.add_file("data.yaml", data_yaml(dataset, "images/").encode("utf-8"))
        for done, image in enumerate(dataset, start=1):
            boxed = tuple(each for each in image.annotations if each.bbox_xywh is not None)
            folder = image.split or ALL
            file = output.add_image(replace(image, annotations=boxed), f"images/{folder}")
            if file is not None:
                # an empty file says that nothing is there
                lines = [
                    f"{numbers[each.label]} {self._place(each, image.size_wh)}\n" for each in boxed
                ]
                text = "".join(lines).encode("ascii")
                output.add_file(f"labels/{folder}/{PurePosixPath(file).stem}.txt", text)
            yield Progress("export", done, len(dataset))

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read all images and their labels; see `ExportFormat`."""
        return read_strictly(dataset, read_yolo)

    def _place(self, annotation: Annotation, size_wh: tuple[int, int]) -> str:
        assert annotation.bbox_xywh is not None
        x, y, w, h = annotation.bbox_xywh
        return _parts(np.array([(x + w / 2, y + h / 2), (w, h)]), size_wh)


class YoloSegmentation(YoloDetection):
    """A line per segment: its class, and its outline as one polygon.

    Parts and holes are joined by bridges of no width, so that they fill the same pixels. What has
    no mask has the corners of its box.
    """

    key, label = "yolo_segmentation", "YOLO segmentation"
    summary = "data.yaml, images, and a text file with polygons for each."
    holds = Holds(masks="polygons")

    def _place(self, annotation: Annotation, size_wh: tuple[int, int]) -> str:
        if annotation.mask_rle is not None:
            return _parts(joined_ring(mask_parts(annotation.mask_rle, size_wh)), size_wh)
        assert annotation.bbox_xywh is not None
        x, y, w, h = annotation.bbox_xywh
        return _parts(np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)]), size_wh)


def data_yaml(dataset: PlannedDataset, above: str) -> str:
    """Write which folders the splits are in, relative to this file, and the names of classes.

    Its readers want one to train on and one to validate with: where a dataset lacks one, another
    stands for it.
    """
    splits: tuple[Split | str, ...] = dataset.splits or (ALL,)
    train = "train" if "train" in splits else splits[0]
    val = next((split for split in ("val", "test") if split in splits), splits[0])
    lines = [f"# {quoted(dataset.title)}", f"train: {above}{train}", f"val: {above}{val}"]
    if "test" in splits:
        lines.append(f"test: {above}test")
    lines += [f"nc: {len(dataset.classes)}", "names:"]
    lines += [f"  {number}: {quoted(label)}" for number, label in enumerate(dataset.classes)]
    return "\n".join(lines) + "\n"


def _parts(points: np.ndarray, size_wh: tuple[int, int]) -> str:
    return " ".join(f"{value:.6f}" for value in (points / size_wh).ravel().tolist())
