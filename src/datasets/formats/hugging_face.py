"""Hugging Face's imagefolder: a folder for each split, with images and metadata.jsonl."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from src.datasets.annotations import AnnotatedImage, Annotation, PlannedDataset, PlannedImage
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
from src.datasets.formats.json_reading import json_object, listed
from src.datasets.protocols import Holds
from src.events import Event, Progress
from src.options import NoOptions
from src.records import ImageForm, Split

METADATA = "metadata.jsonl"
_UNKNOWN = -1.0
_FOLDERS: dict[Split | None, str] = {
    None: "",
    "train": "train",
    "val": "validation",
    "test": "test",
}


class HuggingFace:
    """A line an image, which `load_dataset("imagefolder", data_dir=…)` gives beside it.

    Every line has the same keys, and its objects are lists side by side, as that needs them. Masks
    are COCO's compressed RLE; a label of the image as a whole has the whole image as its box, and
    is marked. There is no null: of a column with nothing else in one split the loader learns
    another type than in the others, and gives up. What is not known is "" or -1.
    """

    key, label = "hugging_face", "Hugging Face imagefolder"
    summary = "A folder for each split, with images and metadata.jsonl."
    options: type[NoOptions] = NoOptions
    forms: tuple[ImageForm, ...] = ("frames", "crops", "blurred", "cutouts")
    holds = Holds(masks="exact", image_labels=True, confidence=True, source=True, tracks=True)
    is_for_training = True

    def write(
        self, dataset: PlannedDataset, options: NoOptions, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write the images, and a line for each; see `ExportFormat`."""
        done = 0
        for split, images in groupby(dataset, lambda image: image.split):
            folder = _FOLDERS[split]
            with output.open_text(f"{folder}/{METADATA}" if folder else METADATA) as stream:
                for image in images:
                    file = output.add_image(image, folder)
                    if file is not None:
                        said = {"file_name": PurePosixPath(file).name, **_line(image)}
                        line = json.dumps(said, ensure_ascii=False, allow_nan=False)
                        stream.write(f"{line}\n")
                    done += 1
                    yield Progress("export", done, len(dataset))

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read all lines; see `ExportFormat`."""
        return read_strictly(dataset, _read)


def _line(image: PlannedImage) -> dict[str, Any]:
    each, frame = image.annotations, image.frame
    return {
        "width": image.size_wh[0],
        "height": image.size_wh[1],
        "labels": list(dict.fromkeys(annotation.label for annotation in each)),
        "objects": {
            "bbox": [list(annotation.bbox_xywh or (0, 0, *image.size_wh)) for annotation in each],
            "is_image": [annotation.bbox_xywh is None for annotation in each],
            "categories": [annotation.label for annotation in each],
            "mask_rle": [(annotation.mask_rle or b"").decode("ascii") for annotation in each],
            "confidence": [_or_unknown(annotation.confidence) for annotation in each],
            "source": [annotation.source or "" for annotation in each],
            "segment_id": [annotation.segment_id or "" for annotation in each],
            "track_id": [_or_none(annotation.track_id) for annotation in each],
        },
        "media": frame.media,
        "frame_index": frame.frame_index,
        "timestamp_s": _or_unknown(frame.timestamp_s),
    }


def _or_none(number: int | None) -> int:
    return int(_UNKNOWN) if number is None else number


def _or_unknown(value: float | None) -> float:
    return _UNKNOWN if value is None else float(value)


def _read(reader: DatasetReader) -> Iterator[AnnotatedImage]:
    for folder in _FOLDERS.values():
        file = f"{folder}/{METADATA}" if folder else METADATA
        if file not in reader:
            continue
        with reader.open(file) as stream:
            for line in stream:
                with reader.part(file):
                    yield _image(reader, folder, json_object(line))


def _image(reader: DatasetReader, folder: str, said: dict[str, Any]) -> AnnotatedImage:
    width, height = (int(each) for each in numbers([said.get("width"), said.get("height")], 2))
    name, size_wh = reader.image(said.get("file_name"), (folder,), (width, height))
    objects = said.get("objects")
    if not isinstance(objects, dict):
        raise ValueError("a line has no objects")
    columns = {key: listed(values) for key, values in objects.items()}
    rows = (
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    )
    annotations = tuple(_annotation(row, size_wh) for row in rows)
    split = split_named(folder)
    said = _known(said)
    return AnnotatedImage(
        Path(name), annotations, size_wh=size_wh, split=split, **read_origin_fields(said)
    )


def _annotation(row: dict[str, Any], size_wh: tuple[int, int]) -> Annotation:
    row = _known(row)
    label, counts = row.get("categories"), row.get("mask_rle")
    if not isinstance(label, str):
        raise ValueError("an object has no category")
    if isinstance(counts, str):
        return with_mask(label, counts.encode("ascii"), size_wh, **read_own_fields(row))
    if row.get("is_image"):
        return Annotation(label, **read_own_fields(row))
    return Annotation(label, whole_box(numbers(row["bbox"], 4), size_wh), **read_own_fields(row))


def _known(said: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is not known."""
    return {key: value for key, value in said.items() if value not in ("", _UNKNOWN)}
