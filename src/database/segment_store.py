"""Segments on their way into SQLite, inside a transaction of the caller's."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from src.database.connection import Connection
from src.database.parents import set_parents
from src.database.vector_cache import as_stored
from src.database.words import folded
from src.records import SegmentMask, Tag

# By the folded name. A library of an earlier version may have several: it took only letters of
# English for the same in both cases.
ROWS_OF_TAG = "SELECT id FROM tags WHERE folded(name) = ?"


@dataclass(frozen=True)
class NewSegment:
    """A segment on its way into the library: its id, crop file, embedding and tags.

    Attributes:
        crop_hash: of the crop file's bytes, see crop_hash; None where nobody has read it.
    """

    id: str
    segment: SegmentMask
    crop_path: str
    embedding: np.ndarray
    tags: tuple[Tag, ...] = ()
    crop_hash: str | None = None


def crop_hash(content: bytes) -> str:
    """Name the content of a crop file: 16 hex digits of BLAKE2b."""
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def insert_segments(
    db: sqlite3.Connection, frame_id: int, segments: Sequence[NewSegment], model: str
) -> None:
    """Put segments on a frame, with their embeddings and tags.

    Args:
        model: the CLIP that embedded them.

    Raises:
        EmbeddingError: an embedding can't be used.
    """
    model_id = model_row(db, model)
    for new in segments:
        segment = new.segment
        db.execute(
            "INSERT INTO segments (id, frame_id, kind, x, y, w, h, area, predicted_iou,"
            " stability_score, mask, crop_path, crop_hash)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                new.id,
                frame_id,
                segment.kind,
                *segment.bbox_xywh,
                segment.area,
                segment.predicted_iou,
                segment.stability_score,
                segment.mask_rle,
                new.crop_path,
                new.crop_hash,
            ),
        )
        db.execute(
            "INSERT INTO embeddings (segment_id, model_id, vector) VALUES (?, ?, ?)",
            (new.id, model_id, as_stored(new.embedding)),
        )
        put_tags(db, new.id, new.tags, added_by="vocabulary")
    set_parents(db, frame_id)


def replace_segments(
    db: sqlite3.Connection,
    frame_id: int,
    gone: Iterable[str],
    new: Sequence[NewSegment],
    model: str,
    sam: str,
) -> None:
    """Put other segments on a frame, cut by another SAM."""
    db.executemany("DELETE FROM segments WHERE id = ?", [(segment_id,) for segment_id in gone])
    insert_segments(db, frame_id, new, model)
    db.execute("UPDATE frames SET sam = ? WHERE id = ?", (sam, frame_id))


def put_tags(db: sqlite3.Connection, segment_id: str, tags: Iterable[Tag], added_by: str) -> None:
    """Put tags on a segment; one that is there takes the new confidence and source."""
    for tag in tags:
        tag_id = _tag_row(db, tag.name, added_by)
        db.execute(
            "DELETE FROM removed_tags WHERE segment_id = ? AND tag_id = ?", (segment_id, tag_id)
        )
        db.execute(
            "INSERT INTO segment_tags (segment_id, tag_id, confidence, source) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET confidence = excluded.confidence,"
            " source = excluded.source",
            (segment_id, tag_id, tag.confidence, tag.source),
        )


def remove_tag(db: sqlite3.Connection, segment_id: str, name: str) -> None:
    """Take a tag off a segment, which no model gives it again."""
    db.execute(
        f"DELETE FROM segment_tags WHERE segment_id = ? AND tag_id IN ({ROWS_OF_TAG})",
        (segment_id, folded(name)),
    )
    db.execute(
        "INSERT OR IGNORE INTO removed_tags (segment_id, tag_id)"
        f" SELECT s.id, t.id FROM segments s, tags t WHERE s.id = ? AND t.id IN ({ROWS_OF_TAG})",
        (segment_id, folded(name)),
    )


def replace_automatic_tags(db: sqlite3.Connection, tags: Mapping[str, Sequence[Tag]]) -> None:
    """Put other automatic tags on segments; what a person has tagged or removed stays so.

    Args:
        tags: by segment; one that is gone meanwhile is left out.
    """
    for segment_id, some in tags.items():
        db.execute(
            "DELETE FROM segment_tags WHERE segment_id = ? AND source = 'auto'", (segment_id,)
        )
        for tag in some:
            db.execute(
                "INSERT OR IGNORE INTO segment_tags (segment_id, tag_id, confidence, source)"
                " SELECT s.id, t.id, ?, 'auto' FROM segments s, tags t"
                " WHERE s.id = ? AND t.id = ? AND NOT EXISTS"
                " (SELECT 1 FROM removed_tags r WHERE r.segment_id = s.id AND r.tag_id = t.id)",
                (tag.confidence, segment_id, _tag_row(db, tag.name, "vocabulary")),
            )


def _tag_row(db: sqlite3.Connection, name: str, added_by: str) -> int:
    """Give a tag's row id inside a transaction, adding the tag when it is new."""
    # the first is quick, and nearly always enough; the second goes through all names
    for query, value in (
        ("SELECT id FROM tags WHERE name = ?", name),
        (f"{ROWS_OF_TAG} ORDER BY id LIMIT 1", folded(name)),
    ):
        row = db.execute(query, (value,)).fetchone()
        if row is not None:
            return int(row[0])
    added = db.execute("INSERT INTO tags (name, added_by) VALUES (?, ?)", (name, added_by))
    return cast(int, added.lastrowid)


def model_row(db: sqlite3.Connection, model: str) -> int:
    """Give a model's row id inside a transaction, adding the model when it is new."""
    db.execute("INSERT OR IGNORE INTO models (name) VALUES (?)", (model,))
    row_id: int = db.execute("SELECT id FROM models WHERE name = ?", (model,)).fetchone()[0]
    return row_id


def frames_cut_by_others(connection: Connection, sam: str) -> dict[int, dict[int, int]]:
    """List the frames that another SAM cut, or nobody knows which.

    Returns:
        By media file: frame index -> row id of the frame.
    """
    found: dict[int, dict[int, int]] = {}
    for row in connection.read().execute(
        "SELECT id, media_file_id, frame_index FROM frames WHERE sam IS NOT ?"
        " ORDER BY media_file_id, frame_index",
        (sam,),
    ):
        found.setdefault(row["media_file_id"], {})[row["frame_index"]] = row["id"]
    return found


def count_frames_cut_by_others(connection: Connection, sam: str) -> int:
    row = connection.read().execute("SELECT count(*) FROM frames WHERE sam IS NOT ?", (sam,))
    return int(row.fetchone()[0])
