"""The library's log, which follows no link and starts anew when it has grown."""

from __future__ import annotations

import itertools
import logging.handlers
from io import TextIOWrapper
from pathlib import Path
from typing import cast

from src.library_files import SafeFolder

LARGEST = 500_000  # bytes
KEPT = 2


class LogFile(logging.handlers.RotatingFileHandler):
    """Writes to a file of a library; the two before it are kept."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            OSError: it can't be written, or is none of the library's.
        """
        self._files, self._file = SafeFolder(path.parent), path.name
        super().__init__(path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        return cast(TextIOWrapper, self._files.open_to_append(self._file))

    def doRollover(self) -> None:  # noqa: N802 (logging calls it so)
        """Give each file the name of the one before it, and begin another."""
        if self.stream is not None:
            self.stream.close()
        names = [self._file, *(f"{self._file}.{number}" for number in range(1, KEPT + 1))]
        for name, older in reversed(list(itertools.pairwise(names))):
            if self._files.entry(name) is not None:
                self._files.rename(name, older)
        self.stream = self._open()


def log_to_console() -> None:
    """Log errors to stderr; a warning is for the file alone."""
    console = logging.StreamHandler()
    console.setLevel(logging.ERROR)
    logging.basicConfig(
        level=logging.WARNING, format="%(name)s: %(message)s", handlers=[console], force=True
    )


def log_to_file(path: Path) -> None:
    """Log what goes wrong to a file, since a window has no console.

    A full disk costs what could not be written, and nothing else.
    """
    try:
        handler = LogFile(path)
    except OSError:
        return  # the library will say itself that its folder can't be written to
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    # what it says under a warning was asked for in the settings
    logging.getLogger("src.library").setLevel(logging.INFO)
