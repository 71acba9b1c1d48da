"""SAM 2.1, ours beside Meta's generator and predictor: python -m tests.benchmarks.sam2_masks

Both get the same image, the same random weights and the same thresholds, by turns in one process:
seconds by the clock and of the processor, of everything mode and of the encoder alone, how far the
logits of 64 clicks are apart, and how alike the masks are. Needs the package sam2.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from pycocotools import mask as coco_mask

from src.models.mask_generator import MaskGenerator
from src.models.sam2.promptable import PromptableSam2
from src.models.sam2.weights import SIZES, Sam2Size
from src.models.segmenter import Prompts
from src.starter.scenes import draw_scene
from tests.models.sam2.random_weights import loaded

IMAGE_WH = 1024, 768
PASSING = 0.3


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["tiny"], help="tiny small base_plus large")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clicks", type=int, default=16, help="along each side of the image")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    print(f"{chosen.threads} threads, {chosen.clicks**2} clicks on {IMAGE_WH[0]}x{IMAGE_WH[1]}\n")
    for size in SIZES:
        if size.name.removeprefix("sam2.1_hiera_") in chosen.sizes:
            compare(size, chosen.clicks)


@torch.inference_mode()
def compare(size: Sam2Size, clicks: int) -> None:
    """Print a table of one size."""
    from sam2.automatic_mask_generator import SAM2AutomaticMaskGenerator

    module = loaded(size)
    image = draw_scene(np.random.default_rng([9, 0]), IMAGE_WH, count=12).image_rgb
    full = PromptableSam2(module, full_precision=True)
    embedding = full.embed(image)
    points = np.random.default_rng(0).random((64, 2)) * IMAGE_WH
    rated = full.decode(embedding, Prompts.clicks(points))
    options: dict[str, Any] = {
        "points_per_side": clicks,
        "points_per_batch": 16,  # Meta's 64 would need several GB
        "pred_iou_thresh": float(rated.predicted_iou.quantile(1 - PASSING)),
        "stability_score_thresh": 0.0,
        "output_mode": "coco_rle",
    }
    metas = SAM2AutomaticMaskGenerator(module, **options)
    metas.predictor.set_image(image)
    print(f"{size.label}: logits of 64 clicks are apart by {apart(metas, rated, points):.1e} of")
    print("their largest")
    alone = [timed(lambda: metas.predictor.set_image(image)), timed(lambda: full.embed(image))]
    print(f"encoder: Meta's {alone[0][1]:.2f} s, ours {alone[1][1]:.2f} s")
    # Meta's keeps masks that are each other's duplicates
    ours = options | {"mask_nms_thresh": 1.0}
    theirs, clock, cpu = timed(lambda: metas.generate(image))
    print(
        f"{'':12}{'seconds':>10}{'ratio':>8}{'CPU s':>10}{'ratio':>8}{'masks':>8}{'best IoU':>10}"
    )
    print(f"{'Meta':12}{clock:10.1f}{'':8}{cpu:10.1f}{'':8}{len(theirs):8}")
    for quality in ("exact", "adaptive"):
        model = PromptableSam2(module, half_decoder=quality == "adaptive")
        generator = MaskGenerator(model, quality=quality, **ours)
        found, own_clock, own_cpu = timed(lambda: generator.generate(image))  # noqa: B023
        print(
            f"{quality:12}{own_clock:10.1f}{clock / own_clock:7.1f}x{own_cpu:10.1f}"
            f"{cpu / own_cpu:7.1f}x{len(found):8}{mean_best_iou(theirs, found):10.4f}",
            flush=True,
        )
    print()


def apart(metas: Any, rated: Any, points: np.ndarray) -> float:
    """How far Meta's logits are from ours, as a share of the largest."""
    worst, largest = 0.0, 0.0
    kept: list[torch.Tensor] = []
    decoder = metas.predictor.model.sam_mask_decoder
    hook = decoder.register_forward_hook(lambda _module, _inputs, output: kept.append(output[0]))
    for start in range(0, len(points), 16):
        some = points[start : start + 16, None]
        metas.predictor.predict(some, np.ones(some.shape[:2], int), multimask_output=True)
        ours = rated.logits[3 * start : 3 * (start + 16)]
        theirs = kept.pop().flatten(0, 1)
        worst = max(worst, float((ours - theirs).abs().max()))
        largest = max(largest, float(theirs.abs().max()))
    hook.remove()
    return worst / largest


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What it gives, and its seconds by the clock and of the processor."""
    began, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - began, time.process_time() - cpu


def mean_best_iou(wanted: list[dict[str, Any]], found: list[dict[str, Any]]) -> float:
    """How alike the mask that fits it best is to each of the wanted, in the mean."""
    if not (wanted and found):
        return float("nan")
    masks = [[record["segmentation"] for record in records] for records in (wanted, found)]
    overlaps = coco_mask.iou(*masks, [0] * len(found))
    return float(overlaps.max(axis=1).mean())


if __name__ == "__main__":
    main()
