"""Ingest by stage, and its peak memory: python -m tests.benchmarks.ingest [PATH…]

Without paths it draws its own photos (1 megapixel) and one of 12 megapixels. The stage that
takes longest, SAM, is run beside Meta's SamAutomaticMaskGenerator on the same weights, clicks
and thresholds. Then photos of both sizes are taken in by CLIP alone, and a folder of small files
that have not changed (--unchanged of them) is taken in once more.

Stages run beside each other: a stage's seconds are those of all threads in it, with what they
wait for, and its busy share is of the time of one core. `taskset -c 0` shows one core.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import threading
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
from src.events import FileKnown, JobDone
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.processing import files_ahead, ingest, segment_pipeline
from src.processing.decoder_process import DECODERS
from src.processing.frame_looks import look_of
from src.processing.frames import read_sampled
from src.processing.image_loader import load_image, look_into, save_jpeg
from src.processing.segment_extractor import SegmentExtractor
from src.settings import NO_SAM, Settings
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
    """Adds up the seconds spent in functions, each minus those inside it in the same thread."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._own = threading.local()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        running: list[str] = self._own.__dict__.setdefault("running", [])
        start = time.perf_counter()
        running.append(name)
        try:
            yield
        finally:
            running.pop()
            spent = time.perf_counter() - start
            with self._lock:
                self.seconds[name] += spent
                if running:
                    self.seconds[running[-1]] -= spent

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


def processor_seconds() -> float:
    """Of this process and of the children that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def measure_stages(paths: list[Path], root: Path, settings: Settings | None = None) -> None:
    """Ingest into a fresh library and print where the time went."""
    watch = Stopwatch()
    done = JobDone()
    decode = watch.timed_steps("decode", read_sampled)
    with MediaLibrary(LibraryPaths(root), settings=settings or Settings()) as library:
        _ = library.mask_generator, library.tagger, library.index  # loading is not ingest
        with (
            patch.object(ingest, "read_sampled", decode),
            patch.object(files_ahead, "read_sampled", decode),
            patch.object(files_ahead, "look_into", watch.timed("find and hash", look_into)),
            patch.object(segment_pipeline, "look_of", watch.timed("look, JPEG", look_of)),
            patch.object(segment_pipeline, "save_jpeg", watch.timed("look, JPEG", save_jpeg)),
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
            DECODERS.close()  # so that their processor seconds are counted
            start, before = time.perf_counter(), processor_seconds()
            for event in library.add(paths):
                done = event if isinstance(event, JobDone) else done
            total = time.perf_counter() - start
            DECODERS.close()
            processor = processor_seconds() - before
    cores = len(os.sched_getaffinity(0))
    print(f"\n{done.files} files, {done.frames} frames, {done.segments} segments: {total:.1f} s")
    print(
        f"{done.frames / total:.2f} frames/s, {done.segments / total:.1f} segments/s; {cores} cores"
        f" for {processor:.1f} s together, with the start of decoders"
    )
    print(f"{'stage':24} {'s':>7} {'busy':>6} {'ms/frame':>9}")
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


def measure_unchanged(folder: Path, root: Path, count: int) -> None:
    """Take in a folder of files that a library has, and print how long it takes."""
    folder.mkdir()
    with MediaLibrary(LibraryPaths(root)) as library:
        with library.metadata.connection.write():
            for number in range(count):
                path = folder / str(number // 1000) / f"{number}.jpg"
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(b"\xff\xd8%d" % number)
                status = path.stat()
                media_id = library.metadata.add_media(
                    path, "image", status.st_size, status.st_mtime_ns
                )
                library.metadata.update_media(
                    media_id, status="done", content_hash=f"{number:040x}"
                )
        library.load_models()
        _ = library.index
        start, before = time.perf_counter(), processor_seconds()
        known = sum(isinstance(event, FileKnown) for event in library.add([folder]))
        total, processor = time.perf_counter() - start, processor_seconds() - before
    print(f"\n{known:,} of {count:,} files unchanged: {total:.1f} s, processor {processor:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--unchanged", type=int, default=20_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        given: list[Path] = chosen.paths
        paths = given or draw_photos(folder, [(1152, 864)] * PHOTOS)
        measure_stages(paths, folder / "library")
        print(f"peak memory so far {peak_mb():,.0f} MB")
        if not given:
            (folder / "large").mkdir()
            large = draw_photos(folder / "large", [(4000, 3000)])
            measure_stages(large, folder / "library of one")
            print(f"peak memory with a 12-megapixel photo {peak_mb():,.0f} MB (limit 2,500)")
            compare_generators(paths[0])
            clip_only = Settings(sam_model=NO_SAM)
            for name, size_wh in (("small", (1152, 864)), ("of 12 megapixels", (4000, 3000))):
                (folder / name).mkdir()
                many = draw_photos(folder / name, [size_wh] * 4 * PHOTOS)
                print("\nCLIP alone, photos " + name, end="")
                measure_stages(many, folder / f"library {name}", clip_only)
            measure_unchanged(folder / "unchanged", folder / "library again", chosen.unchanged)


if __name__ == "__main__":
    main()
