"""How much room a library takes."""

from __future__ import annotations

import contextlib

from src.config import LibraryPaths
from src.ownership import MARKED_FOLDERS


def size_on_disk(paths: LibraryPaths) -> int:
    """Add up the files of a library, in bytes, its backups too; without its datasets."""
    folder = paths.metadata_db.parent
    total = sum(path.stat().st_size for path in folder.glob(paths.metadata_db.name + "*"))
    for name in MARKED_FOLDERS:
        with contextlib.suppress(OSError):  # it can't be looked into
            total += sum(entry.status.st_size for entry in paths.files.walk(name))
    return total
