"""What a leak is worth to a classifier: python -m tests.benchmarks.dataset_training

Drawn scenes, each with five near-duplicates, go through the real pipeline, are tagged with the
colour of the thing in them, and are exported as an image folder with a split. torchvision's
ImageFolder reads that, a small network is trained on its training part, the best epoch is chosen by
its validation part, and its test part gives the score. Then the same with the same images dealt out
at random. Which of the two scores is true is asked of scenes that are in neither.

    --scenes N    drawn scenes (120)
    --seconds N   CPU seconds of each training (60)
    --write       puts the table into docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import copy
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torchvision import transforms
from torchvision.datasets import ImageFolder

from src.config import LibraryPaths
from src.dataset_events import DatasetWritten
from src.library import MediaLibrary
from src.records import Tag
from src.search.recipe import Recipe
from src.settings import Settings
from src.starter.scenes import draw_scene
from tests.benchmarks.duplicates import write_family
from tests.benchmarks.page import put_table

SEED = 27_002
COLOURS = ("blue", "green", "red", "yellow")
SIZE_WH = 320, 240
SIDE = 64
PARTS = "train", "val", "test"
FRESH = 60  # of each colour
BATCH = 32
MARKS = "<!-- dataset training -->", "<!-- end of dataset training -->"


@dataclass(frozen=True)
class Images:
    """Images and their classes.

    Attributes:
        pixels: (N, 3, SIDE, SIDE) float32.
        classes: (N,) int64.
    """

    pixels: torch.Tensor
    classes: torch.Tensor

    def take(self, places: torch.Tensor) -> Images:
        return Images(self.pixels[places], self.classes[places])


@dataclass(frozen=True)
class Score:
    """What a network scores, 0 to 1: on the test part, and on scenes that nobody has seen."""

    sizes: tuple[int, ...]
    test: float
    fresh: float


def scenes_of(colour: str, stream: int) -> Iterator[np.ndarray]:
    """Draw scenes with one thing in them, of a given colour: (H, W, 3) uint8."""
    for number in range(1_000_000):
        rng = np.random.default_rng([SEED, stream, COLOURS.index(colour), number])
        scene = draw_scene(rng, SIZE_WH, count=1)
        if [each.colour for each in scene.shapes] == [colour]:
            yield scene.image_rgb


def draw_media(folder: Path, scenes: int) -> None:
    """Draw scenes with copies; the colour begins the name of a file."""
    drawn = {colour: scenes_of(colour, 0) for colour in COLOURS}
    for number in range(scenes):
        colour, rng = COLOURS[number % len(COLOURS)], np.random.default_rng([SEED, number])
        write_family(folder, f"{colour} {number:04}", next(drawn[colour]), rng)


def export(folder: Path, library: MediaLibrary) -> Path:
    """Add the media, say what is in them, look for duplicates, and export."""
    for _ in library.add([folder / "media"]):
        pass
    rows = library.metadata.connection.read().execute(
        "SELECT s.id, m.path FROM segments s JOIN frames f ON f.id = s.frame_id"
        " JOIN media_files m ON m.id = f.media_file_id WHERE s.kind = 'frame'"
    )
    for segment_id, path in rows.fetchall():
        library.metadata.add_tags(
            segment_id, [Tag(Path(path).name.split()[0], 1.0, "human")], "human"
        )
    for _ in library.duplicates.find():
        pass
    recipe = Recipe(labels="people", split="70/10/20", format="image_folder", images="frames")
    for event in library.export(folder / "dataset", recipe):
        if isinstance(event, DatasetWritten):
            print(f"  exported: {event.images}")
    return folder / "dataset"


def read(folder: Path) -> Images:
    """Read a part of a dataset as torchvision reads it."""
    steps = [transforms.Resize((SIDE, SIDE)), transforms.ToTensor()]
    found = ImageFolder(str(folder), transforms.Compose(steps), allow_empty=True)
    assert tuple(found.classes) == COLOURS
    pixels, classes = zip(*found, strict=True)
    return Images(torch.stack(pixels), torch.tensor(classes))


def network() -> nn.Module:
    """A small convolutional network, 100,000 weights."""
    layers: list[nn.Module] = []
    for before, after in ((3, 24), (24, 48), (48, 96), (96, 96)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(2)]
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, len(COLOURS))
    )


def accuracy(model: nn.Module, images: Images) -> float:
    model.eval()
    with torch.inference_mode():
        best = torch.cat([model(some).argmax(1) for some in torch.split(images.pixels, 256)])
    return float((best == images.classes).float().mean())


def train(parts: dict[str, Images], fresh: Images, seconds: float) -> Score:
    """Train for so many CPU seconds, and score the epoch that the validation part likes best."""
    torch.manual_seed(SEED)
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=1e-2)
    training, began, best = parts["train"], time.process_time(), (-1.0, model)
    while time.process_time() - began < seconds:
        model.train()
        for places in torch.split(torch.randperm(len(training.classes)), BATCH):
            some = training.take(places)
            if len(places) > 1:
                flipped = torch.rand(len(places), 1, 1, 1) < 0.5
                pixels = torch.where(flipped, some.pixels.flip(3), some.pixels)
                loss = nn.functional.cross_entropy(model(pixels), some.classes)
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
        score = accuracy(model, parts["val"])
        if score >= best[0]:
            best = score, copy.deepcopy(model)
    sizes = tuple(len(parts[part].classes) for part in PARTS)
    return Score(sizes, accuracy(best[1], parts["test"]), accuracy(best[1], fresh))


def at_random(parts: dict[str, Images]) -> dict[str, Images]:
    """Deal the same images out at random, as many to each part."""
    pixels = torch.cat([parts[part].pixels for part in PARTS])
    classes = torch.cat([parts[part].classes for part in PARTS])
    order = torch.randperm(len(classes), generator=torch.Generator().manual_seed(SEED))
    places = torch.split(order, [len(parts[part].classes) for part in PARTS])
    every = Images(pixels, classes)
    return {part: every.take(some) for part, some in zip(PARTS, places, strict=True)}


def draw_fresh() -> Images:
    """Draw scenes that no dataset has."""
    pixels, classes = [], []
    for number, colour in enumerate(COLOURS):
        scenes = scenes_of(colour, 1)
        for _ in range(FRESH):
            image = transforms.functional.to_pil_image(next(scenes))
            small = transforms.functional.resize(image, [SIDE, SIDE])
            pixels.append(transforms.functional.to_tensor(small))
            classes.append(number)
    return Images(torch.stack(pixels), torch.tensor(classes))


def as_table(scores: dict[str, Score]) -> str:
    """Write the figures as Markdown."""
    rows = ["| split | train, val, test | score on its test part | on fresh scenes | too good by |"]
    rows += ["| --- | --- | --- | --- | --- |"]
    for name, score in scores.items():
        sizes = ", ".join(map(str, score.sizes))
        over = score.test - score.fresh
        rows.append(f"| {name} | {sizes} | {score.test:.3f} | {score.fresh:.3f} | {over:+.3f} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=120)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="training-") as name:
        folder = Path(name)
        (folder / "media").mkdir()
        draw_media(folder / "media", given.scenes)
        settings = Settings(sam_model="none")
        with MediaLibrary(LibraryPaths(folder / "library"), settings=settings) as library:
            dataset = export(folder, library)
        parts = {part: read(dataset / part) for part in PARTS}
    fresh = draw_fresh()
    scores = {
        "as exported": train(parts, fresh, given.seconds),
        "the same images at random": train(at_random(parts), fresh, given.seconds),
    }
    table = as_table(scores)
    print(table)
    if given.write:
        put_table(MARKS, table)


if __name__ == "__main__":
    main()
