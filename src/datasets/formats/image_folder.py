"""Image classification: folders of splits and classes, as torchvision's ImageFolder reads them."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator

from src.datasets.annotations import AnnotatedImage, PlannedDataset
from src.datasets.atomic_output import DatasetFolder
from src.datasets.dataset_writer import DatasetWriter
from src.datasets.file_names import folder_names
from src.datasets.formats.class_folders import read_class_folders, write_class_folders
from src.datasets.formats.dataset_reader import DatasetReader, read_strictly
from src.datasets.formats.json_reading import json_object
from src.datasets.protocols import Holds
from src.events import Event
from src.options import NoOptions
from src.records import ImageForm

# The label of each folder: what is no name of a file on some system is not in a folder's name.
CLASSES = "classes.json"
LARGEST = 1 << 26


class ImageFolder:
    """One class per image; the recipe chooses the one of a segment with several labels."""

    key, label = "image_folder", "Image folder"
    summary = "A folder for each split and class, for torchvision's ImageFolder and others."
    options: type[NoOptions] = NoOptions
    forms: tuple[ImageForm, ...] = ("crops", "blurred", "cutouts", "frames")
    holds = Holds(masks="no", boxes=False, image_labels=True, several_labels=False)
    is_for_training = True

    def write(
        self, dataset: PlannedDataset, options: NoOptions, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write the folders, and the labels of their names; see `ExportFormat`."""
        folders = folder_names(set(dataset.classes))
        labels = {folders[label]: label for label in dataset.classes}
        text = json.dumps(labels, ensure_ascii=False, indent=1)
        output.add_file(CLASSES, text.encode("utf-8"))
        yield from write_class_folders(dataset, output, lambda split: split or "")

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read all images by the folders that they are in; see `ExportFormat`."""
        return read_strictly(dataset, _read)


def _read(reader: DatasetReader) -> Iterator[AnnotatedImage]:
    labels = json_object(reader.read(CLASSES, LARGEST))
    yield from read_class_folders(reader, labels)
