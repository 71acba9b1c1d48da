"""Images in a folder for each class, as loaders for classification read them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from src.datasets.annotations import AnnotatedImage, Annotation, PlannedDataset, PlannedImage
from src.datasets.dataset_writer import DatasetWriter
from src.datasets.file_names import folder_names
from src.datasets.formats.dataset_reader import DatasetReader, folder_of, split_named
from src.events import Event, Progress
from src.records import Split


def write_class_folders(
    dataset: PlannedDataset, output: DatasetWriter, place: Callable[[Split | None], str]
) -> Generator[Event, None, None]:
    """Write each image into the folder of its class; one without a label is left out.

    Every split has the folders of all classes: loaders number the classes by the folders that
    they see, and would number them another way where one is missing.

    Args:
        place: gives a split's folder; empty for the dataset's own.
    """
    folders = folder_names(set(dataset.classes))
    for split in dataset.splits or (None,):
        for folder in folders.values():
            output.make_folder(_below(place(split), folder))
    for number, image in enumerate(dataset, start=1):
        labels = _labels(image, dataset)
        if labels:
            one = replace(image, annotations=labels)
            output.add_image(one, _below(place(image.split), folders[labels[0].label]))
        yield Progress("export", number, len(dataset))


def read_class_folders(
    reader: DatasetReader, labels: Mapping[str, str]
) -> Iterator[AnnotatedImage]:
    """Read what write_class_folders wrote.

    Args:
        labels: of the folders, by their names.
    """
    for file in reader.images():
        above, _, folder = folder_of(file).rpartition("/")
        with reader.part(file):
            if folder not in labels:
                raise ValueError(f"{folder!r} is not the folder of a class")
            label = Annotation(labels[folder])
            yield AnnotatedImage(Path(file), (label,), split=split_named(above))


def _labels(image: PlannedImage, dataset: PlannedDataset) -> tuple[Annotation, ...]:
    """Return the label of an image as a whole, as a tuple of one; none where it has none."""
    whole = dataset.form == "frames"
    labels = (each for each in image.annotations if not whole or each.bbox_xywh is None)
    return tuple(labels)[:1]


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
