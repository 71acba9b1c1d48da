"""Copies of a media file into the system's trash, as a person has asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError
from src.events import Event, FileFailed, FileTrashed, JobDone, Progress
from src.processing.known_copies import KnownCopies
from src.processing.media_finder import content_hash
from src.processing.pending_deletes import remove_media
from src.records import MediaFile


def move_to_trash(
    metadata: MetadataDatabase, kept: MediaFile, others: Sequence[MediaFile]
) -> Iterator[Event]:
    """Move media files to the trash, then remove them from the library.

    The file that is kept is read to its end first. A file that has changed since it was added, or
    that the trash does not take, stays, and a FileFailed says so.

    Raises:
        MediaReadError: the file to keep is gone, or has changed; nothing is moved then.
    """
    if (problem := _problem(kept)) is not None:
        raise MediaReadError(kept.path, f"{problem}; nothing was moved to the trash")
    copies, failed = KnownCopies(metadata), list[FileFailed]()
    for number, media in enumerate(others):
        yield Progress("trash", number, len(others))
        reason = _problem(media) or _send(media, kept)
        if reason is not None:
            failed.append(FileFailed(media.path, reason))
            yield failed[-1]
            continue
        copies.forget(media.id)
        remove_media(metadata, media.id)
        yield FileTrashed(media.path)
    yield JobDone(len(others) - len(failed), failed=tuple(failed))


def _problem(media: MediaFile) -> str | None:
    """Return why a file is not the one that was added; None where it is."""
    if not os.path.lexists(media.path):
        return "there is no such file"
    try:
        is_same = content_hash(media.path) == media.content_hash
    except MediaReadError as exc:
        return exc.reason
    return None if is_same else "it has changed since it was added"


def _send(media: MediaFile, kept: MediaFile) -> str | None:
    """Move one file; returns why that failed."""
    from send2trash import send2trash

    try:
        if os.path.samefile(media.path, kept.path):
            return "it is the same file as the one to keep"
        send2trash(str(media.path))
    except OSError as exc:
        return f"can't be moved to the trash ({exc.strerror or exc})"
    return "it is still there" if os.path.lexists(media.path) else None
