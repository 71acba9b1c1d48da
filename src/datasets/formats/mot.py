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
from src.datasets.boxes import whole_box
from src.datasets.dataset_writer import DatasetWriter
from src.datasets.formats.annotation_values import number
from src.datasets.formats.dataset_reader import (
    DatasetReader,
    folder_of,
    read_strictly,
    split_of_path,
)
from src.datasets.protocols import Holds
from src.events import Event, Progress
from src.options import NoOptions
from src.records import ImageForm

IMAGES, BOXES, LABELS, ABOUT = "img1", "gt/gt.txt", "gt/labels.txt", "seqinfo.ini"
# A line for a thing in a frame; two hours at 30 frames a second with 20 of them are 130 MB.
LARGEST = 1 << 30
LARGEST_OF_WORDS = 1 << 20
_COLUMNS = 9
# Where nothing is known of when frames are shown; MOTChallenge has a rate always.
_RATE_OF_ONE = 1.0


class Mot:
    """The layout of MOTChallenge (Milan et al. 2016), with names of classes as CVAT has them.

    Of each video `img1/000001.jpg` and so on, `gt/gt.txt` with a line for each thing in a frame
    (frame, id, left, top, width, height, 1, class, 1), `gt/labels.txt` with a class a line, the
    first of which is 1, and `seqinfo.ini`. Pixels are counted from 1, as MOTChallenge does.
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
            for image in images:
                folder = "/".join(filter(None, (image.split, image.frame.name or image.stem)))
                boxed = tuple(each for each in image.annotations if each.track_id is not None)
                numbered = replace(image, stem=f"{len(times_s) + 1:06}", annotations=boxed)
                file = output.add_image(numbered, f"{folder}/{IMAGES}")
                if file is not None:
                    if sequence is None:
                        sequence, first, lines = folder, image, list[str]()
                    times_s.append(image.frame.timestamp_s or 0.0)
                    lines += (_line(len(times_s), each, classes) for each in boxed)
                done += 1
                yield Progress("export", done, len(dataset))
            if sequence is not None:
                output.add_file(f"{sequence}/{BOXES}", "".join(lines).encode("ascii"))
                output.add_file(f"{sequence}/{LABELS}", labels)
                about = _about(first, PurePosixPath(sequence).name, times_s)
                output.add_file(f"{sequence}/{ABOUT}", about.encode())

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read all folders of videos; see `ExportFormat`."""
        return read_strictly(dataset, _read)


def _line(frame: int, annotation: Annotation, classes: dict[str, int]) -> str:
    assert annotation.bbox_xywh is not None
    x, y, w, h = annotation.bbox_xywh
    return (
        f"{frame},{annotation.track_id},{x + 1},{y + 1},{w},{h},1,{classes[annotation.label]},1\n"
    )


def _on_one_line(label: str) -> str:
    return " ".join(label.split())


def _about(first: PlannedImage, name: str, times_s: list[float]) -> str:
    width, height = first.size_wh
    return (
        f"[Sequence]\nname={name}\nimDir={IMAGES}\nframeRate={_rate(times_s)}\n"
        f"seqLength={len(times_s)}\nimWidth={width}\nimHeight={height}\nimExt=.jpg\n"
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
        about.read_string(reader.text(file, LARGEST_OF_WORDS))
        length = about.getint("Sequence", "seqLength")
        size_wh = (about.getint("Sequence", "imWidth"), about.getint("Sequence", "imHeight"))
        images = about.get("Sequence", "imDir")
    except configparser.Error as exc:
        raise ValueError(f"it is not what {ABOUT} should be") from exc
    labels = reader.text(above + LABELS, LARGEST_OF_WORDS).splitlines()
    boxes: dict[int, list[Annotation]] = {}
    for line in reader.text(above + BOXES, LARGEST).splitlines():
        frame, annotation = _annotation(line, labels, size_wh)
        if not 1 <= frame <= length:
            raise ValueError(f"{BOXES} has the frame {frame}, of {length}")
        boxes.setdefault(frame, []).append(annotation)
    names = reader.images(f"{above}{images}")
    if len(names) != length:
        raise ValueError(f"there are {len(names)} images, and not {length}")
    for name in names:
        frame = int(PurePosixPath(name).stem)
        found, size = reader.image(name, ("",), size_wh)
        yield AnnotatedImage(
            Path(found),
            tuple(boxes.get(frame, ())),
            frame_index=frame - 1,
            size_wh=size,
            split=split_of_path(folder + "/"),
        )


def _annotation(line: str, labels: list[str], size_wh: tuple[int, int]) -> tuple[int, Annotation]:
    """Read a line: the number of its frame, and what is there."""
    values = [number(float(value)) for value in line.split(",")]
    if len(values) != _COLUMNS:
        raise ValueError(f"a line of {BOXES} does not have {_COLUMNS} numbers")
    frame, track, left, top, width, height, _, kind, _ = values
    if not 1 <= kind <= len(labels) or kind != int(kind):
        raise ValueError(f"there is no class {kind:g}")
    box_xywh = whole_box((left - 1, top - 1, width, height), size_wh)
    return int(frame), Annotation(labels[int(kind) - 1], box_xywh, track_id=int(track))
