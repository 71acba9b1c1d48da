"""Which mask lies in which, by drawn masks and by plain arithmetic on pixels."""

from __future__ import annotations

import numpy as np
from pycocotools import mask as coco_mask

from src.models.mask_hierarchy import CONTAINED_SHARE, containers
from src.models.mask_rle import encode_rle

SIZE_WH = (60, 40)


def box(x: int, y: int, w: int, h: int) -> np.ndarray:
    mask = np.zeros(SIZE_WH[::-1], bool)
    mask[y : y + h, x : x + w] = True
    return mask


def found(masks: list[np.ndarray]) -> list[int | None]:
    rles = [encode_rle(mask) for mask in masks]
    return containers(
        [rle["counts"] for rle in rles],
        [int(mask.sum()) for mask in masks],
        [[int(value) for value in coco_mask.toBbox(rle)] for rle in rles],
        SIZE_WH,
    )


def test_parts_lie_in_the_smallest_whole() -> None:
    house, door, knob, tree = (
        box(0, 0, 40, 40),
        box(5, 10, 10, 20),
        box(6, 12, 2, 2),
        box(45, 0, 9, 9),
    )
    assert found([knob, tree, house, door]) == [3, None, None, 2]


def test_a_part_may_stand_out_by_a_tenth() -> None:
    whole = box(0, 0, 30, 30)
    assert found([box(21, 0, 10, 10), whole]) == [1, None]  # 9 of 10 columns are inside
    assert found([box(22, 0, 10, 10), whole]) == [None, None]


def test_masks_of_one_size_hold_each_other_in_no_way() -> None:
    assert found([box(0, 0, 10, 10), box(0, 0, 10, 10)]) == [None, None]
    assert found([]) == []


def test_a_hole_holds_nothing() -> None:
    ring = box(0, 0, 30, 30) & ~box(5, 5, 20, 20)
    assert found([ring, box(6, 6, 10, 10)]) == [None, None]


def test_it_is_what_pixels_say() -> None:
    random = np.random.default_rng(3)
    masks = []
    for _ in range(40):
        w, h = random.integers(1, 40), random.integers(1, 30)
        mask = box(int(random.integers(0, 59)), int(random.integers(0, 39)), int(w), int(h))
        masks.append(mask & (random.random(mask.shape) < 0.97))
    masks = [mask for mask in masks if mask.any()]
    expected: list[int | None] = []
    for part in masks:
        wholes = [
            (int(whole.sum()), place)
            for place, whole in enumerate(masks)
            if whole.sum() > part.sum() and (whole & part).sum() >= CONTAINED_SHARE * part.sum()
        ]
        expected.append(min(wholes)[1] if wholes else None)
    assert found(masks) == expected
    assert sum(place is not None for place in expected) > 5
