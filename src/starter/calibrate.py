"""Chooses what MaskGenerator keeps of the starter SAM's masks, on drawn scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from segment_anything.modeling import Sam

from src.models.mask_generator import MaskGenerator
from src.models.starter.architecture import MaskThresholds
from src.starter.evaluate import MATCH_IOU, drawn_regions, fresh_scenes, iou
from src.starter.scenes import Scene

# Neither the scenes of training nor those of the evaluation.
_SEED = 70_001
# A person looks over a spurious segment more easily than for a missing one.
_LEAST_REAL = 0.86
_PREDICTED_IOUS = np.arange(0.30, 0.92, 0.02)
_STABILITIES = np.arange(0.30, 0.96, 0.02)


@dataclass(frozen=True)
class _Found:
    """One mask: its scores, the shapes of its scene that it covers, and whether it is real."""

    predicted_iou: float
    stability: float
    covers: tuple[int, ...]
    real: bool


def choose_thresholds(
    sam: Sam, start: MaskThresholds | None = None, scenes: int = 16
) -> MaskThresholds:
    """The two thresholds with the best balance of shapes found and masks that are real.

    Masks are generated once with almost no filter and filtered afterwards; that leaves the
    removal of duplicates as it would be but for masks that only stability would have dropped.

    Args:
        sam: in eval mode.
        start: what is not chosen here.
        scenes: how many to draw.

    Returns:
        The thresholds of the highest recall at which enough masks are real: on photos a SAM
        that learnt from drawings is unsure, and stricter ones leave hardly a segment. Where
        too few are real at any thresholds, those of the highest F1 of recall and that share.
    """
    start = start or MaskThresholds()
    loose = replace(start, pred_iou_thresh=float(_PREDICTED_IOUS[0]), stability_score_thresh=0.3)
    generator = MaskGenerator(sam, **asdict(loose))
    drawn = fresh_scenes(scenes, _SEED)
    found: list[_Found] = []
    first = 0
    for scene in drawn:
        found += _masks_of(generator, scene, first)
        first += len(scene.shapes)
    best, best_score = start, -1.0
    for predicted_iou in _PREDICTED_IOUS:
        for stability in _STABILITIES:
            score = _balance(found, first, float(predicted_iou), float(stability))
            if score > best_score:
                best_score = score
                best = replace(
                    start,
                    pred_iou_thresh=round(float(predicted_iou), 2),
                    stability_score_thresh=round(float(stability), 2),
                )
    return best


def _masks_of(generator: MaskGenerator, scene: Scene, first: int) -> list[_Found]:
    regions = drawn_regions(scene)
    found = []
    for record in generator.generate(scene.image_rgb):
        mask = record["segmentation"]
        covers = tuple(
            first + index
            for index, shape in enumerate(scene.shapes)
            if iou(mask, shape.mask) >= MATCH_IOU
        )
        real = bool(covers) or any(iou(mask, region) >= MATCH_IOU for region in regions)
        found.append(_Found(record["predicted_iou"], record["stability_score"], covers, real))
    return found


def _balance(found: Sequence[_Found], shapes: int, predicted_iou: float, stability: float) -> float:
    kept = [m for m in found if m.predicted_iou > predicted_iou and m.stability >= stability]
    if not kept:
        return 0.0
    recall = len({shape for mask in kept for shape in mask.covers}) / max(1, shapes)
    real = sum(mask.real for mask in kept) / len(kept)
    if real >= _LEAST_REAL:
        return 1 + recall
    return 2 * recall * real / (recall + real) if recall + real else 0.0
