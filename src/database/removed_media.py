"""Media files that a person has removed, so that no walk through a folder brings them back."""

from __future__ import annotations

import time
from pathlib import Path

from src.database.connection import Connection
from src.database.rows import RowReader


class RemovedMedia:
    """The table of removed files: each by its path, and by its content where that is known."""

    def __init__(self, connection: Connection, rows: RowReader) -> None:
        self._connection, self._rows = connection, rows

    def remember(self, path: Path, content_hash: str | None) -> None:
        """Record that a person removed a file; its content is not added under another name."""
        with self._connection.write() as db:
            db.execute(
                "INSERT OR REPLACE INTO removed_media (path, content_hash, removed_at)"
                " VALUES (?, ?, ?)",
                (str(path), content_hash, time.time()),
            )

    def forget(self, path: Path) -> None:
        """Delete the record of a file's removal, and its copies': a person wants it again."""
        with self._connection.write() as db:
            db.execute(
                "DELETE FROM removed_media WHERE path = ?1 OR content_hash ="
                " (SELECT content_hash FROM removed_media WHERE path = ?1)",
                (str(path),),
            )

    def forget_content(self, content_hash: str) -> None:
        """Delete the records of a content's removal, under all names: a person wants it again."""
        with self._connection.write() as db:
            db.execute("DELETE FROM removed_media WHERE content_hash = ?", (content_hash,))

    def paths(self) -> set[Path]:
        """List the paths that the removed files had."""
        rows = self._connection.read().execute("SELECT * FROM removed_media")
        return {Path(row["path"]) for row in self._rows.checked("removed_media", rows)}

    def has_content(self, content_hash: str) -> bool:
        """Return whether a file of this content has been removed."""
        rows = self._connection.read().execute(
            "SELECT * FROM removed_media WHERE content_hash = ? LIMIT 1", (content_hash,)
        )
        return bool(self._rows.checked("removed_media", rows))
