"""Rows of SQLite -> records. Each row is checked on the way."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from src.config import LibraryPaths
from src.database.connection import Connection
from src.database.row_values import check_columns, check_row
from src.records import MediaFile, StoredSegment

# The columns of segments come first, and whole: their checksum is computed from them. The others
# have names that no column of segments will have.
SEGMENT_COLUMNS = """
    SELECT s.*, f.frame_index AS _frame_index, f.timestamp_s AS _timestamp_s, f.width AS _width,
           f.height AS _height, f.media_file_id AS _media_file_id, m.path AS _media_path
    FROM segments s JOIN frames f ON f.id = s.frame_id JOIN media_files m ON m.id = f.media_file_id
"""
# SQLite's limit on parameters is 32,766; a thousand at a time is as fast.
CHUNK = 1000
# What is in a list, which SQLite takes as one JSON text: single values may be 32,766 at most.
LISTED = "(SELECT value FROM json_each(?))"


def stored_segment(row: sqlite3.Row, paths: LibraryPaths, with_mask: bool = True) -> StoredSegment:
    """Read a row of SEGMENT_COLUMNS, whose frame and media file have been looked at.

    Args:
        with_mask: look into its mask as well, for those who use it.

    Raises:
        DamagedRowError: it can't be what was stored.
    """
    # those of other tables come behind: zip ends before them
    columns = dict(zip(_own_columns(tuple(row.keys())), row, strict=False))
    size_wh = row["_width"], row["_height"]
    check_row("segments", columns, size_wh, with_mask)
    return StoredSegment(
        id=columns["id"],
        media_file_id=row["_media_file_id"],
        media_path=Path(row["_media_path"]),
        frame_index=row["_frame_index"],
        timestamp_s=row["_timestamp_s"],
        frame_wh=size_wh,
        kind=columns["kind"],
        bbox_xywh=(columns["x"], columns["y"], columns["w"], columns["h"]),
        area=columns["area"],
        predicted_iou=columns["predicted_iou"],
        stability_score=columns["stability_score"],
        mask_rle=columns["mask"],
        crop_path=paths.crop(columns["crop_path"]),
        # a reader opens a library of an older version as it is
        parent_id=columns.get("parent_id"),
        fingerprint=columns.get("fingerprint"),
        origin=columns.get("origin") or "sam",
        track_id=columns.get("track_id"),
    )


@lru_cache(maxsize=8)
def _own_columns(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if not name.startswith("_"))


def media_file(row: sqlite3.Row | Mapping[str, Any]) -> MediaFile:
    """Read a row of media_files.

    Raises:
        DamagedRowError: it can't be what was stored.
    """
    columns = dict(row)
    check_row("media_files", columns)
    # a reader opens a library of an older version as it is
    known = {
        field.name: columns[field.name] for field in fields(MediaFile) if field.name in columns
    }
    return MediaFile(**{**known, "path": Path(columns["path"])})


class RowReader:
    """Reads rows of a library. One that is damaged is reported, and repaired at the next start."""

    def __init__(self, connection: Connection, paths: LibraryPaths) -> None:
        self._connection = connection
        self._paths = paths

    def segments(self, rows: Iterable[sqlite3.Row], with_masks: bool = True) -> list[StoredSegment]:
        """Read rows of SEGMENT_COLUMNS, and check the frames and media files they are of.

        Args:
            with_masks: look into their masks as well, for those who use them.

        Raises:
            DatabaseError: one of them is damaged.
        """
        with self._connection.noticing_damage():
            rows = list(rows)
            self._check("frames", {row["frame_id"] for row in rows})
            self._check("media_files", {row["_media_file_id"] for row in rows})
            return [stored_segment(row, self._paths, with_masks) for row in rows]

    def media_files(self, rows: Iterable[sqlite3.Row | Mapping[str, Any]]) -> list[MediaFile]:
        """Read rows of media_files.

        Raises:
            DatabaseError: one of them is damaged.
        """
        with self._connection.noticing_damage():
            return [media_file(row) for row in rows]

    def checked(self, table: str, rows: Iterable[sqlite3.Row]) -> list[dict[str, Any]]:
        """Check rows of a table that begin with all of its columns; for a join with tags, those.

        Args:
            rows: what stands behind the columns of the table is named with a leading "_".

        Raises:
            DatabaseError: one of them is damaged.
        """
        with self._connection.noticing_damage():
            found = [dict(row) for row in rows]
            for row in found:
                check_row(table, {name: row[name] for name in row if not name.startswith("_")})
            if found and "tag_id" in found[0]:
                self._check("tags", {row["tag_id"] for row in found})
            return found

    def check_columns(
        self, table: str, columns: Sequence[str | None], rows: Sequence[sqlite3.Row]
    ) -> None:
        """Check some columns of many rows; see row_values.check_columns.

        Raises:
            DatabaseError: one of them is damaged.
        """
        with self._connection.noticing_damage():
            check_columns(table, columns, rows)

    def _check(self, table: str, ids: Collection[int]) -> None:
        ordered = list(ids)
        for start in range(0, len(ordered), CHUNK):
            some = ordered[start : start + CHUNK]
            for row in self._connection.read().execute(
                f"SELECT * FROM {table} WHERE id IN ({','.join('?' * len(some))})", some
            ):
                check_row(table, dict(row))


def placeholders(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[i : i + CHUNK] for i in range(0, len(ids), CHUNK))
