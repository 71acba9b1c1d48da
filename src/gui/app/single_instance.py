"""A second start on the same library: its paths go to the first window, which comes forward."""

from __future__ import annotations

import json
import os
import re
import time
import tkinter
from collections.abc import Callable, Sequence
from pathlib import Path

from src.library_files import SafeFolder
from src.ownership import LOCK

_REQUEST = "window.request"
_OF_A_START = re.compile(re.escape(_REQUEST) + r"\.\d+")
_LARGEST = 1 << 20  # bytes: some thousands of paths
TAKEN_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.05
_LOOK_EVERY_MS = 300


def hand_over(library: Path, paths: Sequence[Path], is_open: Callable[[], bool]) -> bool:
    """Ask the window that has a library open to come forward and add paths.

    A file in the library carries the request, so it needs no port and works everywhere.

    Args:
        is_open: whether a process has the library open still.

    Returns:
        Whether a window took it. The request is withdrawn otherwise, and at once when the library
        is open no more: the window that had it was closing.
    """
    files, request = SafeFolder(library), f"{_REQUEST}.{os.getpid()}"
    files.write(
        request, json.dumps([os.path.abspath(path) for path in paths]).encode(), lasting=False
    )
    until = time.monotonic() + TAKEN_WITHIN_S
    while time.monotonic() < until:
        if files.entry(request) is None:
            return True
        if not is_open():
            break
        time.sleep(_LOOK_EVERY_S)
    return not files.remove(request)  # gone: accepted in the last moment


class Requests:
    """Looks, in a window's thread, for what later starts ask of it."""

    def __init__(
        self,
        root: tkinter.Misc,
        library: Path,
        on_request: Callable[[list[Path]], None],
        can_take: Callable[[], bool] = lambda: True,
    ) -> None:
        """Start to look for requests.

        Args:
            can_take: a window without its library leaves requests to the one that has it.
        """
        self._root, self._library, self._on_request = root, library, on_request
        self._can_take = can_take
        self._turn = ""
        self._look()

    def close(self) -> None:
        """Accept no more requests: those that a closing window accepts are lost."""
        self._root.after_cancel(self._turn)

    def _look(self) -> None:
        self._turn = self._root.after(_LOOK_EVERY_MS, self._look)
        paths = take_requests(self._library) if self._can_take() else None
        if paths is not None:
            self._on_request(paths)


def take_requests(library: Path) -> list[Path] | None:
    """Collect what later starts have asked for: paths, an empty list, or None for no request.

    A request that is older than the lock of the library's window came along with the library, from
    the sender's, and is left alone.
    """
    files = SafeFolder(library)
    paths: list[Path] | None = None
    try:
        entries = files.entries()
        lock = files.entry(LOCK)
    except OSError:
        return None  # the drive is gone, and no request can be there
    opened_at = 0 if lock is None else lock.status.st_mtime_ns
    for entry in entries:
        # unlike the time of its content, a packer can't set when it came to this machine
        if not _OF_A_START.fullmatch(entry.name) or entry.status.st_ctime_ns < opened_at:
            continue
        try:
            names = json.loads(files.read(entry.name, _LARGEST))
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                continue  # none of ours
            files.remove(entry.name)
        except (OSError, ValueError, RecursionError):
            continue  # withdrawn meanwhile, or none of ours
        paths = (paths or []) + [Path(name) for name in names]
    return paths
