"""What is kept of a damaged row that nothing else in the library has a copy of.

A file, a tag or a model keeps its row under another name, since all that hangs on it would go
with it. A segment is measured again from its mask, or the mask drawn again from its box. What
can't be kept so is made again from the media file.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import numpy as np

from src.database.decisions import IS_KEPT
from src.database.repair.damaged_rows import DamagedRow, Row
from src.database.row_values import ALLOWED, problem_of, wrong_columns
from src.errors import DamagedMaskError
from src.models.mask_rle import decode_rle, encode_rle

Size = tuple[int, int]


def kept_in_part(db: sqlite3.Connection, damaged: DamagedRow) -> Row | None:
    """Make a sound row of what is left of a damaged one; None where nothing can be made of it."""
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({damaged.table})")]
    row = dict.fromkeys(columns) if damaged.row is None else dict(damaged.row)
    row.pop("checksum", None)
    if "id" in row and damaged.table != "segments":
        row["id"] = damaged.key[0]
    make = _MAKERS.get(damaged.table)
    made = None if make is None else make(db, row)
    if made is None or problem_of(damaged.table, made) is not None:
        return None
    return made


def _named(db: sqlite3.Connection, row: Row, table: str, name: str = "name") -> Row:
    """Keep a row under its name, or under another when that can't be read."""
    if name in wrong_columns(table, row):
        row[name] = f"unknown {row['id']}"
    for column in wrong_columns(table, row):
        row[column] = None if ALLOWED[table][column](None) else "unknown"
    return row


def _media_file(db: sqlite3.Connection, row: Row) -> Row:
    wrong = wrong_columns("media_files", row)
    frames = db.execute("SELECT count(*) FROM frames WHERE media_file_id = ?", (row["id"],))
    defaults: dict[str, Any] = {
        "path": f"unknown {row['id']}",
        "kind": "video" if frames.fetchone()[0] > 1 else "image",
        "file_size": 0,
        "modified_at_ns": 0,
        "added_at": 0.0,
    }
    row |= {column: defaults.get(column) for column in wrong}
    row["status"] = "pending"  # so that the next ingest looks at the file again
    return row


def _frame(db: sqlite3.Connection, row: Row) -> Row | None:
    """Return the frame of an image; its size is that of its whole segment."""
    media = db.execute("SELECT kind FROM media_files WHERE id = ?", (row["media_file_id"],))
    whole = db.execute(
        "SELECT w, h FROM segments WHERE frame_id = ? AND kind = 'frame'", (row["id"],)
    ).fetchone()
    kind = media.fetchone()
    if kind is None or kind[0] != "image" or whole is None:
        return None
    row |= {"frame_index": 0, "timestamp_s": None, "width": whole[0], "height": whole[1]}
    row["sam"] = None  # not known
    return row


def _segment(db: sqlite3.Connection, row: Row) -> Row | None:
    names = (f"/{row['id']}.jpg", f"/{row['fingerprint']}.jpg")
    if row["id"] is None or not str(row["crop_path"]).endswith(names):
        return None  # one contains the other: both are as they were
    size = db.execute(
        "SELECT width, height FROM frames WHERE id = ?", (row["frame_id"],)
    ).fetchone()
    if size is None:
        return None
    size_wh = (size[0], size[1])
    nullable = ("predicted_iou", "stability_score", "track_id", "parent_id", "crop_hash")
    for column in (*nullable, "fingerprint", "origin"):
        if column in wrong_columns("segments", row):
            row[column] = None
    row["crop_hash"] = None
    box = tuple(row[name] for name in "xywh")
    if row["kind"] not in ("frame", "object"):
        row["kind"] = "frame" if row["mask"] is None else "object"
    if row["kind"] == "frame":
        row["mask"] = None
        row |= {"x": 0, "y": 0, "w": size_wh[0], "h": size_wh[1], "area": size_wh[0] * size_wh[1]}
        return row
    measured, worked_on = _measured(row["mask"], size_wh), _has_work_of_people(db, row["id"])
    if measured is not None and (measured[0] == box or measured[1] == row["area"] or worked_on):
        (row["x"], row["y"], row["w"], row["h"]), row["area"] = measured
        return row
    if problem_of("segments", {**row, "mask": None}, size_wh) is not None:
        return None
    if not worked_on:
        return None  # the frame is cut again, and better
    mask = np.zeros((size_wh[1], size_wh[0]), np.uint8)
    mask[row["y"] : row["y"] + row["h"], row["x"] : row["x"] + row["w"]] = 1
    return row | {"mask": encode_rle(mask)["counts"], "area": row["w"] * row["h"]}


def _measured(mask: object, size_wh: Size) -> tuple[tuple[int, ...], int] | None:
    """Measure a mask: its box and its pixels; None for what is no mask of that size."""
    if not isinstance(mask, bytes):
        return None
    try:
        pixels = decode_rle(mask, size_wh)
    except DamagedMaskError:
        return None
    columns, rows = np.flatnonzero(pixels.any(axis=0)), np.flatnonzero(pixels.any(axis=1))
    if not len(columns):
        return None
    x, y = int(columns[0]), int(rows[0])
    return (x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1), int(pixels.sum())


def _has_work_of_people(db: sqlite3.Connection, segment_id: str) -> bool:
    found = db.execute(
        f"SELECT EXISTS (SELECT 1 FROM segments s WHERE s.id = ? AND {IS_KEPT})", (segment_id,)
    )
    return bool(found.fetchone()[0])


_MAKERS = {
    "models": lambda db, row: _named(db, row, "models"),
    "tags": lambda db, row: _named(db, row, "tags"),
    "media_files": _media_file,
    "frames": _frame,
    "segments": _segment,
}
