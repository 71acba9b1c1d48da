"""What an export format and an importer are: the two protocols.

docs/datasets.md says how to add one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from src.datasets.annotations import AnnotatedImage, AnnotatedVideo, PlannedDataset
from src.datasets.atomic_output import DatasetFolder
from src.datasets.dataset_writer import DatasetWriter
from src.events import Event
from src.records import ImageForm

# Told of each annotation that can't be taken: the file and why, in words.
Skipped = Callable[[Path, str], None]


@dataclass(frozen=True)
class Holds:
    """What a format can say; what it can't is left out of a dataset and counted, or lost.

    Attributes:
        masks: exactly, as polygons (at IoU 0.98 or more for a segment of 500 pixels), or not.
        boxes: whether it says where a thing is at all.
        image_labels: whether an image as a whole can have a label.
        several_labels: whether a thing, or an image where there are no boxes, can have more than
            one label.
        confidence: whether a label can have one.
        source: whether it says who gave a label.
        attributes: whether it says and reads the attributes of a label.
        tracks: whether it says and reads in which track a thing is.
        sequences: whether its images are videos, frame by frame: then only what is in a track has
            a place, and the frames between two with something come too.
    """

    masks: Literal["exact", "polygons", "no"]
    boxes: bool = True
    image_labels: bool = False
    several_labels: bool = True
    confidence: bool = False
    source: bool = False
    attributes: bool = False
    tracks: bool = False
    sequences: bool = False


class ExportFormat(Protocol):
    """A way to write labelled segments for another program.

    Attributes:
        key: what the command line and Python call it, in lower case.
        label: its name in the window.
        summary: one sentence for the window: what will be in the folder.
        options: a frozen dataclass of `src.options.option` fields; NoOptions where there are none.
        forms: what its images can be; the usual one first.
        holds: what it can say.
        is_for_training: whether models are trained on such datasets as they are; the window
            suggests a split for those.
    """

    key: str
    label: str
    summary: str
    options: type[Any]
    forms: tuple[ImageForm, ...]
    holds: Holds
    is_for_training: bool

    def write(
        self, dataset: PlannedDataset, options: Any, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write the dataset; each yield is a progress point and a place to cancel.

        What is written is in a staging folder until all of it is there and was read back.

        Raises:
            ExportError: something it needs can't be read.
            OSError: it can't be written.
        """
        ...

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read a dataset of this format as it stands, all of it.

        Images have the names that `add_image` gave, and annotations what the format holds.

        Raises:
            OSError: a file can't be read.
            ValueError: it is no dataset of this format, or something in it is wrong.
        """
        ...


class Importer(Protocol):
    """A way to read a dataset of another program.

    Attributes:
        key, label, summary, options: as in an `ExportFormat`.
    """

    key: str
    label: str
    summary: str
    options: type[Any]

    def detect(self, path: Path) -> bool:
        """Return whether a file or folder is a dataset that this importer reads; looks at it only.

        Raises:
            OSError: it can't be looked at.
        """
        ...

    def read(
        self, path: Path, options: Any, skipped: Skipped
    ) -> Iterator[AnnotatedImage | AnnotatedVideo]:
        """Read what people have labelled, image by image; what models said is left out.

        What is said of all frames of a video is one AnnotatedVideo: which of them are of use the
        library knows.

        Paths of images are absolute, or relative to nothing that is known where the dataset names
        media that it has not (then a library may know them).

        Args:
            skipped: called for each annotation that can't be taken: a missing image, a box outside
                it, an unknown category, a broken polygon. The others are read all the same.

        Raises:
            OSError: a file can't be read.
            ValueError: it is no dataset of this kind.
        """
        ...
