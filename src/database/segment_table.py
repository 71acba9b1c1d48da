"""The verbs on frames and their segments."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple, cast

from src.database.conditions import SegmentCondition, segment_ids_where
from src.database.connection import Connection
from src.database.rows import LISTED, SEGMENT_COLUMNS, RowReader, chunks, placeholders
from src.database.segment_edits import SegmentEdits
from src.database.segment_store import (
    NewSegment,
    change_segment,
    insert_segments,
    with_parents,
)
from src.database.text_normalization import is_text
from src.records import (
    FrameLook,
    StoredSegment,
)

_IN_ORDER = "f.media_file_id, f.frame_index, s.area DESC, s.id"


class FrameRow(NamedTuple):
    """A stored frame: its row id, its size, and what it looks like where that was measured."""

    id: int
    size_wh: tuple[int, int]
    dhash: str | None


class SegmentTable:
    """A part of MetadataDatabase: what it does with frames and segments, a transaction a write."""

    connection: Connection
    rows: RowReader
    edits: SegmentEdits

    def stored_frames(self, media_file_id: int) -> set[int]:
        rows = self.connection.read().execute(
            "SELECT frame_index FROM frames WHERE media_file_id = ?", (media_file_id,)
        )
        return {row["frame_index"] for row in rows}

    def frame_row(self, media_file_id: int, frame_index: int) -> FrameRow | None:
        """Look up a stored frame; None where there is none."""
        row = (
            self.connection.read()
            .execute(
                "SELECT id, width, height, dhash FROM frames"
                " WHERE media_file_id = ? AND frame_index = ?",
                (media_file_id, frame_index),
            )
            .fetchone()
        )
        return None if row is None else FrameRow(row[0], (row[1], row[2]), row[3])

    def count_of_media(self, media_file_id: int) -> tuple[int, int]:
        """Count a media file's frames and segments."""
        row = (
            self.connection.read()
            .execute(
                "SELECT count(DISTINCT f.id), count(s.id) FROM frames f"
                " LEFT JOIN segments s ON s.frame_id = f.id WHERE f.media_file_id = ?",
                (media_file_id,),
            )
            .fetchone()
        )
        return row[0], row[1]

    def store_frame(
        self,
        media_file_id: int,
        frame_index: int,
        timestamp_s: float | None,
        size_wh: tuple[int, int],
        segments: Sequence[NewSegment],
        model: str,
        sam: str | None = None,
        look: FrameLook | None = None,
    ) -> bool:
        """Store a frame with its segments, embeddings and tags: whole, or not at all.

        Args:
            model: the CLIP that embedded them.
            sam: the SAM that cut it, "none" for a frame that was not cut.
            look: what the frame looks like; None leaves that to a later job.

        Returns:
            False when the media file has been removed meanwhile; nothing is stored then.

        Raises:
            EmbeddingError: an embedding can't be used; nothing is stored then.
        """
        segments = with_parents(segments, size_wh)
        with self.connection.write() as db:
            if (
                db.execute("SELECT 1 FROM media_files WHERE id = ?", (media_file_id,)).fetchone()
                is None
            ):
                return False
            frame_id = db.execute(
                "INSERT INTO frames (media_file_id, frame_index, timestamp_s, width, height, sam,"
                " until_s, dhash, sharpness) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    media_file_id,
                    frame_index,
                    timestamp_s,
                    *size_wh,
                    sam,
                    timestamp_s,
                    None if look is None else look.dhash,
                    None if look is None else look.sharpness,
                ),
            ).lastrowid
            insert_segments(db, cast(int, frame_id), segments, model)
            return True

    def change_segment(self, new: NewSegment, model: str) -> None:
        """Give a segment another mask; its id and its tags stay. See change_segment."""
        with self.connection.write() as db:
            change_segment(db, new, model)

    def set_until(self, media_file_id: int, frame_index: int, until_s: float) -> None:
        """Store up to when a frame stands for what was skipped after it, in seconds."""
        with self.connection.write() as db:
            db.execute(
                "UPDATE frames SET until_s = ? WHERE media_file_id = ? AND frame_index = ?",
                (until_s, media_file_id, frame_index),
            )

    def frames_not_looked_at(self) -> dict[int, str]:
        """List the frames without a stored look, each with the crop file of the whole frame."""
        rows = self.connection.read().execute(
            "SELECT f.id, s.crop_path FROM frames f"
            " JOIN segments s ON s.frame_id = f.id AND s.kind = 'frame'"
            " WHERE f.dhash IS NULL OR f.sharpness IS NULL ORDER BY f.id"
        )
        return {row["id"]: row["crop_path"] for row in rows}

    def set_looks(self, looks: Mapping[int, FrameLook]) -> None:
        """Store the looks of frames, by their row ids."""
        with self.connection.write() as db:
            db.executemany(
                "UPDATE frames SET dhash = ?, sharpness = ? WHERE id = ?",
                [(look.dhash, look.sharpness, frame_id) for frame_id, look in looks.items()],
            )

    def dhashes_of(self, segment_ids: Sequence[str]) -> dict[str, str]:
        """Look up the dHash of the frames that segments are of, where it is known.

        Raises:
            DatabaseError: a row of a frame is damaged.
        """
        rows = self.connection.read().execute(
            f"SELECT f.*, s.id AS _segment FROM {LISTED} wanted CROSS JOIN segments s"
            " ON s.id = wanted.value CROSS JOIN frames f ON f.id = s.frame_id",
            (json.dumps(list(segment_ids)),),
        )
        found = self.rows.checked("frames", rows)
        return {row["_segment"]: row["dhash"] for row in found if row.get("dhash") is not None}

    def segments(
        self, segment_ids: Sequence[str], with_masks: bool = True
    ) -> dict[str, StoredSegment]:
        """Look segments up by id; unknown ids are left out.

        Args:
            with_masks: check their masks, for those who use them.
        """
        found: dict[str, StoredSegment] = {}
        for ids in chunks([each for each in segment_ids if is_text(each)]):
            rows = self.connection.read().execute(
                f"{SEGMENT_COLUMNS} WHERE s.id IN ({placeholders(ids)})", ids
            )
            segments = self.rows.segments(rows, with_masks)
            found.update((segment.id, segment) for segment in segments)
        return found

    def segments_where(
        self, where: SegmentCondition | None = None, with_masks: bool = False
    ) -> list[StoredSegment]:
        """List the segments that a filter leaves, in order of media file, frame and size.

        Args:
            with_masks: check their masks, for those who use them.
        """
        condition = segment_ids_where(where)
        rows = self.connection.read().execute(
            f"{SEGMENT_COLUMNS} WHERE s.id IN ({condition.sql}) ORDER BY {_IN_ORDER}",
            condition.values,
        )
        return self.rows.segments(rows, with_masks)

    def segments_in_parts(
        self, where: SegmentCondition | None = None
    ) -> Iterator[list[StoredSegment]]:
        """List the same some at a time, without those that are removed meanwhile.

        Their masks are not checked.
        """
        condition = segment_ids_where(where)
        rows = self.connection.read().execute(
            "SELECT s.id FROM segments s JOIN frames f ON f.id = s.frame_id"
            f" WHERE s.id IN ({condition.sql}) ORDER BY {_IN_ORDER}",
            condition.values,
        )
        for ids in chunks([row["id"] for row in rows]):
            found = self.segments(ids, with_masks=False)
            yield [found[segment_id] for segment_id in ids if segment_id in found]

    def segment_ids(self) -> list[str]:
        """List all segments, in the order in which they were added."""
        rows = self.connection.read().execute("SELECT id FROM segments ORDER BY rowid")
        return [row["id"] for row in rows]

    def segment_ids_by_frame(self) -> list[list[str]]:
        """List all segments, those of one frame together."""
        rows = self.connection.read().execute("SELECT id, frame_id FROM segments ORDER BY frame_id")
        return [
            [row["id"] for row in frame] for _, frame in groupby(rows, lambda row: row["frame_id"])
        ]

    def crop_hashes(self, segment_ids: Sequence[str] | None = None) -> dict[str, str | None]:
        """Look up the hashes of crop files, of every segment or of some; None for unknown ones."""
        query = "SELECT id, crop_hash FROM segments"
        db = self.connection.read()
        if segment_ids is None:
            return {row["id"]: row["crop_hash"] for row in db.execute(query)}
        rows = db.execute(f"{query} WHERE id IN ({placeholders(segment_ids)})", segment_ids)
        return {row["id"]: row["crop_hash"] for row in rows}

    def set_crop_hashes(self, hashes: Mapping[str, str]) -> None:
        """Store the hashes of segments' crop files."""
        with self.connection.write() as db:
            db.executemany(
                "UPDATE segments SET crop_hash = ? WHERE id = ?",
                [(value, segment_id) for segment_id, value in hashes.items()],
            )

    def set_crop_path(self, segment_id: str, crop_path: str) -> None:
        """Give a segment another crop file."""
        with self.connection.write() as db:
            db.execute("UPDATE segments SET crop_path = ? WHERE id = ?", (crop_path, segment_id))

    def crop_paths(self) -> set[str]:
        """List every crop file the library refers to, relative to its folder.

        Those that undoing an edit of a mask needs are among them.
        """
        rows = self.connection.read().execute("SELECT crop_path FROM segments")
        return {row["crop_path"] for row in rows} | self.edits.crop_paths()
