"""Masks as polygons and back: with their holes, and all of their parts.

A polygon's pixels are those whose centre lies in it, by the even-odd rule. So rings that are
filled together cut holes into each other, and a bridge that is gone over and back counts for
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pycocotools import mask as coco_mask

from src.errors import DamagedMaskError
from src.models.mask_rle import MOST_PIXELS, checked_rle, compressed, runs_of
from src.records import BoxXywh

# How near polygons are to their masks, whoever fills them: others' ways differ by a little at the
# edge, so here a simpler outline has to be nearer.
LEAST_IOU, _LEAST_OF_SIMPLE = 0.98, 0.987
# Enlarged so often, the outline through the centres of the outer pixels is near their edge, and no
# centre of a pixel of the mask is outside. Of a large mask the edge is a smaller part.
_ENLARGED, _ENLARGED_IF_LARGE, _LARGE = 4, 2, 1 << 16
# How far a simpler outline may be from the exact one, in pixels of the image; the first that fills
# the mask again is taken. Steps of a slanting edge are as high as one pixel.
_TOLERANCES = (1.0, 0.5)
# An outline that is narrower in pixels, or whose area would change more, keeps its corners.
_SMALL, _MOST_CHANGE = 4, 0.1
# Between so many corners of a mask the shortest bridges are sought.
_MOST_CORNERS = 4000
# A polygon that crosses more columns than this is none that anybody drew.
MOST_CROSSINGS = 20_000_000


@dataclass(frozen=True)
class MaskPart:
    """A connected part of a mask.

    Attributes:
        outer: its outline, (N, 2) float64, x and y in pixels of the image; 0, 0 is the corner of
            the first pixel.
        holes: the outlines of the holes in it, likewise.
    """

    outer: np.ndarray
    holes: tuple[np.ndarray, ...] = ()

    @property
    def rings(self) -> tuple[np.ndarray, ...]:
        return (self.outer, *self.holes)

    def simplified(self, tolerance: float) -> MaskPart:
        """Leave out corners that are so near to the line between others, in pixels."""
        holes = tuple(_simplified(hole, tolerance) for hole in self.holes)
        return MaskPart(_simplified(self.outer, tolerance), holes)


def cut_mask(counts: bytes, size_wh: tuple[int, int]) -> tuple[np.ndarray, BoxXywh]:
    """Decode what is in a mask's box: (h, w) bool, and the box; both empty for an empty mask.

    Raises:
        DamagedMaskError: it is no mask of a picture of that size.
    """
    height = size_wh[1]
    ends = np.cumsum(runs_of(counts, size_wh))
    starts, ends = ends[0:-1:2], ends[1::2]
    if not len(starts):
        return np.zeros((0, 0), bool), (0, 0, 0, 0)
    first, last = int(starts[0]) // height, int(ends[-1] - 1) // height
    if (starts // height != (ends - 1) // height).any():  # a run goes on in the next column
        top, bottom = 0, height
    else:
        top, bottom = int((starts % height).min()), int(((ends - 1) % height).max()) + 1
    w, h = last + 1 - first, bottom - top
    steps = np.zeros(w * h + 1, np.int8)
    begin = (starts // height - first) * h + starts % height - top
    steps[begin] = 1
    steps[begin + ends - starts] -= 1  # where one ends at the top of a column the next may begin
    inside = np.cumsum(steps[:-1], dtype=np.int8).astype(bool)
    return inside.reshape(w, h).T, (first, top, w, h)


def mask_parts(counts: bytes, size_wh: tuple[int, int]) -> list[MaskPart]:
    """Outline a mask, with as few corners as fill it again at LEAST_IOU.

    Returns:
        Its parts; pixels that touch by a corner are one part. None for an empty mask.

    Raises:
        DamagedMaskError: it is no mask of a picture of that size.
    """
    mask, (x, y, *_) = cut_mask(counts, size_wh)
    if not mask.size:
        return []
    parts = exact = _outlines(mask)
    for tolerance in _TOLERANCES:
        simple = [part.simplified(tolerance) for part in exact]
        if _is_filled_by(simple, mask):
            parts = simple
            break
    place = np.array((x, y), np.float64)
    return [MaskPart(part.outer + place, tuple(h + place for h in part.holes)) for part in parts]


def rings_of(parts: Sequence[MaskPart]) -> list[np.ndarray]:
    """List the outlines of all parts and of their holes, to be filled together."""
    return [ring for part in parts for ring in part.rings]


def _outlines(mask: np.ndarray) -> list[MaskPart]:
    """Outline the parts of a mask (H, W) bool, exactly."""
    import cv2  # a library opens without it

    times = _ENLARGED if mask.size < _LARGE else _ENLARGED_IF_LARGE
    small = np.ascontiguousarray(mask, np.uint8)
    large = cv2.resize(small, None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST)
    found, tree = cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    rings = [(ring[:, 0].astype(np.float64) + 0.5) / times for ring in found]
    holes: dict[int, list[np.ndarray]] = {}
    for ring, (_, _, _, parent) in zip(rings, tree[0].tolist(), strict=True):
        if parent >= 0:
            holes.setdefault(parent, []).append(ring)
    return [
        MaskPart(ring, tuple(holes.get(number, ())))
        for number, (ring, (_, _, _, parent)) in enumerate(
            zip(rings, tree[0].tolist(), strict=True)
        )
        if parent < 0
    ]


def _is_filled_by(parts: Sequence[MaskPart], mask: np.ndarray) -> bool:
    """Return whether outlines fill a mask (H, W) bool again, nearly."""
    size_wh = mask.shape[1], mask.shape[0]
    filled, (x, y, w, h) = cut_mask(fill_rings(rings_of(parts), size_wh), size_wh)
    both = int(np.count_nonzero(mask[y : y + h, x : x + w] & filled))
    either = int(np.count_nonzero(mask)) + int(np.count_nonzero(filled)) - both
    return both >= _LEAST_OF_SIMPLE * either


def _simplified(ring: np.ndarray, tolerance: float) -> np.ndarray:
    import cv2  # a library opens without it

    exact = ring.astype(np.float32)[:, None]
    if np.ptp(ring, axis=0).min() < _SMALL:
        return ring
    simple = cv2.approxPolyDP(exact, tolerance, True)
    # a part or a hole that is thin all over would vanish
    area = cv2.contourArea(exact)
    if abs(cv2.contourArea(simple) - area) > _MOST_CHANGE * area:
        return ring
    return simple[:, 0].astype(np.float64)


def joined_ring(parts: Sequence[MaskPart]) -> np.ndarray:
    """Join parts and holes to one ring by bridges of no width, each gone over and back.

    A bridge leads from a corner of what is joined to the nearest corner of the rest. Filled by the
    even-odd rule the ring has the same pixels as the parts.

    Returns:
        (N, 2) float64; empty where there are no parts.
    """
    rings = rings_of(parts)
    if len(rings) < 2:
        return rings[0] if rings else np.zeros((0, 2))
    step = -(-sum(map(len, rings)) // _MOST_CORNERS)
    places = np.concatenate([np.arange(0, len(ring), step) for ring in rings])
    owners = np.repeat(np.arange(len(rings)), [len(range(0, len(r), step)) for r in rings])
    corners = np.concatenate([ring[::step] for ring in rings])
    # the tree of the shortest bridges, grown from the first ring (Prim 1957)
    nearest = np.zeros(len(corners), np.int64)
    distance = np.full(len(corners), np.inf)
    is_left = np.ones(len(rings), bool)
    # at the corner of a ring: the rings that hang there, and at which corner of their own
    hanging: dict[tuple[int, int], list[tuple[int, int]]] = {}
    new = 0
    for _ in range(len(rings) - 1):
        is_left[new] = False
        left, added = np.flatnonzero(is_left[owners]), np.flatnonzero(owners == new)
        between = ((corners[left, None] - corners[None, added]) ** 2).sum(2)
        best = between.argmin(1)
        found = between[np.arange(len(left)), best]
        closer = found < distance[left]
        distance[left[closer]] = found[closer]
        nearest[left[closer]] = added[best[closer]]
        chosen = int(left[distance[left].argmin()])
        new, at = int(owners[chosen]), int(nearest[chosen])
        place = (int(owners[at]), int(places[at]))
        hanging.setdefault(place, []).append((new, int(places[chosen])))
    return _walked(rings, hanging)


def _walked(
    rings: Sequence[np.ndarray], hanging: dict[tuple[int, int], list[tuple[int, int]]]
) -> np.ndarray:
    """Walk around the first ring, and around each that hangs at a corner on coming by it."""
    way: list[np.ndarray] = []
    # a ring, where it was entered, how many corners of it are done, and whether it returns there
    stack = [(0, 0, 0)]
    while stack:
        ring, start, done = stack.pop()
        size = len(rings[ring])
        while done < size:
            corner = (start + done) % size
            way.append(rings[ring][corner])
            others = hanging.get((ring, corner))
            if others:
                # come back to this corner when that ring is done
                stack.append((ring, start, done))
                stack.append((*others.pop(), 0))
                break
            done += 1
        else:
            if stack:  # close this ring before the bridge back
                way.append(rings[ring][start])
    return np.array(way)


def fill_rings(rings: Sequence[np.ndarray], size_wh: tuple[int, int]) -> bytes:
    """Fill rings (N, 2) together by the even-odd rule: compressed COCO RLE counts.

    What lies outside the image is left out. Nothing of the image's size is allocated.

    Raises:
        DamagedMaskError: they are too long, hold what is no number, or there is no such image.
    """
    width, height = size_wh
    if not 0 < width * height <= MOST_PIXELS:
        raise DamagedMaskError(f"an image of {width} x {height} pixels has no mask")
    crossings = [_crossings(np.asarray(ring, np.float64), width, height) for ring in rings]
    return counts_of_changes(np.concatenate([np.zeros(0, np.int64), *crossings]), size_wh)


def _crossings(ring: np.ndarray, width: int, height: int) -> np.ndarray:
    """Find where a ring changes between out and in, going down each column of pixel centres."""
    if not np.isfinite(ring).all():
        raise DamagedMaskError("a polygon has a coordinate that is not a number")
    start, end = ring, np.roll(ring, -1, axis=0)
    swap = start[:, 0] > end[:, 0]
    left, right = np.where(swap[:, None], end, start), np.where(swap[:, None], start, end)
    # the columns whose centre is at or behind the left end, and before the right one
    first = np.ceil(np.clip(left[:, 0], -1, width + 1) - 0.5).clip(0, width).astype(np.int64)
    behind = np.ceil(np.clip(right[:, 0], -1, width + 1) - 0.5).clip(0, width).astype(np.int64)
    number = behind - first
    if number.sum() > MOST_CROSSINGS:
        raise DamagedMaskError("a polygon is too long")
    edge = np.repeat(np.arange(len(ring)), number)
    column = np.arange(len(edge)) - np.repeat(np.cumsum(number) - number, number) + first[edge]
    (x, y), (to_x, to_y) = left[edge].T, right[edge].T
    crossing = y + (column + 0.5 - x) / (to_x - x) * (to_y - y)
    row = np.ceil(np.clip(crossing, -1, height + 1) - 0.5).clip(0, height).astype(np.int64)
    places: np.ndarray = column * height + row
    return places


def counts_of_changes(changes: np.ndarray, size_wh: tuple[int, int]) -> bytes:
    """Write a mask by the places where it changes: compressed COCO RLE counts.

    Args:
        changes: (N,) int64, places in the image column by column, in any order; two at one place
            are no change.
    """
    pixels = size_wh[0] * size_wh[1]
    places, times = np.unique(changes, return_counts=True)
    places = places[(times % 2 == 1) & (places < pixels)]
    runs = np.diff(places, prepend=0, append=pixels)
    return compressed(runs, np.array([len(runs)]))[0]


def counts_of_runs(runs: object, size_wh: tuple[int, int]) -> bytes:
    """Compress uncompressed COCO RLE, of which zeros and ones in turn may be empty runs.

    Raises:
        DamagedMaskError: it is no mask of a picture of that size.
    """
    pixels = size_wh[0] * size_wh[1]
    if not 0 < pixels <= MOST_PIXELS or not isinstance(runs, list) or len(runs) > MOST_CROSSINGS:
        raise DamagedMaskError("a mask has no runs")
    if not all(type(run) is int and 0 <= run <= pixels for run in runs) or sum(runs) != pixels:
        raise DamagedMaskError(
            f"the runs of a mask don't fit its frame of {size_wh[0]} x {size_wh[1]}"
        )
    return counts_of_changes(np.cumsum(np.array(runs, np.int64)), size_wh)


def counts_of_cut(mask: np.ndarray, x: int, y: int, size_wh: tuple[int, int]) -> bytes:
    """Compress a mask (h, w) bool whose first pixel is at x, y of an image; the rest is cut off."""
    width, height = size_wh
    mask = mask[max(-y, 0) : max(height - y, 0), max(-x, 0) : max(width - x, 0)]
    x, y = max(x, 0), max(y, 0)
    padded = np.zeros((mask.shape[1], mask.shape[0] + 2), np.int8)
    padded[:, 1:-1] = mask.T
    column, row = np.nonzero(np.diff(padded, axis=1))
    return counts_of_changes((column + x) * height + row + y, size_wh)


def union(masks: Sequence[bytes], size_wh: tuple[int, int]) -> bytes:
    """Put masks of one image together.

    Raises:
        DamagedMaskError: one of them is no mask of a picture of that size.
    """
    if len(masks) == 1:
        return masks[0]
    counts: bytes = coco_mask.merge([checked_rle(each, size_wh) for each in masks])["counts"]
    return counts


def pixels_of(counts: bytes, size_wh: tuple[int, int]) -> int:
    """Count the pixels of a mask.

    Raises:
        DamagedMaskError: it is no mask of a picture of that size.
    """
    return int(coco_mask.area(checked_rle(counts, size_wh)))
