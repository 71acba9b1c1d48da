"""A media file of the library that is about to be read again."""

from __future__ import annotations

from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError
from src.presence import presence_of
from src.processing.known_copies import KnownCopies
from src.processing.media_finder import content_hash
from src.records import MediaFile


def unchanged_file(metadata: MetadataDatabase, media: MediaFile) -> MediaFile:
    """Check that a file is wholly in the library, here, and has the content it was added with.

    Returns:
        The media file, with the path of a copy where its own is gone.

    Raises:
        MediaReadError: one of these does not hold; it says which, and what to do.
    """
    media = KnownCopies(metadata).at_hand(media)
    if media.status != "done" or media.content_hash is None:
        raise MediaReadError(media.path, "is not wholly in the library; add it first")
    presence = presence_of(media.path)
    if presence != "here":
        gone = "is missing" if presence == "gone" else "can't be reached now"
        raise MediaReadError(media.path, f"{gone}; nothing was changed")
    if content_hash(media.path) != media.content_hash:
        raise MediaReadError(media.path, "changed since it was added; add it again first")
    return media
