"""What an export format and an importer are: the two protocols, and the record they share.

docs/datasets.md says how to add one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from src.datasets.atomic_output import DatasetFolder
from src.datasets.manifest import DatasetWriter
from src.datasets.selected import SelectedSegments
from src.events import Event
from src.records import BoxXywh, ExportPreview


@dataclass(frozen=True)
class Annotation:
    """What a dataset says of a part of an image, or of the image as a whole.

    Attributes:
        bbox_xywh: in pixels of the image; None for the image as a whole.
        mask_rle: compressed COCO RLE counts at the image's size; None where there is only a box.
        confidence: 0 to 1; None where the dataset says nothing of it.
        segment_id: of the segment that it was in a library; None where the dataset names none.
    """

    label: str
    bbox_xywh: BoxXywh | None = None
    mask_rle: bytes | None = field(default=None, repr=False)
    confidence: float | None = None
    segment_id: str | None = None


@dataclass(frozen=True)
class AnnotatedImage:
    """An image of a dataset, with what is said of it.

    Attributes:
        image: its file; relative to the dataset's folder where it lies in that.
        frame_index: of a frame of a video, or a page of a file that has several.
    """

    image: Path
    annotations: tuple[Annotation, ...]
    frame_index: int = 0


class ExportFormat(Protocol):
    """A way to write labelled segments for another program.

    Attributes:
        key: what the command line and Python call it, in lower case.
        label: its name in the window.
        summary: one sentence for the window: what will be in the folder.
        options: a frozen dataclass of `src.options.option` fields; NoOptions where there are none.
    """

    key: str
    label: str
    summary: str
    options: type[Any]

    def preview(self, selected: SelectedSegments, options: Any) -> ExportPreview:
        """Count what `write` would write."""
        ...

    def write(
        self, selected: SelectedSegments, options: Any, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write the dataset; each yield is a progress point and a place to cancel.

        What is written is in a staging folder until all of it is there and was read back.

        Raises:
            ExportError: something it needs can't be read.
            OSError: it can't be written.
        """
        ...

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read a dataset of this format, with the labels as they stand in it.

        Raises:
            OSError: a file can't be read.
            ValueError: it is no dataset of this format.
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

    def preview(self, path: Path, options: Any) -> dict[str, int]:
        """Count the annotations of each label.

        Raises:
            OSError, ValueError: as in `read`.
        """
        ...

    def read(self, path: Path, options: Any) -> Iterator[AnnotatedImage]:
        """Read what people have labelled, image by image; what models said is left out.

        Raises:
            OSError: a file can't be read.
            ValueError: it is no dataset of this kind.
        """
        ...
