"""Which frames were looked at for some labels, and which is next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from src.database.decisions import RANK
from src.database.duplicate_groups import HIDDEN
from src.database.metadata_db import MetadataDatabase
from src.database.rows import LISTED
from src.label_records import ReviewFrame, ReviewProgress

# Hidden copies are looked at as little as they are found.
_SHOWN = f"f.media_file_id NOT IN ({HIDDEN})"
_LOOKED_AT = f"""(SELECT count(DISTINCT d.tag_id) FROM decisions d WHERE d.frame_id = f.id
    AND d.undone_at IS NULL AND d.tag_id IN {LISTED})"""


def next_frame(
    metadata: MetadataDatabase, labels: Mapping[str, int], after: ReviewFrame | None
) -> ReviewFrame | None:
    """Find the next frame without an answer for each of some labels; see Labels.next_to_review.

    Args:
        labels: row ids of their tags, by name.
    """
    at = (0, -1) if after is None else (after.media_file_id, after.frame_index)
    behind = "(f.media_file_id, f.frame_index) > (?, ?)"
    before = "(f.media_file_id, f.frame_index) < (?, ?)"
    for place in (behind, before) if after is not None else (behind,):
        found = _first(metadata, labels, place, at)
        if found is not None:
            return found
    return None


def _first(
    metadata: MetadataDatabase, labels: Mapping[str, int], place: str, at: tuple[int, int]
) -> ReviewFrame | None:
    ids = json.dumps(list(labels.values()))
    rows = metadata.connection.read().execute(
        "SELECT f.*, s.id AS _segment_id FROM frames f"
        " JOIN segments s ON s.frame_id = f.id AND s.kind = 'frame'"
        f" WHERE {place} AND {_SHOWN} AND {_LOOKED_AT} < ?"
        " ORDER BY f.media_file_id, f.frame_index LIMIT 1",
        (*at, ids, len(set(labels.values()))),
    )
    for row in metadata.rows.checked("frames", rows):
        return _frame(metadata, labels, row)
    return None


def _frame(
    metadata: MetadataDatabase, labels: Mapping[str, int], row: Mapping[str, Any]
) -> ReviewFrame:
    said = metadata.connection.read().execute(
        f"SELECT tag_id, has_tag FROM decisions WHERE frame_id = ? AND tag_id IN {LISTED}"
        f" AND undone_at IS NULL ORDER BY {RANK} DESC, id",
        (row["id"], json.dumps(list(labels.values()))),
    )
    last = {tag_id: bool(has_tag) for tag_id, has_tag in said}
    answers = {name: last[tag_id] for name, tag_id in labels.items() if tag_id in last}
    return ReviewFrame(row["media_file_id"], row["frame_index"], row["_segment_id"], answers)


def progress(metadata: MetadataDatabase, labels: Mapping[str, int]) -> ReviewProgress:
    """Count the frames with an answer for each of some labels, and all frames."""
    db = metadata.connection.read()
    ids = json.dumps(list(labels.values()))
    (reviewed,) = db.execute(
        "SELECT count(*) FROM (SELECT d.frame_id FROM decisions d"
        " JOIN frames f ON f.id = d.frame_id"
        f" WHERE d.frame_id IS NOT NULL AND d.undone_at IS NULL AND d.tag_id IN {LISTED}"
        f" AND {_SHOWN} GROUP BY d.frame_id HAVING count(DISTINCT d.tag_id) >= ?)",
        (ids, len(set(labels.values()))),
    ).fetchone()
    (total,) = db.execute(f"SELECT count(*) FROM frames f WHERE {_SHOWN}").fetchone()
    return ReviewProgress(int(reviewed), int(total))
