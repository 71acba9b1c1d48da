"""Regular files, and nothing that only looks like one: no pipe, no device, no link."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import IO

NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
DIRECTORY: int = getattr(os, "O_DIRECTORY", 0)
NONBLOCK: int = getattr(os, "O_NONBLOCK", 0)  # a pipe would wait for its other end
BINARY: int = getattr(os, "O_BINARY", 0)


def read_small(path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes, wherever it lies; links to it are followed.

    Raises:
        FileNotFoundError: there is none.
        OSError: it is a pipe, a device or a folder, too large, or can't be read.
    """
    with open_regular(path) as stream:
        return read_up_to(stream, limit, path)


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading, wherever it lies; links to it are followed.

    Raises:
        OSError: it is a pipe, a device or a folder, or can't be read.
    """
    handle = os.open(path, os.O_RDONLY | NONBLOCK | BINARY)
    return os.fdopen(checked_regular(handle, path), "rb")


def checked_regular(handle: int, path: Path) -> int:
    """Return a handle if it is of a regular file, and close it otherwise."""
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise unusable(errno.EINVAL, "it is no regular file", path)
    return handle


def read_up_to(stream: IO[bytes], limit: int, path: Path) -> bytes:
    """Read a stream of at most `limit` bytes to its end.

    Raises:
        OSError: there is more in it.
    """
    content = stream.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit:,} bytes", str(path))
    return content


def open_new_file(name: str, folder: int | None) -> IO[bytes]:
    """Open a file for writing that is not there yet.

    Args:
        name: relative to `folder`, a handle; a path where that is None.

    Raises:
        FileExistsError: something is there, be it a link that leads nowhere.
    """
    new = NO_FOLLOW | BINARY
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | new, 0o666, dir_fd=folder)
    return os.fdopen(handle, "wb")


def unusable(number: int, what: str, path: Path) -> OSError:
    """Make the error for something that is not what it has to be."""
    return OSError(number, what, str(path))
