"""Crops that no row refers to any more, written down until they are removed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable

from src.database.metadata_db import MetadataDatabase
from src.processing.crop_files import remove_crops

log = logging.getLogger(__name__)

_LEFT = "crops to remove"


def write_down_crops(metadata: MetadataDatabase, crop_paths: Iterable[str]) -> None:
    """Write down which crops are unused once the caller's transaction is kept.

    A kill before they are gone is made good then.
    """
    metadata.set_info(_LEFT, json.dumps(list(crop_paths)))


def remove_left_crops(metadata: MetadataDatabase) -> None:
    """Remove the crops of the last change, if a kill came before."""
    left = metadata.info(_LEFT)
    if left is not None:
        in_use = metadata.crop_paths()
        remove_crops(metadata.paths, (path for path in _listed(left) if path not in in_use))
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
