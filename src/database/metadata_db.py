"""SQLite: the truth about a library. Media files, frames, segments and tags."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from src.config import LibraryPaths
from src.database.conditions import SegmentCondition, segment_ids_where
from src.database.connection import Connection
from src.database.removed_media import RemovedMedia
from src.database.repair.damaged_rows import DamagedRow, damaged_rows, miscounted
from src.database.repair.mending import problems_of
from src.database.rows import CHUNK, SEGMENT_COLUMNS, RowReader
from src.database.segment_store import (
    NewSegment,
    insert_segments,
    put_tags,
    remove_tag,
)
from src.records import (
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
                "INSERT INTO media_files (path, kind, file_size, modified_at_ns, status, added_at)"
                " VALUES (?, ?, ?, ?, 'pending', ?)",
                (str(path), kind, file_size, modified_at_ns, added_at or time.time()),
            )
            return cast(int, cursor.lastrowid)

    def update_media(self, media_file_id: int, **columns: Any) -> None:
        """Set columns of a media file; a Path is stored as text."""
        names = ", ".join(f"{name} = ?" for name in columns)
        values = [str(value) if isinstance(value, Path) else value for value in columns.values()]
        with self.connection.write() as db:
            db.execute(f"UPDATE media_files SET {names} WHERE id = ?", (*values, media_file_id))

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
    ) -> bool:
        """Store a frame with its segments, embeddings and tags: whole, or not at all.

        Args:
            model: the CLIP that embedded them.
            sam: the SAM that cut it, "none" for a frame that was not cut.

        Returns:
            False when the media file has been removed meanwhile; nothing is stored then.

        Raises:
            EmbeddingError: an embedding can't be used; nothing is stored then.
        """
        with self.connection.write() as db:
            if (
                db.execute("SELECT 1 FROM media_files WHERE id = ?", (media_file_id,)).fetchone()
                is None
            ):
                return False
            frame_id = db.execute(
                "INSERT INTO frames (media_file_id, frame_index, timestamp_s, width, height, sam)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (media_file_id, frame_index, timestamp_s, *size_wh, sam),
            ).lastrowid
            insert_segments(db, cast(int, frame_id), segments, model)
            return True

    def segments(self, segment_ids: Sequence[str]) -> dict[str, StoredSegment]:
        """Look segments up by id; unknown ids are left out."""
        found: dict[str, StoredSegment] = {}
        for ids in _chunks(segment_ids):
            rows = self.connection.read().execute(
                f"{SEGMENT_COLUMNS} WHERE s.id IN ({marks(ids)})", ids
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

    def add_tags(self, segment_id: str, tags: Iterable[Tag], added_by: str) -> bool:
        """Put tags on a segment; one that is there takes the new confidence and source.

        Returns:
            False when the segment has been removed meanwhile; nothing is stored then.
        """
        with self.connection.write() as db:
            is_there = db.execute("SELECT 1 FROM segments WHERE id = ?", (segment_id,)).fetchone()
            if is_there is None:
                return False
            put_tags(db, segment_id, tags, added_by)
            return True

    def remove_tag(self, segment_id: str, name: str) -> None:
        """Take a tag off a segment, which no model gives it again."""
        with self.connection.write() as db:
            remove_tag(db, segment_id, name)

    def tags_of(self, segment_ids: Sequence[str]) -> dict[str, tuple[Tag, ...]]:
        """Look up the tags of segments, surest first; segments without any are left out."""
        found: dict[str, list[Tag]] = {}
        for ids in _chunks(segment_ids):
            rows = self.connection.read().execute(
                "SELECT st.*, t.name AS _name FROM segment_tags st"
                f" JOIN tags t ON t.id = st.tag_id WHERE st.segment_id IN ({marks(ids)})"
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
                f" WHERE r.segment_id IN ({marks(ids)}) ORDER BY t.name",
                ids,
            )
            for row in self.rows.checked("removed_tags", rows):
                found.setdefault(row["segment_id"], []).append(row["_name"])
        return {segment_id: tuple(names) for segment_id, names in found.items()}

    def has_work_of_people(self, media_file_id: int) -> bool:
        """Say whether a person has given a media file's segments a tag, or taken one off."""
        row = self.connection.read().execute(
            "SELECT EXISTS (SELECT 1 FROM frames f JOIN segments s ON s.frame_id = f.id"
            " WHERE f.media_file_id = ?"
            " AND (EXISTS (SELECT 1 FROM removed_tags r WHERE r.segment_id = s.id)"
            " OR EXISTS (SELECT 1 FROM segment_tags st"
            " WHERE st.segment_id = s.id AND st.source != 'auto')))",
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


def marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[i : i + CHUNK] for i in range(0, len(ids), CHUNK))
