"""COCO: one JSON file per split, with categories, images and annotations; and back."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from itertools import count, groupby
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np

from src.datasets.annotations import AnnotatedImage, Annotation, PlannedDataset, PlannedImage
from src.datasets.atomic_output import DatasetFolder
from src.datasets.boxes import whole_box
from src.datasets.dataset_writer import DatasetWriter
from src.datasets.formats.annotation_values import (
    numbers,
    origin_fields,
    own_fields,
    read_origin_fields,
    read_own_fields,
    with_mask,
)
from src.datasets.formats.dataset_reader import (
    DatasetReader,
    folder_of,
    heads,
    read_leniently,
    read_strictly,
    split_named,
    split_of_path,
)
from src.datasets.formats.json_reading import json_object, listed
from src.datasets.formats.mask_outlines import MASKS_AS, filled, plain_parts
from src.datasets.polygons import counts_of_runs, pixels_of
from src.datasets.protocols import Holds, Skipped
from src.events import Event, Progress
from src.models.mask_rle import compressed, runs_of
from src.options import NoOptions, option
from src.records import ImageForm, Split

# COCO's own file of 118,000 training images has half of that.
LARGEST = 1 << 30
# What of a file of annotations is kept in memory before it goes to the disk.
_IN_MEMORY = 1 << 26
_LISTS = re.compile(r'"(images|annotations|categories)"\s*:\s*\[')


@dataclass(frozen=True)
class CocoOptions:
    masks: str = option("exact", "Masks as", choices=MASKS_AS)
    licence: str = option("", "Licence of the images")
    licence_url: str = option("", "Web address of the licence")


class Coco:
    """Writes COCO, and reads it.

    A mask with holes is RLE always: COCO's polygons have none. What COCO has no word for has keys
    of its own, which other programs pass over: whose word a label is, how sure, the segment's id.
    Frames of videos have what the COCO files of tracks have: `videos`, of an image `video_id` and
    `frame_id` (MMTracking's), of an annotation `track_id` (TAO's) and the same as `instance_id`.
    """

    key, label = "coco", "COCO"
    summary = "One JSON file per split with categories, boxes and masks, and the images."
    options: type[CocoOptions] = CocoOptions
    forms: tuple[ImageForm, ...] = ("frames", "crops", "blurred", "cutouts")
    holds = Holds(masks="polygons", confidence=True, source=True, attributes=True, tracks=True)
    is_for_training = True

    def write(
        self, dataset: PlannedDataset, options: CocoOptions, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write a JSON file for each split; see `ExportFormat`."""
        done = 0
        for split, images in groupby(dataset, lambda image: image.split):
            with (
                output.open_text(_file_of(split)) as stream,
                tempfile.SpooledTemporaryFile(
                    _IN_MEMORY, "w+", encoding="utf-8", newline=""
                ) as later,
            ):
                writer = _Writer(dataset, options, stream, later)
                for image in images:
                    image = replace(image, annotations=_with_boxes(image))
                    file = output.add_image(image, _folder_of(split))
                    if file is not None:
                        writer.add(image, file)
                    done += 1
                    yield Progress("export", done, len(dataset))
                writer.finish()

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read all JSON files; see `ExportFormat`."""
        return read_strictly(dataset, _read)


class CocoImport:
    """Reads the COCO of any program: instances, with boxes, polygons or RLE."""

    key, label = Coco.key, Coco.label
    summary = "Categories, boxes and masks of COCO's JSON files."
    options: type[NoOptions] = NoOptions

    def detect(self, path: Path) -> bool:
        """Return whether it is, or has, a JSON file of COCO; see `Importer`."""
        return any(_is_coco(head) for head in heads(path, ".json"))

    def read(self, path: Path, options: NoOptions, skipped: Skipped) -> Iterator[AnnotatedImage]:
        """Read what people labelled; see `Importer`."""
        for image in read_leniently(path, skipped, _read):
            assert image.size_wh is not None
            yield replace(
                image,
                annotations=tuple(
                    _in_fewest_bytes(each, image.size_wh) for each in image.annotations
                ),
            )


class _Writer:
    """Writes one file: the images at once, and the annotations after them."""

    def __init__(
        self, dataset: PlannedDataset, options: CocoOptions, stream: IO[str], later: IO[str]
    ) -> None:
        self._stream, self._later = stream, later
        self._as_polygons = options.masks == "polygons"
        self._images = self._annotations = 0
        self._videos: list[dict[str, Any]] = []
        self._frame_ids: dict[int, Iterator[int]] = {}  # of each video, by its media file
        self._category_ids = {name: number for number, name in enumerate(dataset.classes, 1)}
        has_licence = bool(options.licence or options.licence_url)
        self._of_image = {"license": 1} if has_licence else {}
        licence = {"id": 1, "name": options.licence, "url": options.licence_url}
        info = {"description": f"{dataset.title}: {dataset.description}", "version": "1.0"}
        categories = [
            {"id": number, "name": name, "supercategory": ""}
            for name, number in self._category_ids.items()
        ]
        stream.write(f'{{"info": {_line(info)},\n')
        stream.write(f'"licenses": {_line([licence] if has_licence else [])},\n')
        stream.write(f'"categories": {_line(categories)},\n"images": [')

    def add(self, image: PlannedImage, file: str) -> None:
        self._stream.write(",\n" if self._images else "\n")
        self._images += 1
        width, height = image.size_wh
        said: dict[str, Any] = {"id": self._images, "file_name": PurePosixPath(file).name}
        said |= {"width": width, "height": height, **self._of_image, **origin_fields(image)}
        of_video = self._of_video(image)
        said |= of_video
        self._stream.write(_line(said))
        for annotation in image.annotations:
            self._later.write(",\n" if self._annotations else "\n")
            self._annotations += 1
            ids = {"id": self._annotations, "image_id": self._images}
            if of_video and annotation.track_id is not None:
                ids |= {"video_id": of_video["video_id"], "instance_id": annotation.track_id}
            self._later.write(_line(ids | self._annotation(annotation, image.size_wh)))

    def finish(self) -> None:
        self._stream.write('\n],\n"annotations": [')
        self._later.seek(0)
        shutil.copyfileobj(self._later, self._stream)
        self._stream.write("\n]")
        if self._videos:
            videos = ",\n".join(map(_line, self._videos))
            self._stream.write(f',\n"videos": [\n{videos}\n]')
        self._stream.write("}\n")

    def _of_video(self, image: PlannedImage) -> dict[str, int]:
        """Return the fields for the video and frame of an image; empty for a photo or a crop."""
        frame = image.frame
        if frame.timestamp_s is None or image.cut is not None:
            return {}
        if frame.media_id not in self._frame_ids:
            self._frame_ids[frame.media_id] = count()
            width, height = frame.size_wh
            said = {"id": len(self._frame_ids), "name": frame.media}
            self._videos.append(said | {"width": width, "height": height})
        frame_id = next(self._frame_ids[frame.media_id])
        return {"video_id": len(self._frame_ids), "frame_id": frame_id}

    def _annotation(self, annotation: Annotation, size_wh: tuple[int, int]) -> dict[str, Any]:
        assert annotation.bbox_xywh is not None
        counts, (x, y, w, h) = annotation.mask_rle, annotation.bbox_xywh
        return {
            "category_id": self._category_ids[annotation.label],
            "bbox": [x, y, w, h],
            "area": w * h if counts is None else pixels_of(counts, size_wh),
            "iscrowd": 0,
            "segmentation": [] if counts is None else self._segmentation(counts, size_wh),
            **own_fields(annotation),
        }

    def _segmentation(self, counts: bytes, size_wh: tuple[int, int]) -> Any:
        parts = plain_parts(counts, size_wh) if self._as_polygons else None
        if parts is not None:
            return [np.round(part, 3).ravel().tolist() for part in parts]
        return {"size": [size_wh[1], size_wh[0]], "counts": counts.decode("ascii")}


_line = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def _file_of(split: Split | None) -> str:
    return f"annotations/instances_{split}.json" if split else "annotations/instances.json"


def _folder_of(split: Split | None) -> str:
    return f"images/{split}" if split else "images"


def _with_boxes(image: PlannedImage) -> tuple[Annotation, ...]:
    return tuple(each for each in image.annotations if each.bbox_xywh is not None)


# -- reading


def _is_coco(head: str) -> bool:
    return head.lstrip("\ufeff \r\n\t").startswith("{") and bool(_LISTS.search(head))


def _read(reader: DatasetReader) -> Iterator[AnnotatedImage]:
    found = False
    files = reader.names(".json")
    if reader.chosen is None:
        files = [file for file in files if _is_coco(_head(reader, file))]
        # beside them COCO has the same images with keypoints and captions
        files = [file for file in files if "instances" in PurePosixPath(file).name] or files
    for file in files:
        content = json_object(reader.read(file, LARGEST))
        if {"images", "categories"} <= content.keys():
            found = True
            yield from _images(reader, file, content)
    if not found:
        raise ValueError("no JSON file here has COCO's images and categories")


def _head(reader: DatasetReader, file: str) -> str:
    with reader.open(file) as stream:
        return stream.read(1 << 16).decode("utf-8", "replace")


def _images(reader: DatasetReader, file: str, content: dict[str, Any]) -> Iterator[AnnotatedImage]:
    labels = _labels(reader, file, content)
    by_image: dict[object, list[dict[str, Any]]] = defaultdict(list)
    for each in listed(content.pop("annotations", None)):
        with reader.part(file):
            if not isinstance(each, dict):
                raise ValueError("an annotation is not an object")
            by_image[_id(each, "image_id")].append(each)
    split = split_named(PurePosixPath(file).name)
    folders = _folders(file, split)
    for each in listed(content.pop("images")):
        if not isinstance(each, dict):
            reader.skip(file, "an image is not an object")
            continue
        annotations = by_image.pop(each.get("id") if _is_id(each.get("id")) else None, [])
        image: AnnotatedImage | None = None
        with reader.part(file):
            image = _image(reader, each, folders, split)
        if image is not None and image.size_wh is not None:
            read: list[Annotation] = []
            for annotation in annotations:
                with reader.part(image.image.as_posix()):
                    read.append(_annotation(annotation, labels, image.size_wh))
            if read or not annotations:
                yield replace(image, annotations=tuple(read))
    for image_id, annotations in by_image.items():
        for _ in annotations:
            reader.skip(file, f"an annotation is of the image {image_id!r}, which is not listed")


def _labels(reader: DatasetReader, file: str, content: dict[str, Any]) -> dict[object, str]:
    """Read the names of categories by their ids."""
    labels: dict[object, str] = {}
    for each in listed(content["categories"]):
        with reader.part(file):
            name = each.get("name") if isinstance(each, dict) else None
            if not isinstance(name, str) or not name.strip():
                raise ValueError("a category has no name")
            labels[_id(each, "id")] = name
    return labels


def _image(
    reader: DatasetReader, read: dict[str, Any], folders: list[str], split: Split | None
) -> AnnotatedImage:
    size = read.get("width"), read.get("height")
    name, size_wh = reader.image(read.get("file_name"), folders, None if None in size else size)
    split = split or split_of_path(name)
    return AnnotatedImage(Path(name), (), size_wh=size_wh, split=split, **read_origin_fields(read))


def _annotation(
    read: dict[str, Any], labels: dict[object, str], size_wh: tuple[int, int]
) -> Annotation:
    """Read an annotation.

    Raises:
        ValueError: it is broken, or of several things.
        DamagedMaskError: its mask is.
    """
    category = read.get("category_id")
    if not _is_id(category) or category not in labels:
        raise ValueError(f"an annotation has the unknown category {category!r}")
    if read.get("iscrowd"):
        raise ValueError("an annotation marks a crowd, not a single object")
    label, more = labels[category], read_own_fields(read)
    counts = _mask(read.get("segmentation"), size_wh)
    if counts is None:
        box = whole_box(numbers(read.get("bbox"), 4), size_wh)
        return Annotation(label, box, **more)
    return with_mask(label, counts, size_wh, **more)


def _mask(segmentation: object, size_wh: tuple[int, int]) -> bytes | None:
    """Read polygons, or RLE in either form; None where there is nothing."""
    if not segmentation:
        return None
    if isinstance(segmentation, list):
        polygons = []
        for flat in segmentation:
            if not isinstance(flat, list) or len(flat) % 2 or len(flat) < 6:
                raise ValueError("a polygon is not a list of three or more points")
            values = numbers(flat, len(flat))
            polygons.append(list(zip(values[::2], values[1::2], strict=True)))
        return filled(polygons, size_wh)
    if not isinstance(segmentation, dict) or segmentation.get("size") != [*size_wh[::-1]]:
        raise ValueError("a mask has another size than its image")
    counts = segmentation.get("counts")
    if isinstance(counts, str):
        return counts.encode("ascii")
    return counts_of_runs(counts, size_wh)


def _in_fewest_bytes(annotation: Annotation, size_wh: tuple[int, int]) -> Annotation:
    """Write a mask as we do: others may write the same one in more bytes than it needs."""
    if annotation.mask_rle is None:
        return annotation
    runs = runs_of(annotation.mask_rle, size_wh)
    return replace(annotation, mask_rle=compressed(runs, np.array([len(runs)]))[0])


def _folders(file: str, split: Split | None) -> list[str]:
    """List where the images of a file of annotations may be, the likeliest first."""
    here, stem = folder_of(file), PurePosixPath(file).stem
    above = folder_of(here) if here else here
    named = stem.removeprefix("instances_")
    inside = [f"images/{named}", named, *([f"images/{split}", split] if split else [])]
    places = [f"{folder}/{name}" for folder in (above, here) for name in inside]
    return [*places, here, f"{above}/images", f"{here}/images", above]


def _is_id(value: object) -> bool:
    return isinstance(value, int | str)


def _id(read: dict[str, Any], key: str) -> object:
    if not _is_id(read.get(key)):
        raise ValueError(f"{key} is missing")
    return read[key]
