"""Training material for CLIP from the masks that a starter SAM really finds."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from src.models.mask_generator import MaskGenerator
from src.models.starter.architecture import load_mask_thresholds, load_starter_sam
from src.models.starter.vocabulary import COLOURS
from src.starter.crops import NONE, UNKNOWN, Crops, Cutter, colour_of, shape_facts
from src.starter.scenes import DrawnShape, Scene, draw_scene

# Fewer clicks than at work, and the fast kind: the masks are of the same kind.
_POINTS_PER_SIDE = 12
# A mask that fits a shape so well shows it; one that lies in it so far is a piece of it.
_SHOWS, _INSIDE = 0.5, 0.8


def draw_found_crops(seed: int, index: int, sam_folder: Path, size: int = 96) -> Crops:
    """Draw the index-th scene of a seed and cut a crop for each mask that SAM finds in it.

    Invented flaws in true masks teach a CLIP to read those; what a SAM takes for a thing, and
    how its masks fail, is a lesson of its own: a corner of a red square is no red square. A scene
    in which it finds nothing is seen as a whole, as in the application.

    Args:
        sam_folder: holds the starter SAM.
        size: of the crops.
    """
    rng = np.random.default_rng((seed, 5, index))
    shorter = int(rng.choice([192, 224, 256, 384]))
    longer = int(shorter * rng.choice([1.0, 1.333, 1.5, 1.778]))
    scene = draw_scene(rng, (longer, shorter) if rng.random() < 0.7 else (shorter, longer))
    cutter = Cutter(rng, scene.image_rgb, size)
    for record in _generator(sam_folder).generate(scene.image_rgb):
        cutter.cut(record["segmentation"], facts_of_mask(scene, record["segmentation"]))
    if not cutter.images:
        cutter.whole(many=UNKNOWN)
    return cutter.collect()


@lru_cache(maxsize=1)
def _generator(folder: Path) -> MaskGenerator:
    thresholds = replace(load_mask_thresholds(folder), points_per_side=_POINTS_PER_SIDE)
    return MaskGenerator(load_starter_sam(folder), **asdict(thresholds))


def facts_of_mask(scene: Scene, mask: np.ndarray) -> list[int]:
    """What is true of a crop around a mask, from what was drawn there."""
    area = int(mask.sum())
    best: DrawnShape | None = None
    best_iou = 0.0
    for drawn in scene.shapes:
        common = int((mask & drawn.mask).sum())
        iou = common / (area + int(drawn.mask.sum()) - common)
        if iou >= _SHOWS:
            return shape_facts(drawn)
        if common >= _INSIDE * area and iou >= best_iou:
            best, best_iou = drawn, iou
    colour, tone = colour_of(scene.image_rgb, mask)
    background = UNKNOWN
    if best is not None:
        colour, background = COLOURS.index(best.colour), 0
    elif (scene.labels[mask] < scene.background_regions).mean() >= _INSIDE:
        background = 1
    return [colour, NONE, UNKNOWN, tone, UNKNOWN, 0, background, UNKNOWN]
