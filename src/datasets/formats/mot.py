"""MOT text: a folder for each video, with its frames and one file of boxes; and back."""

from __future__ import annotations

import configparser
from collections.abc import Generator, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path, PurePosixPath

import numpy as np

from src.datasets.annotations import AnnotatedImage, Annotation, PlannedDataset, PlannedImage
from src.datasets.atomic_output import DatasetFolder
from src.datasets.boxes import TOO_MUCH, whole_box
from src.datasets.dataset_writer import DatasetWriter
from src.datasets.formats.annotation_values import number, read_track
from src.datasets.formats.dataset_reader import (
    DatasetReader,
    folder_of,
    heads,
    read_leniently,
    read_strictly,
    split_of_path,
)
from src.datasets.protocols import Holds, Skipped
from src.events import Event, Progress
from src.options import NoOptions
from src.records import ImageForm

IMAGES, BOXES, LABELS, ABOUT = "img1", "gt/gt.txt", "gt/labels.txt", "seqinfo.ini"
# A line for a thing in a frame; two hours at 30 frames a second with 20 of them are 130 MB.
LARGEST = 1 << 30
LARGEST_ABOUT = 1 << 24  # of these frames it names each
LARGEST_OF_WORDS = 1 << 20
_COLUMNS, _COLUMNS_OF_2015 = 9, 10
# Where nothing is known of when frames are shown; MOTChallenge has a rate always.
_RATE_OF_ONE = 1.0
_SOURCE = "Source"  # our own section of seqinfo.ini
# MOTChallenge's own classes, where a sequence names none.
_CLASSES = (
    "pedestrian",
    "person on vehicle",
    "car",
    "bicycle",
    "motorbike",
    "non motorized vehicle",
    "static person",
    "distractor",
    "occluder",
    "occluder on the ground",
    "occluder full",
    "reflection",
    "crowd",
)


class Mot:
    """The layout of MOTChallenge (Milan et al. 2016), with names of classes as CVAT has them.

    Of each video `img1/000001.jpg` and so on, `gt/gt.txt` with a line for each thing in a frame
    (frame, id, left, top, width, height, 1, class, 1), `gt/labels.txt` with a class a line, the
    first of which is 1, and `seqinfo.ini`. Pixels are counted from 1, as MOTChallenge does. From
    which video and which of its frames the images are is in a section of its own.
    """

    key, label = "mot", "MOT text"
    summary = "A folder for each video: its frames, gt.txt with boxes of tracks, and seqinfo.ini."
    options: type[NoOptions] = NoOptions
    forms: tuple[ImageForm, ...] = ("frames",)
    holds = Holds(masks="no", several_labels=False, tracks=True, sequences=True)
    is_for_training = True

    def write(
        self, dataset: PlannedDataset, options: NoOptions, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write a folder for each video; see `ExportFormat`."""
        classes = {label: place for place, label in enumerate(dataset.classes, start=1)}
        labels = "".join(f"{_on_one_line(label)}\n" for label in dataset.classes).encode()
        done = 0
        for _, images in groupby(dataset, lambda image: (image.split, image.frame.media_id)):
            sequence: str | None = None
            times_s: list[float] = []
            indexes: list[int] = []
            for image in images:
                folder = "/".join(filter(None, (image.split, image.frame.name or image.stem)))
                boxed = tuple(each for each in image.annotations if each.track_id is not None)
                numbered = replace(image, stem=f"{len(times_s) + 1:06}", annotations=boxed)
                file = output.add_image(numbered, f"{folder}/{IMAGES}")
                if file is not None:
                    if sequence is None:
                        sequence, first, lines = folder, image, list[str]()
                    times_s.append(image.frame.timestamp_s or 0.0)
                    indexes.append(image.frame.frame_index)
                    lines += (_line(len(times_s), each, classes) for each in boxed)
                done += 1
                yield Progress("export", done, len(dataset))
            if sequence is not None:
                output.add_file(f"{sequence}/{BOXES}", "".join(lines).encode("ascii"))
                output.add_file(f"{sequence}/{LABELS}", labels)
                about = _about(first, PurePosixPath(sequence).name, times_s, indexes)
                output.add_file(f"{sequence}/{ABOUT}", about.encode())

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read all folders of videos; see `ExportFormat`."""
        return read_strictly(dataset, _read)


class MotImport:
    """Reads the boxes and tracks of MOTChallenge's gt.txt, with the frames beside it."""

    key, label = Mot.key, Mot.label
    summary = "Boxes of tracks in MOTChallenge's gt.txt, with the frames of its videos."
    options: type[NoOptions] = NoOptions

    def detect(self, path: Path) -> bool:
        """Return whether there is a sequence of MOTChallenge; see `Importer`."""
        if not path.is_dir():
            return path.name.lower() == ABOUT and any(
                "[Sequence]" in h for h in heads(path, ".ini")
            )
        return any("[Sequence]" in head for head in heads(path, ABOUT))

    def read(self, path: Path, options: NoOptions, skipped: Skipped) -> Iterator[AnnotatedImage]:
        """Read what people labelled; see `Importer`."""
        return read_leniently(path, skipped, _read)


def _line(frame: int, annotation: Annotation, classes: dict[str, int]) -> str:
    assert annotation.bbox_xywh is not None
    x, y, w, h = annotation.bbox_xywh
    return (
        f"{frame},{annotation.track_id},{x + 1},{y + 1},{w},{h},1,{classes[annotation.label]},1\n"
    )


def _on_one_line(label: str) -> str:
    return " ".join(label.split())


def _about(first: PlannedImage, name: str, times_s: list[float], indexes: list[int]) -> str:
    width, height = first.size_wh
    return (
        f"[Sequence]\nname={name}\nimDir={IMAGES}\nframeRate={_rate(times_s)}\n"
        f"seqLength={len(times_s)}\nimWidth={width}\nimHeight={height}\nimExt=.jpg\n"
        f"\n[{_SOURCE}]\nmedia={_on_one_line(first.frame.media)}\n"
        f"frames={' '.join(map(str, indexes))}\n"
    )


def _rate(times_s: list[float]) -> str:
    """Return the frames a second by the median step between frames; rounded if near a whole one."""
    steps = np.diff(times_s)
    rate = float(1 / np.median(steps)) if len(steps) and np.median(steps) > 0 else _RATE_OF_ONE
    return f"{round(rate)}" if abs(rate - round(rate)) < 0.02 * rate else f"{rate:.3g}"


# -- reading


def _read(reader: DatasetReader) -> Iterator[AnnotatedImage]:
    found = False
    for file in reader.names(ABOUT):
        if PurePosixPath(file).name != ABOUT:
            continue
        found = True
        with reader.part(file):
            yield from _sequence(reader, file)
    if not found:
        raise ValueError(f"there is no {ABOUT}")


def _sequence(reader: DatasetReader, file: str) -> Iterator[AnnotatedImage]:
    folder = folder_of(file)
    above = f"{folder}/" if folder else ""
    about = configparser.ConfigParser(interpolation=None)
    try:
        about.read_string(reader.text(file, LARGEST_ABOUT))
        length = about.getint("Sequence", "seqLength")
        size_wh = (about.getint("Sequence", "imWidth"), about.getint("Sequence", "imHeight"))
        images = about.get("Sequence", "imDir")
        media = about.get(_SOURCE, "media", fallback=None)
        indexes = [int(each) for each in about.get(_SOURCE, "frames", fallback="").split()]
    except configparser.Error as exc:
        raise ValueError(f"it is not what {ABOUT} should be") from exc
    if media is not None and len(indexes) != length:
        raise ValueError(f"it names {len(indexes)} frames of its video, and not {length}")
    if not all(0 <= index < TOO_MUCH for index in indexes):
        raise ValueError("it names a frame that no video has")
    labels = list(_CLASSES)
    if above + LABELS in reader:
        labels = reader.text(above + LABELS, LARGEST_OF_WORDS).splitlines()
    names = reader.images(f"{above}{images}")
    if len(names) != length:
        raise ValueError(f"there are {len(names)} images, and not {length}")
    boxes: dict[int, list[Annotation]] = {}
    for line in reader.text(above + BOXES, LARGEST).splitlines():
        with reader.part(above + BOXES):
            frame, annotation = _annotation(line, labels, size_wh)
            if not 1 <= frame <= length:
                raise ValueError(f"{BOXES} has the frame {frame}, of {length}")
            boxes.setdefault(frame, []).append(annotation)
    for name in names:
        with reader.part(name):
            frame = int(PurePosixPath(name).stem)
            if not 1 <= frame <= length:
                raise ValueError(f"its name is not the number of a frame from 1 to {length}")
            found, size = reader.image(name, ("",), size_wh)
            yield AnnotatedImage(
                Path(found),
                tuple(boxes.get(frame, ())),
                # a picture by itself has one frame
                frame_index=0 if media is None else indexes[frame - 1],
                size_wh=size,
                split=split_of_path(folder + "/"),
                media=media,
            )


def _annotation(line: str, labels: list[str], size_wh: tuple[int, int]) -> tuple[int, Annotation]:
    """Read a line: the number of its frame, and what is there."""
    try:
        values = [number(float(value)) for value in line.split(",")]
    except ValueError as exc:
        raise ValueError(f"the line {line[:60]!r} has what is not a number") from exc
    if len(values) == _COLUMNS_OF_2015:  # of pedestrians alone, with a place in the world
        values = [*values[:6], 1, 1, 1]
        labels = list(_CLASSES)
    if len(values) != _COLUMNS:
        raise ValueError(f"a line of {BOXES} does not have {_COLUMNS} numbers")
    frame, track, left, top, width, height, _, kind, _ = values
    if not 1 <= kind <= len(labels) or kind != int(kind):
        raise ValueError(f"there is no class {kind:g}")
    if frame != int(frame):
        raise ValueError(f"{frame:g} is no number of a frame")
    box_xywh = whole_box((left - 1, top - 1, width, height), size_wh)
    return int(frame), Annotation(labels[int(kind) - 1], box_xywh, track_id=read_track(track))
