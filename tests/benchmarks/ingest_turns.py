"""Ingest beside an earlier commit, and beside rclip's way: python -m tests.benchmarks.ingest_turns

    git worktree add build/before COMMIT
    python -m tests.benchmarks.ingest_turns --before build/before

Takes the same photos in with the code of both checkouts by turns, each in a process of its own,
then with fewer cores, and prints what the disk and the processor would allow at best. With --rclip
it indexes them with a ViT-B/32 of random weights, ours and exported to ONNX, in the way in which
rclip does: one thread opens and prepares pictures for ONNX Runtime, eight at a time, and SQLite
takes the vectors. That needs the packages onnx, onnxscript and onnxruntime.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from src.config import APPLICATION_FOLDER, STARTER_FOLDER
from src.models.model_manager import ModelManager
from src.processing.image_loader import load_image
from src.settings import Settings
from tests.benchmarks.time_left import draw

SMALL, LARGE = (1152, 864), (4000, 3000)
ONCE = Path(__file__).with_name("ingest_once.py")
RCLIP_BATCH = 8
RCLIP_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True)
class Photos:
    """Photos that are taken in, and how."""

    name: str
    size_wh: tuple[int, int]
    count: int
    options: tuple[str, ...] = ("--clip-alone",)

    def drawn(self, folder: Path) -> Path:
        """Draw them, once."""
        own = folder / f"{self.size_wh[0]} {self.count}"
        if not own.exists():
            own.mkdir()
            for number in range(self.count):
                draw(own, f"{number:03}.jpg", self.size_wh, number)
        return own


@dataclass(frozen=True)
class Run:
    seconds: float
    processor_s: float
    frames: int


def once(checkout: Path, photos: Path, options: Sequence[str], cores: int | None = None) -> Run:
    """Take photos in with the code of a checkout, in a fresh library."""
    command = [sys.executable, str(ONCE), str(checkout)]
    if cores is not None:
        command = ["taskset", "-c", f"0-{cores - 1}", *command]
    with tempfile.TemporaryDirectory() as library:
        ran = subprocess.run(
            [*command, f"{library}/library", str(photos), *options],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=True,
        )
    said = json.loads(ran.stdout.splitlines()[-1])
    return Run(said["seconds"], said["processor_s"], said["frames"])


def print_head(*names: str) -> None:
    print(f"\n| {' | '.join(names)} |\n" + "| --- " * len(names) + "|", flush=True)


def compare(photos: Photos, folder: Path, before: Path, rounds: int) -> None:
    """Take turns with an earlier commit."""
    files, runs = photos.drawn(folder), []
    for _ in range(rounds):
        runs.append([once(each, files, photos.options) for each in (before, APPLICATION_FOLDER)])
    clock = [[run.seconds for run in way] for way in zip(*runs, strict=True)]
    processor = [[run.processor_s for run in way] for way in zip(*runs, strict=True)]
    shown = [", ".join(f"{s:.1f}" for s in each) for each in (*clock, *processor)]
    ratios = [median(one) / median(other) for one, other in (clock, processor)]
    print(
        f"| {photos.count} {photos.name} | {shown[0]} | {shown[1]} | {ratios[0]:.1f}x |"
        f" {shown[2]} | {shown[3]} | {ratios[1]:.1f}x |",
        flush=True,
    )


def by_cores(photos: Photos, folder: Path) -> None:
    """Take photos in with more and more cores, as many as there are."""
    most, cores = len(os.sched_getaffinity(0)), 1
    while cores <= most:
        run = once(APPLICATION_FOLDER, photos.drawn(folder), photos.options, cores)
        print(
            f"| {photos.count} {photos.name} | {cores} | {run.seconds:.1f} |"
            f" {run.frames / run.seconds:.2f} |",
            flush=True,
        )
        cores *= 2


# -- what is possible at best


def disk_rate(folder: Path) -> float:
    """Bytes a second of a file that is not in memory."""
    path, content = folder / "rate", os.urandom(1 << 26)
    with path.open("wb") as stream:
        stream.write(content)
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    start = time.perf_counter()
    path.read_bytes()
    return len(content) / (time.perf_counter() - start)


def matrix_rate() -> float:
    """Operations a second of one core, with matrices of float32."""
    torch.set_num_threads(1)
    one, other = torch.rand(2, 1024, 1024)
    spent = []
    for _ in range(5):
        start = time.process_time()
        _ = one @ other
        spent.append(time.process_time() - start)
    return 2 * 1024**3 / min(spent)


def print_limits(photos: Photos, folder: Path) -> None:
    """Print how long the disk and the processor need for a photo at least."""
    files = sorted(photos.drawn(folder).iterdir())
    image = load_image(files[0], Settings().pixel_limit).frame.image_rgb
    models = ModelManager(device="cpu")
    clip, sam = models.load_clip(), models.load_sam()
    rate = matrix_rate()
    size = sum(path.stat().st_size for path in files) / len(files)
    kind = photos.name.partition(",")[0]
    print(f"| {kind}: read | {size / 1e6:.2f} MB | {1000 * size / disk_rate(folder):.1f} |")
    for name, work in (
        ("CLIP of the frame", lambda: clip.encode_image([image])),
        ("starter SAM", lambda: sam.generate(image, output_mode="coco_rle")),
    ):
        with FlopCounterMode(display=False) as counted:
            work()
        done = counted.get_total_flops()
        print(f"| {kind}: {name} | {done / 1e9:.1f} GFLOP | {1000 * done / rate:.1f} |")


# -- beside rclip


def export_visual(folder: Path) -> None:
    """Save a ViT-B/32 of random weights, for open_clip and, its pictures' half, as ONNX."""
    import open_clip

    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-32", load_weights=False).eval()
    torch.save(model.state_dict(), folder / "ViT-B-32-random.bin")
    batch = torch.export.Dim("batch")
    torch.onnx.export(
        model.visual,
        (torch.zeros(2, 3, 224, 224),),
        folder / "visual.onnx",
        input_names=["pixels"],
        dynamic_shapes=({0: batch},),
        dynamo=True,
        verbose=False,
    )


def index_as_rclip(photos: Path, model: Path, database: Path) -> None:
    """Index photos in rclip's way."""
    import onnxruntime
    import open_clip

    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    prepared = open_clip.image_transform(224, is_train=False)
    db = sqlite3.connect(database)
    db.execute("CREATE TABLE images (path TEXT PRIMARY KEY, vector BLOB)")

    def batches() -> Iterator[list[Path]]:
        files = sorted(photos.iterdir())
        for start in range(0, len(files), RCLIP_BATCH):
            yield files[start : start + RCLIP_BATCH]

    for batch in batches():
        pixels = np.stack([prepared(Image.open(path)).numpy() for path in batch])
        vectors = session.run(None, {"pixels": pixels})[0]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        rows = [(str(path), v.tobytes()) for path, v in zip(batch, vectors, strict=True)]
        db.executemany("INSERT INTO images VALUES (?, ?)", rows)
        db.commit()
    db.close()


def beside_rclip(folder: Path, rounds: int) -> None:
    lacking = [name for name in RCLIP_PACKAGES if importlib.util.find_spec(name) is None]
    if lacking:
        print(f"not compared with rclip's way: {', '.join(lacking)} can't be imported here")
        return
    models = folder / "models"
    models.mkdir()
    export_visual(models)
    (models / "starter").symlink_to(STARTER_FOLDER)
    print_head("images a second, ViT-B/32", "ours", "rclip's way", "ratio")
    for photos in (Photos("of 1 megapixel", SMALL, 192), Photos("of 12 megapixels", LARGE, 64)):
        files, speeds = photos.drawn(folder), list[tuple[float, float]]()
        for number in range(rounds):
            start = time.perf_counter()
            index_as_rclip(files, models / "visual.onnx", folder / f"{photos.name} {number}.db")
            theirs = time.perf_counter() - start
            run = once(APPLICATION_FOLDER, files, ("--clip-alone", f"--models={models}"))
            speeds.append((photos.count / run.seconds, photos.count / theirs))
        ours, rclip = (median(each) for each in zip(*speeds, strict=True))
        print(f"| {photos.count} {photos.name} | {ours:.1f} | {rclip:.1f} | {ours / rclip:.1f}x |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, help="a checkout of an earlier commit")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rclip", action="store_true")
    chosen = parser.parse_args()
    small = Photos("of 1 megapixel, CLIP alone", SMALL, 128)
    large = Photos("of 12 megapixels, CLIP alone", LARGE, 48)
    cut = Photos("of 1 megapixel, starter models", SMALL, 8, ())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if chosen.before is not None:
            print_head("", "before, s", "now, s", "", "processor before, s", "now, s", "")
            for photos in (small, large, cut):
                compare(photos, folder, chosen.before.resolve(), chosen.rounds)
        if shutil.which("taskset") is not None:
            print_head("", "cores", "s", "photos a second")
            for photos in (small, large, cut):
                by_cores(photos, folder)
        print_head("a photo takes at least", "", "ms of a core, or of the disk")
        for photos in (small, large):
            print_limits(photos, folder)
        if chosen.rclip:
            beside_rclip(folder, chosen.rounds)


if __name__ == "__main__":
    main()
