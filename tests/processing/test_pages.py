"""The pages of a TIFF, each a frame of its own where a person wants all of them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from src.config import LibraryPaths
from src.errors import MediaReadError
from src.events import FileDone, FrameStored, JobDone
from src.library import MediaLibrary
from src.models.model_manager import ModelManager
from src.processing.ffmpeg_log import VideoFacts
from src.processing.frames import read_frames
from src.processing.image_loader import other_pages
from src.records import Frame
from src.settings import Settings
from tests.processing.test_image_notes import frames, saved
from tests.processing.test_ingest import SETTINGS, add, of_kind, shared_models

__all__ = ["shared_models"]  # a fixture

ALL = Settings(all_pages=True)


def read(path: Path, settings: Settings = ALL) -> tuple[list[Frame], VideoFacts]:
    facts = VideoFacts()
    with closing(read_frames(path, "image", settings, facts)) as found:
        return list(found), facts


def colours(found: list[Frame]) -> list[tuple[int, ...]]:
    return [tuple(frame.image_rgb[4, 4].tolist()) for frame in found]


def test_each_page_is_a_frame_only_where_that_is_wanted(tmp_path: Path) -> None:
    path = saved(tmp_path / "scans.tif", frames(3))
    found, facts = read(path)
    assert [(frame.frame_index, frame.timestamp_s) for frame in found] == [
        (0, None),
        (1, None),
        (2, None),
    ]
    assert colours(found) == [(250, 10, 0), (210, 10, 40), (170, 10, 80)]
    assert (facts.frames, facts.note, facts.damage) == (3, None, None)
    (first,), facts = read(path, Settings())
    assert colours([first]) == [(250, 10, 0)] and facts.note == "the first of 3 pages"


def test_previews_are_no_pages_and_the_picture_comes_first(tmp_path: Path) -> None:
    small, other = Image.new("RGB", (32, 24), (0, 0, 255)), Image.new("RGB", (20, 60), (0, 255, 0))
    path = saved(tmp_path / "scans.tif", [small, *frames(1, (64, 48)), other])
    found, _ = read(path)
    assert [(f.frame_index, f.size_wh) for f in found] == [(0, (64, 48)), (1, (20, 60))]
    assert colours(found) == [(250, 10, 0), (0, 255, 0)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"planarconfig": "separate"},
        {"compression": "zlib", "predictor": True},
        {"bigtiff": True},
        {"tile": (16, 16)},
    ],
    ids=str,
)
def test_pages_of_sixteen_bits(tmp_path: Path, options: dict[str, object]) -> None:
    path = tmp_path / "deep.tif"
    big = bool(options.pop("bigtiff", False))
    with tifffile.TiffWriter(path, bigtiff=big) as file:
        for shade in (60_000, 30_000, 10_000):
            page = np.full((48, 32, 3), shade, np.uint16)
            page[:, :16, 0] = 65535
            if options.get("planarconfig"):
                page = np.ascontiguousarray(np.moveaxis(page, 2, 0))
            file.write(page, photometric="rgb", contiguous=False, **options)
    found, _ = read(path)
    assert len(found) == 3
    for frame, shade in zip(found, (60_000, 30_000, 10_000), strict=True):
        np.testing.assert_allclose(frame.image_rgb[4, 20], [shade / 257] * 3, atol=1)
        assert frame.image_rgb[4, 4, 0] == 255


def test_other_images_have_one_frame_whatever_is_wanted(tmp_path: Path) -> None:
    for suffix in ("gif", "png"):
        path = saved(tmp_path / f"moving.{suffix}", frames(3), duration=100)
        found, facts = read(path)
        assert len(found) == 1 and facts.note == "an animation: the first of 3 frames"
    assert other_pages(saved(tmp_path / "one.tif", frames(1))) == []


def test_a_page_that_is_damaged_costs_none_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "scans.tif"
    pages = [np.full((48, 64, 3), shade, np.uint8) for shade in (10, 120, 240)]
    with tifffile.TiffWriter(path) as file:
        for page in pages:
            file.write(page, photometric="rgb", compression="zlib", contiguous=False)
    with tifffile.TiffFile(path) as file:
        at, size = file.pages[1].dataoffsets[0], file.pages[1].databytecounts[0]
    content = bytearray(path.read_bytes())
    content[at : at + size] = b"\xff" * size
    path.write_bytes(content)
    found, facts = read(path)
    assert [frame.frame_index for frame in found] == [0, 2]
    assert facts.damage is not None and facts.damage.startswith("page 2 can't be read: ")


def test_too_large_a_page_is_said(tmp_path: Path) -> None:
    path = saved(tmp_path / "scans.tif", [*frames(1), Image.new("L", (300, 300))])
    found, facts = read(path, Settings(all_pages=True, pixel_limit=50_000))
    assert len(found) == 1
    assert facts.damage is not None and "page 2" in facts.damage and "pixels" in facts.damage


def test_a_library_keeps_each_page_and_makes_it_again(
    paths: LibraryPaths, shared_models: ModelManager, scene_files: list[Path], tmp_path: Path
) -> None:
    scenes = [Image.open(path).convert("RGB") for path in scene_files[:3]]
    path = saved(tmp_path / "scans.tif", scenes)
    every = replace(SETTINGS, all_pages=True)
    with MediaLibrary(paths, shared_models, every) as library:
        events = add(library, path)
        stored = of_kind(events, FrameStored)
        assert [event.frame_index for event in stored] == [0, 1, 2]
        assert [event.fraction for event in stored] == pytest.approx([1 / 3, 2 / 3, 1])
        (done,) = of_kind(events, FileDone)
        assert (done.frames, done.note) == (3, None)
        frames_of = library.browse.sampled_frames(1)
        for number, frame in enumerate(frames_of):
            shown = np.asarray(Image.open(frame.crop_path).convert("RGB"), np.float32)
            wanted = np.asarray(scenes[number].resize(shown.shape[1::-1]), np.float32)
            assert np.abs(shown - wanted).mean() < 4
        crops = {frame.crop_path: frame.crop_path.read_bytes() for frame in frames_of}
    for crop in crops:
        crop.unlink()
    # the setting was changed meanwhile, and the pages are in the library nevertheless
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        list(library.verify(repair=True))
        assert {crop: crop.read_bytes() for crop in crops} == crops
        assert of_kind(add(library, path), JobDone)[0].frames == 0
        assert len(library.browse.sampled_frames(1)) == 3


def test_a_damaged_list_of_pages_keeps_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(path: Path) -> list[int]:
        raise MediaReadError(path, "damaged")

    monkeypatch.setattr("src.processing.frames.other_pages", damaged)
    found, facts = read(saved(tmp_path / "scans.tif", frames(2)))
    assert len(found) == 1
    assert facts.damage == "its other pages can't be read: damaged"
