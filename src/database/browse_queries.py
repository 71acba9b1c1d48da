"""What a person browses: media files in an order, cards for a page of them, frames, tags."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from pathlib import Path

from src.database.captured import INSTANT
from src.database.conditions import SegmentCondition, segment_ids_where
from src.database.decisions import ROWS_OF_TAG
from src.database.metadata_db import MetadataDatabase
from src.database.rows import LISTED, SEGMENT_COLUMNS
from src.database.text_normalization import casefold_key
from src.records import (
    MediaCard,
    MediaOrder,
    SampledFrame,
    StoredSegment,
)

# Photos and films are in the order of the instants at which they were taken; where none is known,
# the file's own time takes its place.
_CAPTURED = f"coalesce({INSTANT}, julianday(modified_at_ns / 1e9, 'unixepoch'))"
_ORDERS: dict[MediaOrder, str] = {
    "added": "SELECT id FROM media_files ORDER BY added_at DESC, id",
    "captured": f"SELECT id FROM media_files ORDER BY {_CAPTURED} DESC, id",
    "segments": (
        "SELECT m.id FROM media_files m LEFT JOIN frames f ON f.media_file_id = m.id"
        " LEFT JOIN segments s ON s.frame_id = f.id GROUP BY m.id ORDER BY count(s.id) DESC, m.id"
    ),
}


class BrowseQueries:
    """Reads for the window. Lists of ids are cheap, so a large library is shown page by page."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self.metadata = metadata
        # by thread, since each has its own reader: SQLite's data_version, and what it was then
        self._qualities: dict[int, tuple[int, tuple[float, float] | None]] = {}

    def media_ids(self, order: MediaOrder) -> list[int]:
        """List every media file, failed and waiting ones too, in an order.

        Names go from A to Z with numbers by their value; everything else newest or most first.
        """
        reader = self.metadata.connection.read()
        if order == "name":
            rows = reader.execute("SELECT id, path FROM media_files").fetchall()
            return [row["id"] for row in sorted(rows, key=lambda row: _by_name(row["path"]))]
        return [row[0] for row in reader.execute(_ORDERS[order])]

    def is_empty(self) -> bool:
        """Return whether there is no segment that could be found."""
        return not self.metadata.connection.read().execute("SELECT 1 FROM segments").fetchone()

    def failed_media(self) -> int:
        """Count the media files that could not be read; nothing of them is in the library."""
        reader = self.metadata.connection.read()
        found = reader.execute("SELECT count(*) FROM media_files WHERE status = 'failed'")
        return int(found.fetchone()[0])

    def photos(self, media_file_ids: Sequence[int]) -> list[int]:
        """Keep the photos that can be looked at, in the order given."""
        reader = self.metadata.connection.read()
        found = reader.execute(
            "SELECT id FROM media_files WHERE kind = 'image' AND status = 'done'"
        )
        photos = {row[0] for row in found}
        return [each for each in media_file_ids if each in photos]

    def media_cards(self, media_file_ids: Sequence[int]) -> dict[int, MediaCard]:
        """Look up a page of cards; ids that are gone are left out."""
        rows = self.metadata.connection.read().execute(
            "SELECT m.*, (SELECT count(*) FROM frames f JOIN segments s ON s.frame_id = f.id"
            " WHERE f.media_file_id = m.id) AS _segments,"
            " (SELECT s.crop_path FROM frames f JOIN segments s ON s.frame_id = f.id"
            " WHERE f.media_file_id = m.id AND s.kind = 'frame'"
            " ORDER BY f.frame_index LIMIT 1) AS _poster"
            f" FROM media_files m WHERE m.id IN {LISTED}",
            (json.dumps(list(media_file_ids)),),
        )
        cards = {}
        for row in rows:
            columns = dict(row)
            segments, poster = columns.pop("_segments"), columns.pop("_poster")
            crop = None if poster is None else self.metadata.paths.crop(poster)
            (media,) = self.metadata.rows.media_files([columns])
            cards[media.id] = MediaCard(media, segments, crop)
        return cards

    def sampled_frames(self, media_file_id: int) -> list[SampledFrame]:
        """List a media file's stored frames, in order."""
        rows = self.metadata.connection.read().execute(
            "SELECT s.id, f.frame_index, f.timestamp_s, s.crop_path FROM frames f"
            " JOIN segments s ON s.frame_id = f.id AND s.kind = 'frame'"
            " WHERE f.media_file_id = ? ORDER BY f.frame_index",
            (media_file_id,),
        )
        crop = self.metadata.paths.crop
        return [
            SampledFrame(row["id"], row["frame_index"], row["timestamp_s"], crop(row["crop_path"]))
            for row in rows
        ]

    def segments_of_frame(self, segment_id: str) -> list[StoredSegment]:
        """List all segments of the frame that one is of: the frame first, then by size."""
        rows = self.metadata.connection.read().execute(
            f"{SEGMENT_COLUMNS} WHERE s.frame_id = (SELECT frame_id FROM segments WHERE id = ?)"
            " ORDER BY s.kind, s.area DESC, s.id",
            (segment_id,),
        )
        return self.metadata.rows.segments(rows)

    def segments_on(self, frame_id: int) -> list[StoredSegment]:
        """List all segments of a frame by its row id; none when it is gone."""
        rows = self.metadata.connection.read().execute(
            f"{SEGMENT_COLUMNS} WHERE s.frame_id = ? ORDER BY s.kind, s.area DESC, s.id",
            (frame_id,),
        )
        return self.metadata.rows.segments(rows)

    def segments_in_order(self, where: SegmentCondition, n: int) -> list[StoredSegment]:
        """List up to n segments that a filter leaves, as the library shows its media files.

        Media added last come first, then a video's frames in order, the whole frame before what
        was cut out of it, and larger segments before smaller ones.
        """
        condition = segment_ids_where(where)
        rows = self.metadata.connection.read().execute(
            f"{SEGMENT_COLUMNS} WHERE s.id IN ({condition.sql}) ORDER BY m.added_at DESC, m.id,"
            " f.frame_index, s.kind, s.area DESC, s.id LIMIT ?",
            (*condition.values, n),
        )
        return self.metadata.rows.segments(rows)

    def count_where(self, where: SegmentCondition) -> int:
        """Count the segments that a filter leaves."""
        condition = segment_ids_where(where)
        found = self.metadata.connection.read().execute(
            f"SELECT count(*) FROM ({condition.sql})", condition.values
        )
        return int(found.fetchone()[0])

    def quality_range(self) -> tuple[float, float] | None:
        """Find the lowest and the highest predicted_iou there is; None without segments of SAM.

        All segments are gone through only where the library has changed: each search asks this.
        """
        reader, thread = self.metadata.connection.read(), threading.get_ident()
        version: int = reader.execute("PRAGMA data_version").fetchone()[0]
        known = self._qualities.get(thread)
        if known is None or known[0] != version:
            lowest, highest = reader.execute(
                "SELECT min(predicted_iou), max(predicted_iou) FROM segments"
            ).fetchone()
            known = version, None if lowest is None else (lowest, highest)
            self._qualities[thread] = known
        return known[1]

    def tagged_by_people(
        self, name: str, limit: int, where: SegmentCondition | None = None
    ) -> list[str]:
        """List the segments that a person gave a tag, whatever its case; newest first."""
        condition = segment_ids_where(where)
        rows = self.metadata.connection.read().execute(
            "SELECT s.id FROM segments s"
            " WHERE s.id IN (SELECT segment_id FROM segment_tags WHERE source = 'human'"
            f" AND tag_id IN ({ROWS_OF_TAG})) AND s.id IN ({condition.sql})"
            " ORDER BY s.rowid DESC LIMIT ?",
            (casefold_key(name), *condition.values, limit),
        )
        return [row["id"] for row in rows]


def _by_name(path: str) -> list[tuple[int, str]]:
    """Sort key: IMG_9 before IMG_10, whatever the case."""
    parts = re.split(r"(\d+)", Path(path).name.casefold())
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts if part]
