"""What the columns of the library's tables may hold, whichever program wrote them.

SQLite keeps any value in any column, and a library may come from a stranger: a row is looked at
before it becomes a record. The checksum says whether it is what was stored, the values whether
it is anything that this program stores.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import numpy as np

from src.database.checksums import COLUMN, row_checksum
from src.errors import DamagedMaskError, DamagedRowError
from src.label_records import DisagreementKind
from src.models.mask_rle import MOST_PIXELS, checked_rle
from src.records import DuplicateVerdict, SegmentOrigin, TagSource
from src.track_records import TrackOrigin

# Of a text or a blob, in bytes. Nothing is stored that comes near it but the work of people on
# thousands of segments of one file (info, track_edits).
LONGEST_VALUE = 1 << 28
LONGEST_TEXT = 1 << 16
HIGHEST_ID = 1 << 62
LONGEST_S = 1e10  # more than three hundred years
LATEST_S = 1e12  # of a date with a year of four digits

# Single precision is off by a millionth; a flipped exponent or sign of a model's is far more.
LENGTH_TOLERANCE = 0.01

Check = Callable[[Any], bool]


def _number(low: float, high: float) -> Check:
    return lambda value: (
        isinstance(value, int | float) and math.isfinite(value) and low <= value <= high
    )


def _integer(low: int, high: int) -> Check:
    return lambda value: isinstance(value, int) and low <= value <= high


def _is_text(value: Any) -> bool:
    """Return whether it is text that can be shown and written anywhere."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or "\0" in value:
        return False
    return value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)


def _is_long_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value and _is_text(value[:LONGEST_TEXT])


def _name(value: Any) -> bool:
    return _is_text(value) and value != ""


def _is_dhash(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{16}", value) is not None


def _is_colour(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("#[0-9A-Fa-f]{6}", value) is not None


def _is_bytes(value: Any) -> bool:
    return isinstance(value, bytes)


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _is_vector(value: Any) -> bool:
    """Return whether it is a vector; how many numbers one has depends on the model."""
    if not isinstance(value, bytes) or not value or len(value) % 4:
        return False
    return _is_of_length_1(np.frombuffer(value, "<f4"))


def _is_of_length_1(vector: np.ndarray) -> bool:
    """Return whether a vector (D,) is finite and of length 1, about."""
    with np.errstate(all="ignore"):  # what overflows is not of length 1
        square = float(vector @ vector)
    return abs(math.sqrt(square) - 1) < LENGTH_TOLERANCE if math.isfinite(square) else False


_ID = _integer(1, HIGHEST_ID)
_COORDINATE = _integer(0, MOST_PIXELS)
_QUALITY = _or_null(_number(-1e3, 1e3))

ALLOWED: dict[str, dict[str, Check]] = {
    "models": {"id": _ID, "name": _name},
    "media_files": {
        "id": _ID,
        "path": _name,
        "content_hash": _or_null(_name),
        "kind": _one_of("image", "video"),
        "width": _or_null(_COORDINATE),
        "height": _or_null(_COORDINATE),
        "duration_s": _or_null(_number(0, LONGEST_S)),
        "captured_at": _or_null(_is_text),
        "file_size": _integer(0, HIGHEST_ID),
        "modified_at_ns": _integer(-HIGHEST_ID, HIGHEST_ID),
        "status": _one_of("pending", "processing", "done", "failed"),
        "error": _or_null(_is_text),
        "added_at": _number(-LONGEST_S, LONGEST_S),
        "note": _or_null(_is_text),
        "root_id": _or_null(_ID),
        "relative_path": _or_null(_name),
        "captured_utc_s": _or_null(_number(-LATEST_S, LATEST_S)),
        "captured_zone": _or_null(_name),
        "camera_make": _or_null(_is_text),
        "camera_model": _or_null(_is_text),
    },
    "roots": {"id": _ID, "path": _name},
    "frames": {
        "id": _ID,
        "media_file_id": _ID,
        "frame_index": _integer(0, HIGHEST_ID),
        "timestamp_s": _or_null(_number(-LONGEST_S, LONGEST_S)),
        "width": _integer(1, MOST_PIXELS),
        "height": _integer(1, MOST_PIXELS),
        "sam": _or_null(_is_text),
        "until_s": _or_null(_number(-LONGEST_S, LONGEST_S)),
        "dhash": _or_null(_is_dhash),
        "sharpness": _or_null(_number(0, HIGHEST_ID)),
    },
    "tracks": {
        "id": _ID,
        "media_file_id": _ID,
        "begin_s": _or_null(_number(-LONGEST_S, LONGEST_S)),
        "end_s": _or_null(_number(-LONGEST_S, LONGEST_S)),
        "origin": _or_null(_one_of(*get_args(TrackOrigin))),
    },
    "track_edits": {
        "id": _ID,
        "batch": _name,
        "media_file_id": _ID,
        "before": _is_long_text,
        "after": _is_long_text,
        "edited_at": _or_null(_number(-LONGEST_S, LONGEST_S)),
        "undone_at": _or_null(_number(-LONGEST_S, LONGEST_S)),
    },
    "tracked_media": {"media_file_id": _ID, "method": _name},
    "segments": {
        "id": _name,
        "frame_id": _ID,
        "kind": _one_of("frame", "object"),
        "x": _COORDINATE,
        "y": _COORDINATE,
        "w": _integer(1, MOST_PIXELS),
        "h": _integer(1, MOST_PIXELS),
        "area": _COORDINATE,
        "predicted_iou": _QUALITY,
        "stability_score": _QUALITY,
        "mask": _or_null(_is_bytes),
        "crop_path": _name,
        "track_id": _or_null(_ID),
        "parent_id": _or_null(_name),
        "crop_hash": _or_null(_name),
        "fingerprint": _or_null(_name),
        "origin": _or_null(_one_of(*get_args(SegmentOrigin))),
    },
    "tags": {
        "id": _ID,
        "name": _is_text,
        "prompt": _or_null(_is_text),
        "added_by": _is_text,
        "colour": _or_null(_is_colour),
        "position": _or_null(_integer(-HIGHEST_ID, HIGHEST_ID)),
        "attributes": _or_null(_is_text),
    },
    "segment_tags": {
        "segment_id": _name,
        "tag_id": _ID,
        "confidence": _number(0, 1),
        "source": _one_of(*get_args(TagSource)),
    },
    "decisions": {
        "id": _ID,
        "segment_id": _or_null(_name),
        "frame_id": _or_null(_ID),
        "tag_id": _ID,
        "has_tag": _integer(0, 1),
        "source": _one_of(*get_args(TagSource)),
        "confidence": _number(0, 1),
        "decided_at": _or_null(_number(-LONGEST_S, LONGEST_S)),
        "batch": _or_null(_name),
        "undone_at": _or_null(_number(-LONGEST_S, LONGEST_S)),
        "from_segment": _or_null(_name),
    },
    "segment_attributes": {
        "id": _ID,
        "segment_id": _name,
        "tag_id": _ID,
        "name": _name,
        "value": lambda value: value is None or _is_text(value) or _is_finite(value),
        "source": _one_of(*get_args(TagSource)),
        "decided_at": _or_null(_number(-LONGEST_S, LONGEST_S)),
        "batch": _or_null(_name),
        "undone_at": _or_null(_number(-LONGEST_S, LONGEST_S)),
    },
    "label_acts": {
        "id": _ID,
        "batch": _name,
        "tag_id": _ID,
        "before": _name,
        "after": _name,
        "undone_at": _or_null(_number(-LONGEST_S, LONGEST_S)),
    },
    "retractions": {
        "id": _ID,
        "batch": _name,
        "decision_id": _or_null(_ID),
        "attribute_id": _or_null(_ID),
        "undone_at": _or_null(_number(-LONGEST_S, LONGEST_S)),
    },
    "settled_disagreements": {
        "id": _ID,
        "batch": _name,
        "kind": _one_of(*get_args(DisagreementKind)),
        "segment_id": _name,
        "tag_id": _ID,
        "other_segment_id": _or_null(_name),
        "other_tag_id": _ID,
        "undone_at": _or_null(_number(-LONGEST_S, LONGEST_S)),
    },
    "segment_edits": {
        "id": _ID,
        "batch": _name,
        "segment_id": _name,
        "frame_id": _ID,
        "before": _or_null(_is_bytes),
        "after": _or_null(_is_bytes),
        "edited_at": _or_null(_number(-LONGEST_S, LONGEST_S)),
        "undone_at": _or_null(_number(-LONGEST_S, LONGEST_S)),
    },
    "removed_segments": {
        "id": _ID,
        "frame_id": _ID,
        "mask": _or_null(_is_bytes),
        "x": _COORDINATE,
        "y": _COORDINATE,
        "w": _integer(1, MOST_PIXELS),
        "h": _integer(1, MOST_PIXELS),
        "batch": _name,
        "removed_at": _or_null(_number(-LONGEST_S, LONGEST_S)),
    },
    "removed_tags": {"segment_id": _name, "tag_id": _ID},
    "removed_media": {
        "id": _ID,
        "path": _name,
        "content_hash": _or_null(_name),
        "removed_at": _number(-LONGEST_S, LONGEST_S),
    },
    "duplicate_groups": {
        "id": _ID,
        "verdict": _one_of(*get_args(DuplicateVerdict)),
        "decided_at": _or_null(_number(-LONGEST_S, LONGEST_S)),
    },
    "duplicate_files": {
        "group_id": _ID,
        "media_file_id": _ID,
        "is_hidden": _integer(0, 1),
    },
    "dataset_splits": {
        "id": _ID,
        "name": _is_text,
        "shares": _name,
        "seed": _integer(-HIGHEST_ID, HIGHEST_ID),
        "media_file_id": _ID,
        "content_hash": _or_null(_name),
        "side": _one_of("train", "val", "test"),
    },
    "embeddings": {
        "id": _ID,
        "segment_id": _name,
        "model_id": _ID,
        "vector": _is_vector,
    },
    "info": {"key": _name, "value": _is_long_text},
}


def problem_of(
    table: str,
    row: Mapping[str, Any],
    frame_wh: tuple[int, int] | None = None,
    with_mask: bool = True,
) -> str | None:
    """Return what is wrong with a row; None for one that this program may have stored.

    Args:
        row: all columns of the table, by name, the checksum among them where there is one.
        frame_wh: of a segment, its frame's size; None where that is not known.
        with_mask: look into a segment's mask as well, which takes longer than all else.
    """
    for column in wrong_columns(table, row):
        if column == "vector":
            return "its embedding is zero, not finite or of another length"
        return f"its {column} is {_shown(row[column])}"
    if table == "frames" and row["width"] * row["height"] > MOST_PIXELS:
        return f"its size is {row['width']} x {row['height']}"
    if table == "segments" and frame_wh is not None:
        if row["x"] + row["w"] > frame_wh[0] or row["y"] + row["h"] > frame_wh[1]:
            return "its box lies outside of its frame"
        if row["area"] > frame_wh[0] * frame_wh[1]:
            return "its area is larger than its frame"
        if with_mask and row["mask"] is not None:
            try:
                checked_rle(row["mask"], frame_wh)
            except DamagedMaskError as exc:
                return str(exc)
    stored = row.get(COLUMN)
    if stored is not None and stored != checksum_of(row):
        return "it is not what was stored (its checksum differs)"
    return None


def wrong_columns(table: str, row: Mapping[str, Any]) -> list[str]:
    """List the columns that hold what this program never stores there."""
    allowed = ALLOWED.get(table, {})  # a table without checks has only its checksum
    return [column for column, check in allowed.items() if column in row and not check(row[column])]


def check_columns(table: str, columns: Sequence[str | None], rows: Sequence[Sequence[Any]]) -> None:
    """Check many rows of some columns each, as far as each value alone can be told to be wrong.

    Args:
        columns: whose values the rows begin with; None for one that is not to be checked.

    Raises:
        DamagedRowError: one of them is.
    """
    for place, column in enumerate(columns):
        if column is None:
            continue
        check = ALLOWED[table][column]
        # most values come often; 1 and 1.0 are equal, and may not be as good as each other
        for _, value in {(type(row[place]), row[place]) for row in rows}:
            if not check(value):
                key = next(row[0] for row in rows if row[place] == value)
                raise DamagedRowError(table, _shown(key), f"its {column} is {_shown(value)}")


def checksum_of(row: Mapping[str, Any]) -> int:
    """Compute what a row's checksum has to be; its columns are in the order of the table."""
    return row_checksum(*(value for column, value in row.items() if column != COLUMN))


def check_row(
    table: str,
    row: Mapping[str, Any],
    frame_wh: tuple[int, int] | None = None,
    with_mask: bool = True,
) -> None:
    """Check that a row is sound; see problem_of.

    Raises:
        DamagedRowError: it is not.
    """
    problem = problem_of(table, row, frame_wh, with_mask)
    if problem is not None:
        key = next(iter(row.values()), None)
        raise DamagedRowError(table, _shown(key), problem)


def _shown(value: Any) -> str:
    """Write a value so that it fits a sentence, whatever it is."""
    text = ascii(value if not isinstance(value, str | bytes) else value[:40])
    return text if len(text) <= 60 else f"{text[:57]}..."
