"""How much disk space a library takes."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from src.config import LibraryPaths
from src.ownership import BACKUPS, INDEXES

# File systems store times no finer than this: what changed so lately may change once more
# without another time.
SETTLED_NS = 2_000_000_000
# Windows keeps no time of folders on a memory stick: now and then all are read.
KNOWN_FOR_S = 600.0


@dataclass(frozen=True)
class _Folder:
    """What a folder held when it was read.

    Attributes:
        bytes: of the files in it, without those in folders below.
    """

    modified_at_ns: int
    bytes: int
    folders: tuple[str, ...]


class DiskUse:
    """The size of a library, without reading each folder of crops every time.

    Crops are written and removed, never changed in place, and each of it changes the time of the
    folder they lie in: only folders with another time are looked into. Calls may come from any
    thread.
    """

    def __init__(self, paths: LibraryPaths) -> None:
        self._paths = paths
        self._lock = threading.Lock()
        self._settled: dict[str, _Folder] = {}
        self._known_until = 0.0

    def bytes(self) -> int:
        """Add up the files of a library, its backups too; without its datasets."""
        paths = self._paths
        total = _database(paths.metadata_db)
        for name in (INDEXES, BACKUPS):  # a few files, which grow
            with contextlib.suppress(OSError):  # it can't be looked into
                total += sum(entry.status.st_size for entry in paths.files.walk(name))
        with self._lock:
            return total + self._crops(paths.extracted_segments)

    def _crops(self, root: Path) -> int:
        total, settled, waiting = 0, dict[str, _Folder](), [str(root)]
        now = time.time_ns()
        if time.monotonic() > self._known_until:
            self._settled = {}
            self._known_until = time.monotonic() + KNOWN_FOR_S
        while waiting:
            path = waiting.pop()
            folder = self._settled.get(path)
            if folder is None or _modified_at_ns(path) != folder.modified_at_ns:
                folder = _folder(path)
            if 0 < folder.modified_at_ns < now - SETTLED_NS:
                settled[path] = folder
            total += folder.bytes
            waiting += folder.folders
        self._settled = settled
        return total


def _database(path: Path) -> int:
    """Add up SQLite's file and what it keeps beside it."""
    total = 0
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        total = _sizes(entry for entry in entries if entry.name.startswith(path.name))
    return total


def _folder(path: str) -> _Folder:
    """List a folder; one that is gone, or can't be read, holds nothing."""
    modified_at_ns = _modified_at_ns(path)  # before its files: a later change is seen next time
    try:
        with os.scandir(path) as entries:
            found = list(entries)
        folders = tuple(entry.path for entry in found if entry.is_dir(follow_symlinks=False))
        files = [entry for entry in found if not entry.is_dir()]
    except OSError:
        return _Folder(0, 0, ())
    return _Folder(modified_at_ns, _sizes(files), folders)


def _sizes(entries: Iterable[os.DirEntry[str]]) -> int:
    total = 0
    for entry in entries:
        with contextlib.suppress(OSError):  # a temporary file that has its name by now
            total += entry.stat(follow_symlinks=False).st_size
    return total


def _modified_at_ns(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
