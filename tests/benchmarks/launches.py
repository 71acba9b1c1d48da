"""What lies between logits and final masks, by number: python -m tests.benchmarks.launches

Where there is no GPU nobody can measure how long it waits for Python. What can be counted on any
device is what it would wait for: how many operations torch is asked for, how many calls of OpenCV
there are for which a GPU does nothing, how often the CPU waits for an answer, and how many bytes
come to it. Masks are finished one by one, as they are on a CPU, and all at once, as on a GPU.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from src.models import device_finishing, device_masks
from src.models.device_finishing import AllAtOnce
from src.models.mask_finishing import OneByOne
from src.models.mask_generator import MaskGenerator
from src.models.prompt_decoder import PromptDecoder
from src.starter.scenes import draw_scene
from tests.benchmarks.masks import best_ious, starter

# What asks a GPU for numbers, for which the CPU waits until all before them is done.
_WAITS = ("nonzero", "_local_scalar_dense", "equal", "repeat_interleave")


class Counted(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts what is done while it is entered: operations of torch that are no mere views."""

    def __init__(self, counts: Counter[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts = counts

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        if not func.is_view:
            self.counts["operations"] += 1
        if func.overloadpacket.__name__ in _WAITS:
            self.counts["waits"] += 1
        return func(*args, **(kwargs or {}))


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count what finishing does inside the block."""
    counts: Counter[str] = Counter()
    active = 0

    def finishing(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal active
            active += 1
            start = time.process_time()
            try:
                with Counted(counts):
                    return function(*arguments, **options)
            finally:
                active -= 1
                counts["ms"] += round(1000 * (time.process_time() - start))

        return call

    def steps(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Iterator[Any]:
            source = function(*arguments, **options)
            following = finishing(lambda: next(source, None))
            while (item := following()) is not None:
                counts["masks"] += 1
                yield item

        return call

    def noted(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            counts[name] += active > 0
            return function(*arguments, **options)

        return call

    def fetched(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(tensor: torch.Tensor, *arguments: Any, **options: Any) -> Any:
            if active:
                counts["waits"] += 1
                counts["bytes"] += tensor.numel() * tensor.element_size()
            return function(tensor, *arguments, **options)

        return call

    with ExitStack() as stack:
        for kind in (OneByOne, AllAtOnce):
            for name, around in (("stable", finishing), ("distinct", finishing)):
                stack.enter_context(patch.object(kind, name, around(getattr(kind, name))))
            stack.enter_context(patch.object(kind, "at_image", steps(kind.at_image)))
        for name in (
            "resize boundingRect erode blur multiply subtract merge transform cvtColor warpAffine"
            " connectedComponents connectedComponentsWithStats transpose"
        ).split():
            stack.enter_context(patch.object(cv2, name, noted(getattr(cv2, name), "OpenCV")))
        for name in ("cpu", "tolist"):
            stack.enter_context(
                patch.object(torch.Tensor, name, fetched(getattr(torch.Tensor, name)))
            )
        yield counts


@contextmanager
def as_on_a_gpu() -> Iterator[None]:
    """Decode all clicks at once, and have as much memory for a batch as a large GPU gives."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(PromptDecoder, "most_at_once", 1024))
        for module in (device_finishing, device_masks):
            stack.enter_context(patch.object(module, "bytes_at_once", lambda _device: 1 << 32))
        yield


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clicks", type=int, default=32, help="along each side")
    parser.add_argument("--photos", type=int, default=2)
    chosen = parser.parse_args(arguments)
    sam, options = starter()
    options |= {"points_per_side": chosen.clicks, "speck_share": 0.03}
    pictures = [
        draw_scene(np.random.default_rng([9, seed]), (1024, 768), count=12).image_rgb
        for seed in range(chosen.photos)
    ]
    cases = {
        "exact, as Meta's": {"quality": "exact", "mask_nms_thresh": 1.0, "speck_share": 0.0},
        "adaptive, fitted to the picture": {"quality": "adaptive", "fit_edges": True},
    }
    columns = ("masks", "operations", "OpenCV", "waits", "bytes", "ms")
    print(f"starter SAM, {chosen.clicks**2:,} clicks, 1024x768, CPU, a photo:")
    print(f"{'':48}" + "".join(f"{name:>12}" for name in columns))
    for name, own in cases.items():
        found = []
        for batched in (False, True):
            generator = MaskGenerator(
                sam, **options | own | {"batched": batched, "points_per_batch": 1024}
            )
            with as_on_a_gpu(), counted() as counts:
                records = [generator.generate(picture, "coco_rle") for picture in pictures]
            found.append([[record["segmentation"] for record in one] for one in records])
            label = f"{name}; {'all at once' if batched else 'one by one'}"
            cells = (f"{counts[column] / len(pictures):12,.0f}" for column in columns)
            print(f"{label:48}" + "".join(cells), flush=True)
        best = best_ious(*found)
        print(f"  mean best IoU {best.mean():.5f}, {(best >= 0.98).mean():.1%} at 0.98")


if __name__ == "__main__":
    main()
