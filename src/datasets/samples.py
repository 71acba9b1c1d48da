"""Some images of a dataset with their masks drawn into them, to be looked at."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np

from src.crop_shape import fitted_size
from src.datasets.annotations import AnnotatedImage, Annotation, PlannedImage
from src.datasets.atomic_output import DatasetFolder
from src.datasets.manifest import Render
from src.datasets.plan import DatasetPlan
from src.datasets.protocols import ExportFormat
from src.errors import DamagedMaskError, ExportError, MediaReadError
from src.library_files import SafeFolder
from src.models.mask_rle import decode_rle
from src.records import ExportSample, SampleLabel

SAMPLE_SIDE = 1024
# In a dataset that was written no more images than these are looked through.
MOST_LOOKED_AT = 2000
# In one media file no more frames than these, for a class that is rare in it.
MOST_FRAMES = 100
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
    plan: DatasetPlan, images: Render, read: ReadSmall, number: int
) -> Iterator[ExportSample]:
    """Make some images that would be written, spread over classes and media; always the same.

    Args:
        read: decodes an image file: (h, w, 3) uint8 RGB, at least SAMPLE_SIDE on its longer side
            or the whole image.
        number: of images, at most; those that can't be read are left out.
    """
    numbers = {name: place for place, name in enumerate(plan.classes)}
    given = 0
    for image in _spread(plan):
        if given == number:
            return
        try:
            made = images.render(image, plan.form)
            image_rgb = None if made is None else read(made[0])
        except (MediaReadError, ExportError):
            continue  # the export itself says of each what is wrong
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
    folder: Path, written_as: ExportFormat, read: ReadSmall, number: int
) -> Iterator[ExportSample]:
    """Read some images of a dataset, as any other program would, spread over its classes.

    Raises:
        OSError: a file can't be read.
        ValueError: it is no dataset of this format.
    """
    dataset = DatasetFolder(SafeFolder(folder))
    numbers: dict[str, int] = {}
    for image in _new_classes_first(written_as.read_back(dataset), number):
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


def _spread(plan: DatasetPlan) -> Iterator[PlannedImage]:
    """Give images of each class in turn, each image once."""
    media_of: dict[str, list[int]] = defaultdict(list)
    for media_id, counts in plan.media.items():
        for name in counts.labels:
            media_of[name].append(media_id)
    waiting = deque(
        _with_class(plan, name, media_of[name]) for name in plan.classes if name in media_of
    )
    given = set[tuple[int, int, str | None]]()
    while waiting:
        images = waiting.popleft()
        for image in images:
            cut = None if image.cut is None else image.cut.segment_id
            key = image.frame.media_id, image.frame.frame_index, cut
            if key not in given:
                given.add(key)
                waiting.append(images)
                yield image
                break


def _with_class(plan: DatasetPlan, name: str, media_ids: list[int]) -> Iterator[PlannedImage]:
    """Give images with a class, one of each media file in turn, in an order that is no order."""

    def of_media(media_id: int) -> Iterator[PlannedImage]:
        frames = sorted(plan.media[media_id].frames, key=lambda each: _shuffled(f"{each}"))
        for frame_index in frames[:MOST_FRAMES]:
            for image in plan.images_of(media_id, frame_index):
                if any(each.label == name for each in image.annotations):
                    yield image

    shuffled = sorted(media_ids, key=lambda each: _shuffled(f"{name} {each}"))
    waiting = deque(of_media(media_id) for media_id in shuffled)
    while waiting:
        images = waiting.popleft()
        image = next(images, None)
        if image is not None:
            waiting.append(images)
            yield image


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
            box = round(x * scale_x), round(y * scale_y), round(w * scale_x), round(h * scale_y)
            _draw(small, each, box, sample.size_wh, colour)
        labels.append(SampleLabel(each.label, colour, box))
    return replace(sample, image_rgb=small, labels=tuple(labels))


def _draw(
    small: np.ndarray,
    annotation: Annotation,
    box: tuple[int, int, int, int],
    size_wh: tuple[int, int],
    colour: str,
) -> None:
    """Draw a mask, or a box where there is no mask, into (h, w, 3) uint8 RGB."""
    ink = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)], np.uint8)
    height, width = small.shape[:2]
    line = max(1, round(max(height, width) / 400))
    mask = None
    if annotation.mask_rle is not None:
        try:
            whole = decode_rle(annotation.mask_rle, size_wh).astype(np.uint8)
        except DamagedMaskError:
            return
        mask = cv2.resize(whole, (width, height), interpolation=cv2.INTER_NEAREST)
    if mask is None or not mask.any():
        x, y, w, h = box
        cv2.rectangle(small, (x, y), (x + w - 1, y + h - 1), ink.tolist(), line)
        return
    inside = mask.astype(bool)
    small[inside] = (small[inside] * (1 - _FILL) + ink * _FILL).astype(np.uint8)
    kernel = np.ones((2 * line + 1, 2 * line + 1), np.uint8)
    inner = cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0).astype(bool)
    small[inside & ~inner] = ink
