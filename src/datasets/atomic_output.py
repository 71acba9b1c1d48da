"""A dataset comes to its place whole or not at all.

Its folder is one that is not there yet, or an empty one, which is kept.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from src.datasets.staging import (
    MOVING,
    clear_killed,
    is_staging,
    note_files,
    replace_dataset,
    staging_folder,
)
from src.errors import ExportError
from src.library_files import SafeFolder
from src.ownership import owner_of


@dataclass(frozen=True)
class DatasetFolder:
    """A dataset's folder, whose files are named relative to it and follow no link.

    Attributes:
        files: the folder that it lies in, or is.
        name: of the dataset's folder in that; empty where it is that folder.
    """

    files: SafeFolder
    name: str = ""

    def create(self, file: str, content: bytes) -> None:
        """Write a file that is not there yet, making its folders.

        Raises:
            OSError: it can't be written.
        """
        self.files.create(self._path(file), content)

    def open_new(self, file: str) -> IO[bytes]:
        """Open a file for writing that is not there yet, making its folders.

        Raises:
            OSError: it can't be made.
        """
        return self.files.open_new(self._path(file))

    def make_folder(self, name: str) -> None:
        """Make a folder, and those above it, where they are not there yet.

        Raises:
            OSError: it can't be made.
        """
        self.files.make_folder(self._path(name))

    def open(self, file: str) -> IO[bytes]:
        """Open a file for reading.

        Raises:
            OSError: it is no regular file, or can't be read.
        """
        return self.files.open(self._path(file))

    def _path(self, file: str) -> str:
        return f"{self.name}/{file}" if self.name else file


def check_place(folder: Path) -> None:
    """See that a dataset may lie here.

    Raises:
        ExportError: it is in a library's own folder.
    """
    owner = owner_of(folder)
    if owner is not None:
        raise ExportError(
            f"{folder}: lies in {owner}, where a library keeps its own files and removes others; "
            "choose another folder"
        )


def check_free(folder: Path) -> None:
    """See that a dataset can go here; what a killed export left in the folder is cleared away.

    Raises:
        ExportError: there is something here already, or it is in a library's own folder.
        OSError: nobody can tell.
    """
    check_place(folder)
    if folder.is_dir():
        files = SafeFolder(folder)
        clear_killed(files)
        left = [entry.name for entry in files.entries()]
        if left and all(is_staging(files, name) for name in left):
            raise ExportError(
                f"{folder}: another export is writing into this folder; wait for it, or choose "
                "another one"
            )
        is_free = not left
    else:
        is_free = not os.path.lexists(folder)  # a link that leads nowhere is something, too
    if not is_free:
        raise ExportError(f"{folder}: this folder is not empty; choose another one")


@contextmanager
def updated_dataset(folder: Path) -> Iterator[DatasetFolder]:
    """Give a folder to write a dataset in; at the end it is in the place of the one there.

    Raises:
        OSError: it can't be written, or the old one can't be moved.
    """
    with SafeFolder(folder.parent).held() as files, staging_folder(files) as staging:
        dataset = DatasetFolder(files, f"{staging}/dataset")
        files.make_folder(dataset.name)
        yield dataset
        replace_dataset(files, staging, dataset.name, folder.name)


@contextmanager
def atomic_dataset(folder: Path) -> Iterator[DatasetFolder]:
    """Give a folder to write a dataset in; at the end of the block it is at its place.

    A folder that is not there comes in one step, by a rename. An empty one stays the folder it
    is, since it may be a mount point, a link or where a shell is: what goes into it is moved up
    from a hidden folder inside it once all is written, folders first. What goes wrong on the way
    is moved back, and what a kill in that moment leaves is cleared away by the next export to
    the folder.

    Raises:
        OSError: it can't be written, or something has come to its place meanwhile.
    """
    keep = folder.is_dir()
    place = folder if keep else folder.parent
    if not keep:
        os.makedirs(place, exist_ok=True)
    with SafeFolder(place).held() as files, staging_folder(files) as staging:
        dataset = DatasetFolder(files, f"{staging}/dataset")
        files.make_folder(dataset.name)
        yield dataset
        if keep:
            note_files(files, staging, dataset.name)
            moving = f"{staging}/{MOVING}"
            files.rename(dataset.name, moving)
            _move_up(files, staging, moving)
        else:
            files.rename(dataset.name, folder.name)


def _move_up(files: SafeFolder, staging: str, moving: str) -> None:
    """Move what is in a finished dataset into the folder, all of it or nothing."""
    if any(entry.name != staging for entry in files.entries()):
        raise FileExistsError("something has come into the folder meanwhile")
    parts = sorted(files.entries(moving), key=lambda entry: entry.is_file)
    names = [Path(entry.name).name for entry in parts]
    moved: list[str] = []
    try:
        for name in names:
            files.rename(f"{moving}/{name}", name)
            moved.append(name)
    except BaseException:
        for name in moved:
            with contextlib.suppress(OSError):  # the rest can go back all the same
                files.rename(name, f"{moving}/{name}")
        raise
