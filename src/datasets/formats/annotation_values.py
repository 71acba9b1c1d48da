"""Values of annotations as the files of datasets have them, checked: numbers, fields, masks."""

from __future__ import annotations

from typing import Any, get_args

from src.datasets.annotations import Annotation, PlannedImage
from src.datasets.boxes import TOO_MUCH
from src.models.mask_rle import measured
from src.records import TagSource

LONGEST_ATTRIBUTE = 80  # of a name or a choice, in characters
_SOURCES = {source: source for source in get_args(TagSource)}


def number(value: object) -> float:
    """Return a number of a dataset as a float.

    Raises:
        ValueError: it is not a number, or far too large.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < TOO_MUCH:
        raise ValueError(f"{str(value)[:40]!r} is not a number")
    return float(value)


def is_text(text: str) -> bool:
    """Return whether a text can be stored: JSON and YAML can say half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def numbers(values: object, many: int) -> list[float]:
    """Return a list of `many` numbers as floats.

    Raises:
        ValueError: it is not a list of that length, or one of them is not a number.
    """
    if not isinstance(values, list) or len(values) != many:
        raise ValueError(f"there are not {many} numbers")
    return [number(value) for value in values]


def own_fields(annotation: Annotation) -> dict[str, Any]:
    """Return the confidence, the source, the segment's id, attributes and track, where known."""
    said = {
        "confidence": annotation.confidence,
        "segment_id": annotation.segment_id,
        "source": annotation.source,
        "attributes": dict(annotation.attributes) or None,
        "track_id": annotation.track_id,
    }
    return {key: value for key, value in said.items() if value is not None}


def read_own_fields(read: dict[str, Any]) -> dict[str, Any]:
    """Read what own_fields wrote; all None in datasets of other programs.

    Raises:
        ValueError: the confidence is not a number from 0 to 1, or a track has no whole number.
    """
    said, segment_id = read.get("confidence"), read.get("segment_id")
    source = read.get("source")
    confidence = None if said is None else number(said)
    if confidence is not None and not 0 <= confidence <= 1:
        raise ValueError(f"the confidence {confidence:g} is not from 0 to 1")
    return {
        "confidence": confidence,
        "segment_id": segment_id if isinstance(segment_id, str) and is_text(segment_id) else None,
        "source": _SOURCES.get(source) if isinstance(source, str) else None,
        "attributes": read_attributes(read.get("attributes")),
        "track_id": read_track(read.get("track_id")),
    }


def read_track(read: object) -> int | None:
    """Read the number of a track; None, and what is below zero, is no track.

    Raises:
        ValueError: it is not a whole number.
    """
    if read is None:
        return None
    track = number(read)
    if track != int(track):
        raise ValueError(f"{track:g} is no number of a track")
    return int(track) if track >= 0 else None


def read_attributes(read: object) -> tuple[tuple[str, str | float], ...]:
    """Read attributes as JSON has them; what is neither a word nor a number is left out.

    CVAT writes true and false there, which are choices here.
    """
    found: list[tuple[str, str | float]] = []
    for name, value in read.items() if isinstance(read, dict) else ():
        name = " ".join(str(name).split())
        if not name or len(name) > LONGEST_ATTRIBUTE or not is_text(name):
            continue
        if isinstance(value, bool):
            found.append((name, str(value).lower()))
        elif isinstance(value, str) and value.strip() and is_text(value):
            found.append((name, " ".join(value.split())[:LONGEST_ATTRIBUTE]))
        elif isinstance(value, int | float) and abs(value) < TOO_MUCH:
            found.append((name, float(value)))
    return tuple(found)


def origin_fields(image: PlannedImage) -> dict[str, Any]:
    """Return the media file and the moment that an image is from, as far as they are known."""
    frame = image.frame
    said = {
        "media": frame.media,
        "frame_index": frame.frame_index,
        "timestamp_s": frame.timestamp_s,
    }
    return {key: value for key, value in said.items() if value is not None}


def read_origin_fields(read: dict[str, Any]) -> dict[str, Any]:
    """Read what origin_fields wrote; without it None, and the first frame.

    Raises:
        ValueError: the frame's index or the timestamp is not a number, or no frame has the index.
    """
    media, said, timestamp_s = (read.get(key) for key in ("media", "frame_index", "timestamp_s"))
    index = number(said or 0)
    if index < 0 or index != int(index):
        raise ValueError(f"{index:g} is no index of a frame")
    return {
        "media": media if isinstance(media, str) and is_text(media) else None,
        "frame_index": int(index),
        "timestamp_s": None if timestamp_s is None else number(timestamp_s),
    }


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
