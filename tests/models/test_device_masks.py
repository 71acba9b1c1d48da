"""Masks enlarged, measured, compared and written many at once, as one by one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from src.models import device_masks
from src.models.device_masks import (
    at_image,
    column_runs,
    comparable,
    measured,
    unlike_all_before,
)
from src.models.mask_rle import compressed, encode_rle, mask_of_runs, runs_of
from src.models.mask_shape import COMPARE_SIDE, DuplicateFilter, box_of, stability_of
from src.models.mask_sizes import Sizes
from tests.models.drawn_masks import drawn_logits

# smaller than the model's square, of its size, near it, much larger, and thin
IMAGES = [(50, 37), (256, 192), (300, 410), (900, 700), (700, 90)]


def of_image(image_wh: tuple[int, int]) -> tuple[torch.Tensor, Sizes]:
    sizes = Sizes.in_square(256, 4, image_wh)
    return drawn_logits(*sizes.logits_wh[::-1]), sizes


@pytest.mark.parametrize("image_wh", IMAGES, ids=str)
def test_they_become_as_large_as_the_image(image_wh: tuple[int, int], device: torch.device) -> None:
    logits, sizes = of_image(image_wh)
    found = at_image(logits.to(device), sizes).cpu().numpy()
    wanted = np.stack([sizes.at_image(mask) > 0 for mask in logits.numpy()])
    assert found.shape == wanted.shape
    # at a distance that was rounded elsewhere a few lie on the other side of zero
    assert (found != wanted).mean() < 2e-3


@pytest.mark.parametrize("image_wh", IMAGES, ids=str)
def test_they_are_measured_at_the_size_that_counts(
    image_wh: tuple[int, int], device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    logits, sizes = of_image(image_wh)
    # some at a time
    pixels = max(image_wh[0] * image_wh[1], logits[0].numel() * 16)
    monkeypatch.setattr(device_masks, "bytes_at_once", lambda _device: 5 * 16 * pixels)
    stability, boxes, some = (one.cpu() for one in measured(logits.to(device), sizes, 1.0))
    for number, mask in enumerate(logits.numpy()):
        large = cv2.resize(sizes.at_input(mask), sizes.measured_wh)
        assert abs(float(stability[number]) - stability_of(large, 1.0)) < 1e-3
        assert bool(some[number]) == bool((large > 0).any())
        if some[number]:
            np.testing.assert_allclose(boxes[number].numpy(), box_of(large > 0), atol=1)


def test_of_none_nothing_is_measured() -> None:
    logits, sizes = of_image((256, 192))
    stability, boxes, some = measured(logits[:0], sizes, 1.0)
    assert stability.shape == some.shape == (0,)
    assert boxes.shape == (0, 4)


@pytest.mark.parametrize("size", [(61, 83), (64, 64), (160, 120), (150, 22), (20, 30), (128, 64)])
def test_they_are_compared_by_what_opencv_makes_of_them(
    size: tuple[int, int], device: torch.device
) -> None:
    logits = drawn_logits(*size)
    pictures = comparable(logits.to(device)).cpu()
    side = COMPARE_SIDE, COMPARE_SIDE
    small = [cv2.resize(one, side, interpolation=cv2.INTER_AREA) for one in logits.numpy()]
    wanted = np.stack(small).reshape(len(small), -1)
    same = (pictures.numpy() > 0) == (wanted > 0)
    assert same[np.abs(wanted) > 1e-5].all()  # but for averages that are zero


@pytest.mark.parametrize("most_overlap", [0.3, 0.8, 1.0])
def test_the_same_are_left_out(most_overlap: float, device: torch.device) -> None:
    logits = torch.cat([drawn_logits(64, 64), drawn_logits(64, 64) + 0.1])
    kept = DuplicateFilter(most_overlap)
    wanted = [i for i, one in enumerate(logits.numpy()) if kept.add_if_distinct(one)]
    pictures = comparable(logits.to(device))
    assert unlike_all_before(pictures, pictures[:0], most_overlap) == wanted
    # and in two parts
    first = unlike_all_before(pictures[:9], pictures[:0], most_overlap)
    later = unlike_all_before(pictures[9:], pictures[first], most_overlap)
    assert first + [9 + i for i in later] == wanted
    assert unlike_all_before(pictures[:0], pictures, most_overlap) == []


@pytest.mark.parametrize("size", [(61, 83), (1, 9), (9, 1), (300, 200)], ids=str)
def test_they_are_written_as_pycocotools_writes_them(
    size: tuple[int, int], device: torch.device
) -> None:
    inside = drawn_logits(*size) > 0
    runs, counts = column_runs(inside.to(device))
    size_wh = size[1], size[0]
    written = compressed(runs, counts)
    apart = np.split(runs, np.cumsum(counts)[:-1])
    for mask, rle, own in zip(inside.numpy(), written, apart, strict=True):
        assert rle == encode_rle(mask)["counts"]
        np.testing.assert_array_equal(own, runs_of(rle, size_wh))
        np.testing.assert_array_equal(mask_of_runs(own, size_wh), mask)
        np.testing.assert_array_equal(coco_mask.decode({"size": size, "counts": rle}), mask)


def test_no_masks_are_written_as_none() -> None:
    runs, counts = column_runs(torch.zeros(0, 5, 7, dtype=torch.bool))
    assert len(runs) == len(counts) == 0 and compressed(runs, counts) == []
