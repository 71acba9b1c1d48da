"""A segmenter that somebody adds works in a library as the others: ingest, list, measure, stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from src.config import STARTER_FOLDER, LibraryPaths
from src.events import FileFailed, FrameStored, JobDone
from src.library import MediaLibrary
from src.models.mask_rle import decode_rle
from src.models.model_manager import ModelManager
from src.search.leaves import segment_filter
from src.settings import STARTER
from src.starter.evaluate import iou
from tests.models.made_up_segmenters import BRIGHTNESS_SAM, PARTS, added, picture


@dataclass
class Added:
    """A library whose settings choose somebody's weights."""

    library: MediaLibrary
    weights: str
    label: str


@pytest.fixture(params=["a model for our generator", "the whole protocol by itself"])
def somebodys(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Added]:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "starter").symlink_to(STARTER_FOLDER)
    if request.param == "a model for our generator":
        source, weights, label = BRIGHTNESS_SAM, "brightness-1.pth", "brightness"
        torch.save({"reach": torch.tensor([20.0])}, folder / weights)
    else:
        source, weights, label = PARTS, "parts-1.pth", "bright parts"
        torch.save({"threshold": torch.tensor(100.0)}, folder / weights)
    models = ModelManager(folder, device="cpu", points_per_side=4)
    with added(source, tmp_path), MediaLibrary(LibraryPaths(tmp_path / "library"), models) as open_:
        open_.choose_models(None, weights)
        yield Added(open_, weights, label)


def pictures(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        Image.fromarray(picture() - np.uint8(number)).save(path)
    return paths


def cut_square(library: MediaLibrary) -> bool:
    square = picture()[..., 0] > 100
    masks = [each.mask_rle for each in library.metadata.segments_where(segment_filter())]
    return any(iou(decode_rle(mask, (120, 90)), square) > 0.9 for mask in masks if mask)


def test_a_library_is_cut_with_it(somebodys: Added, tmp_path: Path) -> None:
    library = somebodys.library
    *_, done = library.add(pictures(tmp_path, 1))
    assert isinstance(done, JobDone) and not done.failed
    assert cut_square(library)
    assert library.stats().sam_model == somebodys.label
    assert library.segmented_by_others() == 0


def test_it_is_listed_and_named_in_use(somebodys: Added) -> None:
    rows = {row.choice: row for row in somebodys.library.model_list.rows() if row.kind == "sam"}
    assert rows[somebodys.weights].in_use and rows[somebodys.weights].purpose.startswith("segments")
    assert not rows[STARTER].in_use
    assert not somebodys.library.model_list.problems


def test_its_speed_is_measured_and_the_measuring_stopped(somebodys: Added) -> None:
    models = somebodys.library.model_list
    row = next(row for row in models.rows() if row.choice == somebodys.weights)
    asked: list[bool] = []

    def go_on() -> bool:
        asked.append(False)
        return False

    noise = models.measure(row, go_on)
    assert noise == row and asked == [False]
    speed = models.measure(row).speed
    assert speed is not None and speed > 0
    assert next(each for each in models.rows() if each.choice == row.choice).speed == speed


def test_a_stopped_add_goes_on(somebodys: Added, tmp_path: Path) -> None:
    library = somebodys.library
    paths = pictures(tmp_path, 3)
    job = library.add(paths)
    for event in job:
        if isinstance(event, FrameStored):
            break
    job.close()
    assert library.unfinished() > 0
    events = list(library.go_on())
    assert not [event for event in events if isinstance(event, FileFailed)]
    assert library.stats().images == 3 and library.unfinished() == 0


def test_what_it_cut_is_cut_again_by_another_and_back(somebodys: Added, tmp_path: Path) -> None:
    library = somebodys.library
    for _ in library.add(pictures(tmp_path, 1)):
        pass
    for choice in (STARTER, somebodys.weights):
        library.choose_models(None, choice)
        assert library.segmented_by_others() == 1
        *_, done = library.segment_again()
        assert isinstance(done, JobDone) and not done.failed
        assert library.segmented_by_others() == 0
    assert cut_square(library)


def test_it_cuts_by_clicks(somebodys: Added) -> None:
    segmenter = somebodys.library.mask_generator
    assert segmenter is not None
    with segmenter.session(picture()) as session:
        session.add_point(50, 40)
        assert iou(session.mask(), picture()[..., 0] > 100) > 0.9
