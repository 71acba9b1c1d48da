"""The one place that writes, renames and deletes files in a library, and follows no link there.

A library may come from a stranger: a link, a pipe or a device under one of our names must lead
nowhere. And the folder a library is kept in may hold somebody's own files: only what this program
made is ever removed. So every path is walked from the library's folder, one name at a time, with
links refused on the way, and each of our folders holds a marker that says whose it is.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from src.path_walk import PathWalk, is_link, status_of
from src.regular_files import (
    open_new_file,
    read_up_to,
    unusable,
)

# In every folder that this program fills and empties by itself.
MARKER = "made-by-media-library.txt"
_MARKER_TEXT = (
    b"Media Segment Library made this folder, and removes what it no longer needs in it.\n"
    b"Keep your own files elsewhere.\n"
)
# A folder with nothing else in it is taken for empty: a checkout needs it there.
KEEP = ".gitkeep"
TEMPORARY = ".tmp"
# Nothing of a library lies in so many folders one inside the other, and Python's own limits are not
# far behind.
DEEPEST = 30


@dataclass(frozen=True)
class Entry:
    """Something in a folder, by what it is itself: a link is a link, wherever it leads.

    Attributes:
        name: relative to the root of the `SafeFolder`, with slashes.
    """

    name: str
    status: os.stat_result

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.status.st_mode) and not is_link(self.status)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode) and not is_link(self.status)

    @property
    def is_link(self) -> bool:
        return is_link(self.status)


class SafeFolder:
    """A folder whose files are made, replaced and removed with no link followed inside it.

    Names are relative to it and use slashes. Where something on the way is a link, or the thing
    itself is one, an OSError says so; what the link leads to is not touched. The folder itself
    may be reached through links: that is the choice of the person who names it.
    """

    def __init__(self, root: Path, walk: PathWalk | None = None) -> None:
        """Work in a folder; nothing is opened yet.

        Args:
            walk: to it, where it is held; see `held`.
        """
        self.root = root
        self._walk = walk or PathWalk(root)

    @contextmanager
    def held(self) -> Iterator[SafeFolder]:
        """Work in the very folder that is there now, wherever its path leads later."""
        with self._walk.held() as walk:
            yield SafeFolder(self.root, walk)

    # -- looking

    def entry(self, name: str) -> Entry | None:
        """Look at one thing; None where there is nothing.

        Raises:
            OSError: it can't be looked at, or lies behind a link.
        """
        try:
            with self._walk.parent(name) as (last, folder):
                return Entry(name, os.stat(last, dir_fd=folder, follow_symlinks=False))
        except FileNotFoundError:
            return None

    def entries(self, name: str = "") -> list[Entry]:
        """List what is in a folder, by name; nothing where there is no such folder.

        Raises:
            OSError: it is no folder, or lies behind a link.
        """
        try:
            with self._walk.folder(name) as folder:
                names = sorted(os.listdir(folder))
                found = []
                for child in names:
                    with suppress(FileNotFoundError):  # gone meanwhile
                        status = status_of(folder, child)
                        found.append(Entry(f"{name}/{child}" if name else child, status))
                return found
        except FileNotFoundError:
            return []

    def walk(self, name: str) -> Iterator[Entry]:
        """List everything below a folder but the folders themselves; links are not entered.

        A folder that can't be looked into, or lies too deep for any of ours, is listed itself.

        Raises:
            OSError: the folder itself is none, lies behind a link, or can't be looked into.
        """
        for entry in self.entries(name):
            if entry.is_folder and entry.name.count("/") < DEEPEST:
                try:
                    yield from self.walk(entry.name)
                except OSError:
                    yield entry
            else:
                yield entry

    def read(self, name: str, limit: int) -> bytes:
        """Read a regular file of at most `limit` bytes.

        Raises:
            FileNotFoundError: there is none.
            OSError: it is a link, no regular file, too large, or can't be read.
        """
        with self.open(name) as stream:
            return read_up_to(stream, limit, self.root / name)

    def open(self, name: str) -> IO[bytes]:
        """Open a regular file for reading.

        Raises:
            OSError: it is a link, no regular file, or can't be read.
        """
        return os.fdopen(self._walk.open_file(name, os.O_RDONLY), "rb")

    # -- writing

    def write(self, name: str, content: bytes, lasting: bool = True) -> None:
        """Write a file, making its folders: whole or not at all, by a temporary one and a rename.

        Args:
            lasting: wait until its content is on the disk, so that it outlives a loss of power.

        Raises:
            OSError: it can't be written; what was there before stays.
        """
        with self._walk.parent(name, make=True) as (last, folder):
            base = os.path.basename(last)
            temporary = last[: len(last) - len(base)] + f".{base}.{secrets.token_hex(4)}{TEMPORARY}"
            try:
                with open_new_file(temporary, folder) as stream:
                    stream.write(content)
                    if lasting:
                        stream.flush()
                        os.fsync(stream.fileno())
                os.replace(temporary, last, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=folder)
                raise

    def create(self, name: str, content: bytes = b"") -> None:
        """Write a file that is not there yet, making its folders.

        Raises:
            FileExistsError: something is there.
            OSError: it can't be written.
        """
        with self.open_new(name) as stream:
            stream.write(content)

    def open_new(self, name: str) -> IO[bytes]:
        """Open a file for writing that is not there yet, making its folders.

        Raises:
            FileExistsError: something is there.
            OSError: it can't be made.
        """
        with self._walk.parent(name, make=True) as (last, folder):
            return open_new_file(last, folder)

    def open_to_change(self, name: str) -> IO[bytes]:
        """Open a file for reading and for writing in place, making it where it is not there.

        Raises:
            OSError: it is a link, no regular file, has another name elsewhere, or can't be opened.
        """
        handle = self._walk.open_file(name, os.O_RDWR | os.O_CREAT)
        if os.fstat(handle).st_nlink > 1:
            os.close(handle)
            raise unusable(errno.EMLINK, "the same file has a name elsewhere", self.root / name)
        return os.fdopen(handle, "r+b", buffering=0)

    def open_to_append(self, name: str) -> IO[str]:
        """Open a text file for adding to its end, making it where it is not there.

        Raises:
            OSError: it is a link, no regular file, has another name elsewhere, or can't be opened.
        """
        stream = self.open_to_change(name)
        stream.close()
        handle = self._walk.open_file(name, os.O_WRONLY | os.O_APPEND)
        return os.fdopen(handle, "a", encoding="utf-8")

    def make_folder(self, name: str) -> None:
        """Make a folder, and those above it, where they are not there yet.

        Raises:
            OSError: something else is there, or it can't be made.
        """
        with self._walk.folder(name, make=True):
            pass

    def make_marked_folder(self, name: str) -> None:
        """Make a folder of ours with the marker in it; one that is there and empty is taken.

        Raises:
            FileExistsError: it holds something already, and no marker.
            OSError: it can't be made.
        """
        self.make_folder(name)
        if not self.is_marked(name):
            foreign = [entry.name for entry in self.entries(name) if not entry.name.endswith(KEEP)]
            if foreign:
                raise unusable(errno.EEXIST, "it holds somebody else's files", self.root / name)
            self.mark(name)

    def mark(self, name: str) -> None:
        """Mark a folder as ours."""
        with suppress(FileExistsError):
            self.create(f"{name}/{MARKER}" if name else MARKER, _MARKER_TEXT)

    def is_marked(self, name: str) -> bool:
        """Return whether a folder, and no link to one, is there and holds the marker."""
        try:
            marker = self.entry(f"{name}/{MARKER}" if name else MARKER)
        except NotADirectoryError:
            return False
        return marker is not None and marker.is_file

    # -- moving and removing

    def rename(self, name: str, new: str) -> None:
        """Rename a file or folder; what is a link is moved as a link.

        Raises:
            OSError: it can't be done.
        """
        with (
            self._walk.parent(name) as (old_last, old_folder),
            self._walk.parent(new) as (new_last, new_folder),
        ):
            os.replace(old_last, new_last, src_dir_fd=old_folder, dst_dir_fd=new_folder)

    def link(self, name: str, new: str) -> None:
        """Give a file a second name.

        Raises:
            OSError: the file system has no such thing, or it can't be done.
        """
        with (
            self._walk.parent(name) as (old_last, old_folder),
            self._walk.parent(new) as (new_last, new_folder),
        ):
            os.link(
                old_last,
                new_last,
                src_dir_fd=old_folder,
                dst_dir_fd=new_folder,
                follow_symlinks=False,
            )

    def remove(self, name: str) -> bool:
        """Remove a file, or a link as such; returns whether there was one.

        Raises:
            OSError: it is a folder, lies behind a link, or can't be removed.
        """
        with suppress(FileNotFoundError), self._walk.parent(name) as (last, folder):
            os.unlink(last, dir_fd=folder)
            return True
        return False

    def remove_folder(self, name: str) -> None:
        """Remove a folder with all that is in it; links in it go, what they lead to stays.

        Raises:
            OSError: it is no folder, lies behind a link, or can't be removed whole.
        """
        with suppress(FileNotFoundError), self._walk.parent(name) as (last, folder):
            if is_link(os.stat(last, dir_fd=folder, follow_symlinks=False)):
                raise unusable(errno.ELOOP, "it is a link", self.root / name)
            if any(entry.is_folder for entry in self.walk(name)):
                raise unusable(errno.EINVAL, "it holds folders too deep", self.root / name)
            shutil.rmtree(last, dir_fd=folder)

    def remove_if_empty(self, name: str) -> bool:
        """Remove a folder that holds nothing; returns whether it is gone."""
        try:
            with self._walk.parent(name) as (last, folder):
                os.rmdir(last, dir_fd=folder)
        except OSError as exc:
            if isinstance(exc, FileNotFoundError):
                return True
            if exc.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                return False
            raise
        return True

    def sync_files(self, folder: str, names: Iterable[str]) -> None:
        """Flush files of a folder to the disk, so that they outlive a loss of power.

        Raises:
            OSError: they can't be written.
        """
        for name in names:
            with self.open_to_change(f"{folder}/{name}") as stream:
                os.fsync(stream.fileno())
        self.sync(folder)

    def sync(self, name: str = "") -> None:
        """Flush the renames in a folder to the disk; Windows has no such call."""
        with self._walk.folder(name) as folder:
            if isinstance(folder, int):
                os.fsync(folder)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all; see SafeFolder.write."""
    SafeFolder(path.parent).write(path.name, content)
