"""What a person browses: media files in an order, cards for a page of them, frames, tags."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence

from src.database.captured import INSTANT
from src.database.conditions import Condition, SegmentCondition, segment_ids_where
from src.database.decisions import ROWS_OF_TAG
from src.database.filtered_rows import MOST_STEPS
from src.database.giving_up import giving_up
from src.database.media_facts import FILE_NAME, media_where
from src.database.metadata_db import MetadataDatabase
from src.database.rows import LISTED, SEGMENT_COLUMNS
from src.database.text_normalization import casefold_key
from src.errors import GivenUp
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
        # counted by an index that is small and in the order of frames
        "SELECT m.id FROM media_files m LEFT JOIN (SELECT f.media_file_id, sum(some.n) AS n"
        " FROM (SELECT frame_id, count(*) AS n FROM segments GROUP BY frame_id) some"
        " JOIN frames f ON f.id = some.frame_id GROUP BY f.media_file_id) counted"
        " ON counted.media_file_id = m.id ORDER BY coalesce(counted.n, 0) DESC, m.id"
    ),
}

# As the library shows media files and their segments.
_AS_SHOWN = "m.added_at DESC, m.id, f.frame_index, s.kind, s.area DESC, s.id"

_DIGITS = re.compile(r"(\d+)")
# Media files that a filter is asked about at once, those added last; then four times as many.
MEDIA_AT_ONCE = 50
# Of what a filter leaves so many are listed and sorted at once, where they are soon found.
MOST_LISTED = 2000


class BrowseQueries:
    """Reads for the window. Lists of ids are cheap, so a large library is shown page by page."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self.metadata = metadata
        # Connection.version, and what it was then
        self._quality: tuple[int, tuple[float, float] | None] | None = None
        self._counted: tuple[int, dict[Condition, int]] = (-1, {})
        self._names: tuple[int, dict[int, str]] = (-1, {})
        self._left: tuple[tuple[int, Condition], frozenset[int]] | None = None

    def media_ids(
        self,
        order: MediaOrder,
        where: SegmentCondition | None = None,
        name: str = "",
        with_hidden: bool = False,
    ) -> list[int]:
        """List media files, failed and waiting ones too, in an order.

        Names go from A to Z with numbers by their value; everything else newest or most first.

        Args:
            where: a filter that leaves a segment of each; without one, all are listed.
            name: a part of the name of each, in whichever case.
            with_hidden: also the copies that a person has hidden.
        """
        reader = self.metadata.connection.read()
        if order == "name":
            rows = reader.execute("SELECT id, path FROM media_files").fetchall()
            ids = [row["id"] for row in sorted(rows, key=lambda row: _by_name(row["path"]))]
        else:
            ids = [row[0] for row in reader.execute(_ORDERS[order])]
        if where:
            left = self._left_by(where)
            ids = [each for each in ids if each in left]
        if name:
            names, part = self._file_names(), casefold_key(name)
            ids = [each for each in ids if part in names.get(each, "")]
        hidden = set[int]() if with_hidden else self.metadata.duplicates.hidden()
        return [each for each in ids if each not in hidden] if hidden else ids

    def _left_by(self, where: SegmentCondition) -> frozenset[int]:
        """Find the media files of which a filter leaves a segment.

        Those of the last filter are known until the library changes: seconds where there are
        millions of segments, and asked for again with each letter of a name and each order.
        """
        key = self.metadata.connection.version(), where.condition()
        known = self._left
        if known is None or known[0] != key:
            reader = self.metadata.connection.read()
            condition = media_where(reader, where)
            sql = f"SELECT m.id FROM media_files m WHERE {condition.sql}"
            rows = reader.execute(sql, condition.values)
            self._left = known = key, frozenset(row[0] for row in rows)
        return known[1]

    def _file_names(self) -> dict[int, str]:
        """Give the name of every media file by its id, to be looked into in whichever case."""
        connection = self.metadata.connection
        version = connection.version()
        if self._names[0] != version:
            rows = connection.read().execute(f"SELECT id, {FILE_NAME} FROM media_files")
            self._names = version, {row[0]: casefold_key(row[1]) for row in rows}
        return self._names[1]

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

    def whole_frames(self, media_file_ids: Sequence[int]) -> list[str]:
        """List the segments that are the whole frames of media files, in their order."""
        rows = self.metadata.connection.read().execute(
            "SELECT s.id FROM json_each(?) wanted"
            " JOIN frames f ON f.media_file_id = wanted.value"
            " JOIN segments s ON s.frame_id = f.id AND s.kind = 'frame'"
            " ORDER BY wanted.key, f.frame_index",
            (json.dumps(list(media_file_ids)),),
        )
        return [row["id"] for row in rows]

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
        ids = self._few(where)
        ids = self._walk(where, n) if ids is None else ids[:n]
        found = self.metadata.segments(ids)
        return [found[segment_id] for segment_id in ids if segment_id in found]

    def _few(self, where: SegmentCondition) -> list[str] | None:
        """List all that a filter leaves, if they are few and soon found."""
        condition, reader = segment_ids_where(where), self.metadata.connection.read()
        try:
            with giving_up(reader, lambda: False, MOST_STEPS):
                rows = reader.execute(f"{condition.sql} LIMIT {MOST_LISTED + 1}", condition.values)
                ids = [row["id"] for row in rows]
        except GivenUp:
            return None
        if len(ids) > MOST_LISTED:
            return None
        rows = reader.execute(
            f"SELECT s.id FROM {LISTED} wanted CROSS JOIN segments s ON s.id = wanted.value"
            f" CROSS JOIN frames f ON f.id = s.frame_id"
            f" CROSS JOIN media_files m ON m.id = f.media_file_id ORDER BY {_AS_SHOWN}",
            (json.dumps(ids),),
        )
        return [row["id"] for row in rows]

    def _walk(self, where: SegmentCondition, n: int) -> list[str]:
        """Go through the media files, those added last first, until n segments are found."""
        condition, reader = where.condition().one_by_one(), self.metadata.connection.read()
        media = [row[0] for row in reader.execute(_ORDERS["added"])]
        ids, first, size = list[str](), 0, MEDIA_AT_ONCE
        while len(ids) < n and first < len(media):
            rows = reader.execute(
                f"SELECT s.id FROM {LISTED} some CROSS JOIN media_files m ON m.id = some.value"
                " CROSS JOIN frames f ON f.media_file_id = m.id"
                f" CROSS JOIN segments s ON s.frame_id = f.id WHERE {condition.sql}"
                f" ORDER BY {_AS_SHOWN} LIMIT ?",
                (json.dumps(media[first : first + size]), *condition.values, n - len(ids)),
            )
            ids += [row["id"] for row in rows]
            first, size = first + size, 4 * size
        return ids

    def count_where(
        self, where: SegmentCondition, wanted: Callable[[], bool] = lambda: True
    ) -> int:
        """Count the segments that a filter leaves: seconds where they are hundreds of thousands.

        Until the library changes it is known then.

        Args:
            wanted: whether somebody still waits for it; asked now and then.

        Raises:
            GivenUp: it is not wanted any more.
        """
        condition, version = segment_ids_where(where), self.metadata.connection.version()
        if self._counted[0] != version:
            self._counted = version, {}
        known = self._counted[1]
        if condition not in known:
            reader = self.metadata.connection.read()
            with giving_up(reader, wanted):
                sql = condition.counted or f"SELECT count(*) FROM ({condition.sql})"
                known[condition] = int(reader.execute(sql, condition.values).fetchone()[0])
        return known[condition]

    def count_frames_where(self, where: SegmentCondition) -> int:
        """Count the frames with a segment that a filter leaves."""
        condition = segment_ids_where(where)
        sql = f"SELECT count(DISTINCT frame_id) FROM segments WHERE id IN ({condition.sql})"
        row = self.metadata.connection.read().execute(sql, condition.values).fetchone()
        return int(row[0])

    def quality_range(self) -> tuple[float, float] | None:
        """Find the lowest and the highest predicted_iou there is; None without segments of SAM.

        All segments are gone through only where the library has changed: each search asks this.
        """
        version, known = self.metadata.connection.version(), self._quality
        if known is None or known[0] != version:
            reader = self.metadata.connection.read()
            lowest, highest = reader.execute(
                "SELECT min(predicted_iou), max(predicted_iou) FROM segments"
            ).fetchone()
            self._quality = known = version, None if lowest is None else (lowest, highest)
        return known[1]

    def tagged_by_people(
        self, name: str, limit: int, where: SegmentCondition | None = None
    ) -> list[str]:
        """List the segments that a person gave a tag, whatever its case; newest first."""
        # few have it: the filter is asked about those alone
        condition = where.condition().one_by_one() if where else Condition("1")
        rows = self.metadata.connection.read().execute(
            f"SELECT s.id FROM segments s {condition.joins}"
            " WHERE s.id IN (SELECT segment_id FROM segment_tags WHERE source = 'human'"
            f" AND tag_id IN ({ROWS_OF_TAG})) AND {condition.sql}"
            " ORDER BY s.rowid DESC LIMIT ?",
            (casefold_key(name), *condition.values, limit),
        )
        return [row["id"] for row in rows]


def _by_name(path: str) -> str:
    """Sort key: IMG_9 before IMG_10, whatever the case.

    One text for each, since texts are compared in no time: a number is written behind its length,
    and what ends a run of letters is lower than any letter. Zero comes before letters and other
    numbers after them.
    """
    parts = _DIGITS.split(os.path.basename(path).casefold())
    key = [f"\2{part}\0" if part else "" for part in parts]
    for place in range(1, len(parts), 2):
        part = parts[place]
        digits = (part if part.isascii() else str(int(part))).lstrip("0")
        key[place] = f"\3{chr(len(digits))}{digits}" if digits else "\1"
    return "".join(key)
