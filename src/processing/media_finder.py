"""Paths a person gave -> media files, and what tells one content from another."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from src.errors import MediaReadError
from src.processing.image_loader import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from src.records import MediaKind
from src.regular_files import open_regular

DRIVE_GONE = {
    getattr(errno, name)
    for name in "EIO ENODEV ENXIO ENOTCONN ESTALE ETIMEDOUT EHOSTDOWN EHOSTUNREACH".split()
    if hasattr(errno, name)
}


def find_media(
    paths: Iterable[Path],
    leave_out: Iterable[Path] = (),
    unread: Callable[[OSError], None] = lambda _: None,
) -> list[Path]:
    """List media files: those named, whatever their suffix, and those in folders, by suffix.

    Args:
        paths: files and folders; folders are walked to the bottom, links followed once.
        leave_out: folders not to enter (a library's own crops are not new media).
        unread: told of each folder that can't be read.

    Returns:
        Absolute paths, each once; folders' contents in the order of their names.
    """
    kept_out = {identity for folder in leave_out if (identity := _identity(folder)) is not None}
    found: dict[Path, None] = {}
    for path in paths:
        absolute = Path(os.path.abspath(path))
        if absolute.is_dir():
            found.update(dict.fromkeys(_in_folder(absolute, kept_out, unread)))
        else:
            found[absolute] = None
    return list(found)


def _in_folder(
    root: Path, kept_out: set[tuple[int, int]], unread: Callable[[OSError], None]
) -> Iterator[Path]:
    """Walk a folder without recursion, which folders can be deeper than Python allows."""
    seen = set(kept_out)
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
                shown = sorted((each for each in entries if each.name[0] != "."), key=_name)
        except OSError as exc:
            unread(exc)
            continue
        folders = [each.path for each in shown if _is_folder(each)]
        waiting += reversed(folders)
        for each in shown:
            if _suffix(each.name) in IMAGE_SUFFIXES | VIDEO_SUFFIXES and not _is_folder(each):
                yield Path(each.path)


def _identity(folder: str | Path) -> tuple[int, int] | None:
    """Tell a folder from others, by whatever path it is reached; None when it is out of reach."""
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
        return False  # a link that goes round is no folder; reading it will say so


def guessed_kind(path: Path) -> MediaKind:
    """Guess from the suffix, until the file has been looked into."""
    return "video" if _suffix(path.name) in VIDEO_SUFFIXES else "image"


def content_hash(path: Path) -> str:
    """Hash a file's bytes: 40 hex digits of BLAKE2b.

    Raises:
        MediaReadError: it is no regular file, or can't be read to its end.
    """
    try:
        with open_regular(path) as stream:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=20)).hexdigest()
    except OSError as exc:
        raise MediaReadError(path, f"can't be read ({exc.strerror or exc})") from exc


def is_out_of_reach(path: Path) -> bool:
    """Say whether a file can't be had because its drive is gone, not the file alone.

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
