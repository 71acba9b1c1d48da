"""Training material for SAM: pictures with a region under every click."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from src.starter.dead_leaves import draw_dead_leaves
from src.starter.scenes import draw_scene

# Smaller ones are a few cells of the decoder's grid and teach little.
MIN_REGION = 64
# Longest side, in pixels, of the smallest pictures that are drawn.
_SMALLEST = 192


@dataclass(frozen=True)
class LabelledPicture:
    """A picture at SAM's size and its regions.

    Attributes:
        image_rgb: (H, W, 3) uint8; the longest side is SAM's image size.
        labels: (H, W) int16.
        parents: (N,) int32, of which region each is a part, or itself.
        whole_from: labels from here on are things, clicked as a whole even where
            something in front cuts them in two; below, one connected piece counts.
    """

    image_rgb: np.ndarray
    labels: np.ndarray
    parents: np.ndarray
    whole_from: int


def draw_labelled_picture(seed: int, index: int, longest: int) -> LabelledPicture:
    """The index-th picture of a seed: a scene or dead leaves, in any aspect ratio.

    Most are drawn at another size and brought to SAM's, as the pictures that people have are:
    enlarged edges are soft, shrunk ones sharp.
    """
    rng = np.random.default_rng((seed, 1, index))
    shorter = longest * rng.choice([0.5625, 0.6667, 0.75, 1.0, rng.uniform(0.5, 1.0)])
    wanted = np.array((longest, shorter) if rng.random() < 0.7 else (shorter, longest))
    least = min(0.5, _SMALLEST / longest)
    scale = np.exp(rng.uniform(np.log(least), np.log(1.6))) if rng.random() < 0.75 else 1.0
    width, height = (wanted * scale).astype(int)
    picture = _draw(rng, (int(width), int(height)))
    if scale == 1.0:
        return picture
    width, height = wanted.astype(int)
    smooth = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    return replace(
        picture,
        image_rgb=cv2.resize(picture.image_rgb, (width, height), interpolation=smooth),
        labels=cv2.resize(picture.labels, (width, height), interpolation=cv2.INTER_NEAREST),
    )


def _draw(rng: np.random.Generator, size_wh: tuple[int, int]) -> LabelledPicture:
    if rng.random() < 0.8:
        calm = rng.random() < 0.1
        scene = draw_scene(rng, size_wh, count=int(rng.integers(2, 13)), calm=calm)
        regions = int(scene.labels.max()) + 1
        parents = np.arange(regions, dtype=np.int32)
        return LabelledPicture(
            scene.image_rgb, scene.labels.astype(np.int16), parents, scene.background_regions
        )
    # Regions much smaller than a patch of the encoder can only be guessed at.
    leaves = draw_dead_leaves(rng, size_wh, busy=float(rng.choice([0.15, 0.3, 0.5])))
    return LabelledPicture(
        leaves.image_rgb, leaves.labels.astype(np.int16), leaves.parents, len(leaves.parents)
    )


def sample_clicks(
    rng: np.random.Generator, picture: LabelledPicture, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Clicks and the region that each of them means.

    Of twenty, three fall anywhere, as a grid of clicks does; twelve are meant for things, where
    there are any; the others are shared out over all regions, large ones a little more often, or
    backgrounds would take most of them. A click on a part may mean the whole.

    Args:
        picture: with at least one region of MIN_REGION pixels.
        count: of clicks.

    Returns:
        (count, 2) float32 x and y in pixels, and (count, H, W) bool masks.
    """
    labels = picture.labels
    height, width = labels.shape
    areas = np.bincount(labels.ravel(), minlength=len(picture.parents))
    eligible = np.flatnonzero(areas >= MIN_REGION)
    chance = areas[eligible] ** 0.35
    chance /= chance.sum()
    things = eligible[eligible >= picture.whole_from]
    points = np.empty((count, 2), np.float32)
    masks = np.zeros((count, height, width), bool)
    filled = 0
    while filled < count:
        kind = rng.random()
        if kind < 0.15:
            y, x = int(rng.integers(height)), int(rng.integers(width))
            if areas[labels[y, x]] < MIN_REGION:
                continue
        else:
            meant = kind < 0.75 and len(things) > 0
            region = rng.choice(things) if meant else rng.choice(eligible, p=chance)
            rows, columns = np.nonzero(_inside(labels == region))
            pick = rng.integers(len(rows))
            y, x = int(rows[pick]), int(columns[pick])
        label = int(labels[y, x])
        parent = int(picture.parents[label])
        if parent != label and rng.random() < 0.4:
            mask = picture.parents[labels] == parent
        else:
            mask = labels == label
        if label < picture.whole_from:
            _, pieces = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
            mask = pieces == pieces[y, x]
            if np.count_nonzero(mask) < MIN_REGION:
                continue
        points[filled], masks[filled] = (x, y), mask
        filled += 1
    return points, masks


def _inside(mask: np.ndarray) -> np.ndarray:
    """A region without its outermost pixels, which may belong to either side; (H, W) bool."""
    inside = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return inside if inside.any() else mask
