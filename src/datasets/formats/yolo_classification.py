"""YOLO for classification: a folder for each split and class, and data.yaml with the names."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from src.datasets.annotations import AnnotatedImage, PlannedDataset
from src.datasets.atomic_output import DatasetFolder
from src.datasets.dataset_writer import DatasetWriter
from src.datasets.file_names import folder_names
from src.datasets.formats.class_folders import read_class_folders, write_class_folders
from src.datasets.formats.dataset_reader import DatasetReader, read_strictly
from src.datasets.formats.yolo import ALL, data_yaml
from src.datasets.formats.yolo_reading import names_of
from src.datasets.protocols import Holds
from src.events import Event
from src.options import NoOptions
from src.records import ImageForm


class YoloClassification:
    """One class per image; the recipe chooses the one of a segment with several labels."""

    key, label = "yolo_classification", "YOLO classification"
    summary = "data.yaml, and a folder for each split and class."
    options: type[NoOptions] = NoOptions
    forms: tuple[ImageForm, ...] = ("crops", "blurred", "frames")
    holds = Holds(masks="no", boxes=False, image_labels=True, several_labels=False)
    is_for_training = True

    def write(
        self, dataset: PlannedDataset, options: NoOptions, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write data.yaml and the folders; see `ExportFormat`."""
        output.add_file("data.yaml", data_yaml(dataset, "").encode("utf-8"))
        yield from write_class_folders(dataset, output, lambda split: split or ALL)

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read all images by the folders that they are in; see `ExportFormat`."""
        return read_strictly(dataset, _read)


def _read(reader: DatasetReader) -> Iterator[AnnotatedImage]:
    folders = folder_names(set(names_of(reader).values()))
    yield from read_class_folders(reader, {folder: label for label, folder in folders.items()})
