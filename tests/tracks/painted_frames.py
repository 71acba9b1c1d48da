"""Frames painted with things whose segments are known, for tests of the linker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from src.models.mask_rle import encode_rle
from src.records import EMBEDDING_DIM
from src.tracks.segment_looks import FrameToLink, SegmentToLink

SIZE_WH = (160, 120)


@dataclass(frozen=True)
class Thing:
    """A thing that is painted.

    Attributes:
        at_xy: where its middle is in the frame of a number; None where it is not to be seen.
        radius: of its box, in pixels.
        found: whether SAM finds it in the frame of a number.
    """

    name: str
    at_xy: Callable[[int], tuple[float, float] | None]
    radius: int = 14
    is_round: bool = True
    found: Callable[[int], bool] = lambda _: True


def look_of(name: str) -> tuple[np.ndarray, tuple[int, int, int]]:
    """What a thing looks like: an embedding of its own, and its colour."""
    rng = np.random.default_rng([ord(letter) for letter in name])
    vector = rng.normal(size=EMBEDDING_DIM)
    return vector / np.linalg.norm(vector), tuple(int(value) for value in rng.integers(40, 255, 3))


def background(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    grain = rng.uniform(0, 90, (15, 20, 3)).astype(np.float32)
    return cv2.resize(grain, SIZE_WH, interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


def paint(
    things: Sequence[Thing], number: int, per_second: float = 5.0, ground: np.ndarray | None = None
) -> FrameToLink:
    """Paint a frame, later things over earlier ones; ids of segments are "NAME@NUMBER"."""
    picture = (background(0) if ground is None else ground).copy()
    rng = np.random.default_rng([3, number])
    masks: dict[str, np.ndarray] = {}
    for thing in things:
        at_xy = thing.at_xy(number)
        if at_xy is None:
            continue
        mask = np.zeros(SIZE_WH[::-1], np.uint8)
        x, y = round(at_xy[0]), round(at_xy[1])
        if thing.is_round:
            cv2.circle(mask, (x, y), thing.radius, 1, -1)
        else:
            corner = (x + thing.radius, y + thing.radius)
            cv2.rectangle(mask, (x - thing.radius, y - thing.radius), corner, 1, -1)
        picture[mask > 0] = look_of(thing.name)[1]
        for other in masks.values():
            other[mask > 0] = 0
        masks[thing.name] = mask
    segments = []
    for thing in things:
        mask = masks.get(thing.name, np.zeros(0, np.uint8))
        if mask.sum() < 30 or not thing.found(number):
            continue
        vector = look_of(thing.name)[0] + rng.normal(0, 0.3 / np.sqrt(EMBEDDING_DIM), EMBEDDING_DIM)
        segments.append(segment(f"{thing.name}@{number}", mask, vector))
    at_s = number / per_second
    return FrameToLink(number, at_s, at_s, SIZE_WH, picture, segments)


def segment(own_id: str, mask: np.ndarray, vector: np.ndarray) -> SegmentToLink:
    x, y, w, h = cv2.boundingRect(mask)
    embedding = (vector / np.linalg.norm(vector)).astype(np.float32)
    return SegmentToLink(
        own_id, (x, y, w, h), int(mask.sum()), encode_rle(mask)["counts"], embedding
    )


def disc(own_id: str, looks_like: str, at_xy: tuple[float, float], radius: int) -> SegmentToLink:
    """A round segment with the embedding of a thing."""
    mask = np.zeros(SIZE_WH[::-1], np.uint8)
    cv2.circle(mask, (round(at_xy[0]), round(at_xy[1])), radius, 1, -1)
    return segment(own_id, mask, look_of(looks_like)[0])


def straight(
    from_xy: tuple[float, float], step_xy: tuple[float, float]
) -> Callable[[int], tuple[float, float] | None]:
    """A path: so far each frame."""
    return lambda n: (from_xy[0] + n * step_xy[0], from_xy[1] + n * step_xy[1])


def mirrored(frame: FrameToLink) -> FrameToLink:
    """The same frame as a mirror shows it, its segments with the same ids."""
    from src.models.mask_rle import decode_rle

    return FrameToLink(
        frame.frame_index,
        frame.timestamp_s,
        frame.until_s,
        frame.size_wh,
        np.ascontiguousarray(frame.picture_rgb[:, ::-1]),
        [
            segment(
                each.id,
                np.ascontiguousarray(decode_rle(each.mask_rle, SIZE_WH)[:, ::-1]).astype(np.uint8),
                each.embedding,
            )
            for each in frame.segments
        ],
    )
