"""Whether a media file has to be read: its content may be in the library already."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError
from src.events import Event, FileKnown, FilePassedOver
from src.processing.changed_files import ChangedFiles, ContentChange
from src.processing.crop_files import remove_half_written
from src.processing.image_loader import media_kind
from src.processing.known_copies import KnownCopies
from src.processing.moved_files import MovedFiles
from src.records import MediaFile, MediaKind


@dataclass(frozen=True)
class MediaToRead:
    """A media file whose frames are to be read.

    Attributes:
        digest: names its content, see media_finder.content_hash.
        change: of its content; the row's id is there.
    """

    path: Path
    kind: MediaKind
    digest: str
    change: ContentChange


class ContentCheck:
    """Separates what is known from what is to be read, one file of a job after another."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        moved: MovedFiles,
        changed: ChangedFiles,
        wanted: Collection[Path],
    ) -> None:
        """Check files against a library.

        Args:
            moved: what the job knows of where contents lie.
            changed: the library's changed files.
            wanted: files that come in even if a person has removed them before.
        """
        self.metadata = metadata
        self.moved = moved
        self.changed = changed
        self.wanted = wanted
        self.copies = KnownCopies(metadata, moved)

    def begin(self, path: Path) -> MediaToRead | Event:
        """Check a file that has a row, and bring the row up to date.

        Returns:
            What is to be read; or why nothing is: FileKnown, FilePassedOver.

        Raises:
            MediaReadError, OSError: the file can't be read.
        """
        media = self.metadata.media_by_path(path)
        if media is None:  # it was moved or removed since the job began
            to = self.moved.went.get(path)
            return FileKnown(
                path, f"moved to {to}" if to else "removed from the library in the meantime"
            )
        kind = media_kind(path)
        stat = path.stat()
        same_stamp = (media.file_size, media.modified_at_ns) == (stat.st_size, stat.st_mtime_ns)
        known = "moved here" if path in self.moved.came else "already in the library"
        if media.status == "done" and same_stamp:
            return FileKnown(path, known)
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
        if is_changed:
            self.changed.begin(media)
        elif media.status == "done" or self.changed.give_back(media):
            self.metadata.update_media(media.id, **content)
            return FileKnown(path, known)
        else:
            self.metadata.update_media(media.id, **begun)
        remove_half_written(self.metadata.paths, digest)
        change = ContentChange(self.metadata, media.id, begun if is_changed else None)
        return MediaToRead(path, kind, digest, change)

    def _moved_here(self, path: Path, twin: MediaFile) -> MediaFile:
        """Update the row of a content that was moved since the job began."""
        self.moved.move([(twin, path)])
        media = self.metadata.media_by_path(path)
        if media is None or media.id != twin.id:
            raise MediaReadError(path, "was moved or removed in the meantime; add it again")
        return media
