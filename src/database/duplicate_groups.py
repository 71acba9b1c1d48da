"""Groups of media files that are almost equal, and what people said of them."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from src.database.connection import Connection
from src.database.rows import LISTED, RowReader
from src.errors import QueryError
from src.records import DuplicateVerdict

# Media files of a group that a person has not called no copies.
IN_A_GROUP = (
    "SELECT d.media_file_id FROM duplicate_files d JOIN duplicate_groups g ON g.id = d.group_id"
    " WHERE g.verdict != 'apart'"
)
# Those that are left out, as long as the group has a file that is shown: it may have been removed.
HIDDEN = (
    "SELECT d.media_file_id FROM duplicate_files d WHERE d.is_hidden = 1 AND EXISTS (SELECT 1"
    " FROM duplicate_files o WHERE o.group_id = d.group_id AND o.is_hidden = 0)"
)
GONE = "this group of duplicates is no longer there; look for duplicates again"
# What was in the library when duplicates were last looked for.
_LOOKED_AT = "duplicates were looked for in"


@dataclass(frozen=True)
class KnownCopies:
    """Groups of media files, by their ids.

    Attributes:
        together: copies, as they were found or as a person has said.
        apart: those that a person has called no copies.
    """

    together: Mapping[int, Sequence[int]] = field(default_factory=dict)
    apart: Mapping[int, Sequence[int]] = field(default_factory=dict)

    def are_apart(self, one: int, other: int) -> bool:
        return any(one in files and other in files for files in self.apart.values())


class DuplicateGroups:
    """The tables of groups: those that were found, and those that a person has decided on.

    Finding duplicates again replaces the groups that nobody has decided on, and no other.
    """

    def __init__(self, connection: Connection, rows: RowReader) -> None:
        self._connection, self._rows = connection, rows

    def replace_open(self, groups: Iterable[Sequence[int]], looked_at: str) -> None:
        """Store groups that were found, by the ids of their media files.

        Args:
            looked_at: what `content` gave before they were looked for.
        """
        with self._connection.write() as db:
            db.execute(
                "DELETE FROM duplicate_files WHERE group_id IN"
                " (SELECT id FROM duplicate_groups WHERE verdict = 'open')"
            )
            db.execute("DELETE FROM duplicate_groups WHERE verdict = 'open'")
            for media_file_ids in groups:
                group = db.execute("INSERT INTO duplicate_groups (verdict) VALUES ('open')")
                db.executemany(
                    "INSERT INTO duplicate_files (group_id, media_file_id, is_hidden)"
                    " SELECT ?, id, 0 FROM media_files WHERE id = ?",
                    [(group.lastrowid, media_file_id) for media_file_id in media_file_ids],
                )
            db.execute(
                "INSERT OR REPLACE INTO info (key, value) VALUES (?, ?)", (_LOOKED_AT, looked_at)
            )

    def content(self) -> str:
        """Name what there is to look for duplicates in; another text once frames have changed."""
        row = self._connection.read().execute(
            "SELECT (SELECT count(*) FROM frames), (SELECT ifnull(max(id), 0) FROM frames)"
        )
        return "{} frames up to {}".format(*row.fetchone())

    def is_current(self) -> bool:
        """Return whether duplicates were looked for since frames were added or removed."""
        rows = self._connection.read().execute(
            "SELECT value FROM info WHERE key = ?", (_LOOKED_AT,)
        )
        return any(row["value"] == self.content() for row in rows)

    def verdicts(self) -> dict[int, DuplicateVerdict]:
        """List the groups of two files or more, by id, with what a person said of each.

        Those to be decided on come first, then those that were decided on last.
        """
        rows = self._connection.read().execute(
            "SELECT g.id, g.verdict FROM duplicate_groups g"
            " JOIN duplicate_files d ON d.group_id = g.id"
            " GROUP BY g.id HAVING count(*) > 1"
            " ORDER BY g.verdict != 'open', ifnull(-g.decided_at, 0), g.id"
        )
        return {row["id"]: row["verdict"] for row in rows}

    def verdict(self, group_id: int) -> DuplicateVerdict:
        """Return what a person said of a group.

        Raises:
            QueryError: there is none of this id.
        """
        found = self._connection.read().execute(
            "SELECT * FROM duplicate_groups WHERE id = ?", (group_id,)
        )
        for row in self._rows.checked("duplicate_groups", found):
            verdict: DuplicateVerdict = row["verdict"]
            return verdict
        raise QueryError(GONE)

    def files(self, group_id: int) -> dict[int, bool]:
        """List the media files of a group, by id, each with whether it is hidden."""
        found = self._connection.read().execute(
            "SELECT * FROM duplicate_files WHERE group_id = ? ORDER BY media_file_id", (group_id,)
        )
        rows = self._rows.checked("duplicate_files", found)
        return {row["media_file_id"]: bool(row["is_hidden"]) for row in rows}

    def looks(self, media_file_ids: Iterable[int]) -> dict[int, float]:
        """Look up how sharp the first frames of media files are; those not measured are none."""
        rows = self._connection.read().execute(
            f"SELECT media_file_id, sharpness FROM frames WHERE media_file_id IN {LISTED}"
            " AND sharpness IS NOT NULL ORDER BY frame_index DESC",
            (json.dumps(list(media_file_ids)),),
        )
        return {row["media_file_id"]: row["sharpness"] for row in rows}

    def decided(self) -> list[tuple[DuplicateVerdict, list[int]]]:
        """List the groups that a person has decided on: verdict, and ids of media files."""
        return self._groups("g.verdict != 'open'")

    def groups(self) -> list[tuple[DuplicateVerdict, list[int]]]:
        """List all groups, those that were found and those that a person has decided on."""
        return self._groups("1") if self._is_there() else []

    def _groups(self, where: str) -> list[tuple[DuplicateVerdict, list[int]]]:
        verdicts = dict[int, DuplicateVerdict]()
        media = defaultdict[int, list[int]](list)
        for row in self._connection.read().execute(
            "SELECT d.group_id, d.media_file_id, g.verdict FROM duplicate_files d"
            f" JOIN duplicate_groups g ON g.id = d.group_id WHERE {where}"
            " ORDER BY d.group_id, d.media_file_id"
        ):
            verdicts[row["group_id"]] = row["verdict"]
            media[row["group_id"]].append(row["media_file_id"])
        return [(verdict, media[group_id]) for group_id, verdict in verdicts.items()]

    def hidden(self) -> set[int]:
        """List the media files that are left out of searches and of the library, by id."""
        if not self._is_there():
            return set()
        return {row["media_file_id"] for row in self._connection.read().execute(HIDDEN)}

    def hides_any(self) -> bool:
        """Return whether there is one; a query on a small table, for each search."""
        if not self._is_there():
            return False
        return self._connection.read().execute(f"{HIDDEN} LIMIT 1").fetchone() is not None

    def _is_there(self) -> bool:
        """Return whether there are the tables: a reader opens an older library as it is."""
        found = self._connection.read().execute(
            "SELECT 1 FROM sqlite_master WHERE name = 'duplicate_files'"
        )
        return found.fetchone() is not None

    def copies_among(self, media_file_ids: Iterable[int]) -> KnownCopies:
        """Look up which of some media files are copies of one another."""
        together, apart = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
        if self._is_there():
            for row in self._connection.read().execute(
                "SELECT d.media_file_id, d.group_id, g.verdict FROM duplicate_files d"
                f" JOIN duplicate_groups g ON g.id = d.group_id WHERE d.media_file_id IN {LISTED}",
                (json.dumps(list(set(media_file_ids))),),
            ):
                groups = apart if row["verdict"] == "apart" else together
                groups[row["group_id"]].append(row["media_file_id"])
        return KnownCopies(dict(together), dict(apart))

    def decide(self, group_id: int, verdict: DuplicateVerdict, kept_id: int | None = None) -> None:
        """Record what a person said of a group; "open" takes back what they said before.

        Args:
            kept_id: of "hidden", the media file that stays.

        Raises:
            QueryError: the group is gone, or the file is none of its own.
        """
        with self._connection.write() as db:
            self.verdict(group_id)
            if verdict == "hidden" and kept_id not in self.files(group_id):
                raise QueryError("the file to keep is not in this group of duplicates")
            when = None if verdict == "open" else time.time()
            db.execute(
                "UPDATE duplicate_groups SET verdict = ?, decided_at = ? WHERE id = ?",
                (verdict, when, group_id),
            )
            db.execute(
                "UPDATE duplicate_files SET is_hidden = (? AND media_file_id IS NOT ?)"
                " WHERE group_id = ?",
                (verdict == "hidden", kept_id, group_id),
            )
