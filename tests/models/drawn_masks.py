"""Logits of masks of all kinds, for what works on many of them at once."""

from __future__ import annotations

import cv2
import numpy as np
import torch


def drawn_logits(height: int = 61, width: int = 83) -> torch.Tensor:
    """Return (N, height, width) float32, from hardly sure to sure."""
    rng = np.random.default_rng(3)
    kinds = []
    for cells in (4, 9, 20):  # blobs with holes and islands, many at the border
        for shift in (-0.6, 0, 0.7):
            noise = rng.normal(size=(cells, cells)).astype(np.float32)
            kinds.append(3 * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC))
            kinds[-1] += shift
    kinds += [rng.normal(size=(height, width)).astype(np.float32) + shift for shift in (-1, 0, 1)]
    nothing = np.full((height, width), -2, np.float32)
    pixel, corners, ring, snake = (nothing.copy() for _ in range(4))
    pixel[height // 2, width // 2] = 1
    corners[0, 0] = corners[-1, -1] = corners[0, -1] = 1
    cv2.circle(ring, (width // 2, height // 2), min(height, width) // 3, 2.0, 5)
    ring[height // 2, width // 2] = 0.5
    snake[::2] = 1
    snake[1::4, -1] = snake[3::4, 0] = 1  # one piece as long as can be
    chess = np.where(np.indices((height, width)).sum(0) % 2, 1, -1).astype(np.float32)
    edges = nothing.copy()
    edges[:, 0] = edges[-1] = 1.5
    kinds += [nothing, -nothing, pixel, corners, ring, snake, -snake, chess, edges]
    return torch.from_numpy(np.stack(kinds))
