"""Where a dataset goes that a person exports: what was typed, and what is proposed."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path


def dataset_folder(datasets: Path, text: str) -> Path:
    """Return which folder is meant: a relative name lies in the library's datasets.

    It may begin with the name of that folder, as those do that are proposed.

    Raises:
        RuntimeError: it begins with ~name, and there is no such person.
    """
    folder = Path(text.strip()).expanduser()
    begins_with_it = folder.parts[:1] == (datasets.name,)
    return (datasets.parent if begins_with_it else datasets) / folder


def free_folder(parent: Path) -> Path:
    """Return a folder name for today that is not taken yet."""
    base = f"library-{date.today().isoformat()}"
    name, number = base, 2
    while os.path.lexists(parent / name):  # Path.exists raises where access is denied
        name, number = f"{base}-{number}", number + 1
    return parent / name
