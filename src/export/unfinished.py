"""A folder to write a dataset in until it is whole; what a killed export left is cleared away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from src.database.lock import LibraryLock
from src.errors import DatabaseError

PREFIX, SUFFIX, LOCK = ".export-", ".unfinished", "lock"


@contextmanager
def unfinished_folder(parent: Path) -> Iterator[Path]:
    """Give a new hidden folder inside `parent`; it goes with the block.

    A lock in it says that its writer lives. It ends with the process, so a folder whose lock can
    be taken is one that a killed export left, and the next one clears it away.

    Raises:
        OSError: the folder can't be made.
    """
    _clear_dead(parent)
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


def _clear_dead(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*{SUFFIX}"):
        lock_file = folder / LOCK
        # a link is none of ours, and must not lead to what is to be kept
        if folder.is_symlink() or lock_file.is_symlink() or not lock_file.is_file():
            continue
        lock = _locked(folder)
        if lock is not None:
            lock.release()
            shutil.rmtree(folder, ignore_errors=True)


def _locked(folder: Path) -> LibraryLock | None:
    """Take a folder's lock; None when a living process has it, or nothing can be locked here."""
    try:
        return LibraryLock(folder / LOCK)
    except DatabaseError:
        return None
