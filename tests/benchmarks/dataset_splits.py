"""What a split leaks, beside a random one: python -m tests.benchmarks.dataset_splits

A library of drawn scenes with copies and look-alikes (see tests.benchmarks.duplicates), of films,
other exports of the same films and stills of them goes through the real pipeline. It is split as an
export splits it, and at random. A leak is a pair of images on two sides that are copies, frames of
one film, or of a film and its copies. Then the time for many files made of numbers.

    --scenes N   drawn scenes, each with five copies and two look-alikes (60)
    --films N    drawn films, each with another export and stills (12)
    --seeds A,B  what they are drawn with: the rules were chosen on neither (41017,52019)
    --files N    how many files the time is measured for (50,000)
    --write      puts the table into docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.datasets.splitting.shares import SplitShares
from src.datasets.splitting.similar_media import SimilarMedia
from src.datasets.splitting.split_plan import keep_sides, split_media
from src.library import MediaLibrary
from src.processing.ffmpeg_process import find_ffmpeg
from src.settings import Settings
from src.starter.scenes import draw_scene
from tests.benchmarks.duplicates import ALIKE, draw_library
from tests.benchmarks.page import put_table
from tests.datasets.files_alike import Looks, add_file

SEED = 27_001
FRESH_SEEDS = "41017,52019"
SHARES = SplitShares(80, 10, 10)
CLASSES = 6
SIZE_WH = 320, 240
RATE, SECONDS = 5, 10
MARKS = "<!-- dataset splits -->", "<!-- end of dataset splits -->"


@dataclass(frozen=True)
class Leaks:
    """What a split leaks.

    Attributes:
        pairs: images on two sides that show the same.
        of_test: share of the images outside the training part that have such a partner in it.
        look_alikes: pairs of a scene and its look-alike on two sides: not copies.
        shares: of the images, in percent, of each side.
    """

    pairs: int
    of_test: float
    look_alikes: int
    shares: tuple[float, ...]


def draw_films(folder: Path, films: int, seed: int) -> None:
    """Draw walks past wide scenes, and of each a worse export that begins 0.6 s later and a still.

    A photo from between two of the moments that the library has frames of is a look-alike.
    """
    program = find_ffmpeg()
    if program is None:
        raise SystemExit("there is no ffmpeg")
    width, height = SIZE_WH
    for number in range(films):
        rng = np.random.default_rng([seed, number])
        scene = draw_scene(rng, (2 * width, height), count=14, calm=bool(number % 2)).image_rgb
        frames = [
            np.ascontiguousarray(scene[:, left : left + width])
            for left in np.linspace(0, width, RATE * SECONDS).astype(int)
        ]
        film = folder / f"f{number:04}-film.mp4"
        raw = f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {RATE} -i pipe:0"
        content = b"".join(frame.tobytes() for frame in frames)
        run = [program, "-v", "error", "-y", *raw.split(), "-c:v", "mpeg4", "-q:v", "3"]
        subprocess.run([*run, f"file:{film}"], input=content, check=True)
        again = ["-ss", "0.6", "-i", f"file:{film}", "-vf", "scale=iw*0.6:-2", "-q:v", "9"]
        other = folder / f"f{number:04}-again.mp4"
        subprocess.run([program, "-v", "error", "-y", *again, f"file:{other}"], check=True)
        second = int(rng.integers(SECONDS - 1))
        still, between = frames[RATE * second], frames[RATE * second + RATE // 2]
        cv2.imwrite(str(folder / f"f{number:04}-still.jpg"), still[..., ::-1])
        cv2.imwrite(str(folder / f"f{number:04}{ALIKE}3-between.jpg"), between[..., ::-1])


def images_of(metadata: MetadataDatabase) -> list[tuple[int, str]]:
    """List all frames: the media file of each, and the family by the file's name."""
    rows = metadata.connection.read().execute(
        "SELECT m.id, m.path FROM frames f JOIN media_files m ON m.id = f.media_file_id"
        " ORDER BY f.id"
    )
    return [(media_id, Path(path).name.split("-")[0]) for media_id, path in rows]


def leaks_of(images: Sequence[tuple[int, str]], sides: Sequence[str]) -> Leaks:
    """Count what images on these sides leak."""
    families = defaultdict[str, Counter[str]](Counter)
    scenes = defaultdict[str, list[tuple[str, str]]](list)
    for (_, family), side in zip(images, sides, strict=True):
        families[family][side] += 1
        scenes[family.split(ALIKE)[0]].append((family, side))
    pairs = sum(
        one * other for sides in families.values() for one, other in combinations(sides.values(), 2)
    )
    tested = [family for (_, family), side in zip(images, sides, strict=True) if side != "train"]
    leaked = sum(families[family]["train"] > 0 for family in tested)
    alike = sum(
        one[0] != other[0] and one[1] != other[1]
        for some in scenes.values()
        for one, other in combinations(some, 2)
    )
    shares = tuple(100 * sides.count(side) / len(sides) for side in SHARES.sides)
    return Leaks(pairs, leaked / max(1, len(tested)), alike, shares)


def split_leaks(metadata: MetadataDatabase) -> Leaks:
    """Split a library as an export does, and count what leaks."""
    images = images_of(metadata)
    labels, frames = dict[int, Counter[str]](), Counter[int]()
    for media_id, family in images:
        labels.setdefault(media_id, Counter()).update([f"class {int(family[1:5]) % CLASSES}"])
        frames[media_id] += 1
    plan = split_media(metadata, labels, SHARES, 1, images=frames)
    for warning in plan.warnings:
        print(f"  {warning}")
    names = {media.id: media.path.name for media in metadata.all_media()}
    of_family = defaultdict[str, set[tuple[str, str]]](set)
    for media_id, family in images:
        of_family[family].add((plan.side_of[media_id], names[media_id]))
    for family, files in of_family.items():
        if len({side for side, _ in files}) > 1:
            print(f"  a leak: {family}: {sorted(files)}")
    return leaks_of(images, [plan.side_of[media_id] for media_id, _ in images])


def random_leaks(metadata: MetadataDatabase, by_file: bool) -> Leaks:
    """Split a library at random, and count what leaks."""
    images = images_of(metadata)
    rng = np.random.default_rng(1)
    units = sorted({media_id for media_id, _ in images}) if by_file else range(len(images))
    weights = [SHARES.of(side) for side in SHARES.sides]
    drawn = rng.choice(SHARES.sides, len(units), p=weights).tolist()
    sides = dict(zip(units, drawn, strict=True))
    return leaks_of(
        images, [sides[media_id if by_file else at] for at, (media_id, _) in enumerate(images)]
    )


def measure_leaks(scenes: int, films: int, seed: int) -> tuple[int, dict[str, Leaks]]:
    """Draw a library and split it in four ways; also how many images it has."""
    with tempfile.TemporaryDirectory(prefix="splits-") as name:
        folder = Path(name) / "media"
        folder.mkdir()
        draw_library(folder, scenes, seed, 480)
        draw_films(folder, films, seed)
        settings = Settings(sam_model="none")
        with MediaLibrary(LibraryPaths(Path(name) / "library"), settings=settings) as library:
            for _ in library.add([folder]):
                pass
            before = split_leaks(library.metadata)
            for _ in library.duplicates.find():
                pass
            return len(images_of(library.metadata)), {
                "as exported": split_leaks(library.metadata),
                "as exported, duplicates never looked for": before,
                "random by file": random_leaks(library.metadata, by_file=True),
                "random by image": random_leaks(library.metadata, by_file=False),
            }


def measure_time(files: int) -> dict[str, float]:
    """Split many files, half of them in families of five: CPU seconds of each step."""
    seconds = dict[str, float]()
    with (
        tempfile.TemporaryDirectory(prefix="splits-") as name,
        closing(MetadataDatabase(LibraryPaths(Path(name) / "library"))) as metadata,
    ):
        rng, looks = np.random.default_rng(SEED), Looks(SEED)
        labels, family = dict[int, Counter[str]](), dict[int, int]()
        first = looks.new()
        with metadata.connection.write():
            for number in range(files):
                is_copy = number % 10 in (1, 2, 3, 4)
                first = first if is_copy else looks.new()
                look = looks.like(first) if is_copy else first
                media_id = add_file(metadata, f"{number % 60}/{number}.jpg", look)
                family[media_id] = family[media_id - 1] if is_copy else number
                labels[media_id] = Counter({f"class {min(99, rng.zipf(1.5))}": 1})
        with _timed(seconds, "reading what files look like"):
            like = SimilarMedia(metadata, labels)
        with _timed(seconds, "joining what is alike"):
            groups = like.groups()
        assert len(set(groups.values())) == len(set(family.values()))
        assert all(family[one] == family[other] for one, other in groups.items())
        with _timed(seconds, "a plan, with both and the close pairs"):
            plan = split_media(metadata, labels, SHARES, 1)
        with _timed(seconds, "keeping the sides"):
            keep_sides(metadata, plan)
        with _timed(seconds, "a plan of which all sides are kept"):
            again = split_media(metadata, labels, SHARES, 1)
        assert again.side_of == plan.side_of
    return seconds


@contextmanager
def _timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    began = time.process_time()
    yield
    seconds[what] = time.process_time() - began


def as_table(
    drawn: Mapping[int, tuple[int, Mapping[str, Leaks]]], files: int, s: Mapping[str, float]
) -> str:
    """Write the figures as Markdown."""
    rows = list[str]()
    for seed, (images, leaks) in drawn.items():
        rows += [
            f"| {images:,} images, drawn with seed {seed} | leaking pairs | of val and test in"
            " train, too | pairs of look-alikes on two sides | train, val, test, % |",
            "| --- | --- | --- | --- | --- |",
        ]
        for name, leak in leaks.items():
            shares = ", ".join(f"{each:.1f}" for each in leak.shares)
            figures = f"{leak.pairs:,} | {leak.of_test:.1%} | {leak.look_alikes:,} | {shares}"
            rows.append(f"| {name} | {figures} |")
        rows.append("")
    rows += [f"| {files:,} files, half in families of five | CPU s |", "| --- | --- |"]
    rows += [f"| {what} | {each:.1f} |" for what, each in s.items()]
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--films", type=int, default=12)
    parser.add_argument("--seeds", default=FRESH_SEEDS)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    drawn = {
        seed: measure_leaks(given.scenes, given.films, seed)
        for seed in map(int, given.seeds.split(","))
    }
    table = as_table(drawn, given.files, measure_time(given.files))
    print(table)
    if given.write:
        put_table(MARKS, table)


if __name__ == "__main__":
    main()
