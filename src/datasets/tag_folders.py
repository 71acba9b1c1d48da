"""The basic format: one folder per tag with its crops, and labels.csv beside them; and back."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO

from src.database.decisions import OF_PEOPLE
from src.datasets.atomic_output import DatasetFolder
from src.datasets.file_names import crop_name, folder_names
from src.datasets.manifest import DatasetWriter
from src.datasets.protocols import AnnotatedImage, Annotation
from src.datasets.selected import SelectedSegments
from src.events import Event, Progress
from src.library_files import SafeFolder
from src.options import NoOptions
from src.ownership import LABELS, LABELS_COLUMNS, is_export
from src.records import ExportPreview, StoredSegment, Tag

# The wide ones are what East Asian keyboards give, and some spreadsheets take them as well.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class TagFolders:
    """An image-classification dataset, as most programs that train read it."""

    key = "tag_folders"
    label = "Folders of crops"
    summary = "One folder per tag, and labels.csv."
    options: type[NoOptions] = NoOptions

    def preview(self, selected: SelectedSegments, options: NoOptions) -> ExportPreview:
        """Count the crops; see `ExportFormat`."""
        return selected.count_crops()

    def write(
        self, selected: SelectedSegments, options: NoOptions, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write crops and labels.csv, without what is removed meanwhile."""
        labelled = selected.labelled
        folders = folder_names(set(labelled.counts))
        with output.open_text(LABELS) as stream:
            writer = csv.writer(stream)
            writer.writerow(LABELS_COLUMNS)
            for number, (segment, tag) in enumerate(labelled, start=1):
                crop = selected.crop(segment)
                if crop is not None:
                    file = f"{folders[tag.name]}/{crop_name(segment.id)}"
                    output.add_image(file, crop, [as_text(tag.name)])
                    writer.writerow(_row(file, segment, tag))
                yield Progress("export", number, max(number, len(labelled)))

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read labels.csv: each crop has one label, which stands for all of it."""
        with dataset.open(LABELS) as stream:
            for row in _rows(stream, ","):
                label = Annotation(row["tag"], confidence=float(row["confidence"]))
                yield AnnotatedImage(Path(row["file"]), (label,))


class TagFoldersImport:
    """Reads the labels that people gave, for the segments that they gave them to.

    The crops themselves are not read: they are cut out of media that a library has.
    """

    key, label = TagFolders.key, TagFolders.label
    summary = "The tags of people in labels.csv."
    options: type[NoOptions] = NoOptions

    def detect(self, path: Path) -> bool:
        """Return whether a folder has our labels.csv; see `Importer`."""
        return is_export(path)

    def preview(self, path: Path, options: NoOptions) -> dict[str, int]:
        """Count the tags; see `Importer`."""
        images = self.read(path, options)
        return dict(Counter(each.label for image in images for each in image.annotations))

    def read(self, path: Path, options: NoOptions) -> Iterator[AnnotatedImage]:
        """Read labels.csv; an image is the media file that a crop was cut out of."""
        dataset = DatasetFolder(SafeFolder(path))
        with dataset.open(LABELS) as stream:
            semicolons = b";" in stream.readline()  # a spreadsheet may have saved it so
        with dataset.open(LABELS) as stream:
            for row in _rows(stream, ";" if semicolons else ","):
                if row["source"] in OF_PEOPLE:
                    yield _annotated(row)


def _annotated(row: dict[str, str]) -> AnnotatedImage:
    """Read a line of labels.csv as a label on a part of a media file.

    Raises:
        ValueError: its numbers are none.
    """
    try:
        x, y, w, h, frame_index = (int(row[name]) for name in (*"xywh", "frame_index"))
    except ValueError as exc:
        raise ValueError(
            f"{LABELS} has a box or a frame that is no number ({row['file']})"
        ) from exc
    label = Annotation(
        _from_text(row["tag"]),
        None if row["kind"] == "frame" else (x, y, w, h),
        segment_id=_from_text(row["segment_id"]),
    )
    return AnnotatedImage(Path(_from_text(row["media_path"])), (label,), frame_index)


def _rows(stream: IO[bytes], delimiter: str) -> Iterator[dict[str, str]]:
    """Read the lines of labels.csv by the names of its columns.

    Raises:
        ValueError: it is another table.
    """
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    rows = csv.reader(text, delimiter=delimiter)
    try:
        if tuple(next(rows, ())) != LABELS_COLUMNS:
            raise ValueError(f"{LABELS} has other columns")
        for row in rows:
            if len(row) != len(LABELS_COLUMNS):
                raise ValueError(f"{LABELS} has a line of another length, line {rows.line_num}")
            yield dict(zip(LABELS_COLUMNS, row, strict=True))
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


def _from_text(value: str) -> str:
    """Read what as_text wrote."""
    return value[1:] if value.startswith("'") and value[1:].startswith(FORMULA) else value
