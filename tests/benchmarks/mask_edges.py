"""Masks fitted to their picture, ours beside GrabCut: python -m tests.benchmarks.mask_edges

Both get the mask that the starter SAM prefers under a click on a drawn shape. OpenCV's GrabCut is
told to be sure where SAM is, looks at the same window, and runs the two rounds that suited it best.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

import cv2
import numpy as np
import torch
from segment_anything import SamPredictor

from src.config import STARTER_FOLDER
from src.models.mask_candidates import Sizes
from src.models.mask_edges import MaskEdges, window_of
from src.models.starter.architecture import load_starter_sam
from src.starter.evaluate import fresh_scenes, inner_point, iou

_ROUNDS, _SURE = 2, 0.95


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=60)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    sam = load_starter_sam(STARTER_FOLDER)
    predictor = SamPredictor(sam)
    rng = np.random.default_rng(0)
    reached: dict[str, list[float]] = defaultdict(list)
    seconds: dict[str, list[float]] = defaultdict(list)
    for scene in fresh_scenes(chosen.scenes):
        image = scene.image_rgb
        predictor.set_image(image)
        sizes = Sizes.of(sam, (image.shape[1], image.shape[0]))
        edges = MaskEdges(image)
        ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
            "as SAM gives it": np.asarray,
            "GrabCut": partial(grab_cut, image),
            "ours": edges.fit,
        }
        for shape in scene.shapes:
            point = inner_point(rng, shape.mask)
            _, ious, found = predictor.predict(point[None], np.ones(1))
            logits = cv2.resize(sizes.at_input(found[ious.argmax()]), sizes.image_wh)
            for name, way in ways.items():
                began = time.process_time()
                mask = way(logits) > 0
                seconds[name].append(time.process_time() - began)
                reached[name].append(iou(mask, shape.mask))
    before = np.array(reached["as SAM gives it"])
    print(f"{'':18} {'IoU':>6} {'worse by 0.1':>13} {'ms a mask':>10}")
    for name, values in reached.items():
        worse = np.mean(np.array(values) < before - 0.1)
        took = 1000 * np.mean(seconds[name])
        print(f"{name:18} {np.mean(values):6.3f} {worse:13.1%} {took:10.1f}")


def grab_cut(image_rgb: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """A mask cut by GrabCut (Rother et al. 2004); (H, W) bool."""
    window = window_of(logits)
    if window is None:
        return logits > 0
    sure = np.log(_SURE / (1 - _SURE))
    part = logits[window]
    labels = np.where(part > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[part > sure], labels[part < -sure] = cv2.GC_FGD, cv2.GC_BGD
    if len(np.unique(labels % 2)) < 2:  # it refuses what is all inside or all outside
        return logits > 0
    mask = np.zeros(logits.shape, bool)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    shown = np.ascontiguousarray(image_rgb[window][..., ::-1])
    cv2.grabCut(shown, labels, (0, 0, 1, 1), *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    mask[window] = labels % 2 == 1
    return mask


if __name__ == "__main__":
    main()
