"""Which media files wait because a person stopped the job that was adding them.

What a kill or a closed window has interrupted goes on by itself; these wait until they are asked
for.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from src.database.metadata_db import MetadataDatabase
from src.records import MediaFile

_KEY = "media files that a person stopped"


def unfinished_media(metadata: MetadataDatabase) -> list[MediaFile]:
    """List the media files that no job has finished: those that were begun come first."""
    return metadata.all_media("processing") + metadata.all_media("pending")


def stopped_media(metadata: MetadataDatabase) -> list[MediaFile]:
    """List those of them that a person stopped."""
    stopped = _ids(metadata)
    if not stopped:  # the usual case, asked for whenever the window lists its media
        return []
    return [media for media in unfinished_media(metadata) if media.id in stopped]


def left_media(metadata: MetadataDatabase) -> list[MediaFile]:
    """List those that the next job continues by itself."""
    stopped = _ids(metadata)
    return [media for media in unfinished_media(metadata) if media.id not in stopped]


def stop_unfinished(metadata: MetadataDatabase) -> None:
    """Mark all that is unfinished now as waiting until a person continues."""
    with metadata.connection.write():
        _write_down(metadata, {media.id for media in unfinished_media(metadata)})


def take_up(metadata: MetadataDatabase, media_file_ids: Collection[int]) -> None:
    """Mark media files as waiting no more; inside a transaction it is part of that."""
    stopped = _ids(metadata)
    if not stopped.isdisjoint(media_file_ids):
        _write_down(metadata, stopped.difference(media_file_ids))


def _ids(metadata: MetadataDatabase) -> set[int]:
    text = metadata.info(_KEY)
    try:
        return set() if text is None else {int(number) for number in json.loads(text)}
    except (ValueError, TypeError, RecursionError):  # nothing that this program wrote
        return set()


def _write_down(metadata: MetadataDatabase, ids: set[int]) -> None:
    if ids:
        metadata.set_info(_KEY, json.dumps(sorted(ids)))
    else:
        metadata.forget_info(_KEY)
