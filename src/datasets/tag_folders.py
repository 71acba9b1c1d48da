"""The basic format: one folder per tag with its crops, and labels.csv beside them."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator
from pathlib import Path

from src.datasets.atomic_output import DatasetFolder
from src.datasets.file_names import crop_name, folder_names
from src.datasets.manifest import DatasetWriter
from src.datasets.protocols import AnnotatedImage, Annotation
from src.datasets.selected import SelectedSegments
from src.events import Event, Progress
from src.options import NoOptions
from src.ownership import LABELS, LABELS_COLUMNS
from src.records import ExportPreview, StoredSegment, Tag

# The wide ones are what East Asian keyboards give, and some spreadsheets take them as well.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class TagFolders:
    """An image-classification dataset, as most programs that train read it."""

    key = "tag_folders"
    label = "Folders of crops"
    summary = "One folder per tag, and labels.csv."
    options = NoOptions

    def preview(self, selected: SelectedSegments, options: NoOptions) -> ExportPreview:
        """Count the crops; see `ExportFormat`."""
        return selected.count_crops()

    def write(
        self, selected: SelectedSegments, options: NoOptions, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write crops and labels.csv, without what is removed meanwhile."""
        labelled = selected.labelled
        folders = folder_names({tag.name for _, tag in labelled})
        with output.open_text(LABELS) as stream:
            writer = csv.writer(stream)
            writer.writerow(LABELS_COLUMNS)
            for number, (segment, tag) in enumerate(labelled, start=1):
                crop = selected.crop(segment)
                if crop is not None:
                    file = f"{folders[tag.name]}/{crop_name(segment.id)}"
                    output.add_image(file, crop, [as_text(tag.name)])
                    writer.writerow(_row(file, segment, tag))
                yield Progress("export", number, len(labelled))

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read labels.csv: each crop has one label, which stands for all of it."""
        with dataset.open(LABELS) as stream:
            rows = csv.reader(io.TextIOWrapper(stream, encoding="utf-8", newline=""))
            try:
                if tuple(next(rows, ())) != LABELS_COLUMNS:
                    raise ValueError(f"{LABELS} has other columns")
                for file, tag, confidence, *rest in rows:
                    if len(rest) + 3 != len(LABELS_COLUMNS):
                        raise ValueError(f"{LABELS} has a line of another length")
                    label = Annotation(tag, confidence=float(confidence))
                    yield AnnotatedImage(Path(file), (label,))
            except csv.Error as exc:
                raise ValueError(f"{LABELS}: {exc}") from exc


def _row(file: str, segment: StoredSegment, tag: Tag) -> tuple[object, ...]:
    """Write a line of labels.csv; see LABELS_COLUMNS."""
    return (
        file,
        as_text(tag.name),
        f"{tag.confidence:.4f}",
        tag.source,
        as_text(segment.id),
        segment.kind,
        as_text(str(segment.media_path)),
        segment.frame_index,
        "" if segment.timestamp_s is None else f"{segment.timestamp_s:.6f}",
        *segment.bbox_xywh,
    )


def as_text(value: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{value}" if value.startswith(FORMULA) else value
