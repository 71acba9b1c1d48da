"""Segments on their way into SQLite, inside a transaction of the caller's."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from src.database.connection import Connection
from src.database.decisions import new_batch, put_tags
from src.database.segment_parents import set_parents, write_tree
from src.database.stored_vectors import as_stored
from src.models.mask_hierarchy import Part, tree_of
from src.records import SegmentMask, SegmentOrigin, Tag

# What frames have in the place of a SAM's name that came with a dataset: no SAM has cut them yet.
IMPORTED_ONLY = "imported"


@dataclass(frozen=True)
class NewSegment:
    """A segment on its way into the library: its id, crop file, embedding and tags.

    Attributes:
        crop_hash: of the crop file's bytes, see crop_hash; None where it is not known.
        fingerprint: of what is cut out of which picture, see segment_fingerprint; None where it
            is the id, as it is of every segment whose mask was never changed.
        origin: what made it.
        parent_id: the segment that it lies in; see tree_of. None for the whole frame.
    """

    id: str
    segment: SegmentMask
    crop_path: str
    embedding: np.ndarray
    tags: tuple[Tag, ...] = ()
    crop_hash: str | None = None
    fingerprint: str | None = None
    origin: SegmentOrigin = "sam"
    parent_id: str | None = None


def crop_hash(content: bytes) -> str:
    """Hash the content of a crop file: 16 hex digits of BLAKE2b."""
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def insert_segments(
    db: sqlite3.Connection, frame_id: int, segments: Sequence[NewSegment], model: str
) -> None:
    """Put segments on a frame, with their embeddings, tags and parents.

    Args:
        model: the CLIP that embedded them.

    Raises:
        EmbeddingError: an embedding can't be used.
    """
    model_id, batch = model_row(db, model), new_batch()
    for new in segments:
        segment = new.segment
        db.execute(
            "INSERT INTO segments (id, frame_id, kind, x, y, w, h, area, predicted_iou,"
            " stability_score, mask, crop_path, crop_hash, fingerprint, origin, parent_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
                new.fingerprint or new.id,
                new.origin,
                new.parent_id,
            ),
        )
        db.execute(
            "INSERT INTO embeddings (segment_id, model_id, vector) VALUES (?, ?, ?)",
            (new.id, model_id, as_stored(new.embedding)),
        )
        put_tags(db, new.id, new.tags, "vocabulary", batch)


def with_parents(segments: Sequence[NewSegment], size_wh: tuple[int, int]) -> Sequence[NewSegment]:
    """Find in which segment each of a whole frame lies, where whoever made them has not.

    Args:
        size_wh: of the frame.
    """
    if len(segments) < 2 or any(new.parent_id is not None for new in segments):
        return segments
    tree = tree_of([Part.of(new.id, new.segment) for new in segments], size_wh)
    return [replace(new, parent_id=tree[new.id]) for new in segments]


def change_segment(db: sqlite3.Connection, new: NewSegment, model: str) -> None:
    """Give a segment another mask, with all that follows from it; its id and its tags stay.

    Args:
        new: with the id that it has. Its crop file is named by the new fingerprint, so that the
            one from before is not written over; the origin is that of the change.

    Raises:
        EmbeddingError: the embedding can't be used.
        sqlite3.IntegrityError: another segment has this fingerprint.
    """
    segment = new.segment
    db.execute(
        "UPDATE segments SET x = ?, y = ?, w = ?, h = ?, area = ?, predicted_iou = ?,"
        " stability_score = ?, mask = ?, crop_path = ?, crop_hash = ?, fingerprint = ?, origin = ?"
        " WHERE id = ?",
        (
            *segment.bbox_xywh,
            segment.area,
            segment.predicted_iou,
            segment.stability_score,
            segment.mask_rle,
            new.crop_path,
            new.crop_hash,
            new.fingerprint,
            new.origin,
            new.id,
        ),
    )
    db.execute("DELETE FROM embeddings WHERE segment_id = ?", (new.id,))
    db.execute(
        "INSERT INTO embeddings (segment_id, model_id, vector)"
        " SELECT id, ?, ? FROM segments WHERE id = ?",
        (model_row(db, model), as_stored(new.embedding), new.id),
    )
    for (frame_id,) in db.execute(
        "SELECT frame_id FROM segments WHERE id = ?", (new.id,)
    ).fetchall():
        set_parents(db, frame_id)


def replace_segments(
    db: sqlite3.Connection,
    frame_id: int,
    gone: Iterable[str],
    new: Sequence[NewSegment],
    tree: Mapping[str, str | None],
    model: str,
    sam: str,
) -> None:
    """Put other segments on a frame, cut by another SAM.

    Args:
        tree: of all segments that are on the frame then, see tree_of.
    """
    db.executemany("DELETE FROM segments WHERE id = ?", [(segment_id,) for segment_id in gone])
    insert_segments(db, frame_id, new, model)
    write_tree(db, tree)
    db.execute("UPDATE frames SET sam = ? WHERE id = ?", (sam, frame_id))


def model_row(db: sqlite3.Connection, model: str) -> int:
    """Return a model's row id inside a transaction, adding the model when it is new."""
    db.execute("INSERT OR IGNORE INTO models (name) VALUES (?)", (model,))
    row_id: int = db.execute("SELECT id FROM models WHERE name = ?", (model,)).fetchone()[0]
    return row_id


def add_segments(
    db: sqlite3.Connection, frame_id: int, segments: Sequence[NewSegment], model: str
) -> bool:
    """Put segments beside those that a frame has.

    Returns:
        False when the frame has been removed meanwhile; nothing is stored then.

    Raises:
        EmbeddingError: an embedding can't be used.
    """
    if db.execute("SELECT 1 FROM frames WHERE id = ?", (frame_id,)).fetchone() is None:
        return False
    insert_segments(db, frame_id, segments, model)
    set_parents(db, frame_id)
    return True


def frames_cut_by_others(connection: Connection, sam: str) -> dict[int, dict[int, int]]:
    """List the frames that another SAM, or an unknown one, has segmented.

    Returns:
        By media file: frame index -> row id of the frame.
    """
    return _frames_where(connection, _BY_OTHERS, (sam, IMPORTED_ONLY))


def count_frames_cut_by_others(connection: Connection, sam: str) -> int:
    row = connection.read().execute(
        f"SELECT count(*) FROM frames WHERE {_BY_OTHERS}", (sam, IMPORTED_ONLY)
    )
    return int(row.fetchone()[0])


def imported_frames(connection: Connection) -> dict[int, dict[int, int]]:
    """List the frames that came with a dataset and that no SAM has cut; see frames_cut_by_others.

    Returns:
        By media file: frame index -> row id of the frame.
    """
    return _frames_where(connection, "sam = ?", (IMPORTED_ONLY,))


_BY_OTHERS = "sam IS NOT ? AND sam IS NOT ?"


def _frames_where(
    connection: Connection, condition: str, values: tuple[str, ...]
) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = {}
    for row in connection.read().execute(
        f"SELECT id, media_file_id, frame_index FROM frames WHERE {condition}"
        " ORDER BY media_file_id, frame_index",
        values,
    ):
        found.setdefault(row["media_file_id"], {})[row["frame_index"]] = row["id"]
    return found
