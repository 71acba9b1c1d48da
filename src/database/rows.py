"""Rows of SQLite -> the records of the house."""

from __future__ import annotations

import sqlite3
from dataclasses import fields
from pathlib import Path
from typing import Any

from src.config import LibraryPaths
from src.records import MediaFile, StoredSegment

SEGMENT_COLUMNS = """
    SELECT s.*, f.frame_index, f.timestamp_s, f.width, f.height, f.media_file_id,
           m.path AS media_path
    FROM segments s JOIN frames f ON f.id = s.frame_id JOIN media_files m ON m.id = f.media_file_id
"""


def stored_segment(row: sqlite3.Row, paths: LibraryPaths) -> StoredSegment:
    """Read a row of SEGMENT_COLUMNS."""
    return StoredSegment(
        id=row["id"],
        media_file_id=row["media_file_id"],
        media_path=Path(row["media_path"]),
        frame_index=row["frame_index"],
        timestamp_s=row["timestamp_s"],
        frame_wh=(row["width"], row["height"]),
        kind=row["kind"],
        bbox_xywh=(row["x"], row["y"], row["w"], row["h"]),
        area=row["area"],
        predicted_iou=row["predicted_iou"],
        stability_score=row["stability_score"],
        mask_rle=row["mask"],
        crop_path=paths.crop(row["crop_path"]),
        # who may only read opens a library of an older version as it is
        parent_id=row["parent_id"] if "parent_id" in row.keys() else None,  # noqa: SIM118
    )


def media_file(row: sqlite3.Row | dict[str, Any]) -> MediaFile:
    """Read a row of media_files."""
    columns = {field.name: row[field.name] for field in fields(MediaFile)}
    return MediaFile(**{**columns, "path": Path(row["path"])})
