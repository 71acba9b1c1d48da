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


def datasets_elsewhere() -> Path:
    """Return where datasets go that can't be in their library: a folder of the user's own."""
    return Path.home() / "datasets"


def folder_problem(datasets: Path, text: str) -> str:
    """Say why no dataset can go where a person typed; empty where one can."""
    if not text.strip():
        return "Choose a folder for the dataset."
    try:
        folder = dataset_folder(datasets, text)
    except RuntimeError:  # ~name
        return "There is no user with this home folder.\nChoose another folder."
    try:
        if folder.exists() and not folder.is_dir():
            return "This is a file.\nChoose another name for the folder."
        if folder.exists() and any(folder.iterdir()):
            return "This folder is not empty.\nChoose another one. Nothing is overwritten."
    except OSError as exc:
        return f"This folder can't be read ({exc.strerror})."
    return ""


def free_folder(parent: Path) -> Path:
    """Return a folder name for today that is not taken yet."""
    base = f"library-{date.today().isoformat()}"
    name, number = base, 2
    while os.path.lexists(parent / name):  # Path.exists raises where access is denied
        name, number = f"{base}-{number}", number + 1
    return parent / name
