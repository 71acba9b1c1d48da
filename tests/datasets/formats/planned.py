"""A dataset that is planned by hand, written and read back as an export does it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from src.datasets.annotations import (
    AnnotatedImage,
    Annotation,
    ClassAttributes,
    Cut,
    MediaFrame,
    PlannedImage,
)
from src.datasets.atomic_output import DatasetFolder
from src.datasets.check import check_dataset
from src.datasets.dataset_writer import DatasetWriter, Manifest
from src.datasets.protocols import ExportFormat
from src.library_files import SafeFolder
from src.options import build_options
from src.records import BoxXywh, ImageForm, Split
from tests.datasets.formats.drawn_masks import SIZE, drawn_counts


@dataclass(frozen=True)
class HandPlan:
    """A PlannedDataset of images that are given."""

    images: tuple[PlannedImage, ...]
    classes: tuple[str, ...]
    form: ImageForm = "frames"
    splits: tuple[Split, ...] = ()
    title: str = "by hand"
    description: str = "Drawn for a test."
    attributes: ClassAttributes = field(default_factory=dict)

    @property
    def annotations(self) -> int:
        return sum(len(image.annotations) for image in self.images)

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[PlannedImage]:
        return iter(self.images)


class FlatImages:
    """Renders images of one colour."""

    def expect(self, image: PlannedImage) -> None:
        """Nothing takes long."""

    def render(self, image: PlannedImage, form: ImageForm) -> tuple[bytes, str]:
        mode, suffix = ("RGBA", ".png") if form == "cutouts" else ("RGB", ".jpg")
        made = io.BytesIO()
        Image.new(mode, image.size_wh, "grey").save(made, "PNG" if mode == "RGBA" else "JPEG")
        return made.getvalue(), suffix

    def close(self) -> None:
        """Nothing is open."""


def image_of(
    stem: str, *annotations: Annotation, split: Split | None = None, cut: bool = False
) -> PlannedImage:
    frame = MediaFrame(1, Path("/media/a.jpg"), f"photos/{stem}.jpg", "00", 0, None, SIZE)
    of = Cut("id", "object", (0, 0, *SIZE), (0, 0, *SIZE), Path("a.jpg"), None) if cut else None
    return PlannedImage(stem, frame, of, SIZE, annotations, split, True)


def box_of(mask: np.ndarray) -> BoxXywh:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y


def masked(label: str, number: int, **more: Any) -> Annotation:
    """Make an annotation of a drawn mask."""
    from tests.datasets.formats.drawn_masks import drawn_masks

    mask = drawn_masks()[number % len(drawn_masks())]
    counts = drawn_counts()[number % len(drawn_masks())]
    return Annotation(label, box_of(mask), counts, **more)


NAMES = ("cat", "Straßen-Bahn", "猫 と 犬", "a, b: c # 'd' \"e\" <f> & ;g")


def all_masks(splits: Sequence[Split] = ("train", "val", "test")) -> HandPlan:
    """Plan an image for each drawn mask, one with boxes, one with two labels, one with none."""
    of: list[Split | None] = [*splits] or [None]
    images = [
        image_of(f"photo {number:02} é", masked(NAMES[number % 4], number))
        for number in range(len(drawn_counts()))
    ]
    images.append(image_of("boxes", Annotation(NAMES[1], (3, 4, 20, 9)), masked(NAMES[0], 0)))
    images.append(
        image_of("several", masked(NAMES[0], 1), masked(NAMES[2], 1), masked(NAMES[3], 0))
    )
    images.append(image_of("empty"))
    per_split = -(-len(images) // len(of))
    images = [replace(each, split=of[at // per_split]) for at, each in enumerate(images)]
    return HandPlan(tuple(images), NAMES, splits=tuple(splits))


def crops_of_masks(splits: Sequence[Split] = ("train", "val")) -> HandPlan:
    """Plan crops with one label each."""
    of: list[Split | None] = [*splits] or [None]
    images = [
        image_of(f"crop-{at:05}", Annotation(NAMES[at % 3]), split=of[at * len(of) // 12], cut=True)
        for at in range(12)
    ]
    return HandPlan(tuple(images), NAMES, "crops", tuple(splits))


def write(
    export_format: ExportFormat, plan: HandPlan, folder: Path, **options: object
) -> dict[str, PlannedImage]:
    """Write a dataset and check it as an export does; returns what was written of each image."""
    dataset = DatasetFolder(SafeFolder(folder))
    folder.mkdir()
    output = DatasetWriter(dataset, FlatImages(), plan.form)
    built: Any = build_options(export_format.options, options)
    with closing(output):
        events = list(export_format.write(plan, built, output))
        output.finish()
    assert len(events) >= len(plan)
    list(check_dataset(export_format, dataset, output.manifest))
    for file in written_files(folder):
        assert str(folder).encode() not in (folder / file).read_bytes()
        assert b"/media/" not in (folder / file).read_bytes()
    assert set(written_files(folder)) == set(output.manifest.hashes)
    return output.manifest.images


def check(export_format: ExportFormat, folder: Path) -> None:
    list(check_dataset(export_format, DatasetFolder(SafeFolder(folder)), Manifest()))


def read_back(export_format: ExportFormat, folder: Path) -> dict[str, AnnotatedImage]:
    dataset = DatasetFolder(SafeFolder(folder))
    return {image.image.as_posix(): image for image in export_format.read_back(dataset)}


def written_files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def imported(importer: Any, path: Path) -> tuple[list[AnnotatedImage], list[str]]:
    """Read a dataset as an import does; returns its images, and what was left out."""
    skipped: list[str] = []
    assert importer.detect(path)
    images = list(
        importer.read(
            path, importer.options(), lambda file, why: skipped.append(f"{file.name}: {why}")
        )
    )
    for image in images:
        assert image.image.is_absolute() and image.image.is_file()
    return images, skipped
