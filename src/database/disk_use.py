"""How much room a library takes."""

from __future__ import annotations

import os

from src.config import LibraryPaths
from src.database.backup import backup_folder


def size_on_disk(paths: LibraryPaths) -> int:
    """Add up the files of a library, in bytes, its backups too; without its datasets."""
    folder = paths.metadata_db.parent
    total = sum(path.stat().st_size for path in folder.glob(paths.metadata_db.name + "*"))
    for root in (paths.extracted_segments, paths.chroma_db, backup_folder(paths.metadata_db)):
        for parent, _, files in os.walk(root):
            for name in files:
                try:
                    total += os.lstat(os.path.join(parent, name)).st_size
                except FileNotFoundError:
                    pass  # a temporary file that has its name by now
    return total
