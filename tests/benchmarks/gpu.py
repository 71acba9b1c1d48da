"""What a GPU makes of it, in at most 8 minutes: python -m tests.benchmarks.gpu

First checks: masks and embeddings are those of the CPU, and the unit tests of what works in batches
pass there. Then figures: the mask generator beside Meta's on the same weights and thresholds, with
the share of encoder, decoder and finishing, and taking in photos end to end. ViT-B and ViT-H have
random weights, and the predicted IoU that 30 % of their masks exceed as threshold. What would not
be done in time is left out, and said.

Without an NVIDIA GPU the same is done on the CPU, with few clicks on small pictures: that shows
that all of it runs, and no figure of it means anything.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from segment_anything import SamAutomaticMaskGenerator
from segment_anything.modeling import Sam

from src.config import APPLICATION_FOLDER, LibraryPaths
from src.events import JobDone
from src.library import MediaLibrary
from src.models import promptable_sam
from src.models.mask_generator import MaskGenerator
from src.models.model_manager import ModelManager
from src.models.prompt_decoder import PromptDecoder
from src.settings import Settings
from src.starter.scenes import draw_scene
from tests.benchmarks.ingest import draw_photos
from tests.benchmarks.masks import Clock, best_ious, random_sam, starter

# What takes longest, ViT-H's part, takes less than the second on one H200.
LIMIT_S, _STEP_S = 480, 90
UNIT_TESTS = "device_edges device_finishing device_masks device_regions mask_edges mask_rle"


@dataclass(frozen=True)
class Plan:
    """How much is done.

    Attributes:
        size_wh: of the pictures.
        clicks: along each side.
        rounds: how often each generator runs.
        sams: which, beside the starter SAM, by their names in segment_anything.
        photos: taken in with the starter SAM; half as many with each other one.
    """

    size_wh: tuple[int, int]
    clicks: int
    rounds: int
    sams: tuple[str, ...]
    photos: int


LARGE = Plan((1024, 768), 32, 3, ("vit_b", "vit_h"), 24)
SMALL = Plan((320, 240), 4, 1, (), 1)
# What is wanted on one H200: at most so many ms a photo, at least so many photos a second.
WANTED_MS = {("vit_h", "exact"): 200}
WANTED_PHOTOS = {"starter": 12, "vit_h": 4}


class WithSam(ModelManager):
    """The bundled CLIP beside a given SAM."""

    def __init__(self, device: torch.device, sam: MaskGenerator) -> None:
        super().__init__(device="cpu" if device.type == "cpu" else "cuda", clip_model="starter")
        self.sam = sam

    def load_sam(self, *_: object, **__: object) -> MaskGenerator:
        return self.sam


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    chosen = parser.parse_args(arguments)
    end = time.monotonic() + LIMIT_S
    there = torch.cuda.is_available()
    device = torch.device("cuda" if there and chosen.device != "cpu" else "cpu")
    plan = LARGE if device.type == "cuda" else SMALL
    if not there:
        print("There is no NVIDIA GPU here: nothing below says how fast one is.")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}\n", flush=True)
    sound = check(device, plan)
    if not sound:
        print("The checks failed, so no figures.")
        return 1
    for sam_name in ("starter", *plan.sams):
        sam, options = starter() if sam_name == "starter" else random_sam(sam_name, device)
        sam.to(device)
        if end - time.monotonic() < _STEP_S:
            print(f"{sam_name}: left out, the time is up")
            continue
        compare(sam_name, sam, options, device, plan)
        photos = plan.photos if sam_name == "starter" else plan.photos // 2
        if sam_name not in WANTED_PHOTOS:
            continue
        if end - time.monotonic() < _STEP_S:
            print(f"{sam_name}: taking photos in is left out, the time is up")
            continue
        take_in(sam_name, sam, options, device, photos, plan)
    return 0


def pictures(plan: Plan, count: int) -> list[np.ndarray]:
    return [
        draw_scene(np.random.default_rng([9, seed]), plan.size_wh, count=12).image_rgb
        for seed in range(count)
    ]


def check(device: torch.device, plan: Plan) -> bool:
    """Print whether it is right there."""
    cpu = ModelManager(device="cpu", clip_model="starter")
    other = ModelManager(device="cpu" if device.type == "cpu" else "cuda", clip_model="starter")
    shown = pictures(plan, 2)
    sound = []
    for quality in ("exact", "adaptive"):
        options = {"points_per_side": min(16, plan.clicks), "quality": quality}
        ours, theirs = (
            [
                [record["segmentation"] for record in generator.generate(picture, "coco_rle")]
                for picture in shown
            ]
            for generator in (
                cpu.load_starter_sam(**options, batched=False),
                other.load_starter_sam(**options, batched=True),
            )
        )
        best = best_ious(ours, theirs)
        counts = [sum(map(len, one)) for one in (ours, theirs)]
        sound.append(bool(best.mean() >= 0.99))
        print(
            f"{verdict(sound)} masks, {quality}: {counts[0]} on the CPU one by one, {counts[1]} in "
            f"batches there; mean best IoU {best.mean():.4f}, {(best >= 0.98).mean():.1%} at 0.98"
        )
    crops = [picture[: 40 + 9 * i, : 60 + 7 * i] for i in range(16) for picture in shown]
    cosine = (cpu.load_clip().encode_image(crops) * other.load_clip().encode_image(crops)).sum(1)
    sound.append(bool(cosine.min() >= 1 - 1e-4))
    print(
        f"{verdict(sound)} CLIP: cosines of the two differ from 1 by {1 - cosine.min():.1e} at most"
    )
    tests = APPLICATION_FOLDER / "tests" / "models"
    files = [str(tests / f"test_{name}.py") for name in UNIT_TESTS.split()]
    code = pytest.main(["-q", "-x", "--no-header", "-p", "no:cacheprovider", *files])
    sound.append(code == 0)
    print(f"{verdict(sound)} unit tests\n", flush=True)
    return all(sound)


def verdict(sound: list[bool]) -> str:
    return "right:" if sound[-1] else "WRONG:"


def compare(name: str, sam: Sam, options: dict[str, Any], device: torch.device, plan: Plan) -> None:
    """Print how long the generators take for a photo, and where."""
    shown = pictures(plan, plan.rounds)
    options = options | {"points_per_side": plan.clicks, "output_mode": "coco_rle"}
    many = options | {"points_per_batch": 1024}
    few = options | {"points_per_batch": 64}
    alike = {"quality": "exact", "mask_nms_thresh": 1.0}  # Meta's keeps masks that are like others
    ways: dict[str, Any] = {
        "Meta's": SamAutomaticMaskGenerator(sam, **few),
        "exact, one by one": MaskGenerator(sam, **many | alike, batched=False),
        "exact": MaskGenerator(sam, **many | alike, batched=True),
        "adaptive": MaskGenerator(sam, **many, quality="adaptive", batched=True),
    }
    print(f"{name}, {plan.size_wh[0]}x{plan.size_wh[1]}, {plan.clicks**2:,} clicks")
    columns = "ms encoder decoder finishing masks best_IoU at_0.9 wanted".split()
    print(f"{'':20}" + "".join(f"{column:>10}" for column in columns))
    found: dict[str, list[list[Any]]] = {}
    for way, generator in ways.items():
        if device.type == "cuda":
            generator.generate(shown[0])  # the first call of anything is slow
        spent, found[way] = [], []
        for picture in shown:
            took, records = timed(partial(generator.generate, picture), device)
            spent.append(took)
            found[way].append([record["segmentation"] for record in records])
        best = best_ious(found["Meta's"], found[way])
        shares = parts(generator, sam, shown[0], device)
        wanted = WANTED_MS.get((name, way)) if device.type == "cuda" else None
        cells = [
            f"{1000 * np.median(spent):,.0f}",
            *(f"{shares[part]:.0%}" for part in ("encoder", "decoder", "finishing")),
            f"{np.mean([len(masks) for masks in found[way]]):.0f}",
            f"{best.mean():.4f}" if len(best) else "-",
            f"{(best >= 0.9).mean():.1%}" if len(best) else "-",
            f"{wanted}" if wanted else "",
        ]
        print(f"{way:20}" + "".join(f"{cell:>10}" for cell in cells), flush=True)
    print()


def timed(work: Callable[[], Any], device: torch.device) -> tuple[float, Any]:
    """Return the seconds until the device has done it, and what came of it."""
    wait(device)
    start = time.perf_counter()
    done = work()
    wait(device)
    return time.perf_counter() - start, done


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def parts(generator: Any, sam: Sam, picture: np.ndarray, device: torch.device) -> dict[str, float]:
    """Return the shares of a run; it waits for the device after each part."""
    clock = Clock(lambda: wait(device))
    with clock:
        if isinstance(generator, MaskGenerator):
            clock.around(promptable_sam, "encode_pixels", "encoder")
            for method in ("__init__", "decode", "draw"):
                clock.around(PromptDecoder, method, "decoder")
        else:
            clock.around(sam.mask_decoder, "forward", "decoder")
            clock.around(sam.image_encoder, "forward", "encoder")
        whole, _ = timed(lambda: generator.generate(picture), device)
    shares = {part: clock.seconds[part] / whole for part in ("encoder", "decoder")}
    return shares | {"finishing": 1 - sum(shares.values())}


def take_in(
    name: str, sam: Sam, options: dict[str, Any], device: torch.device, photos: int, plan: Plan
) -> None:
    """Print how many photos a second are taken into a library."""
    manager = ModelManager(device="cpu" if device.type == "cpu" else "cuda")
    if name == "starter":
        generator = manager.load_starter_sam(batched=True)
        assert isinstance(generator, MaskGenerator)
    else:
        generator = MaskGenerator(sam, **options, name=name, batched=True)
    if device.type == "cpu":
        generator.points_per_side = plan.clicks
    size_wh = (1152, 864) if device.type == "cuda" else plan.size_wh
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths = draw_photos(folder, [size_wh] * (photos + 1))
        models = WithSam(device, generator)
        with MediaLibrary(LibraryPaths(folder / "library"), models, Settings()) as library:
            list(library.add(paths[:1]))  # models and decoders have started then
            start = time.perf_counter()
            events = list(library.add(paths[1:]))
            seconds = time.perf_counter() - start
    (done,) = (event for event in events if isinstance(event, JobDone))
    wanted = f"; wanted {WANTED_PHOTOS[name]}" if device.type == "cuda" else ""
    print(
        f"{name}: {photos} photos of {size_wh[0]}x{size_wh[1]} taken in, {done.segments} segments, "
        f"{len(done.failed)} failed: {photos / seconds:.2f} photos/s{wanted}\n",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
