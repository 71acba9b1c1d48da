"""SQLite: the truth about a library. Media files, frames, segments and tags."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from src.config import LibraryPaths
from src.database.captured import moment_of
from src.database.conditions import SegmentCondition, segment_ids_where
from src.database.connection import Connection
from src.database.decisions import (
    FRAME_IS_KEPT,
    IS_KEPT,
    decide_on_frame,
    new_batch,
    put_tags,
    remove_tag,
    repeat,
    undo,
)
from src.database.media_roots import move_root, root_of
from src.database.removed_media import RemovedMedia
from src.database.repair.damaged_rows import DamagedRow, damaged_rows, miscounted
from src.database.repair.mending import problems_of
from src.database.rows import CHUNK, LISTED, SEGMENT_COLUMNS, RowReader
from src.database.segment_store import (
    NewSegment,
    change_segment,
    insert_segments,
    with_parents,
)
from src.records import (
    Decision,
    FrameLook,
    MediaFile,
    MediaKind,
    MediaStatus,
    StoredSegment,
    Tag,
    TagSource,
)


class MetadataDatabase:
    """The verbs on the library's tables. Every write is one transaction."""

    def __init__(
        self,
        paths: LibraryPaths,
        read_only: bool = False,
        examine: bool = False,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Open the library's SQLite file, making it when it is not there.

        Args:
            read_only: for a process that does not hold the library's lock.
            examine: look for damage even where nothing speaks for any.
            on_progress: is told how far the recovery of a damaged library is: done, of how much.

        Raises:
            DatabaseError: it can't be opened.
        """
        paths.create(read_only)
        self.paths = paths
        self.connection = Connection(paths.metadata_db, read_only, examine, on_progress)
        self.rows = RowReader(self.connection, paths)
        self.removed = RemovedMedia(self.connection, self.rows)

    def close(self) -> None:
        self.connection.close()

    # -- media files

    def media_by_path(self, path: Path) -> MediaFile | None:
        return self._media("path = ?", str(path))

    def media_by_hash(self, content_hash: str) -> MediaFile | None:
        return self._media("content_hash = ?", content_hash)

    def media(self, media_file_id: int) -> MediaFile | None:
        return self._media("id = ?", media_file_id)

    def all_media(self, status: MediaStatus | None = None) -> list[MediaFile]:
        rows = self.connection.read().execute(
            "SELECT * FROM media_files WHERE ?1 IS NULL OR status = ?1 ORDER BY id", (status,)
        )
        return self.rows.media_files(rows)

    def media_under(self, path: Path) -> list[MediaFile]:
        """List the media file at a path, or those in the folder that it was or is."""
        inside = os.path.join(path, "")
        rows = self.connection.read().execute(
            "SELECT * FROM media_files WHERE path = ? OR substr(path, 1, ?) = ? ORDER BY id",
            (str(path), len(inside), inside),
        )
        return self.rows.media_files(rows)

    def media_of_sizes(self, sizes: Collection[int]) -> list[MediaFile]:
        """List the media files whose content is known and has one of some sizes in bytes."""
        if not sizes:
            return []
        rows = self.connection.read().execute(
            "SELECT * FROM media_files WHERE content_hash IS NOT NULL ORDER BY id"
        )
        return self.rows.media_files(row for row in rows if row["file_size"] in sizes)

    def add_media(
        self,
        path: Path,
        kind: MediaKind,
        file_size: int,
        modified_at_ns: int,
        added_at: float | None = None,
    ) -> int:
        """Add a media file with nothing known of its content yet; returns its id."""
        with self.connection.write() as db:
            cursor = db.execute(
                "INSERT INTO media_files (path, kind, file_size, modified_at_ns, status, added_at,"
                " root_id, relative_path) VALUES (?, ?, ?, ?, 'pending', ?, ?, ?)",
                (
                    str(path),
                    kind,
                    file_size,
                    modified_at_ns,
                    added_at or time.time(),
                    *root_of(db, path),
                ),
            )
            return cast(int, cursor.lastrowid)

    def update_media(self, media_file_id: int, **columns: Any) -> None:
        """Set columns of a media file; a Path is stored as text, and what follows from it."""
        with self.connection.write() as db:
            if isinstance(path := columns.get("path"), Path):
                columns["root_id"], columns["relative_path"] = root_of(db, path)
            if "captured_at" in columns:
                captured = moment_of(columns["captured_at"])
                columns["captured_utc_s"], columns["captured_zone"] = captured
            names = ", ".join(f"{name} = ?" for name in columns)
            values = [str(v) if isinstance(v, Path) else v for v in columns.values()]
            db.execute(f"UPDATE media_files SET {names} WHERE id = ?", (*values, media_file_id))

    def roots(self) -> list[Path]:
        """List the folders that media files are kept in, each with all that is below it."""
        return list(self.roots_with_files())

    def roots_with_files(self) -> dict[Path, int]:
        """List the same folders, each with how many media files it is the root of."""
        rows = self.connection.read().execute(
            "SELECT r.*, count(*) AS _files FROM roots r JOIN media_files m ON m.root_id = r.id"
            " GROUP BY r.id ORDER BY r.path"
        )
        return {Path(row["path"]): row["_files"] for row in self.rows.checked("roots", rows)}

    def move_root(self, old: Path, new: Path) -> int:
        """Say that a folder of media is elsewhere now: all files in it, by the same names.

        Args:
            old: a root, or a folder above or below some.

        Returns:
            How many media files have another path now.

        Raises:
            DatabaseError: a file of the library has one of the new paths already.
        """
        with self.connection.write() as db:
            return move_root(db, old, new)

    def remove_frames(self, media_file_id: int) -> list[str]:
        """Forget a media file's frames and all on them; returns the crop files now unused."""
        with self.connection.write() as db:
            crops = [
                row["crop_path"]
                for row in db.execute(
                    "SELECT s.crop_path FROM segments s JOIN frames f ON f.id = s.frame_id"
                    " WHERE f.media_file_id = ?",
                    (media_file_id,),
                )
            ]
            db.execute("DELETE FROM frames WHERE media_file_id = ?", (media_file_id,))
            return crops

    def remove_media(self, media_file_id: int) -> list[str]:
        """Forget a media file and all that was made of it; returns the crop files now unused."""
        with self.connection.write() as db:
            crops = self.remove_frames(media_file_id)
            db.execute("DELETE FROM media_files WHERE id = ?", (media_file_id,))
            return crops

    # -- frames and segments

    def stored_frames(self, media_file_id: int) -> set[int]:
        rows = self.connection.read().execute(
            "SELECT frame_index FROM frames WHERE media_file_id = ?", (media_file_id,)
        )
        return {row["frame_index"] for row in rows}

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
        """Write down up to when a frame stands for what was skipped after it, in seconds."""
        with self.connection.write() as db:
            db.execute(
                "UPDATE frames SET until_s = ? WHERE media_file_id = ? AND frame_index = ?",
                (until_s, media_file_id, frame_index),
            )

    def frames_not_looked_at(self) -> dict[int, str]:
        """List the frames whose look nobody has taken, each with the crop file of the whole."""
        rows = self.connection.read().execute(
            "SELECT f.id, s.crop_path FROM frames f"
            " JOIN segments s ON s.frame_id = f.id AND s.kind = 'frame'"
            " WHERE f.dhash IS NULL OR f.sharpness IS NULL ORDER BY f.id"
        )
        return {row["id"]: row["crop_path"] for row in rows}

    def set_looks(self, looks: Mapping[int, FrameLook]) -> None:
        """Write down the looks of frames, by their row ids."""
        with self.connection.write() as db:
            db.executemany(
                "UPDATE frames SET dhash = ?, sharpness = ? WHERE id = ?",
                [(look.dhash, look.sharpness, frame_id) for frame_id, look in looks.items()],
            )

    def segments(self, segment_ids: Sequence[str]) -> dict[str, StoredSegment]:
        """Look segments up by id; unknown ids are left out."""
        found: dict[str, StoredSegment] = {}
        for ids in _chunks(segment_ids):
            rows = self.connection.read().execute(
                f"{SEGMENT_COLUMNS} WHERE s.id IN ({placeholders(ids)})", ids
            )
            found.update((segment.id, segment) for segment in self.rows.segments(rows))
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
            f"{SEGMENT_COLUMNS} WHERE s.id IN ({condition.sql})"
            " ORDER BY f.media_file_id, f.frame_index, s.area DESC, s.id",
            condition.values,
        )
        return self.rows.segments(rows, with_masks)

    def segment_ids(self) -> list[str]:
        """List all segments, in the order in which they came."""
        rows = self.connection.read().execute("SELECT id FROM segments ORDER BY rowid")
        return [row["id"] for row in rows]

    def segment_ids_by_frame(self) -> list[list[str]]:
        """List all segments, those of one frame together."""
        rows = self.connection.read().execute("SELECT id, frame_id FROM segments ORDER BY frame_id")
        return [
            [row["id"] for row in frame] for _, frame in groupby(rows, lambda row: row["frame_id"])
        ]

    def crop_hashes(self) -> dict[str, str | None]:
        """Look up the hash of every segment's crop file; None where nobody has taken it."""
        rows = self.connection.read().execute("SELECT id, crop_hash FROM segments")
        return {row["id"]: row["crop_hash"] for row in rows}

    def set_crop_hashes(self, hashes: Mapping[str, str]) -> None:
        """Write down the hashes of segments' crop files."""
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
        """List every crop file the library refers to, relative to its folder."""
        return {
            row["crop_path"]
            for row in self.connection.read().execute("SELECT crop_path FROM segments")
        }

    # -- tags

    def add_tags(
        self, segment_id: str, tags: Iterable[Tag], added_by: str, batch: str | None = None
    ) -> bool:
        """Put tags on a segment; one that is there keeps the stronger word, see decisions.

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
            return True

    def remove_tag(self, segment_id: str, name: str, batch: str | None = None) -> None:
        """Take a tag off a segment, which no model gives it again."""
        with self.connection.write() as db:
            remove_tag(db, segment_id, name, batch or new_batch())

    def repeat(self, segment_id: str, decisions: Iterable[Decision]) -> None:
        """Decide on a segment what was decided on another, when and in which act it was."""
        with self.connection.write() as db:
            repeat(db, segment_id, decisions)

    def undo(self, batch: str) -> int:
        """Take a whole act on tags back: what was decided before holds again.

        Returns:
            How many decisions were taken back.
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
        """Write down whether a frame, as a whole, has anything of a tag in it.

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
            f" WHERE {condition} AND d.undone_at IS NULL ORDER BY d.id",
            (value,),
        )
        return self.rows.checked("decisions", rows)

    def tags_of(self, segment_ids: Sequence[str]) -> dict[str, tuple[Tag, ...]]:
        """Look up tags, highest confidence first; segments without any are left out."""
        found: dict[str, list[Tag]] = {}
        for ids in _chunks(segment_ids):
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
        """Look up which tags people took off segments; the others are left out."""
        found: dict[str, list[str]] = {}
        for ids in _chunks(segment_ids):
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

    # -- facts about the library

    def count_segments(self) -> int:
        row = self.connection.read().execute("SELECT count(*) FROM segments").fetchone()
        return int(row[0])

    def counts(self) -> dict[str, int]:
        """Count media_files, images, videos, frames, segments and tags in use."""
        row = (
            self.connection.read()
            .execute(
                "SELECT (SELECT count(*) FROM media_files WHERE status != 'failed') AS media_files,"
                " (SELECT count(*) FROM media_files WHERE status != 'failed' AND kind = 'image')"
                " AS images,"
                " (SELECT count(*) FROM media_files WHERE status != 'failed' AND kind = 'video')"
                " AS videos,"
                " (SELECT count(*) FROM frames) AS frames,"
                " (SELECT count(*) FROM segments) AS segments,"
                " (SELECT count(DISTINCT tag_id) FROM segment_tags) AS tags"
            )
            .fetchone()
        )
        return dict(row)

    def info(self, key: str) -> str | None:
        found = self.connection.read().execute("SELECT * FROM info WHERE key = ?", (key,))
        rows = self.rows.checked("info", found)
        return str(rows[0]["value"]) if rows else None

    def set_info(self, key: str, value: str) -> None:
        with self.connection.write() as db:
            db.execute("INSERT OR REPLACE INTO info (key, value) VALUES (?, ?)", (key, value))

    def forget_info(self, key: str) -> None:
        with self.connection.write() as db:
            db.execute("DELETE FROM info WHERE key = ?", (key,))

    def integrity_problems(self) -> list[str]:
        """Ask SQLite to check itself; empty means sound."""
        with self.connection.noticing_damage():
            return problems_of(self.connection.read())

    def damaged_rows(self) -> list[DamagedRow]:
        """Find every row that can't be what was stored."""
        with self.connection.noticing_damage():
            return damaged_rows(self.connection.read())

    def miscounted(self) -> dict[str, tuple[int, int]]:
        """List the tables that have another number of rows than is written down, and theirs."""
        with self.connection.noticing_damage():
            return miscounted(self.connection.read())

    def _media(self, condition: str, value: Any) -> MediaFile | None:
        found = self.connection.read().execute(
            f"SELECT * FROM media_files WHERE {condition}", (value,)
        )
        return next(iter(self.rows.media_files(found)), None)


def _decision(row: Mapping[str, Any]) -> Decision:
    return Decision(
        row["_name"],
        bool(row["has_tag"]),
        row["source"],
        row["confidence"],
        row["decided_at"],
        row["batch"],
    )


def placeholders(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[i : i + CHUNK] for i in range(0, len(ids), CHUNK))
