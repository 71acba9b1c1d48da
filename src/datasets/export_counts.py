"""What an export would write, counted by SQLite: no segment is read for it."""

from __future__ import annotations

import contextlib
import json
from functools import cached_property

from src.database.conditions import Condition
from src.database.metadata_db import MetadataDatabase
from src.database.rows import LISTED
from src.records import ExportPreview
from src.search.export_selection import ExportSelection

# Crops that are measured; of more than these the size is estimated. Ids of segments are in no
# order, so the first of them are as good as any.
MOST_MEASURED = 1000
# Crops whose media files are listed; of more each media file is asked whether it has one.
MOST_LISTED = 20_000

# A tag of a segment; such pairs are what is exported.
_PAIRS = "segment_tags pair JOIN segments s ON s.id = pair.segment_id"


class ExportCounts:
    """Counts what a selection names in a library."""

    def __init__(self, metadata: MetadataDatabase, selection: ExportSelection) -> None:
        self._metadata, self._selection = metadata, selection

    def preview(self) -> ExportPreview:
        """Count crops by tag and their media files, and say how large they are, about."""
        written, left_out = self.by_tag()
        total = sum(written.values())
        if total == 0:
            return ExportPreview({}, left_out, 0, 0)
        return ExportPreview(written, left_out, self._media_files(total), self._bytes(total))

    @cached_property
    def _names(self) -> dict[int, str]:
        """The tags that are exported, by row id."""
        rows = self._metadata.connection.read().execute("SELECT * FROM tags")
        labels = self._selection.labels
        return {
            row["id"]: row["name"]
            for row in self._metadata.rows.checked("tags", rows)
            if labels is None or row["name"] in labels
        }

    @cached_property
    def _written(self) -> Condition:
        """Which pairs are good enough, on `pair` and `s`."""
        where = (self._selection.where & self._selection.limits).condition()
        return Condition(
            f"pair.tag_id IN {LISTED} AND pair.confidence >= ? AND {where.sql}",
            (json.dumps(list(self._names)), self._selection.min_confidence, *where.values),
        )

    def by_tag(self) -> tuple[dict[str, int], dict[str, int]]:
        """Count what is written, and what is below the limits."""
        where, limits = self._selection.where, self._selection.limits
        of, good = where.condition(), limits.condition()
        # an index of segment_tags holds all that is needed where no segment is asked about
        tables = f"{_PAIRS} {Condition(of.sql + good.sql).joins}"
        rows = self._metadata.connection.read().execute(
            f"SELECT pair.tag_id, (pair.confidence >= ? AND {good.sql}) IS TRUE, count(*)"
            f" FROM {tables if where or limits else 'segment_tags pair'}"
            f" WHERE pair.tag_id IN {LISTED} AND {of.sql} GROUP BY 1, 2",
            (
                self._selection.min_confidence,
                *good.values,
                json.dumps(list(self._names)),
                *of.values,
            ),
        )
        written: dict[str, int] = {}
        left_out: dict[str, int] = {}
        for tag_id, is_good, number in rows:
            (written if is_good else left_out)[self._names[tag_id]] = number
        return written, left_out

    def _media_files(self, total: int) -> int:
        """Count the media files that the crops come from."""
        if total <= MOST_LISTED:
            written = self._written
            joins = Condition(f"f. {written.sql}").joins
            sql = f"SELECT count(DISTINCT f.media_file_id) FROM {_PAIRS} {joins}"
            sql += f" WHERE {written.sql}"
        else:
            written = self._written.one_by_one()
            sql = (
                "SELECT count(*) FROM media_files m WHERE EXISTS (SELECT 1 FROM frames f"
                " CROSS JOIN segments s ON s.frame_id = f.id"
                " CROSS JOIN segment_tags pair ON pair.segment_id = s.id"
                f" WHERE f.media_file_id = m.id AND {written.sql})"
            )
        row = self._metadata.connection.read().execute(sql, written.values).fetchone()
        return int(row[0])

    def _bytes(self, total: int) -> int:
        """Measure crops, and take those beyond the first for as large."""
        written, pairs = self._written, _PAIRS
        if total > MOST_LISTED:  # in the order of the table, until there are enough
            one, pairs = written.one_by_one(), _PAIRS.replace("JOIN", "CROSS JOIN")
            written = Condition(one.sql.replace("pair.tag_id", "+pair.tag_id", 1), one.values)
        rows = self._metadata.connection.read().execute(
            f"SELECT s.crop_path FROM {pairs} {written.joins} WHERE {written.sql}"
            f" ORDER BY pair.segment_id LIMIT {MOST_MEASURED}",
            written.values,
        )
        size = measured = 0
        for row in rows:
            measured += 1
            with contextlib.suppress(OSError):  # verify finds what is missing
                size += self._metadata.paths.crop(row["crop_path"]).stat().st_size
        return round(size * total / max(1, measured))
