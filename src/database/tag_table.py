"""The verbs on tags, and on the decisions that they come from."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from src.database.acts import undo
from src.database.connection import Connection
from src.database.decisions import (
    FRAME_IS_KEPT,
    IS_IN_PLACE,
    IS_KEPT,
    decide_on_frame,
    new_batch,
    put_tags,
    remove_tag,
    repeat,
)
from src.database.rows import LISTED, RowReader, chunks, placeholders
from src.database.track_labels import follow_words
from src.records import (
    Decision,
    Tag,
    TagSource,
)


class TagTable:
    """A part of MetadataDatabase: what it does with tags. Every write is a transaction."""

    connection: Connection
    rows: RowReader

    def add_tags(
        self, segment_id: str, tags: Iterable[Tag], added_by: str, batch: str | None = None
    ) -> bool:
        """Put tags on a segment; where one is there already the stronger decision stays.

        Args:
            batch: of the act that this is a part of, see undo; None for one of its own.

        Returns:
            False when the segment has been removed meanwhile; nothing is stored then.
        """
        with self.connection.write() as db:
            is_there = db.execute("SELECT 1 FROM segments WHERE id = ?", (segment_id,)).fetchone()
            if is_there is None:
                return False
            put_tags(db, segment_id, tags, added_by, batch or new_batch())
            follow_words(db, [segment_id])
            return True

    def remove_tag(self, segment_id: str, name: str, batch: str | None = None) -> None:
        """Remove a tag from a segment; no model gives it to the segment again."""
        with self.connection.write() as db:
            remove_tag(db, segment_id, name, batch or new_batch())
            follow_words(db, [segment_id])

    def repeat(self, segment_id: str, decisions: Iterable[Decision]) -> None:
        """Decide on a segment what was decided on another, when and in which act it was."""
        with self.connection.write() as db:
            repeat(db, segment_id, decisions)

    def undo(self, batch: str) -> int:
        """Undo a whole act on tags: what was decided before holds again.

        Returns:
            How many decisions were undone.
        """
        with self.connection.write() as db:
            return undo(db, batch)

    def decide_on_frame(
        self,
        media_file_id: int,
        frame_index: int,
        tag: str,
        has_tag: bool,
        source: TagSource = "human",
        batch: str | None = None,
    ) -> bool:
        """Record whether a frame, as a whole, has anything of a tag in it.

        Returns:
            False when there is no such frame; nothing is stored then.
        """
        decision = Decision(tag, has_tag, source, 1.0, time.time(), batch or new_batch())
        return self.repeat_on_frame(media_file_id, frame_index, [decision])

    def repeat_on_frame(
        self, media_file_id: int, frame_index: int, decisions: Iterable[Decision]
    ) -> bool:
        """Decide on a frame what was decided on another, when and in which act it was.

        Returns:
            False when there is no such frame; nothing is stored then.
        """
        with self.connection.write() as db:
            frame = db.execute(
                "SELECT id FROM frames WHERE media_file_id = ? AND frame_index = ?",
                (media_file_id, frame_index),
            ).fetchone()
            if frame is not None:
                decide_on_frame(db, frame["id"], decisions)
            return frame is not None

    def frame_decisions(self, media_file_id: int) -> dict[int, tuple[Decision, ...]]:
        """Look up what was decided on a media file's frames, by their index; the last comes last.

        What has been undone is left out.
        """
        found: dict[int, list[Decision]] = {}
        for row in self._decisions("f.media_file_id = ? AND d.segment_id IS NULL", media_file_id):
            found.setdefault(row["_frame_index"], []).append(_decision(row))
        return {frame_index: tuple(some) for frame_index, some in found.items()}

    def decisions_of(self, segment_ids: Sequence[str]) -> dict[str, tuple[Decision, ...]]:
        """Look up what was decided on segments, in order; what has been undone is left out."""
        found: dict[str, list[Decision]] = {}
        for row in self._decisions(f"d.segment_id IN {LISTED}", json.dumps(list(segment_ids))):
            found.setdefault(row["segment_id"], []).append(_decision(row))
        return {segment_id: tuple(some) for segment_id, some in found.items()}

    def _decisions(self, condition: str, value: Any) -> list[dict[str, Any]]:
        rows = self.connection.read().execute(
            "SELECT d.*, t.name AS _name, f.frame_index AS _frame_index FROM decisions d"
            " JOIN tags t ON t.id = d.tag_id LEFT JOIN frames f ON f.id = d.frame_id"
            f" WHERE {condition} AND d.undone_at IS NULL AND {IS_IN_PLACE} ORDER BY d.id",
            (value,),
        )
        return self.rows.checked("decisions", rows)

    def tags_of(self, segment_ids: Sequence[str]) -> dict[str, tuple[Tag, ...]]:
        """Look up tags, highest confidence first; segments without any are left out."""
        found: dict[str, list[Tag]] = {}
        for ids in chunks(segment_ids):
            rows = self.connection.read().execute(
                "SELECT st.*, t.name AS _name FROM segment_tags st"
                f" JOIN tags t ON t.id = st.tag_id WHERE st.segment_id IN ({placeholders(ids)})"
                " ORDER BY st.confidence DESC, t.name",
                ids,
            )
            for row in self.rows.checked("segment_tags", rows):
                tag = Tag(row["_name"], row["confidence"], cast(TagSource, row["source"]))
                found.setdefault(row["segment_id"], []).append(tag)
        return {segment_id: tuple(tags) for segment_id, tags in found.items()}

    def removed_tags_of(self, segment_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Look up which tags people removed from segments; the others are left out."""
        found: dict[str, list[str]] = {}
        for ids in chunks(segment_ids):
            rows = self.connection.read().execute(
                "SELECT r.*, t.name AS _name FROM removed_tags r JOIN tags t ON t.id = r.tag_id"
                f" WHERE r.segment_id IN ({placeholders(ids)}) ORDER BY t.name",
                ids,
            )
            for row in self.rows.checked("removed_tags", rows):
                found.setdefault(row["segment_id"], []).append(row["_name"])
        return {segment_id: tuple(names) for segment_id, names in found.items()}

    def has_work_of_people(self, media_file_id: int) -> bool:
        """Return whether people have decided on a media file's segments or frames, or made any."""
        row = self.connection.read().execute(
            "SELECT EXISTS (SELECT 1 FROM frames f JOIN segments s ON s.frame_id = f.id"
            f" WHERE f.media_file_id = ?1 AND {IS_KEPT})"
            f" OR EXISTS (SELECT 1 FROM frames f WHERE f.media_file_id = ?1 AND {FRAME_IS_KEPT})",
            (media_file_id,),
        )
        return bool(row.fetchone()[0])

    def tag_counts(self) -> dict[str, int]:
        """Count the segments of each tag in use, by name."""
        rows = self.connection.read().execute(
            "SELECT t.*, count(*) AS _segments FROM tags t"
            " JOIN segment_tags st ON st.tag_id = t.id GROUP BY t.id ORDER BY t.name"
        )
        return {row["name"]: row["_segments"] for row in self.rows.checked("tags", rows)}


def _decision(row: Mapping[str, Any]) -> Decision:
    return Decision(
        row["_name"],
        bool(row["has_tag"]),
        row["source"],
        row["confidence"],
        row["decided_at"],
        row["batch"],
    )
