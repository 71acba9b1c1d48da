"""Copies of single crops, in a folder that a person chooses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from src.database.metadata_db import MetadataDatabase
from src.errors import ExportError

# Crops have 1,024 pixels on their longer side at most.
LARGEST_CROP = 1 << 26


def save_crops(metadata: MetadataDatabase, segment_ids: Sequence[str], folder: Path) -> list[Path]:
    """Copy the crops of segments; nothing that is there is written over.

    Returns:
        The files that were written, named after the media file and numbered.

    Raises:
        ExportError: there is none of these segments, a crop can't be read, or a copy written.
    """
    found = metadata.segments(segment_ids)
    if not found:
        raise ExportError("none of these segments is in the library any more; search again")
    paths, saved = metadata.paths, []
    for segment in (found[each] for each in segment_ids if each in found):
        try:
            content = paths.files.read(paths.name(segment.crop_path), LARGEST_CROP)
            saved.append(_write_new(folder, segment.media_path.stem, content))
        except OSError as exc:
            reason = exc.strerror or exc
            raise ExportError(
                f"{exc.filename or folder}: a crop can't be saved ({reason})"
            ) from exc
    return saved


def _write_new(folder: Path, stem: str, content: bytes) -> Path:
    number = 1
    while True:
        path = folder / f"{stem} {number}.jpg"
        try:
            stream = open(path, "xb")  # noqa: SIM115
        except FileExistsError:
            number += 1
            continue
        try:
            with stream:
                stream.write(content)
        except OSError:
            path.unlink()  # half a crop is none
            raise
        return path
