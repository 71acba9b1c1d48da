"""What a segment looks like to the linker, and how far two of them are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from src.models.mask_rle import runs_of
from src.records import BoxXywh
from src.tracks.motion import grid_size

# Each segment's shape, box and all, on so many by so many points.
SHAPE_SIDE = 24
# Longest side of the picture that colours are taken from.
PICTURE_SIDE = 512
# Two segments of a frame that overlap so far (intersection over union) are of one thing.
SAME_THING = 0.5
_BINS = (6, 6, 6)
_NO_MASK = np.zeros((0, 0), np.float32)


@dataclass(frozen=True)
class SegmentToLink:
    """A segment of a frame.

    Attributes:
        mask_rle: compressed COCO RLE counts at the frame's size.
        embedding: (512,) float32, of length 1.
    """

    id: str
    bbox_xywh: BoxXywh
    area: int
    mask_rle: bytes = field(repr=False)
    embedding: np.ndarray = field(repr=False, compare=False)


@dataclass(frozen=True)
class FrameToLink:
    """A sampled frame of a video, with its segments.

    Attributes:
        until_s: up to when it stands for look-alikes that were skipped; its time where none was.
        picture_rgb: (h, w, 3) uint8 RGB, the frame at any smaller size.
        segments: in any order, without the whole frame.
    """

    frame_index: int
    timestamp_s: float
    until_s: float
    size_wh: tuple[int, int]
    picture_rgb: np.ndarray = field(repr=False, compare=False)
    segments: Sequence[SegmentToLink]


@dataclass(frozen=True)
class SegmentLook:
    """A segment as the linker compares it.

    Attributes:
        mask: (H, W) float32, 0 or 1, on the grid.
        centre_xy: (2,) in places of the grid.
        area: of the mask, in places of the grid.
        shape: (SHAPE_SIDE**2,) float32 of length 1: the mask within its box, less its mean.
        sides: (2,) log of the box's width and height on the grid.
        embedding: (512,) float32, of length 1.
        colours: roots of the shares of colours, of length 1.
    """

    id: str
    mask: np.ndarray = field(repr=False)
    centre_xy: np.ndarray
    area: float
    shape: np.ndarray = field(repr=False)
    sides: np.ndarray
    embedding: np.ndarray = field(repr=False)
    colours: np.ndarray = field(repr=False)

    def without_mask(self) -> SegmentLook:
        """Return what there is to remember of it; a mask takes a hundred times as much."""
        return replace(self, mask=_NO_MASK)


def look_at(frame: FrameToLink) -> list[SegmentLook]:
    """Look at the segments of a frame; in the order of their ids.

    Raises:
        DamagedMaskError: one of the masks is none of a picture of that size.
    """
    width, height = grid_size(frame.size_wh)
    picture = frame.picture_rgb
    scale = PICTURE_SIDE / max(picture.shape[:2])
    if scale < 1:
        rows, columns = (max(1, round(side * scale)) for side in picture.shape[:2])
        picture = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    looks = []
    for segment in sorted(frame.segments, key=lambda each: each.id):
        ends = np.cumsum(runs_of(segment.mask_rle, frame.size_wh))
        mask = _laid_on(ends, frame.size_wh, (width, height), segment.bbox_xywh)
        ys, xs = np.nonzero(mask)
        embedding = np.asarray(segment.embedding, np.float32)
        looks.append(
            SegmentLook(
                segment.id,
                mask,
                np.array([xs.mean(), ys.mean()]),
                segment.area * (width * height) / (frame.size_wh[0] * frame.size_wh[1]),
                _shape(ends, frame.size_wh, segment.bbox_xywh),
                np.log(np.maximum(segment.bbox_xywh[2:], 1) * (width / frame.size_wh[0])),
                embedding / max(float(np.linalg.norm(embedding)), 1e-6),
                _colours(lab, ends, frame.size_wh, segment.bbox_xywh),
            )
        )
    return looks


def same_things(looks: Sequence[SegmentLook]) -> list[list[int]]:
    """Group the segments of a frame that are of one thing, as with its rim and without.

    Args:
        looks: of one frame.

    Returns:
        Places in `looks`, each in one group; the largest segment is the first of its group.
    """
    if not looks:
        return []
    masks = np.stack([look.mask.ravel() for look in looks])
    both = masks @ masks.T
    areas = np.diag(both)
    overlaps = both / (areas[:, None] + areas[None] - both)
    groups: list[list[int]] = []
    for i in sorted(range(len(looks)), key=lambda i: -looks[i].area):
        group = next((own for own in groups if overlaps[own[0], i] >= SAME_THING), None)
        if group is None:
            groups.append([i])
        else:
            group.append(i)
    return groups


def _within(
    ends: np.ndarray, size_wh: tuple[int, int], xs: np.ndarray, ys: np.ndarray
) -> np.ndarray:
    """Ask a mask about the places where columns and rows of the frame meet: (rows, columns)."""
    places = xs[:, None] * size_wh[1] + ys[None, :]  # column by column, as COCO has it
    inside: np.ndarray = np.searchsorted(ends, places.ravel(), side="right") % 2 == 1
    return inside.reshape(len(xs), len(ys)).T


def _points(first: float, length: float, count: int, limit: int) -> np.ndarray:
    """Middles of `count` equal parts of a stretch, as whole pixels."""
    points = first + (np.arange(count) + 0.5) * length / count
    return np.clip(points.astype(np.int64), 0, limit - 1)


def _laid_on(
    ends: np.ndarray, size_wh: tuple[int, int], grid_wh: tuple[int, int], bbox_xywh: BoxXywh
) -> np.ndarray:
    mask = np.zeros(grid_wh[::-1], np.float32)
    xs = _points(0, size_wh[0], grid_wh[0], size_wh[0])
    ys = _points(0, size_wh[1], grid_wh[1], size_wh[1])
    x, y, w, h = bbox_xywh
    left, right = np.searchsorted(xs, [x, x + w])
    top, bottom = np.searchsorted(ys, [y, y + h])
    mask[top:bottom, left:right] = _within(ends, size_wh, xs[left:right], ys[top:bottom])
    if not mask.any():  # thinner than the grid
        column = min(int((x + w / 2) * grid_wh[0] / size_wh[0]), grid_wh[0] - 1)
        mask[min(int((y + h / 2) * grid_wh[1] / size_wh[1]), grid_wh[1] - 1), column] = 1
    return mask


def _shape(ends: np.ndarray, size_wh: tuple[int, int], bbox_xywh: BoxXywh) -> np.ndarray:
    x, y, w, h = bbox_xywh
    xs, ys = _points(x, w, SHAPE_SIDE, size_wh[0]), _points(y, h, SHAPE_SIDE, size_wh[1])
    shape = _within(ends, size_wh, xs, ys).astype(np.float32).ravel()
    shape -= 0.35  # so that boxes that are full are alike as well
    return shape / np.float32(np.linalg.norm(shape))


def _colours(
    lab: np.ndarray, ends: np.ndarray, size_wh: tuple[int, int], bbox_xywh: BoxXywh
) -> np.ndarray:
    x, y, w, h = bbox_xywh
    count = min(2 * SHAPE_SIDE, max(w, 4)), min(2 * SHAPE_SIDE, max(h, 4))
    xs, ys = _points(x, w, count[0], size_wh[0]), _points(y, h, count[1], size_wh[1])
    inside = _within(ends, size_wh, xs, ys)
    columns = xs * lab.shape[1] // size_wh[0]
    rows = ys * lab.shape[0] // size_wh[1]
    colours = lab[rows][:, columns]
    if not inside.any():
        inside[:] = True
    own = colours[inside].astype(np.int64)
    bins = np.minimum(own[:, 0] * 6 // 256, 5), *np.clip((own[:, 1:].T - 68) // 20, 0, 5)
    histogram = np.bincount(np.ravel_multi_index(bins, _BINS), minlength=int(np.prod(_BINS)))
    smooth = gaussian_filter(histogram.reshape(_BINS).astype(np.float32), 0.6, mode="nearest")
    smooth = np.sqrt(smooth.ravel())
    return np.asarray(smooth / np.linalg.norm(smooth), np.float32)
