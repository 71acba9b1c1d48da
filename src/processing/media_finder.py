"""Paths a person gave -> media files, and what identifies a content."""

from __future__ import annotations

import errno
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from src.errors import MediaReadError
from src.events import PassedOver
from src.library_files import MARKER
from src.ownership import (
    DATASETS,
    LABELS,
    MANIFEST,
    MARKED_FOLDERS,
    METADATA_DB,
    is_export,
    is_library,
)
from src.processing.image_loader import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from src.records import MediaKind
from src.regular_files import open_regular
from src.settings import BIN_FOLDERS, THUMBNAIL_FOLDERS, Settings
from src.stopping import ask_wanted

# Of a file that is hashed, read at a time.
_PART_BYTES = 1 << 18
MEDIA_SUFFIXES = IMAGE_SUFFIXES | VIDEO_SUFFIXES
DRIVE_GONE = {
    getattr(errno, name)
    for name in "EIO ENODEV ENXIO ENOTCONN ESTALE ETIMEDOUT EHOSTDOWN EHOSTUNREACH".split()
    if hasattr(errno, name)
}


def find_media(
    paths: Iterable[Path],
    leave_out: Iterable[Path] = (),
    unread: Callable[[OSError], None] = lambda _: None,
    passed_over: Tally | None = None,
) -> list[Path]:
    """List media files: those named, whatever their suffix, and those in folders, by suffix.

    Args:
        paths: files and folders; folders are walked to the bottom, links followed once.
        leave_out: folders not to enter (a library's own crops are not new media).
        unread: called with each folder that can't be read.
        passed_over: says which folders inside those named are passed over, and counts what is;
            those of the default settings when None.

    Returns:
        Absolute paths, each once; folders' contents in the order of their names.
    """
    walk = _Walk(leave_out, unread, Tally() if passed_over is None else passed_over)
    found: dict[Path, None] = {}
    for path in paths:
        absolute = Path(os.path.abspath(path))
        if os.path.isdir(absolute):
            found.update(dict.fromkeys(walk.through(absolute)))
        else:
            found[absolute] = None
    return list(found)


class Tally:
    """Counts what is passed over, and knows which folders are; see events.PassedOver."""

    def __init__(self, folders: Iterable[str] = Settings.passed_over_folders) -> None:
        """Compile the names of folders that are not read; see settings.THUMBNAIL_FOLDERS."""
        self._kinds = {
            folder.casefold(): kind
            for kind, some in (("thumbnails", THUMBNAIL_FOLDERS), ("deleted", BIN_FOLDERS))
            for folder in some
        }
        names = [name.casefold() for name in folders]
        self._kept = [name[1:] for name in names if name.startswith("!")]
        self._left = [name for name in names if not name.startswith("!")]
        self._counts: Counter[str] = Counter()
        self._not_read: Counter[str] = Counter()
        self.removed: list[Path] = []

    def kind_of(self, folder: str, above: str) -> str | None:
        """Return as what a folder is passed over; None for one to be read.

        Args:
            folder, above: its name, and that of the folder it lies in.
        """
        names = folder.casefold(), f"{above}/{folder}".casefold()
        if not any(_fits(names, kept) for kept in self._kept):
            for left in self._left:
                if _fits(names, left):
                    return self._kinds.get(left, "left_out")
        return "hidden" if folder.startswith(".") else None

    def count(self, kind: str, files: int = 1) -> None:
        """Count files that are passed over."""
        self._counts[kind] += files

    def count_not_read(self, name: str) -> None:
        """Count a file whose kind can't be read."""
        self._not_read[_suffix(name)] += 1

    @property
    def passed_over(self) -> PassedOver:
        return PassedOver(
            **self._counts, not_read=dict(self._not_read), removed=tuple(self.removed)
        )


def _fits(names: Iterable[str], pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)


class _Walk:
    """Goes through folders without recursion, which they can be deeper than Python allows."""

    def __init__(
        self, leave_out: Iterable[Path], unread: Callable[[OSError], None], tally: Tally
    ) -> None:
        self._kept_out = {_identity(folder) for folder in leave_out} - {None}
        self._unread, self._tally = unread, tally

    def through(self, root: Path) -> Iterator[Path]:
        """Yield the media files of a folder, which is read whatever it is called."""
        seen = set(self._kept_out)
        waiting = [str(root)]
        while waiting:
            folder = waiting.pop()
            identity = _identity(folder)
            if identity in seen:
                continue
            if identity is not None:
                seen.add(identity)
            try:
                with os.scandir(folder) as entries:
                    shown = sorted(entries, key=_name)
            except OSError as exc:
                self._unread(exc)
                continue
            if folder != str(root) and (ours := _kind_of_ours(folder, shown)) is not None:
                self._tally.count(ours, _count_media(folder))
                continue
            folders, files = self._told_apart(folder, shown)
            waiting += reversed(folders)
            yield from files

    def _told_apart(
        self, folder: str, entries: list[os.DirEntry[str]]
    ) -> tuple[list[str], list[Path]]:
        """Return the folders and the media files among what a folder holds; the rest is counted."""
        has_library = any(entry.name == METADATA_DB for entry in entries) and is_library(
            Path(folder)
        )
        folders: list[str] = []
        files: list[Path] = []
        for entry in entries:
            name = entry.name
            if _is_folder(entry):
                kind = self._tally.kind_of(name, os.path.basename(folder))
                if kind is None and has_library and name in (*MARKED_FOLDERS, DATASETS):
                    kind = "libraries"
                if kind is None or _identity(entry.path) in self._kept_out:
                    folders.append(entry.path)
                elif not entry.is_symlink():  # what it leads to is counted where it lies
                    self._tally.count(kind, _count_media(entry.path))
            elif not _is_media(name):
                if not name.startswith("."):
                    self._tally.count_not_read(name)
            elif name.startswith("."):
                self._tally.count("hidden")
            else:
                files.append(Path(entry.path))
        return folders, files


def _kind_of_ours(folder: str, entries: list[os.DirEntry[str]]) -> str | None:
    """Return whether this program has made a folder and all in it; None where it has not."""
    names = {entry.name for entry in entries}
    if MARKER in names:
        return "libraries"
    return "exports" if {LABELS, MANIFEST} & set(names) and is_export(Path(folder)) else None


def _count_media(folder: str) -> int:
    """Count the media files in a folder and below it on the same drive, by their suffixes."""
    number, waiting, drive = 0, [folder], _drive(folder)
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if _drive(entry.path) == drive:
                            waiting.append(entry.path)
                    else:
                        number += _is_media(entry.name)
        except OSError:
            continue  # nothing is added from there, so there is nothing to report
    return number


def _drive(folder: str) -> int | None:
    identity = _identity(folder)
    return None if identity is None else identity[0]


def _is_media(name: str) -> bool:
    return _suffix(name) in MEDIA_SUFFIXES


def _identity(folder: str | Path) -> tuple[int, int] | None:
    """Return what identifies a folder, by whatever path it is reached; None when it is not."""
    try:
        found = os.stat(folder)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a circular link is no folder; reading it fails


def guessed_kind(path: Path) -> MediaKind:
    """Guess from the suffix, until the file has been looked into."""
    return "video" if _suffix(path.name) in VIDEO_SUFFIXES else "image"


def hash_of(content: bytes) -> str:
    """Hash the bytes of a file that was read; see content_hash."""
    return _new_digest(content).hexdigest()


def content_hash(path: Path) -> str:
    """Hash a file's bytes: 40 hex digits of BLAKE2b.

    Raises:
        MediaReadError: it is no regular file, or can't be read to its end.
        StoppedError: nobody waits for it any more.
    """
    try:
        digest, part = _new_digest(), memoryview(bytearray(_PART_BYTES))
        with open_regular(path) as stream:
            while size := stream.readinto(part):
                digest.update(part[:size])
                ask_wanted()
        return digest.hexdigest()
    except OSError as exc:
        raise MediaReadError(path, f"can't be read ({exc.strerror or exc})") from exc


def _new_digest(content: bytes = b"") -> hashlib.blake2b:
    return hashlib.blake2b(content, digest_size=20)


def is_out_of_reach(path: Path) -> bool:
    """Return whether a file can't be read because its drive is gone, not the file alone.

    A drive that is gone takes the folder with it, or leaves an empty one where it was mounted,
    or answers with an error of its own.
    """
    try:
        path.stat()
        return False
    except FileNotFoundError:
        try:
            return not any(os.scandir(path.parent))
        except OSError:
            return True
    except OSError as exc:
        return exc.errno in DRIVE_GONE


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()
