"""Paths that a person gave -> the media files that a job is to read, each with its row."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from src.database.metadata_db import MetadataDatabase
from src.database.stopped import left_media, take_up
from src.events import FileFailed
from src.processing.media_finder import Tally, find_media, guessed_kind

OWN = "the library keeps its own files in this folder; choose another one"


@dataclass(frozen=True)
class FoundMedia:
    """What was found at the paths that a person gave.

    Attributes:
        files: media files to be registered.
        removed: files that a person has removed before, and that are not wanted again.
        wanted: files that come in even if a person has removed them before.
        failed: names that lead to nothing, and folders that can't be read or are the library's.
        tally: counts what was passed over.
    """

    files: tuple[Path, ...]
    removed: tuple[Path, ...]
    wanted: frozenset[Path]
    failed: tuple[FileFailed, ...]
    tally: Tally


def find(
    metadata: MetadataDatabase, paths: Iterable[Path], again: bool, passed_over: Iterable[str]
) -> FoundMedia:
    """Look for media files in what a person has named.

    Args:
        again: bring back what a person has removed of folders; a file that is named itself
            always is.
        passed_over: names of folders that are not read, see Settings.passed_over_folders.
    """
    unread: list[OSError] = []
    tally = Tally(passed_over)
    named = dict.fromkeys(Path(os.path.abspath(path)) for path in paths)
    own = own_folders(metadata)
    refused = [path for path in named if _is_own(path, own)]
    found = find_media([path for path in named if path not in refused], own, unread.append, tally)
    wanted = set(found) if again else set(found) & named.keys()
    absent = [path for path in found if _is_absent(metadata, path)]
    removed = _removed(metadata, found, wanted)
    left_out = {*absent, *removed}
    failed = [_unread_folder(error) for error in unread]
    failed += [FileFailed(path, "there is no such file or folder") for path in absent]
    failed += [FileFailed(path, OWN) for path in refused]
    files = tuple(path for path in found if path not in left_out)
    return FoundMedia(files, tuple(removed), frozenset(wanted), tuple(failed), tally)


def register(metadata: MetadataDatabase, found: Sequence[Path]) -> list[Path]:
    """Register every file before the first is read, so that a killed job can continue.

    Those that a person stopped wait no more.

    Returns:
        The files, and before them what an earlier job has left.
    """
    added_at = time.time()  # one for all: what is added together keeps its order
    with metadata.connection.write():
        names = [path for path in found if is_unicode(path)]
        known = metadata.states_of(names)
        for path in names:
            if path not in known:
                metadata.add_media(path, guessed_kind(path), 0, 0, added_at)
        take_up(metadata, [state.id for state in known.values()])
    left = (media.path for media in left_media(metadata))
    return list(dict.fromkeys([*left, *found]))


def keep_for_later(metadata: MetadataDatabase, paths: Iterable[Path]) -> None:
    """Register the files of paths, and leave them to a later job."""
    found = find_media(paths, own_folders(metadata))
    register(metadata, [path for path in found if os.path.lexists(path)])


def own_folders(metadata: MetadataDatabase) -> tuple[Path, Path, Path]:
    """List the folders in which a library keeps its files: crops, index, datasets."""
    paths = metadata.paths
    return paths.extracted_segments, paths.chroma_db, paths.datasets


def is_unicode(path: Path) -> bool:
    """Return whether a path can be stored: Linux takes any bytes as a name."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_own(path: Path, own_folders: tuple[Path, Path, Path]) -> bool:
    """Return whether a folder that was named is one in which the library keeps its files."""
    *own, datasets = own_folders
    return os.path.isdir(path) and (
        path == datasets or any(path.is_relative_to(folder) for folder in own)
    )


def _is_absent(metadata: MetadataDatabase, path: Path) -> bool:
    """Return whether a name was wrong from the start: nothing is recorded of it."""
    if os.path.lexists(path):
        return False
    return not is_unicode(path) or metadata.media_by_path(path) is None


def _removed(metadata: MetadataDatabase, found: Sequence[Path], wanted: set[Path]) -> list[Path]:
    """List what a person has removed before, without what is wanted again."""
    removed = metadata.removed.paths()
    with metadata.connection.write():
        for path in wanted & removed:
            metadata.removed.forget(path)
    left = removed - wanted
    return [p for p in found if p in left and metadata.media_by_path(p) is None]


def _unread_folder(error: OSError) -> FileFailed:
    return FileFailed(Path(error.filename), f"this folder can't be read ({error.strerror})")
