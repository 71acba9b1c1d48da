"""Numbers, boxes and masks of annotations as the files of datasets say them, checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, get_args

from src.datasets.annotations import Annotation, PlannedImage
from src.models.mask_rle import measured
from src.records import BoxXywh, TagSource

_SOURCES = {source: source for source in get_args(TagSource)}


def number(value: object) -> float:
    """Return a number that a dataset says.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{str(value)[:40]!r} is no number")
    return float(value)


def numbers(values: object, many: int) -> list[float]:
    """Return so many numbers that a dataset says.

    Raises:
        ValueError: it are others.
    """
    if not isinstance(values, list) or len(values) != many:
        raise ValueError(f"there are not {many} numbers")
    return [number(value) for value in values]


def said_of(read: dict[str, Any]) -> dict[str, Any]:
    """Read what our own datasets say beyond others: confidence, source, and the segment's id.

    Raises:
        ValueError: the confidence is no number.
    """
    confidence, segment_id = read.get("confidence"), read.get("segment_id")
    source = read.get("source")
    return {
        "confidence": None if confidence is None else number(confidence),
        "segment_id": segment_id if isinstance(segment_id, str) else None,
        "source": _SOURCES.get(source) if isinstance(source, str) else None,
    }


def say_of(annotation: Annotation) -> dict[str, Any]:
    """Give what said_of reads, without what is not known."""
    said = {
        "confidence": annotation.confidence,
        "segment_id": annotation.segment_id,
        "source": annotation.source,
    }
    return {key: value for key, value in said.items() if value is not None}


def say_of_image(image: PlannedImage) -> dict[str, Any]:
    """Give what our own datasets say of where an image comes from."""
    frame = image.frame
    said = {
        "media": frame.media,
        "frame_index": frame.frame_index,
        "timestamp_s": frame.timestamp_s,
    }
    return {key: value for key, value in said.items() if value is not None}


def said_of_image(read: dict[str, Any]) -> dict[str, Any]:
    """Read what say_of_image gives, where a dataset has it.

    Raises:
        ValueError: a number is none.
    """
    media, index, timestamp_s = (read.get(key) for key in ("media", "frame_index", "timestamp_s"))
    return {
        "media": media if isinstance(media, str) else None,
        "frame_index": int(number(index or 0)),
        "timestamp_s": None if timestamp_s is None else number(timestamp_s),
    }


def whole_box(box: Sequence[float], size_wh: tuple[int, int]) -> BoxXywh:
    """Bring a box x, y, w, h to whole pixels, and cut off what lies outside the image.

    Raises:
        ValueError: nothing of it is inside.
    """
    x, y, w, h = box
    if not all(map(math.isfinite, box)) or w <= 0 or h <= 0:
        raise ValueError("a box has no area")
    left, top = math.floor(x + 0.5), math.floor(y + 0.5)
    right, bottom = max(math.floor(x + w + 0.5), left + 1), max(math.floor(y + h + 0.5), top + 1)
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, size_wh[0]), min(bottom, size_wh[1])
    if right <= left or bottom <= top:
        raise ValueError("a box lies outside its image")
    return left, top, right - left, bottom - top


def with_mask(label: str, counts: bytes, size_wh: tuple[int, int], **more: Any) -> Annotation:
    """Make an annotation of a mask, with the mask's box.

    Raises:
        DamagedMaskError: it is no mask of an image of that size.
        ValueError: it is empty.
    """
    area, bbox = measured(counts, size_wh)
    if not area:
        raise ValueError("a mask or polygon covers no pixel of its image")
    return Annotation(label, bbox, counts, **more)
