"""How well near-duplicates are told from look-alikes: python -m tests.benchmarks.duplicates

A library of drawn scenes with known copies (resized, recompressed, cropped, brighter, mirrored)
and with look-alikes that are no copies (the same view a step further, the same picture with one
thing more) goes through the real pipeline, and what is found is compared with what is known.

    --scenes N      drawn scenes (60)
    --pictures DIR  copies are made of the pictures in a folder in their place
    --files N       how many files the time of comparing is measured for (50,000)
    --write         puts the table into docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np

from src.config import LibraryPaths
from src.library import MediaLibrary
from src.search.near_copies import candidates
from src.settings import Settings
from src.starter.scenes import draw_scene
from tests.benchmarks.page import put_table

SEED = 26_001
KINDS = ("resized", "recompressed", "cropped", "brighter", "mirrored")
ALIKE = "alike"
MARKS = "<!-- duplicates -->", "<!-- end of duplicates -->"


@dataclass
class Measured:
    """What was found, beside what is known.

    Attributes:
        precision: share of the pairs found that are copies.
        recall: share of the copies' pairs that were found.
        mixed: share of the groups with a file that is no copy of the others.
        of_kind: for each kind of copy, the share that is in a group with its original.
        seconds: of finding, in all.
    """

    precision: float
    recall: float
    mixed: float
    files: int
    groups: int
    seconds: float
    of_kind: dict[str, float] = field(default_factory=dict)


def make_copies(image_rgb: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray | int]:
    """Make a copy of each kind; of a recompressed one its quality as JPEG."""
    height, width = image_rgb.shape[:2]
    scale, cut = rng.uniform(0.35, 0.8), rng.uniform(0.03, 0.08)
    left, top = rng.uniform(0, cut), rng.uniform(0, cut)
    rows = slice(round(top * height), round((1 - cut + top) * height))
    columns = slice(round(left * width), round((1 - cut + left) * width))
    lighter = image_rgb * rng.uniform(1.1, 1.25) + rng.uniform(0, 15)
    return {
        "resized": cv2.resize(
            image_rgb, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA
        ),
        "recompressed": int(rng.integers(25, 70)),
        "cropped": image_rgb[rows, columns],
        "brighter": np.clip(lighter, 0, 255).astype(np.uint8),
        "mirrored": image_rgb[:, ::-1],
    }


def write_family(folder: Path, name: str, image_rgb: np.ndarray, rng: np.random.Generator) -> None:
    """Write a picture and its copies; the name before the first dash is that of the family."""
    _write(folder / f"{name}-original.png", image_rgb)
    for kind, copy in make_copies(image_rgb, rng).items():
        if isinstance(copy, int):
            _write(folder / f"{name}-{kind}.jpg", image_rgb, copy)
        else:
            _write(folder / f"{name}-{kind}.jpg", copy, 90)


def _write(path: Path, image_rgb: np.ndarray, quality: int = 90) -> None:
    _, content = cv2.imencode(
        path.suffix, image_rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    path.write_bytes(content.tobytes())


def draw_library(folder: Path, scenes: int, seed: int = SEED, width: int = 640) -> None:
    """Draw scenes with their copies and look-alikes."""
    height = width * 3 // 4
    for number in range(scenes):
        rng = np.random.default_rng([seed, number])
        wide = draw_scene(rng, (width * 5 // 4, height), count=8, calm=bool(number % 2)).image_rgb
        image = np.ascontiguousarray(wide[:, :width])
        write_family(folder, f"s{number:04}", image, rng)
        _write(folder / f"s{number:04}{ALIKE}1-view.jpg", wide[:, -width:])
        _write(folder / f"s{number:04}{ALIKE}2-more.jpg", _with_one_more(image, rng))


def _with_one_more(image_rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put one thing more into a picture: of another colour, about a sixth of its height."""
    more = image_rgb.copy()
    height, width = more.shape[:2]
    at = int(rng.uniform(0.2, 0.8) * width), int(rng.uniform(0.2, 0.8) * height)
    colour = (more[at[1], at[0]].astype(int) + 128) % 256
    cv2.circle(more, at, height // 12, [int(level) for level in colour], -1, cv2.LINE_AA)
    return more


def copy_pictures(folder: Path, pictures: Path) -> None:
    """Make copies of pictures that a person has."""
    for number, path in enumerate(sorted(pictures.iterdir())):
        image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
        if image is not None:
            rng = np.random.default_rng([SEED, number])
            write_family(folder, f"p{number:04}", np.ascontiguousarray(image[..., ::-1]), rng)


def measure(folder: Path, library: MediaLibrary) -> Measured:
    """Add the files of a folder, find duplicates, and compare."""
    for _ in library.add([folder]):
        pass
    began = time.process_time()
    for _ in library.duplicates.find():
        pass
    seconds = time.process_time() - began
    groups = [
        [file.media.path for file in library.duplicates.group(group_id).files]
        for group_id in library.duplicates.group_ids()
    ]
    families = defaultdict[str, list[Path]](list)
    for path in sorted(folder.iterdir()):
        families[_family(path)].append(path)
    known = {pair for some in families.values() for pair in combinations(sorted(some), 2)}
    found = {pair for some in groups for pair in combinations(sorted(some), 2)}
    of_kind = {
        kind: _share(
            any(_kind(one) == "original" for one in pair) and pair in found
            for pair in known
            if {_kind(one) for one in pair} == {kind, "original"}
        )
        for kind in KINDS
    }
    return Measured(
        len(found & known) / len(found) if found else 1.0,
        len(found & known) / len(known) if known else 1.0,
        _share(len({_family(path) for path in some}) > 1 for some in groups),
        sum(map(len, families.values())),
        len(groups),
        seconds,
        of_kind,
    )


def _family(path: Path) -> str:
    return path.name.split("-")[0]


def _kind(path: Path) -> str:
    return path.stem.split("-")[-1]


def _share(answers: Iterator[bool]) -> float:
    all_ = list(answers)
    return sum(all_) / len(all_) if all_ else 0.0


def seconds_to_compare(files: int) -> float:
    """Measure how long it takes to compare so many files: CPU seconds."""
    rng = np.random.default_rng(SEED)
    hashes = rng.integers(0, 2**64, files, dtype=np.uint64)
    vectors = rng.standard_normal((files, 512), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    began = time.process_time()
    for _ in candidates(hashes, vectors):
        pass
    return time.process_time() - began


def as_table(measured: Measured, files: int, compare_s: float) -> str:
    """Write the figures as Markdown."""
    kinds = ", ".join(f"{kind} {share:.3f}" for kind, share in measured.of_kind.items())
    return "\n".join(
        (
            "| what | figure |",
            "| --- | --- |",
            f"| files, groups found | {measured.files:,}, {measured.groups:,} |",
            f"| pair precision | {measured.precision:.4f} |",
            f"| pair recall | {measured.recall:.4f} |",
            f"| groups with a look-alike or another scene | {measured.mixed:.2%} |",
            f"| found with their original | {kinds} |",
            f"| finding, CPU s | {measured.seconds:.1f} |",
            f"| comparing {files:,} files, CPU s | {compare_s:.1f} |",
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="duplicates-") as name:
        folder = Path(name) / "media"
        folder.mkdir()
        if given.pictures is None:
            draw_library(folder, given.scenes)
        else:
            copy_pictures(folder, given.pictures)
        settings = Settings(sam_model="none")
        with MediaLibrary(LibraryPaths(Path(name) / "library"), settings=settings) as library:
            measured = measure(folder, library)
    table = as_table(measured, given.files, seconds_to_compare(given.files))
    print(table)
    if given.write:
        put_table(MARKS, table)


if __name__ == "__main__":
    main()
