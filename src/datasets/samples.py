"""Some images of a dataset with their masks drawn into them, to be looked at."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, takewhile
from math import ceil
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np

from src.crop_shape import fitted_size
from src.datasets.annotations import AnnotatedImage, Annotation
from src.datasets.atomic_output import DatasetFolder
from src.datasets.dataset_writer import ImageRenderer
from src.datasets.plan import DatasetPlan
from src.datasets.protocols import ExportFormat
from src.errors import DamagedMaskError, ExportError, MediaReadError
from src.export_records import ExportSample, SampleLabel
from src.library_files import SafeFolder
from src.models.mask_rle import decode_rle
from src.records import BoxXywh

SAMPLE_SIDE = 1024
# In a dataset that was written no more images than these are looked through.
MOST_LOOKED_AT = 2000
COLOURS = (
    "#5B96EE",
    "#E6B450",
    "#5CC98B",
    "#F0686C",
    "#B08CF0",
    "#E39BC4",
    "#C79A6B",
    "#8E8E97",
)
_FILL = 0.35
ReadSmall = Callable[[bytes], np.ndarray]


def samples_of_plan(
    plan: DatasetPlan, images: ImageRenderer, read: ReadSmall, number: int
) -> Iterator[ExportSample]:
    """Make some images that would be written, spread over classes and media; always the same.

    Args:
        read: decodes an image file: (h, w, 3) uint8 RGB, at least SAMPLE_SIDE on its longer side
            or the whole image.
        number: of images, at most; those that can't be read are left out.
    """
    numbers = {name: place for place, name in enumerate(plan.classes)}
    keys, unread, given = _spread(plan), set[int](), 0
    while given < number and (some := list(islice(keys, number - given))):
        # in their order, so that a video is gone through once
        for media_id, frame_index, segment_id in sorted(some):
            if media_id in unread:
                continue
            for image in plan.images_of(media_id, frame_index):
                if image.cut is not None and image.cut.segment_id != segment_id:
                    continue
                try:
                    made = images.render(image, plan.form)
                    image_rgb = None if made is None else read(made[0])
                except (MediaReadError, ExportError):  # the export itself says what is wrong
                    unread.add(media_id)
                    continue
                if image_rgb is None:
                    continue
                given += 1
                about = ExportSample(
                    image_rgb,
                    (),
                    Path(image.frame.media).name,
                    image.size_wh,
                    image.frame.timestamp_s,
                    image.split,
                )
                yield _drawn(about, image.annotations, numbers)


def samples_of_dataset(
    folder: Path,
    written_as: ExportFormat,
    read: ReadSmall,
    number: int,
    wanted: Callable[[], bool] = lambda: True,
) -> Iterator[ExportSample]:
    """Read some images of a dataset, as any other program would, spread over its classes.

    Args:
        wanted: whether somebody still waits for them; asked now and then.

    Raises:
        OSError: a file can't be read.
        ValueError: it is no dataset of this format.
    """
    dataset = DatasetFolder(SafeFolder(folder))
    numbers: dict[str, int] = {}
    images = takewhile(lambda _: wanted(), written_as.read_back(dataset))
    for image in _new_classes_first(images, number):
        with dataset.open(image.image.as_posix()) as stream:
            content = stream.read()
        try:
            image_rgb = read(content)
        except MediaReadError:
            continue
        for each in image.annotations:
            numbers.setdefault(each.label, len(numbers))
        height, width = image_rgb.shape[:2]
        about = ExportSample(
            image_rgb,
            (),
            image.media or image.image.name,
            image.size_wh or (width, height),
            image.timestamp_s,
            image.split,
        )
        yield _drawn(about, image.annotations, numbers)


# -- which


def _spread(plan: DatasetPlan) -> Iterator[tuple[int, int, str]]:
    """Choose images of each class in turn, of all media, each image once.

    Yields:
        The media file, the index of the frame, and the segment that is cut out, or "".
    """
    media_of: dict[str, list[int]] = defaultdict(list)
    for media_id, counts in plan.media.items():
        for name in counts.labels:
            media_of[name].append(media_id)
    of_classes = (_with_class(plan, name, media_of[name]) for name in plan.classes)
    given = set[tuple[int, int, str]]()
    for key in _in_turn(of_classes, given):
        given.add(key)
        yield key


def _with_class(
    plan: DatasetPlan, name: str, media_ids: list[int]
) -> Iterator[tuple[int, int, str]]:
    """Choose images with a class, of one media file after the other, as a shuffle has them."""

    def of_media(media_id: int) -> Iterator[tuple[int, int, str]]:
        keys = {
            (media_id, each.frame_index, "" if plan.form == "frames" else each.id)
            for each in plan.media[media_id].segments
            if name in each.labels
        }
        yield from sorted(keys, key=lambda key: (_shuffled(f"{key[1]} {key[2]}"), key))

    shuffled = sorted(media_ids, key=lambda each: (_shuffled(f"{name} {each}"), each))
    yield from _in_turn((of_media(media_id) for media_id in shuffled), ())


def _in_turn(
    iterators: Iterable[Iterator[tuple[int, int, str]]], given: Container[tuple[int, int, str]]
) -> Iterator[tuple[int, int, str]]:
    """Take one of each in turn, until all are at their end; what was given is passed over."""
    waiting = deque(iterators)
    while waiting:
        one = waiting.popleft()
        key = next((key for key in one if key not in given), None)
        if key is not None:
            waiting.append(one)
            yield key


def _shuffled(text: str) -> int:
    return crc32(text.encode())


def _new_classes_first(images: Iterator[AnnotatedImage], number: int) -> list[AnnotatedImage]:
    """Choose images of which each shows a class that those before it do not, then others."""
    shown, chosen, others = set[str](), list[AnnotatedImage](), list[AnnotatedImage]()
    for place, image in enumerate(images):
        if place == MOST_LOOKED_AT or len(chosen) == number:
            break
        labels = {each.label for each in image.annotations}
        if labels - shown:
            shown |= labels
            chosen.append(image)
        elif len(others) < number:
            others.append(image)
    return [*chosen, *others][:number]


# -- how they are drawn


def _drawn(
    sample: ExportSample, annotations: Sequence[Annotation], numbers: dict[str, int]
) -> ExportSample:
    """Make a sample's image small, and draw annotations into it.

    Args:
        numbers: of the classes, which their colours follow from.
    """
    height, width = sample.image_rgb.shape[:2]
    size = fitted_size((width, height), SAMPLE_SIDE)
    small = cv2.resize(sample.image_rgb, size, interpolation=cv2.INTER_AREA)
    scale_x, scale_y = size[0] / sample.size_wh[0], size[1] / sample.size_wh[1]
    labels = []
    for each in annotations:
        colour = COLOURS[numbers[each.label] % len(COLOURS)]
        box = None
        if each.bbox_xywh is not None:
            x, y, w, h = each.bbox_xywh
            left, top = int(x * scale_x), int(y * scale_y)
            right, bottom = ceil((x + w) * scale_x), ceil((y + h) * scale_y)
            box = left, top, max(1, right - left), max(1, bottom - top)
            _draw(small, each, box, sample.size_wh, colour)
        labels.append(SampleLabel(each.label, colour, box))
    return replace(sample, image_rgb=small, labels=tuple(labels))


def _draw(
    small: np.ndarray,
    annotation: Annotation,
    box: BoxXywh,
    size_wh: tuple[int, int],
    colour: str,
) -> None:
    """Draw a mask, or a box where there is no mask, into (h, w, 3) uint8 RGB.

    Args:
        box: that of the annotation, in pixels of `small`.
        size_wh: that the annotation's mask has.
    """
    ink = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)], np.uint8)
    line = max(1, round(max(small.shape) / 400))
    x, y, w, h = box
    part = small[max(0, y) : y + h, max(0, x) : x + w]
    if annotation.mask_rle is None or not part.size:
        cv2.rectangle(small, (x, y), (x + w - 1, y + h - 1), ink.tolist(), line)
        return
    try:
        whole = decode_rle(annotation.mask_rle, size_wh).view(np.uint8)
    except DamagedMaskError:
        return  # what is read back from a dataset is checked where it is written
    # of each pixel that is shown, whether its middle is in the mask; only in the box
    ys = ((np.arange(part.shape[0]) + max(0, y) + 0.5) * size_wh[1] / small.shape[0]).astype(int)
    xs = ((np.arange(part.shape[1]) + max(0, x) + 0.5) * size_wh[0] / small.shape[1]).astype(int)
    mask = np.ascontiguousarray(whole[ys[:, None], xs[None]])
    inside = mask.astype(bool)
    part[inside] = (part[inside] * (1 - _FILL) + ink * _FILL).astype(np.uint8)
    kernel = np.ones((2 * line + 1, 2 * line + 1), np.uint8)
    inner = cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    part[inside & ~inner.astype(bool)] = ink
