"""Tables: a row per annotation, as CSV or JSON Lines, with the vectors of segments beside them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO, Any, TextIO

import numpy as np

from src.datasets.annotations import (
    AnnotatedImage,
    Annotation,
    Embeddings,
    PlannedDataset,
    PlannedImage,
)
from src.datasets.atomic_output import DatasetFolder
from src.datasets.boxes import whole_box
from src.datasets.dataset_writer import DatasetWriter
from src.datasets.formats.annotation_values import (
    numbers,
    read_origin_fields,
    read_own_fields,
    with_mask,
)
from src.datasets.formats.dataset_reader import DatasetReader, read_strictly, split_named
from src.datasets.formats.json_reading import json_object
from src.datasets.formats.spreadsheet_text import from_cell, to_cell
from src.datasets.protocols import Holds
from src.events import Event, Progress
from src.options import option
from src.records import ImageForm

EMBEDDINGS = "embeddings.npy"
_TEXTS = ("file", "split", "label", "source", "mask_rle", "segment_id", "media", "attributes")
COLUMNS = tuple(
    "file split label x y w h mask_rle confidence source segment_id embedding "
    "width height media frame_index timestamp_s attributes track_id".split()
)
# Tables that earlier versions wrote have no tracks, and before those no attributes.
_KNOWN_COLUMNS = (COLUMNS, COLUMNS[:-1], COLUMNS[:-2])
# Vectors that are asked for at a time.
_PART = 1000


@dataclass(frozen=True)
class TableOptions:
    embeddings: bool = option(True, "Write embeddings")


@dataclass(frozen=True)
class _Kind:
    """How a table is written and read.

    Attributes:
        write: makes what writes a row into a text.
        read: gives the rows of a file, with numbers and None as they were.
    """

    file: str
    write: Callable[[TextIO], Callable[[dict[str, Any]], object]]
    read: Callable[[IO[bytes]], Iterator[dict[str, Any]]]


class Tables:
    """A row per annotation; one without a label stands for an image without annotations.

    The column `embedding` is the number of the segment's row in embeddings.npy, (N, D) float32; a
    segment with several labels has one row there.
    """

    options: type[TableOptions] = TableOptions
    forms: tuple[ImageForm, ...] = ("frames", "crops", "blurred", "cutouts")
    holds = Holds(
        masks="exact",
        image_labels=True,
        confidence=True,
        source=True,
        attributes=True,
        tracks=True,
    )
    is_for_training = False

    def __init__(self, key: str, label: str, kind: _Kind) -> None:
        self.key, self.label, self._kind = key, label, kind
        self.summary = f"{kind.file}, one row per annotation, with embeddings.npy and the images."

    def write(
        self, dataset: PlannedDataset, options: TableOptions, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write the images, the table and the vectors; see `ExportFormat`."""
        # a dataset may have none to give
        embeddings: Embeddings | None = getattr(dataset, "embeddings", None)
        rows_of: dict[str, int] = {}
        with output.open_text(self._kind.file) as stream:
            write_row = self._kind.write(stream)
            for done, image in enumerate(dataset, start=1):
                folder = f"images/{image.split}" if image.split else "images"
                file = output.add_image(image, folder)
                for each in image.annotations or (None,):
                    if file is None:
                        break
                    row = _row(image, file, each)
                    if options.embeddings and embeddings and row["segment_id"]:
                        row["embedding"] = rows_of.setdefault(row["segment_id"], len(rows_of))
                    write_row(row)
                yield Progress("export", done, len(dataset))
        if embeddings is not None and rows_of:
            with output.open_binary(EMBEDDINGS) as vectors:
                _write_vectors(vectors, list(rows_of), embeddings)

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read the table, and how many vectors there are; see `ExportFormat`."""
        return read_strictly(dataset, self._read)

    def _read(self, reader: DatasetReader) -> Iterator[AnnotatedImage]:
        vectors = set()
        with reader.open(self._kind.file) as stream:
            rows = self._kind.read(stream)
            for file, some in groupby(rows, key=lambda row: row.get("file")):
                of_image = list(some)
                vectors |= {row.get("embedding") for row in of_image}
                with reader.part(self._kind.file):
                    yield _image(reader, file, of_image)
        vectors.discard(None)
        if vectors:
            with reader.part(EMBEDDINGS), reader.open(EMBEDDINGS) as stream:
                if vectors != set(range(_count_vectors(stream))):
                    raise ValueError("it does not have the vectors that the table names")


def _row(image: PlannedImage, file: str, annotation: Annotation | None) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {"file": file, "split": image.split}
    row |= {"width": image.size_wh[0], "height": image.size_wh[1]}
    row |= {"media": image.frame.media, "frame_index": image.frame.frame_index}
    row["timestamp_s"] = image.frame.timestamp_s
    if annotation is None:
        return row
    if annotation.bbox_xywh is not None:
        row |= dict(zip("xywh", annotation.bbox_xywh, strict=True))
    if annotation.mask_rle is not None:
        row["mask_rle"] = annotation.mask_rle.decode("ascii")
    row |= {"label": annotation.label, "confidence": annotation.confidence}
    row["attributes"] = dict(annotation.attributes) or None
    row["track_id"] = annotation.track_id
    return row | {"source": annotation.source, "segment_id": annotation.segment_id}


def _write_vectors(stream: IO[bytes], segment_ids: list[str], embeddings: Embeddings) -> None:
    """Write the vectors of segments as .npy, some at a time."""
    for begin in range(0, len(segment_ids), _PART):
        vectors = embeddings(segment_ids[begin : begin + _PART]).astype("<f4")
        if not begin:
            shape = (len(segment_ids), vectors.shape[1])
            said = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(stream, said)
        stream.write(vectors.tobytes())


def _count_vectors(stream: IO[bytes]) -> int:
    """Count the vectors in an .npy file.

    Raises:
        ValueError: it is none, or cut off.
    """
    np.lib.format.read_magic(stream)
    shape, in_columns, dtype = np.lib.format.read_array_header_1_0(stream)
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    np.lib.format.read_magic(stream)
    np.lib.format.read_array_header_1_0(stream)
    if in_columns or dtype != np.dtype("<f4") or len(shape) != 2:
        raise ValueError("it does not hold float32 vectors")
    if size - stream.tell() != shape[0] * shape[1] * 4:
        raise ValueError("it has fewer vectors than its header says")
    return int(shape[0])


# -- reading


def _image(reader: DatasetReader, file: object, rows: list[dict[str, Any]]) -> AnnotatedImage:
    first = rows[0]
    width, height = (int(each) for each in numbers([first["width"], first["height"]], 2))
    name, size_wh = reader.image(file, ("",), (width, height))
    annotations = tuple(_annotation(row, size_wh) for row in rows if row["label"] is not None)
    if len(annotations) < len(rows) and len(rows) > 1:
        raise ValueError("a row without a label stands beside others of its image")
    split = first["split"]
    return AnnotatedImage(
        Path(name),
        annotations,
        size_wh=size_wh,
        split=split_named(split) if isinstance(split, str) else None,
        **read_origin_fields(first),
    )


def _annotation(row: dict[str, Any], size_wh: tuple[int, int]) -> Annotation:
    label, counts = row["label"], row["mask_rle"]
    if not isinstance(label, str):
        raise ValueError("a label is not text")
    if isinstance(counts, str):
        return with_mask(label, counts.encode("ascii"), size_wh, **read_own_fields(row))
    if row["x"] is None:
        return Annotation(label, **read_own_fields(row))
    box = whole_box(numbers([row[name] for name in "xywh"], 4), size_wh)
    return Annotation(label, box, **read_own_fields(row))


# -- the two kinds


def _csv_writer(stream: TextIO) -> Callable[[dict[str, Any]], object]:
    writer = csv.DictWriter(stream, COLUMNS)
    writer.writeheader()

    def write(row: dict[str, Any]) -> object:
        if row["attributes"] is not None:
            row = row | {"attributes": json.dumps(row["attributes"], ensure_ascii=False)}
        cells = {
            key: to_cell(value) if key in _TEXTS and value else value for key, value in row.items()
        }
        return writer.writerow(cells)

    return write


def _csv_rows(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    rows = csv.DictReader(text, strict=True)
    try:
        for row in rows:
            if tuple(rows.fieldnames or ()) not in _KNOWN_COLUMNS:
                raise ValueError("it has other columns")
            if None in row or None in row.values():
                raise ValueError("it has other columns")
            yield {key: _from_csv(key, value) for key, value in row.items()}
    except csv.Error as exc:
        raise ValueError(str(exc)) from exc


def _from_csv(key: str, value: str) -> Any:
    if not value:
        return None
    if key == "attributes":
        return json_object(from_cell(value).encode())
    if key in _TEXTS:
        return from_cell(value)
    return float(value) if key in ("confidence", "timestamp_s") else int(value)


def _json_writer(stream: TextIO) -> Callable[[dict[str, Any]], object]:
    return lambda row: stream.write(f"{json.dumps(row, ensure_ascii=False, allow_nan=False)}\n")


def _json_rows(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    for line in stream:
        row = json_object(line)
        if row.keys() not in [set(columns) for columns in _KNOWN_COLUMNS]:
            raise ValueError("a line has other keys")
        yield row


TABLE_FORMATS = (
    Tables("csv", "CSV", _Kind("annotations.csv", _csv_writer, _csv_rows)),
    Tables("json_lines", "JSON Lines", _Kind("annotations.jsonl", _json_writer, _json_rows)),
)
