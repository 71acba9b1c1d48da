"""The basic format: one folder per tag with its crops, and labels.csv beside them; and back."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from src.database.decisions import OF_PEOPLE
from src.datasets.annotations import AnnotatedImage, Annotation, PlannedDataset, PlannedImage
from src.datasets.atomic_output import DatasetFolder
from src.datasets.dataset_writer import DatasetWriter
from src.datasets.file_names import folder_names
from src.datasets.formats.spreadsheet_text import from_cell, to_cell
from src.datasets.protocols import Holds, Skipped
from src.events import Event, Progress
from src.library_files import SafeFolder
from src.options import NoOptions
from src.ownership import LABELS, LABELS_COLUMNS, has_labels
from src.records import ImageForm, Split


class TagFolders:
    """Crops by their tags: those of a segment with several tags are in several folders."""

    key = "tag_folders"
    label = "Folders of crops"
    summary = "One folder per tag, and labels.csv."
    options: type[NoOptions] = NoOptions
    forms: tuple[ImageForm, ...] = ("blurred", "crops", "cutouts")
    holds = Holds(masks="no", boxes=False, image_labels=True, confidence=True, source=True)
    is_for_training = False

    def write(
        self, dataset: PlannedDataset, options: NoOptions, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write crops and labels.csv, without what is removed meanwhile."""
        folders = folder_names(set(dataset.classes))
        number, total = 0, dataset.annotations
        with output.open_text(LABELS) as stream:
            writer = csv.writer(stream)
            writer.writerow(LABELS_COLUMNS)
            for image in dataset:
                for label in image.annotations:
                    one = replace(image, annotations=(label,))
                    file = output.add_image(one, _folder(folders[label.label], image.split))
                    if file is not None:
                        writer.writerow(_row(file, one, label))
                    number += 1
                    yield Progress("export", number, max(number, total))

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read labels.csv: each crop has one label, which stands for all of it."""
        with dataset.open(LABELS) as stream:
            for row in _rows(stream, ","):
                label = Annotation(from_cell(row["tag"]), confidence=float(row["confidence"]))
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
        return has_labels(path)

    def read(self, path: Path, options: NoOptions, skipped: Skipped) -> Iterator[AnnotatedImage]:
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
            f"{LABELS} has a box or a frame that is not a number ({row['file']})"
        ) from exc
    label = Annotation(
        from_cell(row["tag"]),
        None if row["kind"] == "frame" else (x, y, w, h),
        segment_id=from_cell(row["segment_id"]),
    )
    return AnnotatedImage(Path(from_cell(row["media_path"])), (label,), frame_index)


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


def _folder(of_tag: str, split: Split | None) -> str:
    return of_tag if split is None else f"{split}/{of_tag}"


def _row(file: str, image: PlannedImage, label: Annotation) -> tuple[object, ...]:
    """Write a line of labels.csv; see LABELS_COLUMNS."""
    frame, cut = image.frame, image.cut
    assert cut is not None
    return (
        file,
        to_cell(label.label),
        f"{label.confidence:.4f}",
        label.source,
        to_cell(cut.segment_id),
        cut.kind,
        to_cell(frame.media),
        frame.frame_index,
        "" if frame.timestamp_s is None else f"{frame.timestamp_s:.6f}",
        *cut.bbox_xywh,
    )
