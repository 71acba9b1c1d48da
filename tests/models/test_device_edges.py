"""Masks fitted to their picture all at once, as one by one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from src.models.device_edges import BatchedEdges
from src.models.mask_edges import MaskEdges
from src.starter.evaluate import iou
from src.starter.scenes import draw_scene
from tests.models.drawn_masks import drawn_logits


@pytest.mark.parametrize("size", [(61, 83), (120, 90), (3, 40)], ids=str)
def test_each_becomes_what_it_becomes_alone(size: tuple[int, int], device: torch.device) -> None:
    picture = draw_scene(np.random.default_rng([8, 3]), (160, 120), count=4).image_rgb
    picture = np.ascontiguousarray(cv2.resize(picture, size[::-1]))
    logits = 3 * drawn_logits(*size)
    found = BatchedEdges(picture, device).fit(logits.to(device)).cpu().numpy()
    edges = MaskEdges(picture)
    wanted = np.stack([edges.fit(one) for one in logits.numpy()])
    assert found.shape == wanted.shape and found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=0.02)
    likeness = [iou(a > 0, b > 0) for a, b in zip(found, wanted, strict=True) if (b > 0).any()]
    assert min(likeness) > 0.99 and np.mean(likeness) > 0.9995


def test_no_masks_and_a_tiny_picture(device: torch.device) -> None:
    edges = BatchedEdges(np.zeros((1, 3, 3), np.uint8), device)
    assert edges.fit(torch.zeros(0, 1, 3, device=device)).shape == (0, 1, 3)
    assert edges.fit(torch.tensor([[[4.0, -4, -4]]], device=device)).isfinite().all()
