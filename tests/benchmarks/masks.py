"""Everything mode, ours beside Meta's generator: python -m tests.benchmarks.masks

Both get the same images, weights and thresholds. Each runs in a process of its own, so that its
peak memory is its own. The starter SAM gives real masks to compare; Meta's ViT-B, with random
weights and the predicted IoU that 30 % of its masks exceed as threshold, gives the times: by the
clock, and of the processor, which other programs on the machine change less.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import torch
from PIL import Image
from pycocotools import mask as coco_mask
from segment_anything import SamAutomaticMaskGenerator, SamPredictor, sam_model_registry
from segment_anything.modeling import Sam
from torch.utils.flop_counter import FlopCounterMode

from src.config import APPLICATION_FOLDER, STARTER_FOLDER
from src.models import promptable_sam
from src.models.mask_generator import MaskGenerator
from src.models.prompt_decoder import PromptDecoder
from src.models.starter.architecture import load_mask_thresholds, load_starter_sam
from src.starter.scenes import draw_scene

CPU = torch.device("cpu")
PASSING = 0.3
KINDS = ("official", "exact", "adaptive")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("starter", "vit_b", "vit_b 12 MP"))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    if chosen.one:
        measure_one(*chosen.one)
        return
    rate = matrix_rate()
    print(f"{chosen.threads} threads; a float32 product does {rate:.0f} GFLOP a CPU second\n")
    cases = {"starter": ("starter", (1024, 768), 6), "vit_b": ("vit_b", (1024, 768), 1)}
    # there Meta's generator would take half an hour for all clicks, so both get a quarter of them
    cases["vit_b 12 MP"] = ("vit_b 16", (4000, 3000), 1)
    for name, (weights, size_wh, count) in cases.items():
        if chosen.only in (None, name):
            compare(name, weights, size_wh, count, chosen.threads, rate)


def compare(
    name: str, weights: str, size_wh: tuple[int, int], count: int, threads: int, rate: float
) -> None:
    """Run the three on the same images and print a table."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for seed in range(count):
            scene = draw_scene(np.random.default_rng([9, seed]), (1024, 768), count=12)
            picture = cv2.resize(scene.image_rgb, size_wh, interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(folder / f"{seed}.png"), picture[..., ::-1])
        found = {kind: in_a_process(kind, weights, folder, threads) for kind in KINDS}
    print(f"{name}: {count} x {size_wh[0]}x{size_wh[1]}, seconds an image")
    columns = "encoder decoder rest all ratio CPU CPU_ratio peak_MB masks best_IoU".split()
    columns += ["at_0.9", "GFLOP", "of_limit"]
    print(f"{'':10}" + "".join(f"{column:>10}" for column in columns))
    official = found["official"]
    for kind, told in found.items():
        seconds = told["seconds"]
        everything = sum(seconds.values())
        best = best_ious(official["masks"], told["masks"])
        floats = told["gflop"] / rate
        cells = [
            *(f"{seconds[part] / count:.2f}" for part in ("encoder", "decoder", "rest")),
            f"{everything / count:.2f}",
            f"{sum(official['seconds'].values()) / everything:.1f}x",
            f"{told['cpu'] / count:.2f}",
            f"{official['cpu'] / told['cpu']:.1f}x",
            f"{told['peak_mb']:,.0f}",
            f"{sum(map(len, told['masks'])) / count:.1f}",
            f"{best.mean():.4f}",
            f"{(best >= 0.9).mean():.1%}",
            f"{told['gflop'] / count:,.0f}" if told["gflop"] else "-",
            f"{floats / told['cpu']:.0%}" if told["gflop"] else "-",
        ]
        print(f"{kind:10}" + "".join(f"{cell:>10}" for cell in cells))
    print(flush=True)


def best_ious(wanted: list[Any], found: list[Any]) -> np.ndarray:
    """For each of Meta's masks the IoU of the mask that fits it best."""
    best = [
        coco_mask.iou(theirs, ours, [0] * len(ours)).max(axis=1) if ours else np.zeros(len(theirs))
        for theirs, ours in zip(wanted, found, strict=True)
        if theirs
    ]
    return np.concatenate(best)


def in_a_process(kind: str, weights: str, folder: Path, threads: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.masks", "--threads", str(threads)]
    done = subprocess.run(
        [*command, "--one", kind, weights, str(folder)],
        cwd=APPLICATION_FOLDER,
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    seconds = sum(told["seconds"].values())
    print(f"{kind}: {seconds:.1f} s, {told['cpu']:.1f} s of the processor", file=sys.stderr)
    return told


def measure_one(kind: str, weights: str, folder: str) -> None:
    """One generator on all images of a folder; prints JSON."""
    sam, options = starter() if weights == "starter" else random_sam("vit_b")
    if weights.endswith("16"):
        options["points_per_side"] = 16
    options["output_mode"] = "coco_rle"
    kind_of: Any = SamAutomaticMaskGenerator
    if kind != "official":
        kind_of = MaskGenerator
        # Meta's keeps masks that are each other's duplicates, and is to be compared with
        options |= {"quality": kind, "mask_nms_thresh": 1.0}
    generator = kind_of(sam, **options)
    clock = Clock()
    if kind == "official":
        clock.around(sam.mask_decoder, "forward", "decoder")
        clock.around(sam.image_encoder, "forward", "encoder")
    else:
        clock.around(promptable_sam, "encode_pixels", "encoder")
        for method in ("__init__", "decode", "draw"):
            clock.around(PromptDecoder, method, "decoder")
    paths = sorted(Path(folder).glob("*.png"))
    images = [np.array(Image.open(path).convert("RGB")) for path in paths]
    # the first call of anything is slow
    kind_of(sam, **options | {"points_per_side": 2}).generate(images[0][:64, :64])
    clock.seconds.clear()
    masks = []
    start, cpu = time.perf_counter(), time.process_time()
    for image in images:
        masks.append([record["segmentation"] for record in generator.generate(image)])
    clock.seconds["rest"] = time.perf_counter() - start - sum(clock.seconds.values())
    cpu = time.process_time() - cpu
    seconds = dict(clock.seconds)  # the clock goes on while arithmetic is counted
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    gflop = 0.0
    if kind != "official":
        # the counter does not know autocast; the arithmetic is the same in 16 bits
        counted = kind_of(sam, **options | {"full_precision": True})
        with FlopCounterMode(display=False) as counter:
            for image in images:
                counted.generate(image)
        gflop = counter.get_total_flops() / 1e9
    for records in masks:
        for rle in records:
            if isinstance(rle["counts"], bytes):
                rle["counts"] = rle["counts"].decode()
    told = {
        "seconds": seconds,
        "cpu": cpu,
        "masks": masks,
        "peak_mb": peak_mb,
        "gflop": gflop,
    }
    print(json.dumps(told))


class Clock:
    """Adds up the seconds spent in methods; as a context, until it is left.

    Args:
        wait: until a device has done what it was asked for.
    """

    def __init__(self, wait: Callable[[], None] = lambda: None) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._wait = wait
        self._patches = ExitStack()

    def around(self, owner: Any, method: str, part: str) -> None:
        inner: Callable[..., Any] = getattr(owner, method)

        def timed(*arguments: Any, **options: Any) -> Any:
            self._wait()
            start = time.perf_counter()
            try:
                return inner(*arguments, **options)
            finally:
                self._wait()
                self.seconds[part] += time.perf_counter() - start

        self._patches.enter_context(patch.object(owner, method, timed))

    def __enter__(self) -> Clock:
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()


def starter() -> tuple[Sam, dict[str, Any]]:
    options = asdict(load_mask_thresholds(STARTER_FOLDER))
    for ours in ("speck_share", "quality", "fit_edges"):  # Meta's generator does not know them
        del options[ours]
    return load_starter_sam(STARTER_FOLDER), options | {"points_per_side": 32}


def random_sam(kind: str, device: torch.device = CPU) -> tuple[Sam, dict[str, Any]]:
    """One of Meta's with random weights, and thresholds under which PASSING of the masks pass."""
    torch.manual_seed(0)
    sam = sam_model_registry[kind](checkpoint=None).eval()
    for parameter in sam.mask_decoder.parameters():
        if parameter.ndim > 1:  # as it is built every mask covers nothing, or everything
            torch.nn.init.normal_(parameter, std=0.06)
    sam.to(device)
    predictor = SamPredictor(sam)
    scene = draw_scene(np.random.default_rng([9, 0]), (1024, 768), count=12)
    predictor.set_image(scene.image_rgb)
    with torch.inference_mode():
        points = (torch.rand(64, 1, 2) * torch.tensor([1024.0, 768.0])).to(device)
        sparse, _ = sam.prompt_encoder((points, torch.ones(64, 1, device=device)), None, None)
        rated = PromptDecoder(sam, predictor.features).decode(sparse).predicted_iou
    return sam, {
        "points_per_side": 32,
        # at 12 megapixels a batch of Meta's 64 clicks would need 18 GB
        "points_per_batch": 16,
        "pred_iou_thresh": float(rated.quantile(1 - PASSING)),
        "stability_score_thresh": 0.0,
    }


def matrix_rate() -> float:
    """GFLOP of a large float32 matrix product in a second of the processor."""
    a, b = torch.randn(2, 2048, 2048)
    best = np.inf
    for _ in range(8):
        start = time.process_time()
        a @ b
        best = min(best, time.process_time() - start)
    return 2 * 2048**3 / best / 1e9


if __name__ == "__main__":
    main()
