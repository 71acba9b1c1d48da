"""The verbs on media files and the folders they lie in."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, NamedTuple, cast

from src.database.captured import moment_of
from src.database.connection import Connection
from src.database.media_roots import move_root, root_of
from src.database.rows import LISTED, RowReader
from src.database.segment_edits import SegmentEdits
from src.records import (
    MediaFile,
    MediaKind,
    MediaStatus,
)

# Names in one query; SQLite takes 999 at least.
_AT_ONCE = 500


class MediaState(NamedTuple):
    """What tells whether a media file has to be read; as of the row, without its checks."""

    id: int
    status: MediaStatus
    file_size: int
    modified_at_ns: int
    content_hash: str | None


class MediaTable:
    """A part of MetadataDatabase: what it does with media files. Every write is a transaction."""

    connection: Connection
    rows: RowReader
    edits: SegmentEdits

    def media_by_path(self, path: Path) -> MediaFile | None:
        return self._media("path = ?", str(path))

    def media_by_hash(self, content_hash: str) -> MediaFile | None:
        return self._media("content_hash = ?", content_hash)

    def states_of(self, paths: Iterable[Path]) -> dict[Path, MediaState]:
        """Return what is recorded of the files at some paths, many in one query."""
        found: dict[Path, MediaState] = {}
        by_name = {str(path): path for path in paths}  # a Path takes longer to make than a query
        names = iter(by_name)
        while some := list(itertools.islice(names, _AT_ONCE)):
            rows = self.connection.read().execute(
                "SELECT path, id, status, file_size, modified_at_ns, content_hash FROM media_files"
                f" WHERE path IN ({', '.join('?' * len(some))})",
                some,
            )
            found.update((by_name[name], MediaState(*state)) for name, *state in rows)
        return found

    def whole_contents(self) -> set[str]:
        """Return the hashes of the contents that are wholly in the library."""
        rows = self.connection.read().execute(
            "SELECT content_hash FROM media_files"
            " WHERE status = 'done' AND content_hash IS NOT NULL"
        )
        return {row["content_hash"] for row in rows}

    def media(self, media_file_id: int) -> MediaFile | None:
        return self._media("id = ?", media_file_id)

    def all_media(self, status: MediaStatus | None = None) -> list[MediaFile]:
        rows = self.connection.read().execute(
            "SELECT * FROM media_files WHERE ?1 IS NULL OR status = ?1 ORDER BY id", (status,)
        )
        return self.rows.media_files(rows)

    def media_paths(self) -> list[Path]:
        """List where all media files are; as of the rows, without their checks."""
        rows = self.connection.read().execute("SELECT path FROM media_files ORDER BY id")
        return [Path(row["path"]) for row in rows]

    def media_at(self, paths: Iterable[Path]) -> list[MediaFile]:
        """Look up the media files at some paths, in their order; those of other paths are none."""
        names = json.dumps([str(path) for path in paths])
        rows = self.connection.read().execute(
            f"SELECT m.* FROM {LISTED} wanted CROSS JOIN media_files m ON m.path = wanted.value",
            (names,),
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
        """Change the path of a folder of media: of all files in it, whose names stay the same.

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
        """Delete a media file's frames and their segments; returns the crop files now unused."""
        with self.connection.write() as db:
            crops = [
                row["crop_path"]
                for row in db.execute(
                    "SELECT s.crop_path FROM segments s JOIN frames f ON f.id = s.frame_id"
                    " WHERE f.media_file_id = ?",
                    (media_file_id,),
                )
            ]
            crops += self.edits.crop_paths(media_file_id) - {*crops}
            db.execute("DELETE FROM frames WHERE media_file_id = ?", (media_file_id,))
            return crops

    def remove_media(self, media_file_id: int) -> list[str]:
        """Delete a media file's row and all made of it; returns the crop files now unused."""
        with self.connection.write() as db:
            crops = self.remove_frames(media_file_id)
            db.execute("DELETE FROM media_files WHERE id = ?", (media_file_id,))
            return crops

    def _media(self, condition: str, value: Any) -> MediaFile | None:
        found = self.connection.read().execute(
            f"SELECT * FROM media_files WHERE {condition}", (value,)
        )
        return next(iter(self.rows.media_files(found)), None)
