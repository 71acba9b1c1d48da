"""On which side of a split media files are, from the first dataset that was exported with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from src.database.connection import Connection
from src.database.rows import RowReader


@dataclass(frozen=True)
class SplitKey:
    """Which split it is: another name, other shares or another seed make another one.

    Attributes:
        name: of the recipe; may be empty.
        shares: in percent, "80/10/10".
    """

    name: str
    shares: str
    seed: int


@dataclass(frozen=True)
class KeptSide:
    """The side of a file, and the content that the file had then; None where nobody knows."""

    side: str
    content_hash: str | None


class DatasetSplits:
    """The table of sides. What is in it never changes, also when the media file is removed."""

    def __init__(self, connection: Connection, rows: RowReader) -> None:
        self._connection, self._rows = connection, rows

    def sides(self, key: SplitKey) -> dict[int, KeptSide]:
        """Return the side of each media file of a split, by the id that the file had."""
        if not self._is_there():
            return {}
        rows = self._connection.read().execute(
            "SELECT * FROM dataset_splits WHERE name = ? AND shares = ? AND seed = ? ORDER BY id",
            (key.name, key.shares, key.seed),
        )
        return {
            row["media_file_id"]: KeptSide(row["side"], row["content_hash"])
            for row in self._rows.checked("dataset_splits", rows)
        }

    def keep(self, key: SplitKey, sides: Mapping[int, str]) -> None:
        """Write down the sides of media files; one that has a side keeps it.

        A file that is no longer in the library is left out.
        """
        with self._connection.write() as db:
            db.executemany(
                "INSERT OR IGNORE INTO dataset_splits"
                " (name, shares, seed, media_file_id, content_hash, side)"
                " SELECT ?, ?, ?, id, content_hash, ? FROM media_files WHERE id = ?",
                [
                    (key.name, key.shares, key.seed, side, media_file_id)
                    for media_file_id, side in sorted(sides.items())
                ],
            )

    def _is_there(self) -> bool:
        """Return whether there is the table: a reader opens an older library as it is."""
        found = self._connection.read().execute(
            "SELECT 1 FROM sqlite_master WHERE name = 'dataset_splits'"
        )
        return found.fetchone() is not None
