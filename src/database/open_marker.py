"""The file beside a library's database that says that a writer has it open, or was killed."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from src.library_files import SafeFolder

log = logging.getLogger(__name__)


def marker_of_open(path: Path) -> Path:
    """Return the file that is there while a writer has a library's SQLite file open."""
    return path.with_name(f"{path.name}.open")


class OpenMarker:
    """It is there while a writer is open, and stays, not empty, once damage was found.

    So a process that finds it knows that the last one was killed, and what is to be examined.
    """

    def __init__(self, path: Path) -> None:
        """Write nothing yet.

        Args:
            path: of the library's SQLite file.
        """
        self._name = marker_of_open(path).name
        self._files = SafeFolder(path.parent)

    @property
    def is_there(self) -> bool:
        return self._files.entry(self._name) is not None

    @property
    def says_damaged(self) -> bool:
        marker = self._files.entry(self._name)
        return marker is not None and marker.status.st_size > 0

    def put(self) -> None:
        """Have it there, whatever it says."""
        with contextlib.suppress(FileExistsError):
            self._files.create(self._name)

    def say(self, is_damaged: bool) -> None:
        """Have it say that the file is damaged, or that it is sound.

        Raises:
            OSError: it can't be written.
        """
        with self._files.open_to_change(self._name) as stream:
            stream.truncate()
            stream.write(b"damaged" if is_damaged else b"")

    def take_away(self) -> None:
        """Remove it when the writer leaves, unless it speaks of damage."""
        try:
            if self.is_there and not self.says_damaged:
                self._files.remove(self._name)
        except OSError as exc:  # read-only by now: the next start examines it
            log.warning("%s: can't be removed (%s)", self._name, exc)
