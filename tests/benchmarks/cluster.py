"""How fast a Ray cluster adds media: python -m tests.benchmarks.cluster

Workers that wait in place of computing show how throughput grows with their number, and where the
library, which stores all results, is the limit. `--beside` adds real photos with `--ray local` and
without, in turns, in one run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from src.config import LibraryPaths
from src.events import FileDone, FileFailed, FrameStored, JobStarted, Progress
from src.library import MediaLibrary
from src.processing.cluster.pipeline import Cluster, ClusterPipeline
from src.processing.ffmpeg_log import VideoFacts
from src.processing.ffmpeg_process import find_ffmpeg
from src.processing.frames import read_frames
from src.processing.ingest import Ingest
from src.processing.segment_pipeline import SegmentPipeline
from src.settings import Settings
from src.starter.scenes import draw_scene
from tests.benchmarks.waiting_worker import SECONDS, SEGMENTS

WAITING = "tests.benchmarks.waiting_worker:WaitingWorker"


def small_images(folder: Path, count: int) -> list[Path]:
    """Write images of 64 x 48 pixels, no two alike."""
    folder.mkdir()
    lot = np.random.default_rng(1)
    files = []
    for number in range(count):
        files.append(folder / f"{number:05}.png")
        Image.fromarray(lot.integers(0, 256, (48, 64, 3), np.uint8)).save(files[-1])
    return files


def scenes(folder: Path, count: int) -> list[Path]:
    """Draw photos of 640 x 480 pixels."""
    folder.mkdir()
    files = []
    for number in range(count):
        scene = draw_scene(np.random.default_rng([30, number]), (640, 480), count=6)
        files.append(folder / f"{number:05}.jpg")
        Image.fromarray(scene.image_rgb).save(files[-1], quality=92)
    return files


def added(
    root: Path,
    files: list[Path],
    cluster: Cluster | None,
    settings: Settings,
    counted: type[FileDone | FrameStored] = FileDone,
) -> tuple[float, float, int, int]:
    """Add files to a new library.

    Returns:
        Seconds from the first result to the last, and before the first, files or frames counted
        in the former, and segments in them.
    """
    moments: list[tuple[float, int]] = []
    with MediaLibrary(LibraryPaths(root), settings=settings) as library:
        library.load_models()
        library._in_use.write_down()
        ingest = Ingest(
            library.metadata,
            library._in_use.clip_bundle,
            library.mask_generator,
            settings,
            tell_index=False,
            pipeline=None if cluster is None else _pipeline(library, settings, cluster),
        )
        begun = time.monotonic()
        for event in ingest.run(files):
            if isinstance(event, JobStarted | Progress):
                continue
            if isinstance(event, FileFailed):
                raise RuntimeError(f"{event.path}: {event.reason}")
            if isinstance(event, counted):
                moments.append((time.monotonic(), event.segments))
    warm = moments[len(moments) // 8 :]
    return (
        warm[-1][0] - warm[0][0],
        moments[0][0] - begun,
        len(warm) - 1,
        sum(segments for _, segments in warm[1:]),
    )


def _pipeline(library: MediaLibrary, settings: Settings, cluster: Cluster) -> SegmentPipeline:
    models, bundle = library.models, library._in_use.clip_bundle
    return ClusterPipeline(bundle, library.mask_generator, settings, models, cluster)


def peak_mb() -> float:
    """Return how much memory this process has had at its most since it was asked before."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(int(line.split()[1]) / 1000 for line in text.splitlines() if "VmHWM" in line)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return peak


def by_workers(counts: list[int], files: int, seconds: float, segments: int) -> Iterator[str]:
    """Measure workers that wait so long for each frame of so many segments."""
    os.environ[SECONDS], os.environ[SEGMENTS] = str(seconds), str(segments)
    settings = Settings(device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        images = small_images(Path(folder) / "images", files)
        for count in counts:
            peak_mb()
            # a worker has at least two threads, and each waits by itself
            how = {"worker": WAITING, "cores": 2 * count, "cores_each": 2}
            cluster = Cluster("local", for_measurements=how)
            spent, before, done, stored = added(
                Path(folder) / f"library {count}", images, cluster, settings
            )
            rate = done / spent
            yield (
                f"{count:3} workers of {2 / seconds if seconds else 0:5.1f} frames/s: "
                f"{rate:6.1f} frames/s, {stored / spent:7.0f} segments/s; "
                f"first after {before:.1f} s; peak {peak_mb():.0f} MB"
            )


def video(folder: Path, seconds: int, size: str) -> Path:
    """Draw a film with 25 frames a second, a keyframe each ten seconds."""
    program, path = find_ffmpeg(), folder / "video.mp4"
    assert program is not None
    source = f"testsrc2=size={size}:rate=25:duration={seconds}"
    command = [program, "-v", "error", "-f", "lavfi", "-i", source, "-c:v", "libx264"]
    subprocess.run([*command, "-preset", "veryfast", str(path)], check=True)
    return path


def of_a_video(
    counts: list[int], length_s: int, size: str, seconds: float, segments: int
) -> Iterator[str]:
    """Measure workers that decode a video and wait for each frame, beside reading it through."""
    os.environ[SECONDS], os.environ[SEGMENTS] = str(seconds), str(segments)
    settings = Settings(device="cpu", duplicate_distance=-1)
    with tempfile.TemporaryDirectory() as folder:
        film = video(Path(folder), length_s, size)
        for number, count in enumerate(counts):
            begun = time.monotonic()
            frames = sum(1 for _ in read_frames(film, "video", settings, VideoFacts()))
            spent = time.monotonic() - begun
            yield f"read through here: {frames / spent:.1f} sampled frames/s"
            peak_mb()
            how = {"worker": WAITING, "cores": 2 * count, "cores_each": 2}
            cluster = Cluster("local", for_measurements=how)
            root = Path(folder) / f"library {number}"
            spent, before, done, stored = added(root, [film], cluster, settings, FrameStored)
            yield (
                f"{count:3} workers of {2 / seconds if seconds else 0:5.1f} frames/s: "
                f"{done / spent:6.1f} frames/s, {stored / spent:7.0f} segments/s; "
                f"first after {before:.1f} s; peak {peak_mb():.0f} MB"
            )


def beside(files: int, rounds: int) -> Iterator[str]:
    """Add the same photos here and with `--ray local`, in turns."""
    settings = Settings(device="cpu")
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        photos = scenes(Path(folder) / "photos", files)
        for number in range(rounds):
            spent = {}
            for name, cluster in (("here", None), ("ray", Cluster("local"))):
                root = Path(folder) / f"{name} {number}"
                spent[name], before, done, _ = added(root, photos, cluster, settings)
                each = 1000 * spent[name] / done
                yield f"{name:4} {each:6.0f} ms a photo, first after {before:.1f} s"
            ratios.append(spent["ray"] / spent["here"])
    middle = statistics.median(ratios)
    yield f"with Ray / without: {middle:.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4, 8, 16])
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=0.5, help="that a worker waits a frame")
    parser.add_argument("--segments", type=int, default=40, help="of a frame")
    parser.add_argument("--video", type=int, default=0, metavar="SECONDS", help="in place of files")
    parser.add_argument("--size", default="1280x720", help="of the video")
    parser.add_argument("--beside", type=int, default=0, metavar="PHOTOS")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if given.beside:
        lines = beside(given.beside, given.rounds)
    elif given.video:
        lines = of_a_video(given.workers, given.video, given.size, given.seconds, given.segments)
    else:
        lines = by_workers(given.workers, given.files, given.seconds, given.segments)
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    main()
