"""What decoding in a process apart costs: python -m tests.benchmarks.decoding

The same JPEGs decoded by Pillow in this process and through the child, by turns in one run: the
least of 25 times each, and their ratio.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from src.processing.image_decoding import decode
from src.processing.image_loader import load_image
from src.starter.scenes import draw_scene

LIMIT = 250_000_000
ROUNDS = 25
# (what, size, longest side asked for)
CASES = (
    ("crop, 320x240", (320, 240), None),
    ("1 MP", (1152, 864), None),
    ("12 MP", (4000, 3000), None),
    ("12 MP, thumbnail", (4000, 3000), 512),
)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    scene = draw_scene(np.random.default_rng(0), (1152, 864), count=12).image_rgb
    print(f"{'JPEG':18} {'here ms':>9} {'child ms':>9} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for what, size_wh, draft_side in CASES:
            path = Path(folder) / f"{what}.jpg"
            picture = Image.fromarray(scene).resize(size_wh, Image.Resampling.BICUBIC)
            picture.effect_spread(2).save(path, quality=92)
            here, there = [], []
            load_image(path, LIMIT, draft_side)  # the child starts
            for _ in range(ROUNDS):
                here.append(seconds(lambda: decode(path, LIMIT, draft_side, lambda _: None)))  # noqa: B023
                there.append(seconds(lambda: load_image(path, LIMIT, draft_side)))  # noqa: B023
            ours, childs = (1000 * min(times) for times in (here, there))
            print(f"{what:18} {ours:9.1f} {childs:9.1f} {childs / ours:6.2f}")


if __name__ == "__main__":
    main()
