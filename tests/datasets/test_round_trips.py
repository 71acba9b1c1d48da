"""A dataset that was written is read into an empty library and written again: it is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from src.config import LibraryPaths
from src.dataset_events import LabelsImported
from src.datasets import registry
from src.datasets.annotations import AnnotatedImage, Annotation
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.models.mask_rle import encode_rle, mask_ious
from src.search.recipe import Recipe
from src.settings import NO_SAM, Settings
from tests.test_dataset_import import SIZE, Drawn, disc, image
from tests.two_clips import OLD, TwoClips

SETTINGS = Settings(clip_model=OLD, sam_model=NO_SAM)
Open = Callable[[str], MediaLibrary]


@pytest.fixture(scope="module")
def open_library(
    tmp_path_factory: pytest.TempPathFactory, clip: ClipEncoder
) -> Iterator[Callable[[str], MediaLibrary]]:
    folder = tmp_path_factory.mktemp("libraries")
    opened: list[MediaLibrary] = []

    def open_it(name: str) -> MediaLibrary:
        opened.append(MediaLibrary(LibraryPaths(folder / name), TwoClips(clip, None), SETTINGS))
        return opened[-1]

    yield open_it
    for library in opened:
        library.close()


@pytest.fixture(scope="module")
def drawn(
    tmp_path_factory: pytest.TempPathFactory, open_library: Open, scene_files: list[Path]
) -> MediaLibrary:
    """A library with masks of all kinds on two images, and a third that nobody has labelled."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(3):
        picture = np.asarray(Image.open(scene_files[number]))
        Image.fromarray(picture).save(folder / f"scene {number}.png")
    drawn = Drawn()
    islands = np.zeros(SIZE[::-1], bool)
    islands[10:50, 20:70] = islands[60:110, 20:60] = True
    corner = np.zeros_like(islands)
    corner[200:, 260:] = True
    drawn.images = [
        image(
            folder,
            0,
            Annotation("ring", None, disc(160, 120, 60, hole=25)),
            Annotation("round thing", None, disc(160, 120, 60, hole=25)),
            Annotation("Insel & Küste", None, encode_rle(islands)["counts"]),
            Annotation("ring", (5, 150, 60, 40)),
        ),
        image(
            folder,
            1,
            Annotation("corner", None, encode_rle(corner)["counts"]),
            Annotation("indoors"),
        ),
        image(folder, 2),
    ]
    library = open_library("drawn")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawn, "detect", lambda _: True)
        patch.setattr(registry, "_importers", {"drawn": drawn})
        list(library.import_dataset(folder))
    return library


def read(folder: Path) -> list[AnnotatedImage]:
    importer = registry.importer_for(folder)
    assert importer is not None
    wrong: list[tuple[Path, str]] = []
    images = list(
        importer.read(folder, importer.options(), lambda path, why: wrong.append((path, why)))
    )
    assert not wrong
    return images


def labels_in(images: list[AnnotatedImage]) -> list[list[tuple[str, Any]]]:
    """The labels of each image, with where they are."""
    return [
        sorted((each.label, each.bbox_xywh) for each in image.annotations)
        for image in sorted(images, key=lambda image: image.image.name)
    ]


FORMATS: list[tuple[str, dict[str, object], float]] = [
    ("coco", {}, 1.0),
    ("coco", {"masks": "polygons"}, 0.98),
    ("yolo_detection", {}, 1.0),
    ("yolo_segmentation", {}, 0.98),
    ("voc", {}, 1.0),
    ("labelme", {"masks": "polygons"}, 0.98),
    ("labelme", {}, 1.0),
    ("cvat", {}, 1.0),
    ("cvat", {"masks": "polygons"}, 0.98),
]


@pytest.mark.parametrize(("key", "options", "least_iou"), FORMATS)
def test_what_was_written_comes_back_and_is_written_again(
    key: str,
    options: dict[str, object],
    least_iou: float,
    drawn: MediaLibrary,
    open_library: Open,
    tmp_path: Path,
) -> None:
    recipe = Recipe(labels="people", format=key, options=options)
    first, second = tmp_path / "first", tmp_path / "second"
    list(drawn.export(first, recipe))
    library = open_library(tmp_path.name)
    (outcome,) = [e for e in library.import_dataset(first) if isinstance(e, LabelsImported)]
    written = read(first)
    assert (outcome.files, outcome.added) == (len(written), sum(map(len, labels_in(written))))
    assert (outcome.unmatched, outcome.skipped) == (0, 0)
    list(library.export(second, recipe))
    again = read(second)
    if least_iou == 1.0:
        assert labels_in(again) == labels_in(written)
    for one, other in zip(written, again, strict=True):
        for each, same in zip(
            sorted(one.annotations, key=lambda each: (each.label, each.bbox_xywh)),
            sorted(other.annotations, key=lambda each: (each.label, each.bbox_xywh)),
            strict=True,
        ):
            assert each.label == same.label
            if each.mask_rle is not None and same.mask_rle is not None:
                assert mask_ious([each.mask_rle], [same.mask_rle], SIZE)[0, 0] >= least_iou
    # the library that it is of takes it as what it has
    (outcome,) = [e for e in drawn.import_dataset(first) if isinstance(e, LabelsImported)]
    assert (outcome.files, outcome.segments, outcome.added) == (0, 0, 0)
    assert outcome.known == sum(map(len, labels_in(written)))
