"""Crops that no row refers to any more, recorded until they are removed."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable

from src.database.metadata_db import MetadataDatabase
from src.processing.crop_files import remove_crops

log = logging.getLogger(__name__)

_LEFT = "crops to remove"


def write_down_crops(metadata: MetadataDatabase, crop_paths: Iterable[str]) -> None:
    """Record, beside others, which crops are unused once the caller's transaction is committed.

    A kill before they are gone is made good then.
    """
    with metadata.connection.write() as db:
        _write(metadata, [*_read(db), *crop_paths])


def remove_unused_crops(metadata: MetadataDatabase, crop_paths: Iterable[str]) -> None:
    """Remove crops that were recorded, and delete the record."""
    gone = list(crop_paths)
    if gone:
        remove_crops(metadata.paths, gone)
        strike_off(metadata, gone)


def remove_media(metadata: MetadataDatabase, media_file_id: int) -> None:
    """Remove a media file and all that was made of it; crops that can't be, at the next job.

    A person has removed it: that is kept, and a walk through its folder does not bring it back.
    """
    with metadata.connection.write():
        media = metadata.media(media_file_id)
        if media is not None:
            metadata.removed.remember(media.path, media.content_hash)
        unused = metadata.remove_media(media_file_id)
        write_down_crops(metadata, unused)
    try:
        remove_unused_crops(metadata, unused)
    except OSError as exc:
        log.warning("crops of what was removed stay for now (%s)", exc)


def remove_left_crops(metadata: MetadataDatabase) -> None:
    """Remove the crops of earlier changes, if a kill or an error came before."""
    if metadata.info(_LEFT) is None:
        return
    with metadata.connection.write() as db:  # nobody stores one of them in the meantime
        listed, in_use = _read(db), metadata.crop_paths()
        remove_crops(metadata.paths, (path for path in listed if path not in in_use))
        strike_off(metadata, listed)


def strike_off(metadata: MetadataDatabase, crop_paths: Iterable[str]) -> None:
    """Delete the record of crops that are removed, or in use after all."""
    gone = set(crop_paths)
    with metadata.connection.write() as db:  # others may have been recorded meanwhile
        _write(metadata, [path for path in _read(db) if path not in gone])


def _read(db: sqlite3.Connection) -> list[str]:
    row = db.execute("SELECT value FROM info WHERE key = ?", (_LEFT,)).fetchone()
    return [] if row is None else _listed(row["value"])


def _write(metadata: MetadataDatabase, crop_paths: list[str]) -> None:
    if crop_paths:
        metadata.set_info(_LEFT, json.dumps(crop_paths))
    else:
        metadata.forget_info(_LEFT)


def _listed(text: str) -> list[str]:
    """Read what write_down_crops wrote; what it can't have written costs no job."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(path, str) for path in found):
        log.warning("%r is no list; verify --repair finds crops that belong to none", _LEFT)
        return []
    return found
