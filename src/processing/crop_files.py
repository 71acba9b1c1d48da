"""The files of crops: where they lie, how they are recognised, and their removal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from src.config import LibraryPaths
from src.library_files import TEMPORARY
from src.ownership import SEGMENTS

# The names that this program gives crops, thumbnails, and files of either that are being written.
_CROP = r"[0-9a-f]{2}/[0-9a-f]{16}/\.?[0-9a-f]{24}\.jpg"
_ELSEWHERE = r"elsewhere/\.?[0-9a-f]{40}\.jpg"
_THUMBNAIL = r"thumbnails/[0-9a-f]{2}/\.?[0-9a-f]{24}\.jpg"
_HALF = rf"(\.\w+{re.escape(TEMPORARY)})?"
OURS = re.compile(rf"{SEGMENTS}/({_CROP}|{_ELSEWHERE}|{_THUMBNAIL}){_HALF}")
HALF_WRITTEN = re.compile(rf"{SEGMENTS}/.*/\.[0-9a-f]+\.jpg\.\w+{re.escape(TEMPORARY)}")


def crop_folder(paths: LibraryPaths, digest: str) -> Path:
    """Return where the crops of a content lie."""
    return paths.extracted_segments / digest[:2] / digest[:16]


def remove_crops(paths: LibraryPaths, crop_paths: Iterable[str]) -> None:
    """Remove crop files by the names that rows give them; one that we don't give stays."""
    for crop_path in crop_paths:
        name = paths.name(paths.crop(crop_path))
        if OURS.fullmatch(name):
            paths.files.remove(name)


def remove_half_written(paths: LibraryPaths, digest: str) -> None:
    """Remove crops of a content that a kill has left half written."""
    for entry in paths.files.entries(paths.name(crop_folder(paths, digest))):
        if HALF_WRITTEN.fullmatch(entry.name):
            paths.files.remove(entry.name)
