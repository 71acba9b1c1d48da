"""Where a dataset goes: a folder that is not there yet, or an empty one, which is kept."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from src.errors import ExportError
from src.export.unfinished import LABELS, MOVING, clear_killed, unfinished_folder


def check_free(folder: Path) -> None:
    """See that a dataset can go here; what a killed export left in the folder is cleared away.

    Raises:
        ExportError: there is something here already.
        OSError: nobody can tell.
    """
    if folder.is_dir():
        clear_killed(folder)
        is_free = not any(folder.iterdir())
    else:
        is_free = not os.path.lexists(folder)  # a link that leads nowhere is something, too
    if not is_free:
        raise ExportError(f"{folder}: there is something here already; choose an empty folder")


@contextmanager
def dataset_at(folder: Path) -> Iterator[Path]:
    """Give a folder to write a dataset in; at the end of the block it is at its place.

    A folder that is not there comes in one step, by a rename. An empty one stays the folder it
    is, since it may be a mount point, a link or where a shell is: what goes into it is moved up
    from a hidden folder inside it once all is written, labels.csv last. So it is whole where
    there is a labels.csv; what goes wrong on the way is moved back, and what a kill in that
    moment leaves is cleared away by the next export to the folder.

    Raises:
        OSError: it can't be written, or something has come to its place meanwhile.
    """
    keep = folder.is_dir()
    if not keep:
        folder.parent.mkdir(parents=True, exist_ok=True)
    with unfinished_folder(folder if keep else folder.parent) as unfinished:
        dataset = unfinished / "dataset"
        dataset.mkdir()
        yield dataset
        if keep:
            _move_up(dataset.rename(unfinished / MOVING), folder)
        else:
            os.replace(dataset, folder)


def _move_up(dataset: Path, folder: Path) -> None:
    """Move what is in a finished dataset into the folder, all of it or nothing."""
    if any(child != dataset.parent for child in folder.iterdir()):
        raise FileExistsError("something has come into the folder meanwhile")
    names = sorted((child.name for child in dataset.iterdir()), key=lambda name: name == LABELS)
    moved: list[str] = []
    try:
        for name in names:
            os.rename(dataset / name, folder / name)
            moved.append(name)
    except BaseException:
        for name in moved:
            with contextlib.suppress(OSError):  # the rest can go back all the same
                os.rename(folder / name, dataset / name)
        raise
