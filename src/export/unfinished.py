"""A folder to write a dataset in until it is whole; what a killed export left is cleared away."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from src.database.lock import LibraryLock
from src.errors import DatabaseError

PREFIX, SUFFIX, LOCK = ".export-", ".unfinished", "lock"
LABELS = "labels.csv"
# What a dataset in it is called from the moment on when its parts are moved up.
MOVING = "moving"


@contextmanager
def unfinished_folder(parent: Path) -> Iterator[Path]:
    """Give a new hidden folder inside `parent`; it goes with the block.

    A lock in it says that its writer lives. It ends with the process, so a folder whose lock can
    be taken is one that a killed export left, and the next one clears it away.

    Raises:
        OSError: the folder can't be made.
    """
    clear_killed(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, suffix=SUFFIX, dir=parent))
    lock = _locked(folder)
    if lock is None:
        (folder / LOCK).unlink(missing_ok=True)  # without it nobody takes the folder for dead
    try:
        yield folder
    finally:
        if lock is not None:
            lock.release()  # Windows removes no file that is open
        shutil.rmtree(folder, ignore_errors=True)


def clear_killed(parent: Path) -> None:
    """Clear away what killed exports left inside a folder."""
    for folder in parent.glob(f"{PREFIX}*{SUFFIX}"):
        lock_file = folder / LOCK
        # a link is none of ours, and must not lead to what is to be kept
        if folder.is_symlink() or lock_file.is_symlink() or not lock_file.is_file():
            continue
        lock = _locked(folder)
        if lock is not None:
            for moved in _moved_up(folder, parent):
                shutil.rmtree(moved, ignore_errors=True)
            lock.release()
            shutil.rmtree(folder, ignore_errors=True)


def _moved_up(folder: Path, parent: Path) -> list[Path]:
    """List the parts of a dataset that an export had moved up when it was killed.

    It had begun in an empty folder. Where anything lies there that its labels.csv does not
    name, somebody has been at work since, and nothing is taken for what it left.
    """
    labels = folder / MOVING / LABELS
    if labels.parent.is_symlink() or labels.is_symlink() or not labels.is_file():
        return []
    try:
        with labels.open(encoding="utf-8", newline="") as stream:
            written = {row.get("file") or "" for row in csv.DictReader(stream)}
        folders = {file.partition("/")[0] for file in written}
        moved = [child for child in parent.iterdir() if not child.match(f"{PREFIX}*{SUFFIX}")]
        for child in moved:
            if child.name not in folders or child.is_symlink():
                return []
            if any(f"{child.name}/{file.name}" not in written for file in child.iterdir()):
                return []
    except (OSError, ValueError, csv.Error):  # a file in it, or a table that is none of ours
        return []
    return moved


def _locked(folder: Path) -> LibraryLock | None:
    """Take a folder's lock; None when a living process has it, or nothing can be locked here."""
    try:
        return LibraryLock(folder / LOCK)
    except DatabaseError:
        return None
