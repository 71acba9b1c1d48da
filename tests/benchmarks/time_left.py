"""How far estimates of the time left are off: python -m tests.benchmarks.time_left [--record]

Plays recorded events of real jobs, and prints what was shown after ten seconds, a quarter and half
of the time, over what was really left then: 2.00x is double. "Before" is how it was estimated at
commit 23c79a6. --record makes the recordings anew, which takes some minutes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from src.config import LibraryPaths
from src.events import FileStarted, FrameSkipped, FrameStored, JobStarted
from src.library import MediaLibrary
from src.settings import NO_SAM, Settings
from src.starter.scenes import draw_scene
from src.time_left import TimeLeft
from tests.benchmarks.window import make_video
from tests.event_streams import FOLDER, TimedEvent, load, save

CLIP_ALONE = Settings(sam_model=NO_SAM)
TINY, MIXED = 520, [(640, 480), (1152, 864), (4000, 3000), (1152, 864), (6000, 4000), (800, 600)]


class Clock:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Now(TimeLeft):
    """Today's estimate."""

    @property
    def seconds_left(self) -> float | None:
        return self.seconds()


class Before:
    """The estimate of commit 23c79a6: files, all alike, from the start of the second one on."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.files, self.number, self.fraction = clock, 0, 0, 0.0
        self.started_at = 0.0
        self.warm_from: tuple[float, float] | None = None

    def take(self, event: object) -> None:
        if isinstance(event, JobStarted):
            self.files, self.started_at = event.files, self.clock()
        elif isinstance(event, FileStarted):
            if event.file_number == 2:
                self.warm_from = self.clock(), 1 / max(1, self.files)
            self.number, self.fraction = event.file_number, 0.0
        elif isinstance(event, FrameStored | FrameSkipped):
            self.fraction = event.fraction

    @property
    def seconds_left(self) -> float | None:
        share = (self.number - 1 + self.fraction) / max(1, self.files)
        spent, whole = self.clock() - self.started_at, share
        if spent < 2 or share < 0.02:
            return None
        if self.warm_from is not None and share > self.warm_from[1]:
            spent, share = self.clock() - self.warm_from[0], share - self.warm_from[1]
        return spent * (1 - whole) / share


def shown_at(
    stream: Iterable[TimedEvent], made: Callable[[Clock], Now | Before], at_s: float
) -> float | None:
    """Play events up to a time, and return the seconds that are shown as left then."""
    clock = Clock()
    job = made(clock)
    for timed in stream:
        if timed.at_s > at_s:
            break
        clock.now = timed.at_s
        job.take(timed.event)
    clock.now = at_s
    return job.seconds_left


def ratios(
    stream: list[TimedEvent], made: Callable[[Clock], Now | Before]
) -> dict[str, float | None]:
    """Return the estimate over what was left, at three times from the job's first event on."""
    start = next(timed.at_s for timed in stream if isinstance(timed.event, JobStarted))
    end = stream[-1].at_s
    times = {"10 s": start + 10, "25 %": start + (end - start) / 4, "50 %": (start + end) / 2}
    found: dict[str, float | None] = {}
    for name, at_s in times.items():
        if at_s < end:
            shown = shown_at(stream, made, at_s)
            found[name] = None if shown is None else shown / (end - at_s)
    return found


# -- recording


def draw(folder: Path, name: str, size_wh: tuple[int, int], seed: int) -> None:
    """Save a drawn photo with a camera's noise, without which a large one has few bytes."""
    scene = draw_scene(np.random.default_rng([7, seed]), (384, 288), count=5)
    photo = np.asarray(Image.fromarray(scene.image_rgb).resize(size_wh), np.int16)
    noise = np.random.default_rng(seed).integers(-8, 9, photo.shape, np.int16)
    Image.fromarray(np.clip(photo + noise, 0, 255).astype(np.uint8)).save(folder / name, quality=90)


def recorded(library: Path, media: Path, settings: Settings) -> Iterator[TimedEvent]:
    """Take a folder in, from the opening of the library on."""
    start = time.perf_counter()
    with MediaLibrary(LibraryPaths(library), settings=settings) as open_:
        for event in open_.add([media]):
            yield TimedEvent(time.perf_counter() - start, event)


def record(folder: Path, names: list[str]) -> None:
    tiny, mixed = folder / "tiny", folder / "mixed"
    tiny.mkdir()
    for number in range(TINY):
        draw(tiny, f"{number}.jpg", (64, 48), number)
    mixed.mkdir()
    for number, size_wh in enumerate(4 * MIXED):
        draw(mixed, f"{number:02}.jpg", size_wh, number)
    make_video(mixed / "12 video.mp4", 40)
    more = folder / "more"

    def one(name: str, library: str, media: Path, settings: Settings) -> None:
        if not names or name in names:
            FOLDER.mkdir(exist_ok=True)
            save(FOLDER / f"{name}.jsonl", recorded(folder / library, media, settings))
            print(name, flush=True)

    one("520 tiny, CLIP alone", "a", tiny, CLIP_ALONE)
    one("520 tiny, unchanged", "a", tiny, CLIP_ALONE)
    one("mixed, CLIP alone", "b", mixed, CLIP_ALONE)
    one("mixed, starter SAM", "c", mixed, Settings())
    mixed.rename(tiny / "z")
    one("520 known, then mixed, CLIP alone", "a", tiny, CLIP_ALONE)
    more.mkdir()
    for path in sorted(tiny.glob("*.jpg"))[:150]:
        path.rename(more / path.name)
    one("150 tiny, starter SAM", "d", more, Settings())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true")
    parser.add_argument("names", nargs="*", help="of recordings to make anew; all without")
    chosen = parser.parse_args()
    if chosen.record:
        with tempfile.TemporaryDirectory() as temporary:
            record(Path(temporary), chosen.names)
    print("| shown over what was left | took | | 10 s | 25 % | 50 % |\n" + "| --- " * 6 + "|")
    for path in sorted(FOLDER.glob("*.jsonl")):
        stream = list(load(path))
        for name, made in (("before", Before), ("now", Now)):
            at = ratios(stream, made)
            shown = [
                "over" if when not in at else "–" if at[when] is None else f"{at[when]:.2f}x"
                for when in ("10 s", "25 %", "50 %")
            ]
            took = f"{stream[-1].at_s:.0f} s"
            print(f"| {path.stem} | {took} | {name} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
