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
from src.network_shares import NetworkShare

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


def refuse_open_elsewhere(path: Path, share: NetworkShare, marker: Path, to_read: bool) -> None:
    """See that no other machine has a library on a network share open for writing.

    SQLite's log can't be shared between machines: its index lies in memory that only processes
    of one machine have in common. Where locks are seen by all of them, the lock itself stops
    a second writer, and this a reader; else the marker of an open library has to do for both.

    Args:
        path: the lock file, which need not be there.
        marker: a file that is there while a writer has the library open; a kill leaves it, too.

    Raises:
        LibraryLockedError: another machine has it open, or was killed there.
    """
    try:
        with SafeFolder(path.parent).open(path.name) as stream:
            pid, host = _pid_and_host(stream)
            if host == socket.gethostname():
                return
            if share.shares_locks:
                is_open = to_read and _is_held(stream)
            else:
                is_open = os.path.lexists(marker) and marker.lstat().st_size == 0
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return  # nobody has ever opened it to write, or it does not say who
    if is_open:
        # it also has the next process examine the file: that machine's own is the better one
        killed = f". If it was killed, open the library there once, or delete {marker}"
        left = "" if share.shares_locks else killed
        raise LibraryLockedError(
            f"{path.parent}: the library lies on a network share ({share.name}), and process {pid} "
            f"on {host}, which is another machine, has it open; what it writes can't be read "
            "safely from here at the same time: close it there first, or open a copy of the "
            f"library's folder{left}"
        )


def holder_of(path: Path) -> int | None:
    """Return which process of this machine last held a lock; None where it does not say so.

    Nothing is locked for it, so it keeps nobody from opening the library.
    """
    try:
        with SafeFolder(path.parent).open(path.name) as stream:
            pid, host = _pid_and_host(stream)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if host != socket.gethostname() or not isinstance(pid, int) or pid <= 0:
        return None
    return pid


def _holder(stream: IO[bytes]) -> str:
    try:
        pid, host = _pid_and_host(stream)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "it does not say which"
    if host != socket.gethostname():
        return f"process {pid} on {host}, which is another machine"
    return f"process {pid} on {host}"


def _pid_and_host(stream: IO[bytes]) -> tuple[object, object]:
    stream.seek(0)
    held = json.loads(stream.read(LONGEST_HOLDER))
    return held["pid"], held["host"]


if sys.platform == "win32":
    import msvcrt

    def _lock(stream: IO[bytes]) -> None:
        # a byte far after the text, since others can't read a locked byte on Windows
        stream.seek(1 << 20)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)

    def _locked_folder(folder: Path) -> int | None:
        return None  # a file that is open can't be deleted there

    def _is_held(stream: IO[bytes]) -> bool:
        try:
            stream.seek(1 << 20)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBRLCK, 1)
            stream.seek(1 << 20)
            msvcrt.locking(stream.fileno(), msvcrt.LK_UNLCK, 1)
        except OSError as exc:
            return exc.errno in HELD_BY_ANOTHER
        return False
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

    def _is_held(stream: IO[bytes]) -> bool:
        """Return whether another process has locked a file, which may be open for reading only."""
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as exc:
            return exc.errno in HELD_BY_ANOTHER
        fcntl.flock(stream, fcntl.LOCK_UN)
        return False


def is_locked(path: Path) -> bool:
    """Return whether a process holds a lock."""
    try:
        LibraryLock(path).release()
    except LibraryLockedError:
        return True
    return False
