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

HELD_BY_ANOTHER = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


class LibraryLock:
    """A lock of the operating system on a file: it goes with its process, however that ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            LibraryLockedError: another process has the library open.
            DatabaseError: the lock file can't be made.
        """
        self.path = path
        try:
            stream = path.open("a+", encoding="utf-8")
        except OSError as exc:
            raise self._not_possible(exc) from exc
        try:
            _lock(stream)
        except OSError as exc:
            stream.seek(0)
            holder = _holder(stream.read())
            stream.close()
            if exc.errno not in HELD_BY_ANOTHER:
                raise self._not_possible(exc) from exc
            raise LibraryLockedError(
                f"{path.parent}: the library is open in another process ({holder}); "
                "close that one first"
            ) from exc
        try:
            stream.seek(0)
            stream.truncate()
            os.write(
                stream.fileno(),
                json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(),
            )
        except OSError as exc:
            stream.close()
            raise self._not_possible(exc) from exc
        self._stream = stream

    def _not_possible(self, exc: OSError) -> DatabaseError:
        return DatabaseError(
            f"{self.path}: can't be written ({exc.strerror}); the library can't be opened here: "
            "see that the disk has room, can be written to and can lock files"
        )

    def release(self) -> None:
        """Let go; a second call does nothing."""
        self._stream.close()


def _holder(text: str) -> str:
    try:
        held = json.loads(text)
        pid, host = held["pid"], held["host"]
        if host != socket.gethostname():
            return f"process {pid} on {host}, which is another machine"
        return f"process {pid} on {host}"
    except (ValueError, KeyError, TypeError):
        return "it does not say which"


if sys.platform == "win32":
    import msvcrt

    def _lock(stream: IO[str]) -> None:
        # a byte far behind the text, since a locked byte can't be read by others on Windows
        stream.seek(1 << 20)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(stream: IO[str]) -> None:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_locked(path: Path) -> bool:
    """Say whether a process holds a lock."""
    try:
        LibraryLock(path).release()
    except LibraryLockedError:
        return True
    return False
