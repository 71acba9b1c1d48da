"""Masks become polygons with their holes and parts, and the same pixels again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from src.datasets.polygons import (
    LEAST_IOU,
    counts_of_cut,
    counts_of_runs,
    cut_mask,
    fill_rings,
    joined_ring,
    mask_parts,
    pixels_of,
    rings_of,
    union,
)
from src.errors import DamagedMaskError
from src.models.mask_rle import decode_rle, encode_rle, measured
from tests.datasets.formats.drawn_masks import SIZE, drawn_masks, iou

WIDTH, HEIGHT = SIZE


@pytest.mark.parametrize("number", range(len(drawn_masks())))
def test_a_mask_is_cut_outlined_and_filled_again(number: int) -> None:
    mask = drawn_masks()[number]
    counts = encode_rle(mask)["counts"]
    cut, box = cut_mask(counts, SIZE)
    x, y, w, h = box
    assert (pixels_of(counts, SIZE), box) == measured(counts, SIZE)
    assert (cut == mask[y : y + h, x : x + w]).all()
    assert counts_of_cut(cut, x, y, SIZE) == counts
    parts = mask_parts(counts, SIZE)
    filled = fill_rings(rings_of(parts), SIZE)
    assert iou(decode_rle(filled, SIZE), mask) >= LEAST_IOU
    # parts and holes stay as many: what touches by a corner is one part, and two holes
    assert len(parts) == cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] - 1
    outside = np.pad(~decode_rle(filled, SIZE), 1, constant_values=True).astype(np.uint8)
    holes = cv2.connectedComponents(outside, connectivity=4)[0] - 2
    assert sum(len(part.holes) for part in parts) == holes
    # one ring with bridges fills the same, for us and for pycocotools, which takes no holes
    ring = joined_ring(parts)
    assert iou(decode_rle(fill_rings([ring], SIZE), SIZE), mask) >= LEAST_IOU
    as_coco = coco_mask.decode(coco_mask.frPyObjects([ring.ravel().tolist()], HEIGHT, WIDTH))
    assert iou(as_coco[:, :, 0].astype(bool), mask) >= LEAST_IOU


def test_a_part_is_filled_as_others_fill_it() -> None:
    ring = np.array([(-5.3, 10.2), (30.7, -4.1), (80.2, 33.3), (12.5, 44.9)])
    ours = decode_rle(fill_rings([ring], SIZE), SIZE)
    clipped = coco_mask.decode(coco_mask.frPyObjects([ring.ravel().tolist()], HEIGHT, WIDTH))
    assert iou(ours, clipped[:, :, 0].astype(bool)) > 0.97
    centres = [
        [
            cv2.pointPolygonTest(ring.astype(np.float32), (x + 0.5, y + 0.5), False) > 0
            for x in range(64)
        ]
        for y in range(48)
    ]
    assert (ours == np.array(centres)).all()


def test_bridges_are_short() -> None:
    mask = np.zeros((48, 64), bool)
    mask[5:43, 5:59] = True
    mask[10:14, 10:14] = mask[30:34, 40:44] = False
    parts = mask_parts(counts_of_cut(mask, 0, 0, SIZE), SIZE)
    ring = joined_ring(parts)
    steps = np.abs(np.diff(np.vstack([ring, ring[:1]]), axis=0)).sum()
    around = 2 * (38 + 54) + 2 * 16
    assert steps < around + 2 * (5 + 5 + 9 + 16) + 8


def test_many_corners_are_joined_soon() -> None:
    rng = np.random.default_rng(0)
    size = (150, 150)
    counts = counts_of_cut(rng.random((150, 150)) < 0.3, 0, 0, size)
    ring = joined_ring(mask_parts(counts, size))
    assert iou(decode_rle(fill_rings([ring], size), size), decode_rle(counts, size)) >= LEAST_IOU


def test_what_is_no_mask_is_refused() -> None:
    square = np.array([(0, 0), (4, 0), (4, 4), (0, 4)])
    with pytest.raises(DamagedMaskError, match="not a number"):
        fill_rings([square * np.nan], SIZE)
    with pytest.raises(DamagedMaskError, match="has no mask"):
        fill_rings([square], (1 << 40, 1 << 40))
    with pytest.raises(DamagedMaskError, match="too long"):
        fill_rings([np.tile([(0, 0), (9e9, 1)], (9000, 1))], (10_000, 10_000))
    # what is far outside is cut off, and takes no memory
    assert pixels_of(fill_rings([square * 1e300], SIZE), SIZE) == WIDTH * HEIGHT
    for runs in ([1, 2], [-1, WIDTH * HEIGHT + 1], "12", [WIDTH * HEIGHT, 0.0], [True] * 3072):
        with pytest.raises(DamagedMaskError):
            counts_of_runs(runs, SIZE)


def test_empty_runs_and_unions() -> None:
    pixels = WIDTH * HEIGHT
    assert counts_of_runs([0, 3, 0, 2, pixels - 5], SIZE) == counts_of_runs(
        [0, 5, pixels - 5], SIZE
    )
    one, two = (counts_of_runs([at, 1, pixels - at - 1], SIZE) for at in (3, 4))
    assert union([one, two], SIZE) == counts_of_runs([3, 2, pixels - 5], SIZE)
    empty = counts_of_runs([pixels], SIZE)
    assert pixels_of(empty, SIZE) == 0 and not mask_parts(empty, SIZE)
    assert not len(joined_ring([]))
