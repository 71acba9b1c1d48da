"""A library of two drawn scenes, cut once, and given to each test as a copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.settings import Settings
from tests.two_clips import OLD, TwoClips

SETTINGS = Settings(clip_model=OLD, duplicate_distance=-1)


@pytest.fixture(scope="session")
def scenes_library(
    tmp_path_factory: pytest.TempPathFactory,
    clip: ClipEncoder,
    mask_generator: MaskGenerator,
    scene_files: list[Path],
) -> Path:
    folder = tmp_path_factory.mktemp("scenes to edit")
    photos = [Path(shutil.copy(path, folder)) for path in scene_files[:2]]
    root = folder / "library"
    with MediaLibrary(LibraryPaths(root), TwoClips(clip, mask_generator), SETTINGS) as library:
        for _ in library.add(photos):
            pass
    return folder


@pytest.fixture
def library(
    scenes_library: Path, tmp_path: Path, clip: ClipEncoder, mask_generator: MaskGenerator
) -> Iterator[MediaLibrary]:
    folder = tmp_path / "copy"
    shutil.copytree(scenes_library, folder)
    models = TwoClips(clip, mask_generator)
    with MediaLibrary(LibraryPaths(folder / "library"), models, SETTINGS) as opened:
        opened.move_root(scenes_library, folder)
        yield opened
