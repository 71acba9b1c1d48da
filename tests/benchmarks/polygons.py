"""How masks become polygons: CPU time, corners, and how near they are to the mask.

python -m tests.benchmarks.polygons
"""

from __future__ import annotations

import time

import cv2
import numpy as np

from src.datasets.polygons import fill_rings, joined_ring, mask_parts, rings_of
from src.models.mask_rle import encode_rle, mask_ious

SIZE = (2000, 1500)
MASKS = 60


def drawn() -> list[bytes]:
    """Draw blobs with forty corners, 30 to 300 pixels from their middle."""
    rng = np.random.default_rng(0)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    around = np.stack([np.cos(angles), np.sin(angles)], 1)
    masks = []
    for _ in range(MASKS):
        mask = np.zeros(SIZE[::-1], np.uint8)
        middle = rng.integers(100, (SIZE[0] - 100, SIZE[1] - 100))
        points = middle + around * rng.integers(30, 300) * rng.uniform(0.7, 1.3, (40, 1))
        cv2.fillPoly(mask, [points.astype(np.int32)], 1)
        masks.append(encode_rle(mask)["counts"])
    return masks


def main() -> None:
    masks = drawn()
    start = time.process_time()
    parts = [mask_parts(mask, SIZE) for mask in masks]
    outlined = time.process_time()
    rings = [joined_ring(each) for each in parts]
    joined = time.process_time()
    filled = [fill_rings([ring], SIZE) for ring in rings]
    done = time.process_time()
    ious = [
        mask_ious([mask], [other], SIZE)[0, 0] for mask, other in zip(masks, filled, strict=True)
    ]
    corners = np.mean([sum(len(ring) for ring in rings_of(each)) for each in parts])
    print(f"outline {(outlined - start) / MASKS * 1000:.2f} ms a mask, {corners:.0f} corners")
    print(f"join {(joined - outlined) / MASKS * 1000:.2f} ms a mask")
    print(f"fill {(done - joined) / MASKS * 1000:.2f} ms a mask")
    print(f"IoU {min(ious):.4f} at least, {np.mean(ious):.4f} on average")


if __name__ == "__main__":
    main()
