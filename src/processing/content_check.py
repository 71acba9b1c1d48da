"""Whether a media file has to be read: its content may be in the library already."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError
from src.events import Event, FileKnown, FilePassedOver
from src.processing.changed_files import ChangedFiles, ContentChange
from src.processing.crop_files import remove_half_written
from src.processing.files_ahead import FileAhead
from src.processing.image_loader import media_kind
from src.processing.known_copies import KnownCopies
from src.processing.media_finder import guessed_kind
from src.processing.media_registration import is_unicode
from src.processing.moved_files import MovedFiles
from src.records import MediaFile, MediaKind


@dataclass(frozen=True)
class MediaToRead:
    """A media file whose frames are to be read.

    Attributes:
        digest: names its content, see media_finder.content_hash.
        change: of its content; the row's id is there.
        uncut: its frames that came with a dataset and no SAM has cut: their row ids by index.
    """

    path: Path
    kind: MediaKind
    digest: str
    change: ContentChange
    uncut: Mapping[int, int]


class ContentCheck:
    """Separates what is known from what is to be read, one file of a job after another."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        moved: MovedFiles,
        changed: ChangedFiles,
        files: Collection[Path],
        wanted: Collection[Path],
        uncut: Mapping[int, Mapping[int, int]],
    ) -> None:
        """Check files against a library.

        Args:
            files: of the job, with their rows.
            moved: what the job knows of where contents lie.
            changed: the library's changed files.
            wanted: files that come in even if a person has removed them before.
            uncut: by media file, see MediaToRead; these are read though the library has them.
        """
        self.metadata = metadata
        self.uncut = uncut
        self.moved = moved
        self.changed = changed
        self.wanted = wanted
        self.copies = KnownCopies(metadata, moved)
        self._version = metadata.connection.version()
        self._states = metadata.states_of(filter(is_unicode, files))
        is_known = all(state.status == "done" for state in self._states.values())
        self._contents = set[str]() if is_known else metadata.whole_contents()
        self._lock = Lock()

    def is_worth_reading(self, path: Path, with_videos: bool = False) -> bool:
        """Return whether a file will probably be read for the first time; costs no query.

        Args:
            with_videos: videos can be read before their turn as well.
        """
        state = self._states.get(path)
        return (
            state is not None
            and state.content_hash is None
            and (guessed_kind(path) == "image" or with_videos)
            and path not in self.moved.went
        )

    def is_probably_known(self, path: Path) -> bool:
        """Return whether a file was wholly in the library when the job began."""
        state = self._states.get(path)
        return state is not None and state.status == "done" and state.id not in self.uncut

    def is_new(self, digest: str) -> bool:
        """Return whether no file has, or had before in this job, a content; from any thread."""
        with self._lock:
            if digest in self._contents:
                return False
            self._contents.add(digest)
            return True

    def begin(self, path: Path, ahead: FileAhead | None = None) -> MediaToRead | Event:
        """Check a file that has a row, and bring the row up to date.

        Args:
            ahead: what was read of it before, and is still so.

        Returns:
            What is to be read; or why nothing is: FileKnown, FilePassedOver.

        Raises:
            MediaReadError, OSError: the file can't be read.
        """
        known = "moved here" if path in self.moved.came else "already in the library"
        if self._is_unchanged(path):
            return FileKnown(path, known)
        media = self.metadata.media_by_path(path)
        if media is None:  # it was moved or removed since the job began
            to = self.moved.went.get(path)
            return FileKnown(
                path, f"moved to {to}" if to else "removed from the library in the meantime"
            )
        kind = media_kind(path) if ahead is None else ahead.kind()
        stat = path.stat()
        digest = self.moved.content_hash(path)
        twin = self.metadata.media_by_hash(digest)
        if twin is not None and twin.id != media.id:
            if self.moved.holds(twin):
                self.moved.make_room(media)
                self.copies.remember(twin, path)
                return FileKnown(path, f"same content as {twin.path}")
            media, known = self._moved_here(path, twin), "moved here"
        elif media.content_hash is None and self.metadata.removed.has_content(digest):
            if path not in self.wanted:  # a copy of what was removed, or it was moved
                self.metadata.removed.remember(path, digest)
                self.moved.make_room(media)
                return FilePassedOver(path)
            self.metadata.removed.forget_content(digest)
        content = {
            "content_hash": digest,
            "file_size": stat.st_size,
            "modified_at_ns": stat.st_mtime_ns,
        }
        nothing_known = {"error": None, "note": None}
        begun: dict[str, Any] = {**content, "kind": kind, "status": "processing", **nothing_known}
        is_changed = media.content_hash not in (None, digest)
        uncut = {} if is_changed else self.uncut.get(media.id, {})
        if is_changed:
            self.changed.begin(media)
        elif media.status == "done" and uncut:
            self.metadata.update_media(media.id, **content)
        elif media.status == "done" or self.changed.give_back(media):
            self.metadata.update_media(media.id, **content)
            return FileKnown(path, known)
        else:
            # lost in a power cut, it is read once more
            with self.metadata.connection.write(lasting=False):
                self.metadata.update_media(media.id, **begun)
        remove_half_written(self.metadata.paths, digest)
        change = ContentChange(self.metadata, media.id, begun if is_changed else None)
        return MediaToRead(path, kind, digest, change, uncut)

    def _is_unchanged(self, path: Path) -> bool:
        """Return whether a file is wholly in the library, with the size and time that it has.

        Asked of every file, so it takes a query only once something was written meanwhile.
        """
        if self.metadata.connection.version() == self._version:
            state = self._states.get(path)
        else:
            state = self.metadata.states_of([path]).get(path)
        if state is None or state.status != "done" or state.id in self.uncut:
            return False
        try:
            status = path.stat()
        except OSError:
            return False  # what is wrong with it is found where it is read
        return (state.file_size, state.modified_at_ns) == (status.st_size, status.st_mtime_ns)

    def _moved_here(self, path: Path, twin: MediaFile) -> MediaFile:
        """Update the row of a content that was moved since the job began."""
        self.moved.move([(twin, path)])
        media = self.metadata.media_by_path(path)
        if media is None or media.id != twin.id:
            raise MediaReadError(path, "was moved or removed in the meantime; add it again")
        return media
