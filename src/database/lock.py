"""One process at a time opens a library to write; a lock file says which."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
from pathlib import Path
from typing import IO

from src.errors import DatabaseError, LibraryLockedError
from src.library_files import SafeFolder

HELD_BY_ANOTHER = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
LONGEST_HOLDER = 4096  # bytes


class LibraryLock:
    """A lock of the operating system: it goes with its process, however that ends.

    It is on a file, which says who holds it, and where the system can lock folders on the folder
    as well: so the file can be deleted meanwhile, and there is still only one that holds it.
    """

    def __init__(self, path: Path) -> None:
        """Acquire the lock.

        Raises:
            LibraryLockedError: another process has the library open.
            DatabaseError: the lock file can't be made, or is not one of ours.
        """
        self.path = path
        self._folder: int | None = None
        try:
            self._stream = SafeFolder(path.parent).open_to_change(path.name)
        except OSError as exc:
            raise self._not_possible(exc) from exc
        try:
            _lock(self._stream)
            self._folder = _locked_folder(path.parent)
            self._write_holder()
        except OSError as exc:
            holder = _holder(self._stream)
            self.release()
            if exc.errno not in HELD_BY_ANOTHER:
                raise self._not_possible(exc) from exc
            raise LibraryLockedError(
                f"{path.parent}: the library is open in another process ({holder}); "
                "close that one first"
            ) from exc

    def _write_holder(self) -> None:
        held = json.dumps({"pid": os.getpid(), "host": socket.gethostname()})
        self._stream.seek(0)
        self._stream.truncate()
        self._stream.write(held.encode())

    def _not_possible(self, exc: OSError) -> DatabaseError:
        return DatabaseError(
            f"{self.path}: can't be written ({exc.strerror}); the library can't be opened here: "
            "see that the disk has room, can be written to and can lock files"
        )

    def release(self) -> None:
        """Release the lock; a second call does nothing."""
        self._stream.close()
        folder, self._folder = self._folder, None
        if folder is not None:
            os.close(folder)


def _holder(stream: IO[bytes]) -> str:
    try:
        stream.seek(0)
        held = json.loads(stream.read(LONGEST_HOLDER))
        pid, host = held["pid"], held["host"]
        if host != socket.gethostname():
            return f"process {pid} on {host}, which is another machine"
        return f"process {pid} on {host}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "it does not say which"


if sys.platform == "win32":
    import msvcrt

    def _lock(stream: IO[bytes]) -> None:
        # a byte far after the text, since others can't read a locked byte on Windows
        stream.seek(1 << 20)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)

    def _locked_folder(folder: Path) -> int | None:
        return None  # a file that is open can't be deleted there
else:
    import fcntl

    def _lock(stream: IO[bytes]) -> None:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _locked_folder(folder: Path) -> int | None:
        """Lock a folder, and return its handle; None where the file system can't lock folders."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            os.close(handle)
            if exc.errno in HELD_BY_ANOTHER:
                raise
            return None
        return handle


def is_locked(path: Path) -> bool:
    """Return whether a process holds a lock."""
    try:
        LibraryLock(path).release()
    except LibraryLockedError:
        return True
    return False
