"""Files that were moved, renumbered or swapped: each row follows its content."""

from __future__ import annotations

import itertools
import logging
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from src.counting import counted
from src.database.metadata_db import MetadataDatabase
from src.errors import DatabaseError, MediaReadError
from src.events import Event, Progress
from src.processing.media_finder import content_hash, guessed_kind
from src.processing.pending_deletes import remove_unused_crops, write_down_crops
from src.records import MediaFile, MovedRoot

LOOKING = "look"

log = logging.getLogger(__name__)


class MovedFiles:
    """Where contents lie, as one job knows it."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self.metadata = metadata
        self.files: set[Path] = set()  # of the job
        self.came: set[Path] = set()  # where a row has followed its content to
        self.went: dict[Path, Path] = {}  # and from where
        self._hashes: dict[Path, tuple[tuple[int, int], str]] = {}

    def content_hash(self, path: Path) -> str:
        """Hash a file, once as long as its size and time stay the same.

        Raises:
            MediaReadError: it can't be read to its end.
            OSError: it is gone.
        """
        stamp = _stamp(path.stat())
        known = self._hashes.get(path)
        if known is None or known[0] != stamp:
            known = self._hashes[path] = stamp, content_hash(path)
        return known[1]

    def holds(self, media: MediaFile) -> bool:
        """Return whether a media file is where the library thinks, with the content it had."""
        now = _stamp_at(media.path)
        if now is None:
            return False
        if now == (media.file_size, media.modified_at_ns):
            return True
        try:
            return self.content_hash(media.path) == media.content_hash
        except (OSError, MediaReadError):
            return False

    def follow(self, files: Sequence[Path], others: Sequence[Path] = ()) -> Iterator[Event]:
        """Find contents that lie under other names now, and update their rows.

        All of them at once: of files that were renumbered each has the name of another, and a
        row that had to give way before its content was met would be lost. Only contents that
        have left their place are looked for, and only in files of their size.

        Args:
            files: those of the job, each of which has its row.
            others: files that have none, and get none unless one follows its content there.
        """
        self.files = set(files)
        changed: dict[Path, int] = {}
        new: set[Path] = set()
        states = self.metadata.states_of((*files, *others))
        for path in (*files, *others):
            now, state = _stamp_at(path), states.get(path)
            if now is None or (state is None and path in self.files):
                continue
            known = None if state is None else state.content_hash
            if state is None or known is None or now != (state.file_size, state.modified_at_ns):
                changed[path] = now[0]
            if known is None:
                new.add(path)
        loose = {
            media.content_hash: media
            for media in self.metadata.media_of_sizes(set(changed.values()))
            if _stamp_at(media.path) != (media.file_size, media.modified_at_ns)
        }
        sizes = {media.file_size for media in loose.values()}
        candidates = [path for path, size in changed.items() if size in sizes]
        # one that was only touched has not moved
        touched = [m.path for m in loose.values() if _size_at(m.path) == m.file_size]
        found: dict[Path, str] = {}
        to_read = list(dict.fromkeys([*candidates, *touched]))
        for number, path in enumerate(to_read):
            yield Progress(LOOKING, number, len(to_read))
            try:
                found[path] = self.content_hash(path)
            except (OSError, MediaReadError):
                continue  # its turn comes, and it is reported then
            media = loose.get(found[path])
            if media is not None and path in new and _stamp_at(media.path) is None:
                # no other file is concerned, and a job that is stopped need not read it again
                self.move([(media, path)])
                del loose[found[path]]
        places: dict[str | None, Path] = {}
        for path in candidates:
            if path in found:
                places.setdefault(found[path], path)
        self.move(
            [
                (media, places[digest])
                for digest, media in loose.items()
                if digest in places and found.get(media.path) != digest
            ]
        )

    def move(self, moves: Sequence[tuple[MediaFile, Path]]) -> None:
        """Update the rows of contents that were moved, in one transaction.

        A file of the job that loses its row gets a new one.

        Args:
            moves: rows, and the files whose `content_hash` is theirs.
        """
        if not moves:
            return
        unused: list[str] = []
        with self.metadata.connection.write():
            moves = [(row, path) for row, path in moves if self._is_still_at(row)]
            moving = {media.id for media, _ in moves}
            for media, _ in moves:  # a path is of one row, and some wait for each other's
                self.metadata.update_media(media.id, path=Path(f"moving {media.id}"))
            for media, path in moves:
                other = self.metadata.media_by_path(path)  # as it was before this transaction
                if other is not None and other.id not in moving:
                    unused += self._make_room(other)
                # as it was before its content was read: should it change now, that is seen later
                size, modified_at_ns = self._hashes[path][0]
                self.metadata.update_media(
                    media.id, path=path, file_size=size, modified_at_ns=modified_at_ns
                )
            left = {media.path for media, _ in moves} - {path for _, path in moves}
            for path in sorted(left & self.files):
                if os.path.lexists(path):
                    self.metadata.add_media(path, guessed_kind(path), 0, 0)
            if unused:
                write_down_crops(self.metadata, unused)
        self.came |= {path for _, path in moves}
        self.went |= {media.path: path for media, path in moves}
        remove_unused_crops(self.metadata, unused)

    def make_room(self, media: MediaFile) -> None:
        """Take a row off its path, where the content of another lies now."""
        with self.metadata.connection.write():
            unused = self._make_room(media)
            if unused:
                write_down_crops(self.metadata, unused)
        remove_unused_crops(self.metadata, unused)

    def _make_room(self, media: MediaFile) -> list[str]:
        """Take a row off its path; returns the crop files now unused.

        What people have worked on stays, as that of a file that is gone: its content may be
        somewhere else, and be met by a later job.
        """
        if not self.metadata.has_work_of_people(media.id):
            return self.metadata.remove_media(media.id)
        for number in itertools.count(1):
            name = f"{media.path.stem} (replaced {number}){media.path.suffix}"
            beside = media.path.with_name(name)
            if not os.path.lexists(beside) and self.metadata.media_by_path(beside) is None:
                log.info("%s was replaced; what people did on it is kept as %s", media.path, beside)
                self.metadata.update_media(media.id, path=beside)
                break
        return []

    def _is_still_at(self, media: MediaFile) -> bool:
        """Return whether a row was neither removed nor moved meanwhile."""
        now = self.metadata.media(media.id)
        return now is not None and (now.path, now.content_hash) == (media.path, media.content_hash)


def move_root(metadata: MetadataDatabase, old: Path, new: Path) -> MovedRoot:
    """Have the rows of all files in a folder follow it; see MediaLibrary.move_root.

    Whether a file is there is told by its size; the next ingest of the folder compares contents.
    """
    moving = [media for media in metadata.media_under(old) if media.path != old]
    if not moving:
        raise DatabaseError(f"{old}: no file of the library is in this folder; nothing was changed")
    if not os.path.isdir(new):
        raise DatabaseError(f"{new}: there is no such folder; nothing was changed")
    paths = {media.id: new / media.path.relative_to(old) for media in moving}
    missing = [paths[media.id] for media in moving if _size_at(paths[media.id]) != media.file_size]
    if len(missing) == len(moving):
        raise DatabaseError(
            f"{new}: none of the {counted(len(moving), 'file')} that the library has in {old} is "
            "here by the same name and of the same size; nothing was changed"
        )
    metadata.move_root(old, new)
    return MovedRoot(len(moving), tuple(missing))


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _stamp_at(path: Path) -> tuple[int, int] | None:
    """Return size and time of a file that has a content; None where there is none."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return _stamp(status) if stat.S_ISREG(status.st_mode) and status.st_size else None


def _size_at(path: Path) -> int | None:
    stamp = _stamp_at(path)
    return None if stamp is None else stamp[0]
