"""How fast a dataset is written: python -m tests.benchmarks.dataset_export

Each format writes 10,000 segments with masks on 1,000 photos, beside a plain copy of
the same photos, in turns. The time includes reading all of it back and comparing it.

    --photos N        photos (1,000)
    --segments N      segments on each (10)
    --megapixels N    of each (1)
    --formats A,B     only these
    --rounds N        turns (3)
    --write           puts the table into docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.dataset_images import DatasetImages
from src.datasets.export import Export
from src.datasets.registry import export_formats
from src.processing.media_finder import hash_of
from src.records import Tag
from src.search.recipe import Recipe, classes_of
from src.settings import Settings
from tests.benchmarks.page import put_table
from tests.datasets.drawn_library import add_file, add_frame

WH = (1152, 864)  # of a photo of one megapixel
CLASSES = ("cat", "dog", "car", "tree", "ball")
MARKS = "<!-- dataset export -->", "<!-- end of dataset export -->"


def make_library(
    paths: LibraryPaths, folder: Path, photos: int, segments: int, megapixels: float
) -> None:
    """Draw photos with blobs for segments, and store them without a model."""
    folder.mkdir()
    scale = megapixels**0.5
    size_wh = round(WH[0] * scale), round(WH[1] * scale)
    rng = np.random.default_rng(27_001)
    metadata = MetadataDatabase(paths)
    for number in range(photos):
        small = rng.integers(0, 255, (54, 72, 3), np.uint8)
        picture = cv2.resize(small, size_wh, interpolation=cv2.INTER_CUBIC)
        noise = rng.integers(0, 24, picture.shape, np.uint8)
        path = folder / f"photo {number:05}.jpg"
        cv2.imwrite(str(path), cv2.add(picture, noise), [cv2.IMWRITE_JPEG_QUALITY, 88])
        masks = [_blob(rng, size_wh, scale) for _ in range(segments)]
        with metadata.connection.write():
            media_id = add_file(metadata, path, "image", size_wh)
            ids = add_frame(metadata, media_id, path.name, masks, size_wh=size_wh)
            for segment_id in ids[1:]:
                tags = [Tag(str(rng.choice(CLASSES)), 1.0, "human")]
                metadata.add_tags(segment_id, tags, "human")
    metadata.close()


def _blob(rng: np.random.Generator, size_wh: tuple[int, int], scale: float) -> np.ndarray:
    """A wavy shape of some 100 pixels across in a photo of a megapixel: (H, W) bool."""
    mask = np.zeros((size_wh[1], size_wh[0]), np.uint8)
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    radius = rng.uniform(25, 110) * (1 + 0.25 * np.sin(angles * rng.integers(2, 7)))
    centre = rng.uniform((130, 130), (WH[0] - 130, WH[1] - 130))
    points = centre + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    cv2.fillPoly(mask, [(scale * points).astype(np.int32)], 1)
    return mask.astype(bool)


def copy(source: Path, target: Path) -> None:
    """Copy the photos; like an export's files they stay in the page cache."""
    shutil.copytree(source, target)


def copy_to_disk(source: Path, target: Path) -> None:
    """Copy the photos, and wait for each until it is on the disk."""
    copy(source, target)
    for path in target.iterdir():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())


def copy_and_hash(source: Path, target: Path) -> None:
    """Do with the bytes alone what an export does: hash them twice, and once more read back."""
    target.mkdir()
    for path in source.iterdir():
        content = path.read_bytes()
        hash_of(content)
        sha256(content)
        (target / path.name).write_bytes(content)
    for path in target.iterdir():
        sha256(path.read_bytes())


def export(metadata: MetadataDatabase, target: Path, key: str) -> None:
    images = DatasetImages(metadata, Settings())
    recipe = Recipe(format=key, classes=classes_of(*CLASSES))
    for _ in Export(metadata, target, images, recipe).run():
        pass
    images.close()


def timed(act: Callable[[Path], None], target: Path) -> tuple[float, float]:
    """Measure an act: seconds, and those of the processor."""
    os.sync()
    begin, cpu = time.perf_counter(), time.process_time()
    act(target)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    shutil.rmtree(target)
    return seconds, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--segments", type=int, default=10)
    parser.add_argument("--megapixels", type=float, default=1)
    parser.add_argument("--formats", default="")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    keys = given.formats.split(",") if given.formats else [each.key for each in export_formats()]
    with tempfile.TemporaryDirectory(prefix="dataset-export-") as place:
        folder, paths = Path(place) / "photos", LibraryPaths(Path(place) / "library")
        make_library(paths, folder, given.photos, given.segments, given.megapixels)
        size = sum(path.stat().st_size for path in folder.iterdir())
        acts: dict[str, Callable[[Path], None]] = {
            "a plain copy": lambda target: copy(folder, target),
            "a copy that waits for the disk": lambda target: copy_to_disk(folder, target),
            "a copy with the three hashes, one after the other": lambda target: copy_and_hash(
                folder, target
            ),
        }
        metadata = MetadataDatabase(paths)
        for key in keys:
            acts[key] = lambda target, key=key: export(metadata, target, key)  # type: ignore[misc]
        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in acts}
        for _ in range(given.rounds):
            for name, act in acts.items():
                seconds[name].append(timed(act, Path(place) / "made"))
        metadata.close()
    plain = statistics.median(wall for wall, _ in seconds["a plain copy"])
    lines = [
        f"{given.photos:,} photos of {given.megapixels:g} megapixels, {size / 1e6:,.0f} MB, "
        f"{given.photos * given.segments:,} segments",
        "",
        "| | seconds, median | ratio | CPU s |",
        "| --- | --- | --- | --- |",
    ]
    for name, some in seconds.items():
        middle, cpu = (statistics.median(each) for each in zip(*some, strict=True))
        lines.append(f"| {name} | {middle:.2f} | {middle / plain:.2f} | {cpu:.2f} |")
    table = "\n".join(lines)
    print(table)
    if given.write:
        put_table(MARKS, table)


if __name__ == "__main__":
    main()
