"""Whose the things in a folder are: asked before a library is made or opened there.

The program fills, empties and overwrites what lies under its own names. Where one of them is a
link or a device, or belongs to somebody else, the folder is refused with the names, and nothing
in it is touched.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from pathlib import Path

from src.errors import DatabaseError
from src.library_files import KEEP, MARKER, Entry, SafeFolder
from src.regular_files import open_regular

METADATA_DB = "metadata.db"
SEGMENTS, INDEXES, BACKUPS, DATASETS = "extracted_segments", "chroma_db", "backups", "datasets"
SETTINGS, LOCK, LOG = "settings.json", "library.lock", "library.log"
# What a dataset that was exported has beside its folders of crops, and its columns.
LABELS = "labels.csv"
LABELS_COLUMNS = tuple(
    "file tag confidence source segment_id kind media_path frame_index timestamp_s x y w h".split()
)
# What every dataset has, and how it begins.
MANIFEST = "manifest.json"
MANIFEST_HEAD = b'{"made_by": "Media Library'
# What is in them is made, replaced and removed by the program alone.
MARKED_FOLDERS = (SEGMENTS, INDEXES, BACKUPS)
# From this schema on every one of them has its marker.
FIRST_MARKED_SCHEMA = 5
INDEX_NAME = re.compile(r"[0-9a-f]{12}")
BACKUP_NAME = re.compile(r"metadata-\d{4}-\d\d-\d\dT\d{6}[a-z]?\.db")

_SQLITE = b"SQLite format 3\0"
_HEAD = 4096
_LOG_LINE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def check_ownership(root: Path) -> None:
    """Check that everything under the library's names in a folder is a library's.

    Raises:
        DatabaseError: something is not, with the names.
    """
    files = SafeFolder(root)
    problems: list[str] = []
    try:
        for entry in files.entries():
            what = _problem_of_file(files, entry)
            if what is not None:
                problems.append(f"{entry.name} {what}")
        problems += [
            f"{name} {what}"
            for name in (*MARKED_FOLDERS, DATASETS)
            if (what := _problem_of_folder(files, name)) is not None
        ]
    except OSError as exc:
        raise DatabaseError(
            f"{root}: a library can't be opened here ({exc.strerror or exc}); see that this "
            "folder and its files can be read"
        ) from exc
    if problems:
        raise DatabaseError(
            f"{root}: this folder can't be used as a library, and nothing in it was touched: "
            f"{'; '.join(problems)}. Move what is not this program's, or choose another folder "
            "with --library"
        )


def claim(root: Path) -> None:
    """Make the folders of a library, and mark those that are ours.

    Raises:
        DatabaseError: something under the library's names is not a library's.
        OSError: they can't be made.
    """
    root.mkdir(parents=True, exist_ok=True)
    check_ownership(root)
    files = SafeFolder(root)
    for name in (SEGMENTS, DATASETS):
        files.make_folder(name)
    for name in MARKED_FOLDERS:
        if files.entry(name) is not None and not files.is_marked(name):
            if name == INDEXES:
                _mark_indexes(files)
            files.mark(name)


def _mark_indexes(files: SafeFolder) -> None:
    """Mark the index folders of a library of an earlier version, which had no markers."""
    for entry in files.entries(INDEXES):
        if entry.is_folder and INDEX_NAME.fullmatch(Path(entry.name).name):
            files.mark(entry.name)


def owner_of(folder: Path) -> Path | None:
    """Find the library's own folder that a path lies in, or is; None where it lies in none.

    Raises:
        OSError: it can't be examined.
    """
    real = folder.resolve()
    for place in (real, *real.parents):
        if (place / MARKER).is_file():
            return place
        if place.name in MARKED_FOLDERS and (place.parent / METADATA_DB).is_file():
            return place  # of an earlier version, which had no markers
    return None


def is_export(folder: Path) -> bool:
    """Return whether a folder is a dataset of this program: its files say so."""
    return has_manifest(folder) or has_labels(folder)


def has_manifest(folder: Path) -> bool:
    """Return whether a folder has the manifest.json of a dataset of this program."""
    try:
        with open_regular(folder / MANIFEST) as stream:
            return stream.read(len(MANIFEST_HEAD)) == MANIFEST_HEAD
    except OSError:
        return False


def has_labels(folder: Path) -> bool:
    """Return whether a folder has the labels.csv of this program's folders of crops."""
    try:
        with open_regular(folder / LABELS) as stream:
            head = stream.read(_HEAD)
    except OSError:
        return False
    # a spreadsheet that has saved it may have put a mark before it, quotes and semicolons
    plain = head.removeprefix(codecs.BOM_UTF8).replace(b'"', b"").replace(b";", b",")
    return plain.splitlines()[:1] == [",".join(LABELS_COLUMNS).encode()]


def is_library(folder: Path) -> bool:
    """Return whether a folder holds a library of this program, not a database of the same name."""
    try:
        with open_regular(folder / METADATA_DB) as stream:
            is_database = stream.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False
    return is_database and (folder / SEGMENTS).is_dir()


# -- files


def _problem_of_file(files: SafeFolder, entry: Entry) -> str | None:
    """Return why a file under one of our names can't be ours; None where it can, or is none."""
    check = next((check for names, check in _FILES if names.fullmatch(entry.name)), None)
    if check is None:
        return None
    if entry.is_link:
        return "is a link"
    if not entry.is_file:
        return "is no regular file"
    in_place = entry.name != SETTINGS  # which is only ever replaced
    if in_place and entry.status.st_nlink > 1 and not _all_names_here(files, entry):
        return "is a hard link, and the same file has a name elsewhere: put a copy in its place"
    return check(files, entry)


def _all_names_here(files: SafeFolder, entry: Entry) -> bool:
    """Return whether all names of a file are in the library: recovery gives it two for a moment."""
    same = [
        other
        for other in files.entries()
        if (other.status.st_dev, other.status.st_ino) == (entry.status.st_dev, entry.status.st_ino)
    ]
    return len(same) >= entry.status.st_nlink


def _database(files: SafeFolder, entry: Entry) -> str | None:
    """Return why a file can't be a library's database; None where it can, be it damaged."""
    # not opened where a marker says enough: closing it again would take away the locks that
    # SQLite holds on it in this process
    if any(files.is_marked(name) for name in MARKED_FOLDERS) or not entry.status.st_size:
        return None
    if _head(files, entry.name).startswith(_SQLITE) or _has_backups(files):
        return None
    return "is not a database of this program"


def _lock(files: SafeFolder, entry: Entry) -> str | None:
    content = _head(files, entry.name)
    if not content.strip(b"\0"):  # never written, or lost with the power
        return None
    try:
        held = json.loads(content)
        return None if {"pid", "host"} <= held.keys() else "is a file of another program"
    except (ValueError, AttributeError, RecursionError):
        return "is a file of another program"


def _mark_of_writer(files: SafeFolder, entry: Entry) -> str | None:
    content = _head(files, entry.name).strip(b"\0")
    return None if content in (b"", b"damaged") else "is a file of another program"


def _log(files: SafeFolder, entry: Entry) -> str | None:
    content = _head(files, entry.name).lstrip(b"\0")
    return None if not content or _LOG_LINE.match(content) else "is a file of another program"


def _any(files: SafeFolder, entry: Entry) -> str | None:
    return None


_Check = Callable[[SafeFolder, Entry], str | None]
_FILES: tuple[tuple[re.Pattern[str], _Check], ...] = (
    (re.compile(re.escape(METADATA_DB)), _database),
    (re.compile(re.escape(METADATA_DB) + "-(wal|shm|journal)"), _any),
    (re.compile(re.escape(METADATA_DB) + r"\.open"), _mark_of_writer),
    (re.compile(re.escape(LOCK)), _lock),
    (re.compile(re.escape(LOG) + r"(\.\d)?"), _log),
    (re.compile(re.escape(SETTINGS)), _any),  # what is in it is checked when it is read
)


def _head(files: SafeFolder, name: str) -> bytes:
    with files.open(name) as stream:
        return stream.read(_HEAD)


# -- folders


def _problem_of_folder(files: SafeFolder, name: str) -> str | None:
    """Return why a folder under one of our names can't be ours; None where it can, or is none."""
    entry = files.entry(name)
    if entry is None:
        return None
    if entry.is_link:
        return "is a link"
    if not entry.is_folder:
        return "is no folder"
    if name == DATASETS or files.is_marked(name) or _was_made_unmarked(files):
        return None
    foreign = [Path(e.name).name for e in files.entries(name) if Path(e.name).name != KEEP]
    if not foreign:
        return None
    some = ", ".join(foreign[:3]) + (" …" if len(foreign) > 3 else "")
    return (
        f"holds files that this program did not make ({some}; a folder of this library holds "
        f"{MARKER})"
    )


def _was_made_unmarked(files: SafeFolder) -> bool:
    """Return whether a library is of an earlier version, which left no markers."""
    entry = files.entry(METADATA_DB)
    if entry is None or not entry.is_file:
        return False
    head = _head(files, METADATA_DB)
    if head.startswith(_SQLITE):
        return 0 < _schema_of(head) < FIRST_MARKED_SCHEMA
    return _has_backups(files) and not any(files.is_marked(name) for name in MARKED_FOLDERS)


def _has_backups(files: SafeFolder) -> bool:
    """Return whether there is a backup of a library: the database beside it may be damaged."""
    folder = files.entry(BACKUPS)
    if folder is None or not folder.is_folder:
        return False
    return any(
        entry.is_file
        and BACKUP_NAME.fullmatch(Path(entry.name).name)
        and _head(files, entry.name).startswith(_SQLITE)
        for entry in files.entries(BACKUPS)
    )


def _schema_of(head: bytes) -> int:
    """Read the number of a library's schema, SQLite's user_version, from its file's header."""
    return int.from_bytes(head[60:64], "big")
