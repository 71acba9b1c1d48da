"""The way to a file inside a folder, with no link followed on it."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from src.regular_files import (
    BINARY,
    DIRECTORY,
    NO_FOLLOW,
    NONBLOCK,
    checked_regular,
    unusable,
)

# Windows opens nothing relative to a folder; there each name on the way is looked at first.
_HAS_DIR_FD = os.open in os.supports_dir_fd and os.rename in os.supports_dir_fd


class PathWalk:
    """Walks from a folder to what is inside it, one name at a time; a link on the way ends it.

    Names are relative to the folder and use slashes.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._held: int | None = None

    @contextmanager
    def held(self) -> Iterator[PathWalk]:
        """Walk from the very folder that is there now, wherever its path leads later."""
        if not _HAS_DIR_FD:
            yield self
            return
        walk = PathWalk(self.root)
        walk._held = os.open(self.root, os.O_RDONLY | DIRECTORY)
        try:
            yield walk
        finally:
            os.close(walk._held)

    def open_file(self, name: str, flags: int) -> int:
        with self.parent(name, make=bool(flags & os.O_CREAT)) as (last, folder):
            path = self.root / name
            if not NO_FOLLOW:
                with suppress(FileNotFoundError):
                    if is_link(os.stat(last, dir_fd=folder, follow_symlinks=False)):
                        raise unusable(errno.ELOOP, "it is a link", path)
            try:
                more = NO_FOLLOW | NONBLOCK | BINARY
                handle = os.open(last, flags | more, 0o666, dir_fd=folder)
            except OSError as exc:
                if exc.errno in (errno.ELOOP, errno.EMLINK):
                    raise unusable(errno.ELOOP, "it is a link", path) from exc
                if exc.errno == errno.ENXIO:  # a pipe without a reader
                    raise unusable(errno.EINVAL, "it is no regular file", path) from exc
                raise
            return checked_regular(handle, path)

    @contextmanager
    def parent(self, name: str, make: bool = False) -> Iterator[tuple[str, int | None]]:
        """Yield what os functions need to reach a file: its name, and the folder it is in."""
        parts = _parts(name)
        with self.folder("/".join(parts[:-1]), make) as folder:
            if isinstance(folder, int):
                yield parts[-1], folder
            else:
                yield os.path.join(folder, parts[-1]), None

    @contextmanager
    def folder(self, name: str, make: bool = False) -> Iterator[int | str]:
        """Yield a folder inside the root: a handle of it, or its path on Windows."""
        parts = _parts(name) if name else ()
        if not _HAS_DIR_FD:
            yield self._checked_path(parts, make)
            return
        if self._held is None:
            handle = os.open(self.root, os.O_RDONLY | DIRECTORY)
        else:
            handle = os.dup(self._held)
        try:
            for depth, part in enumerate(parts, start=1):
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, dir_fd=handle)
                try:
                    below = os.open(part, os.O_RDONLY | DIRECTORY | NO_FOLLOW, dir_fd=handle)
                except OSError as exc:
                    if exc.errno in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR):
                        path = self.root.joinpath(*parts[:depth])
                        raise unusable(errno.ENOTDIR, "it is no folder", path) from exc
                    raise
                os.close(handle)
                handle = below
            yield handle
        finally:
            os.close(handle)

    def _checked_path(self, parts: tuple[str, ...], make: bool) -> str:
        path = str(self.root)
        for part in parts:
            path = os.path.join(path, part)
            if make:
                with suppress(FileExistsError):
                    os.mkdir(path)
            status = os.lstat(path)
            if is_link(status) or not stat.S_ISDIR(status.st_mode):
                raise unusable(errno.ENOTDIR, "it is no folder", Path(path))
        return path


def _parts(name: str) -> tuple[str, ...]:
    parts = PurePosixPath(name).parts
    if not parts or any(part in ("..", "/") or "\0" in part for part in parts):
        raise unusable(errno.EINVAL, "it lies outside", Path(name))
    return parts


def status_of(folder: int | str, name: str) -> os.stat_result:
    if isinstance(folder, int):
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    return os.lstat(os.path.join(folder, name))


def is_link(status: os.stat_result) -> bool:
    if sys.platform == "win32":  # a junction is a folder to stat, and leads elsewhere
        return bool(status.st_file_attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT)
    return stat.S_ISLNK(status.st_mode)
