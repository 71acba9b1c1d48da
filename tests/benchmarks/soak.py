"""Hours of use in one run: python -m tests.benchmarks.soak [--images N] [--videos N] [--sam]
                                                        [--batch N] [--state FILE]

Draws small images and short videos, takes them in batch by batch, searches and looks all the
while, and prints the process's memory, file handles and threads, the index child's memory, and
the time a file takes: on the clock, which a busy machine stretches, and of a processor, without
the searches' own. CLIP-only unless --sam is given. --minutes stops it earlier. With --batch 1 each
file is a job of its own with a search after it, and --state keeps the readings in a file:
python -m tests.benchmarks.soak --images 3000 --videos 0 --batch 1
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from PIL import Image

from src.config import LibraryPaths
from src.errors import ModelNotLoadedError
from src.events import FileDone, FileFailed, FileKnown
from src.library import MediaLibrary
from src.models.mask_generator import MaskGenerator
from src.models.model_manager import ModelManager
from src.processing.ffmpeg_process import find_ffmpeg
from src.settings import Settings

BATCH = 100
WORDS = ("a red circle", "a blue star", "a green square", "something striped", "a yellow ring")


class ClipOnly(ModelManager):
    """Models without SAM: one segment a frame."""

    def load_sam(self, *_: object, **__: object) -> MaskGenerator:
        raise ModelNotLoadedError("CLIP-only was asked for")


@dataclass(frozen=True)
class Reading:
    """What the process uses at one moment.

    Attributes:
        cpu_per_file: processor seconds of this process without the thread that searches.
        children_cpu_per_file: of ffmpeg, the decoders and the index, its queries among them.
        own_mb: the resident memory that is not shared with files.
        index_mb: the same of the child that holds the index.
        others_mb: the same of all other children, which decode.
    """

    files: int
    seconds_per_file: float
    cpu_per_file: float
    children_cpu_per_file: float
    own_mb: float
    index_mb: float
    others_mb: float
    handles: int
    threads: int

    def __str__(self) -> str:
        return (
            f"{self.files:7} {self.seconds_per_file * 1000:8.1f} "
            f"{self.cpu_per_file * 1000:7.1f} {self.children_cpu_per_file * 1000:9.1f} "
            f"{self.own_mb:8.1f} {self.index_mb:8.1f} {self.others_mb:8.1f} "
            f"{self.handles:7} {self.threads:7}"
        )


def anonymous_mb(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) / 1024
    except FileNotFoundError:
        pass  # a decoder that has left
    return 0.0


def children() -> list[int]:
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        try:
            found += map(int, (task / "children").read_text().split())
        except FileNotFoundError:
            continue  # a thread that has ended
    return found


def children_mb() -> tuple[float, float]:
    """Give the memory of the index's child, and of all others."""
    index_mb = others_mb = 0.0
    for pid in children():
        try:
            is_index = b"index_server" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except FileNotFoundError:
            continue  # it has left since it was listed
        index_mb += anonymous_mb(pid) * is_index
        others_mb += anonymous_mb(pid) * (not is_index)
    return index_mb, others_mb


def cpu_seconds() -> tuple[float, float]:
    """Give the processor time so far of this process, and of its children, gone or alive."""
    gone = resource.getrusage(resource.RUSAGE_CHILDREN)
    alive = sum(map(_cpu_of, children()))
    return time.process_time(), gone.ru_utime + gone.ru_stime + alive


def _cpu_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # it has left since it was listed
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def reading(files: int, of_a_file: tuple[float, float, float]) -> Reading:
    return Reading(
        files,
        *of_a_file,
        anonymous_mb(os.getpid()),
        *children_mb(),
        len(os.listdir("/proc/self/fd")),
        threading.active_count(),
    )


def media(folder: Path, images: int, videos: int) -> Iterator[Path]:
    """Draw files one by one, the videos spread evenly; a file is drawn when it is asked for."""
    program = find_ffmpeg()
    every = images // videos if videos else images + 1
    random = np.random.default_rng(1)
    for number in range(images):
        coarse = random.integers(0, 255, (6, 8, 3), np.uint8)
        path = folder / f"image {number:06}.jpg"
        Image.fromarray(coarse).resize((160, 120)).save(path, quality=85)
        yield path
        if number % every == every - 1 and program is not None:
            path = folder / f"video {number:06}.mp4"
            noise = f"noise=alls=20:allf=t:all_seed={number}"  # no two have the same content
            source = f"testsrc2=size=160x120:rate=5:duration=3,{noise}"
            command = [program, "-v", "error", "-f", "lavfi", "-i", source, f"file:{path}"]
            subprocess.run(command, check=True)
            yield path


class Searches:
    """A person who searches and looks at what is found, in a thread of its own."""

    def __init__(self, library: MediaLibrary) -> None:
        self.library = library
        self.done = 0
        self.slowest_s = 0.0
        self.cpu_s = 0.0
        self.failures: list[Exception] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="searches")
        self._thread.start()

    def _run(self) -> None:
        for words in itertools.cycle(WORDS):
            if self._over.wait(1.0):
                return
            start = time.monotonic()
            try:
                hits = self.library.search(words, n_results=20).hits
                if hits:
                    self.library.similar(hits[0].segment.id)
                    self.library.browse.thumbnail(hits[0].segment.crop_path)
                self.library.browse.media_cards(self.library.browse.media_ids("added")[:50])
            except Exception as exc:  # counted and printed: the soak fails for it at its end
                self.failures.append(exc)
            self.slowest_s = max(self.slowest_s, time.monotonic() - start)
            self.cpu_s = time.thread_time()
            self.done += 1

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


def times(searches: Searches) -> tuple[float, float, float]:
    """Give the clock, and the processor time of taking media in: ours, and the children's."""
    own_s, children_s = cpu_seconds()
    return time.monotonic(), own_s - searches.cpu_s, children_s


def soak(
    folder: Path,
    images: int,
    videos: int,
    minutes: float,
    sam: bool,
    batch: int = BATCH,
    state: Path | None = None,
) -> list[Reading]:
    """Take files in, a reading after every BATCH of them.

    Args:
        batch: files a job; after each job there is a search.
        state: a file that each reading is added to.
    """
    models = (ModelManager if sam else ClipOnly)(device="cpu")
    settings = Settings(points_per_side=8)
    readings: list[Reading] = []
    sources = folder / "media"
    sources.mkdir()
    deadline = time.monotonic() + minutes * 60
    with MediaLibrary(LibraryPaths(folder / "library"), models, settings) as library:
        library.load_models()
        searches = Searches(library)
        failed = taken = 0
        print("  files  ms/file  CPU ms  children's   own MB index MB others MB handles threads")
        files = media(sources, images, videos)
        while some := list(itertools.islice(files, BATCH)):
            before = times(searches)
            for start in range(0, len(some), batch):
                for event in library.add(some[start : start + batch]):
                    taken += isinstance(event, FileDone | FileKnown)
                    failed += isinstance(event, FileFailed)
                assert library.search(WORDS[start % len(WORDS)], n_results=20).hits
            wall, cpu, its = (now - was for now, was in zip(times(searches), before, strict=True))
            n = len(some)
            readings.append(reading(taken, (wall / n, cpu / n, its / n)))
            print(readings[-1], flush=True)
            if state is not None:
                with state.open("a") as stream:
                    stream.write(f"{readings[-1]}\n")
            if time.monotonic() > deadline:
                break
        searches.stop()
        print(
            f"{searches.done} searches, the slowest {searches.slowest_s * 1000:.0f} ms; "
            f"{len(searches.failures)} of them failed; {failed} files failed"
        )
        for exc in searches.failures[:3]:
            print(repr(exc))
        stored = library.metadata.counts()["segments"]
    with MediaLibrary(LibraryPaths(folder / "library"), models, settings) as library:
        assert library.index.problems() == [], "the index has to answer"
        index_mb, _ = children_mb()
        print(f"{stored} segments; a child that has just opened their index: {index_mb:.1f} MB")
    return readings


def summary(readings: list[Reading]) -> str:
    """Hold the last fifth against the second fifth: the first one is for warming up."""
    fifth = max(1, len(readings) // 5)
    early, late = readings[fifth : 2 * fifth], readings[-fifth:]

    def ratio(name: str) -> str:
        values = [float(np.median([getattr(r, name) for r in part])) for part in (early, late)]
        return f"{name}: {values[0]:.3g} -> {values[1]:.3g}" + (
            f" (x{values[1] / values[0]:.2f})" if values[0] else ""
        )

    names = [field.name for field in fields(Reading)][1:]
    files = [r.files for r in readings[fifth:]]
    growth = np.polyfit(files, [r.index_mb for r in readings[fifth:]], 1)[0] * 1000
    lines = [*map(ratio, names), f"index_mb grows by {growth:.2f} per 1,000 files"]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Watch memory, handles and time over a long run.")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--videos", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=240)
    parser.add_argument("--sam", action="store_true")
    parser.add_argument("--batch", type=int, default=BATCH, help="files a job")
    parser.add_argument("--state", type=Path, help="a file that the readings are added to")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        readings = soak(
            Path(name),
            arguments.images,
            arguments.videos,
            arguments.minutes,
            arguments.sam,
            arguments.batch,
            arguments.state,
        )
    print(summary(readings))


if __name__ == "__main__":
    main()
