"""Ingest by stage, and its peak memory: python -m tests.benchmarks.ingest [PATH…]

Without paths it draws its own photos (1 megapixel) and one of 12 megapixels. The stage that
takes longest, SAM, is run beside Meta's SamAutomaticMaskGenerator on the same weights, clicks
and thresholds.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image
from segment_anything import SamAutomaticMaskGenerator

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.database.vector_index import VectorIndex
from src.events import JobDone
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.processing import ingest
from src.processing.frames import read_sampled
from src.processing.image_loader import load_image
from src.processing.segment_extractor import SegmentExtractor
from src.settings import Settings
from src.starter.scenes import draw_scene

PHOTOS = 8


def draw_photos(folder: Path, sizes: list[tuple[int, int]]) -> list[Path]:
    """Draw scenes and save them as JPEG photos of given sizes."""
    paths = []
    for seed, size_wh in enumerate(sizes):
        scene = draw_scene(np.random.default_rng([5, seed]), (768, 576), count=9)
        path = folder / f"photo {seed}.jpg"
        Image.fromarray(scene.image_rgb).resize(size_wh).save(path, quality=92)
        paths.append(path)
    return paths


class Stopwatch:
    """Adds up the seconds spent in functions, each minus those inside it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._running: list[str] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        self._running.append(name)
        try:
            yield
        finally:
            self._running.pop()
            spent = time.perf_counter() - start
            self.seconds[name] += spent
            if self._running:
                self.seconds[self._running[-1]] -= spent

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            with self.stage(name):
                return function(*arguments, **options)

        return call

    def timed_steps(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def steps(*arguments: Any, **options: Any) -> Iterator[Any]:
            source = function(*arguments, **options)
            try:
                while True:
                    with self.stage(name):
                        item = next(source, None)
                    if item is None:
                        return
                    yield item
            finally:
                source.close()

        return steps


def measure_stages(paths: list[Path], root: Path) -> None:
    """Ingest into a fresh library and print where the time went."""
    watch = Stopwatch()
    done = JobDone()
    with MediaLibrary(LibraryPaths(root), settings=Settings()) as library:
        _ = library.mask_generator, library.tagger  # loading is not ingest
        with (
            patch.object(ingest, "read_sampled", watch.timed_steps("decode", read_sampled)),
            patch.object(
                MaskGenerator, "masks", watch.timed_steps("SAM masks", MaskGenerator.masks)
            ),
            patch.object(
                SegmentExtractor,
                "segments",
                watch.timed_steps("clean and crop", SegmentExtractor.segments),
            ),
            patch.object(
                ClipEncoder, "encode_image", watch.timed("CLIP", ClipEncoder.encode_image)
            ),
            patch.object(
                MetadataDatabase, "store_frame", watch.timed("SQLite", MetadataDatabase.store_frame)
            ),
            patch.object(
                VectorIndex, "catch_up", watch.timed_steps("Chroma", VectorIndex.catch_up)
            ),
        ):
            start = time.perf_counter()
            for event in library.add(paths):
                done = event if isinstance(event, JobDone) else done
            total = time.perf_counter() - start
    watch.seconds["tags, crop files, rest"] = total - sum(watch.seconds.values())
    print(f"\n{done.files} files, {done.frames} frames, {done.segments} segments: {total:.1f} s")
    print(f"{done.frames / total:.2f} frames/s, {done.segments / total:.1f} segments/s")
    print(f"{'stage':24} {'s':>7} {'share':>6} {'ms/frame':>9}")
    for name, seconds in sorted(watch.seconds.items(), key=lambda item: -item[1]):
        each = 1000 * seconds / max(1, done.frames)
        print(f"{name:24} {seconds:7.2f} {seconds / total:6.0%} {each:9.1f}")


def compare_generators(path: Path) -> None:
    """Run our mask generator and Meta's on one photo, in turns."""
    with (
        tempfile.TemporaryDirectory() as folder,
        MediaLibrary(LibraryPaths(Path(folder))) as library,
    ):
        ours = library.mask_generator
        assert isinstance(ours, MaskGenerator)
        image = load_image(path, Settings().pixel_limit).frame.image_rgb
        theirs = SamAutomaticMaskGenerator(
            ours.sam,
            points_per_side=ours.points_per_side,
            pred_iou_thresh=ours.pred_iou_thresh,
            stability_score_thresh=ours.stability_score_thresh,
            stability_score_offset=ours.stability_score_offset,
            box_nms_thresh=ours.box_nms_thresh,
            output_mode="coco_rle",
        )
        spent: dict[str, list[float]] = defaultdict(list)
        masks = {}
        runs: dict[str, Callable[[], list[Any]]] = {
            "ours": lambda: ours.generate(image, output_mode="coco_rle"),
            "Meta's": lambda: theirs.generate(image),
        }
        for _ in range(3):
            for name, run in runs.items():
                start = time.perf_counter()
                masks[name] = len(run())
                spent[name].append(time.perf_counter() - start)
    best = {name: min(seconds) for name, seconds in spent.items()}
    print(f"\nmask generators on {image.shape[1]}x{image.shape[0]}, best of 3")
    for name, seconds in best.items():
        ratio = best["Meta's"] / seconds
        print(f"{name:24} {seconds:7.2f} s  {masks[name]:4} masks  {ratio:5.1f} x Meta's speed")


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        given = [Path(path) for path in sys.argv[1:]]
        paths = given or draw_photos(folder, [(1152, 864)] * PHOTOS)
        measure_stages(paths, folder / "library")
        print(f"peak memory so far {peak_mb():,.0f} MB")
        if not given:
            (folder / "large").mkdir()
            large = draw_photos(folder / "large", [(4000, 3000)])
            measure_stages(large, folder / "library of one")
            print(f"peak memory with a 12-megapixel photo {peak_mb():,.0f} MB (limit 2,500)")
            compare_generators(paths[0])


if __name__ == "__main__":
    main()
