"""Crops and rows are stored together: what stops between them leaves neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.library import MediaLibrary
from src.settings import NO_SAM, Settings


def crops(paths: LibraryPaths) -> list[Path]:
    return [path for path in paths.extracted_segments.rglob("*.jpg") if path.is_file()]


def test_an_interrupt_leaves_no_crop_without_its_row(
    paths: LibraryPaths, scene_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def interrupted(metadata: MetadataDatabase, *frame: object) -> bool:
        seen.extend(crops(paths))
        raise KeyboardInterrupt

    with MediaLibrary(paths, settings=Settings(sam_model=NO_SAM, device="cpu")) as library:
        with monkeypatch.context() as patched:
            patched.setattr(MetadataDatabase, "store_frame", interrupted)
            with pytest.raises(KeyboardInterrupt):
                list(library.add(scene_files[:1]))
        assert len(seen) == 1 and crops(paths) == []
        list(library.add(scene_files[:1]))
        assert crops(paths) == seen
