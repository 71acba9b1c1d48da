"""A folder to write a dataset in until it is whole; what a killed export left is cleared away."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath

from src.database.lock import LibraryLock
from src.errors import DatabaseError
from src.library_files import MARKER, Entry, SafeFolder

PREFIX, SUFFIX, LOCK = ".export-", ".unfinished", "lock"
# What a dataset that is replaced is called while it waits in here; its name is in REPLACED.
OLD, REPLACED = "old", "replaced"
# What a dataset in it is called from the moment on when its parts are moved up.
MOVING = "moving"
# The names of the dataset's files, written before that, each followed by a zero byte.
FILES = "files"
LARGEST_FILES = 1 << 26  # bytes, of some 800,000 crops
# What only we call a folder: it may have been made when it could not be marked any more.
_OURS = re.compile(re.escape(PREFIX) + "[0-9a-f]{8}" + re.escape(SUFFIX))
_TRIES = 10


@contextmanager
def staging_folder(parent: SafeFolder) -> Iterator[str]:
    """Make a hidden folder inside `parent` and give its name; it goes with the block.

    A lock in it says that its writer lives. It ends with the process, so a folder whose lock can
    be taken is one that a killed export left, and the next one clears it away.

    Raises:
        OSError: the folder can't be made.
    """
    clear_killed(parent)
    name, lock = _made(parent)
    try:
        yield name
    finally:
        try:
            try:
                _empty(parent, name)
            finally:
                if lock is not None:
                    lock.release()  # Windows removes no file that is open
            parent.remove_folder(name)
        except OSError:
            pass  # the next export clears it away


def _made(parent: SafeFolder) -> tuple[str, LibraryLock | None]:
    """Make the folder, lock it, and mark it: with its marker it is taken for dead once unlocked.

    Before that an export beside this one may take it for what a kill left. Then it is made anew.
    """
    for _ in range(_TRIES):
        name = f"{PREFIX}{secrets.token_hex(4)}{SUFFIX}"
        parent.make_folder(name)
        lock = _locked(parent, name)
        if lock is None and parent.entry(name) is not None:
            return name, None  # nothing can be locked here, and nobody clears it away
        if lock is not None and parent.entry(f"{name}/{LOCK}") is not None:
            parent.mark(name)
            return name, lock
        if lock is not None:
            lock.release()
    raise OSError(errno.EBUSY, "a folder to write in was taken away each time it was made")


def clear_killed(parent: SafeFolder) -> None:
    """Clear away what killed exports left inside a folder.

    Raises:
        OSError: it can't be looked at.
    """
    for entry in parent.entries():
        name = PurePosixPath(entry.name)
        if not (entry.is_folder and name.match(f"{PREFIX}*{SUFFIX}")):
            continue
        if not parent.is_marked(entry.name):
            _clear_unmarked(parent, entry.name)
            continue
        lock = _locked(parent, entry.name)
        if lock is not None:
            try:
                _put_back(parent, entry.name)
                for moved in _moved_up(entry.name, parent):
                    _remove(parent, moved)
                _empty(parent, entry.name)
            finally:
                lock.release()
            parent.remove_folder(entry.name)


def is_staging(parent: SafeFolder, name: str) -> bool:
    """Return whether it is a folder that an export is writing in."""
    return bool(_OURS.fullmatch(name)) and parent.is_marked(name)


def _clear_unmarked(parent: SafeFolder, name: str) -> None:
    """Clear away what a kill left between making a folder and marking it: nothing but a lock.

    Whatever else has no marker is none of ours.
    """
    inside = {entry.name for entry in parent.entries(name)}
    if not _OURS.fullmatch(name) or inside - {f"{name}/{LOCK}"}:
        return
    lock = _locked(parent, name)
    if lock is None:
        return
    try:
        with suppress(OSError):  # Windows removes no file that is open: then it stays
            parent.remove(f"{name}/{LOCK}")
            parent.remove_if_empty(name)
    finally:
        lock.release()


def replace_dataset(parent: SafeFolder, staging: str, dataset: str, name: str) -> None:
    """Put a dataset in the place of another, which is moved into the staging folder first.

    What a kill between the two leaves is put back by the next export into `parent`.

    Raises:
        OSError: it can't be done; the old one is at its place.
    """
    parent.create(f"{staging}/{REPLACED}", os.fsencode(name))
    parent.rename(name, f"{staging}/{OLD}")
    try:
        parent.rename(dataset, name)
    except BaseException:
        parent.rename(f"{staging}/{OLD}", name)
        raise


def _put_back(parent: SafeFolder, staging: str) -> None:
    """Put back a dataset whose successor never came to its place."""
    if parent.entry(f"{staging}/{OLD}") is None:
        return
    name = os.fsdecode(parent.read(f"{staging}/{REPLACED}", 1 << 12))
    if parent.entry(name) is None:
        parent.rename(f"{staging}/{OLD}", name)


def _empty(parent: SafeFolder, name: str) -> None:
    """Remove what is in a folder but its lock and its marker.

    These go last: what a kill leaves of it is still known for ours.
    """
    for entry in parent.entries(name):
        if PurePosixPath(entry.name).name not in (LOCK, MARKER):
            _remove(parent, entry)


def _remove(parent: SafeFolder, entry: Entry) -> None:
    if entry.is_folder:
        parent.remove_folder(entry.name)
    else:
        parent.remove(entry.name)


def note_files(parent: SafeFolder, staging: str, dataset: str) -> None:
    """Write down which files a dataset has, before its parts are moved up.

    Raises:
        OSError: it can't be written.
    """
    names = (entry.name.removeprefix(f"{dataset}/") for entry in parent.walk(dataset))
    parent.create(f"{staging}/{FILES}", b"".join(os.fsencode(name) + b"\0" for name in names))


def _moved_up(name: str, parent: SafeFolder) -> list[Entry]:
    """List the parts of a dataset that an export had moved up when it was killed.

    It had begun in an empty folder. Where anything lies there that is no file of the dataset,
    somebody has been at work since, and nothing is taken for what it left. Where nothing was left
    to move, the dataset is whole, and stays.
    """
    try:
        moved = [
            entry
            for entry in parent.entries()
            if not PurePosixPath(entry.name).match(f"{PREFIX}*{SUFFIX}")
        ]
        if not parent.entries(f"{name}/{MOVING}"):
            return []
        files = [file for entry in moved for file in _files_of(entry, parent)]
        if not all(file.is_file for file in files):
            return []
        unknown = {os.fsencode(file.name) for file in files}
        listed = parent.read(f"{name}/{FILES}", LARGEST_FILES)
        for found in re.finditer(rb"[^\0]+", listed):  # one at a time: it may be a stranger's
            unknown.discard(found[0])
    except OSError:  # there is none, or it can't be read
        return []
    return [] if unknown else moved


def _files_of(entry: Entry, parent: SafeFolder) -> Iterator[Entry]:
    if entry.is_folder:
        yield from parent.walk(entry.name)
    else:
        yield entry


def _locked(parent: SafeFolder, name: str) -> LibraryLock | None:
    """Take a folder's lock; None when a living process has it, or nothing can be locked here."""
    try:
        return LibraryLock(parent.root / name / LOCK)
    except DatabaseError:
        return None
