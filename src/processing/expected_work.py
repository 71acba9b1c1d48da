"""How much work a media file will be, judged by its name and size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from src.events import FileWork, WorkKind
from src.processing.media_finder import guessed_kind

# What a photo costs whatever its size is worth that of so many bytes; no image is taken for more
# than a few photos, since little of its cost grows with it.
_BYTES_OF_A_PHOTO = 2_000_000
_LARGEST_IMAGE_BYTES = 8_000_000
# A film from the web has a third of that, one from a camera three times as many.
_BYTES_OF_A_SECOND = 500_000


def expected_work(path: Path, is_known: bool, frames_per_second: float) -> FileWork:
    """Estimate a file's work.

    Args:
        is_known: it probably has not changed since the library took it in.
        frames_per_second: how often a video is sampled.
    """
    if is_known:
        return FileWork("known")
    try:
        size = path.stat().st_size
    except (OSError, ValueError):
        return FileWork("known")  # it fails at once
    if guessed_kind(path) == "video":
        return FileWork("video", max(1.0, size / _BYTES_OF_A_SECOND * frames_per_second))
    return FileWork("image", 1 + min(size, _LARGEST_IMAGE_BYTES) / _BYTES_OF_A_PHOTO)


def in_all(works: Iterable[FileWork]) -> dict[WorkKind, float]:
    """Add up the amounts of each kind."""
    total: dict[WorkKind, float] = defaultdict(float)
    for work in works:
        total[work.kind] += work.amount
    return dict(total)
