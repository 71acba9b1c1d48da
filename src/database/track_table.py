"""Tracks of a library's videos, written and read."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

from src.database.connection import Connection
from src.database.decisions import IS_OF_PEOPLE
from src.database.rows import LISTED, RowReader
from src.database.track_acts import assign
from src.database.track_changes import put_right
from src.database.track_labels import follow_tracks

# Videos that are read through; the others are still to come, or nothing of them is there.
_READ = "m.kind = 'video' AND m.status NOT IN ('pending', 'processing')"
_UNLINKED = f"""SELECT m.id FROM media_files m LEFT JOIN tracked_media t ON t.media_file_id = m.id
    WHERE {_READ} AND (t.method IS NULL OR (?1 IS NOT NULL AND t.method != ?1))
    AND EXISTS (SELECT 1 FROM frames f WHERE f.media_file_id = m.id)"""


class TrackTable:
    """The tables of tracks. Every write is one transaction."""

    def __init__(self, connection: Connection, rows: RowReader) -> None:
        self._connection, self._rows = connection, rows

    # -- what is to be linked

    def unlinked_media(self, method: str | None = None) -> list[int]:
        """List the videos whose segments are not linked as they are now.

        Args:
            method: the linker's version; those that another one has linked are listed, too. None
                takes any for good.
        """
        if not self._is_there():
            return []
        rows = self._connection.read().execute(f"{_UNLINKED} ORDER BY m.id", (method,))
        return [row[0] for row in rows]

    def has_unlinked(self, method: str | None = None) -> bool:
        """Return whether there is any such video; see unlinked_media."""
        if not self._is_there():
            return False
        row = self._connection.read().execute(f"{_UNLINKED} LIMIT 1", (method,)).fetchone()
        return row is not None

    def _is_there(self) -> bool:
        """Return whether there are such tables: a reader opens an older library as it is."""
        row = self._connection.read().execute(
            "SELECT 1 FROM sqlite_master WHERE name = 'tracked_media'"
        )
        return row.fetchone() is not None

    def spans(self, segment_ids: Sequence[str]) -> dict[str, tuple[float, float]]:
        """Look up when the tracks of segments begin and end; of those that are in one."""
        rows = (
            self._connection.read()
            .execute(
                f"SELECT s.id, t.begin_s, t.end_s FROM {LISTED} wanted CROSS JOIN segments s"
                " ON s.id = wanted.value JOIN tracks t ON t.id = s.track_id"
                " WHERE t.begin_s IS NOT NULL AND t.end_s IS NOT NULL",
                (json.dumps(list(segment_ids)),),
            )
            .fetchall()
        )
        self._rows.check_columns("tracks", (None, "begin_s", "end_s"), rows)
        return {row[0]: (row[1], row[2]) for row in rows}

    # -- linking

    def replace_linked(
        self, media_file_id: int, tracks: Sequence[Sequence[str]], method: str
    ) -> None:
        """Put other tracks in the place of those that a video was linked to, in one transaction.

        What people have split, joined or cut stays, with all of its segments. One that they have
        labelled stays whole, and is given what is linked with it: else their label would leave
        what it was seen to be on. A new track that holds most of an old one keeps its id.
        Segments that are gone meanwhile are left out.

        Args:
            tracks: segments by their ids, one a frame at most.
            method: the linker's version.
        """
        with self._connection.write() as db:
            if not db.execute(
                "SELECT 1 FROM media_files WHERE id = ?", (media_file_id,)
            ).fetchone():
                return
            old, free = _linked(db, media_file_id), _free_segments(db, media_file_id)
            labelled = {track_id: old[track_id] for track_id in _labelled(db, old)}
            wanted = list(_one_a_frame(_kept_whole(tracks, labelled, free), free))
            ids = _ids_for(wanted, old)
            track_of = dict[str, int | None]()
            for track_id, segments in zip(ids, wanted, strict=True):
                if track_id is None:
                    added = db.execute(
                        "INSERT INTO tracks (media_file_id, origin) VALUES (?, 'linked')",
                        (media_file_id,),
                    )
                    track_id = int(added.lastrowid or 0)
                track_of.update(dict.fromkeys(segments, track_id))
            before = {segment: track_id for track_id, some in old.items() for segment in some}
            changed = {
                segment: track_of.get(segment)
                for segment in {**before, **track_of}
                if before.get(segment) != track_of.get(segment)
            }
            assign(db, changed)
            touched = {track for track in (*old, *track_of.values()) if track is not None}
            follow_tracks(db, list(changed), list(touched))
            put_right(db, f"(SELECT id FROM tracks WHERE media_file_id = {int(media_file_id)})")
            db.execute(
                "INSERT OR REPLACE INTO tracked_media (media_file_id, method) VALUES (?, ?)",
                (media_file_id, method),
            )


def _linked(db: sqlite3.Connection, media_file_id: int) -> dict[int, list[str]]:
    """List the tracks of a video that no person has touched, with their segments."""
    found: dict[int, list[str]] = {}
    for track_id, segment_id in db.execute(
        "SELECT t.id, s.id FROM tracks t JOIN segments s ON s.track_id = t.id"
        " WHERE t.media_file_id = ? AND ifnull(t.origin, 'linked') = 'linked' ORDER BY t.id",
        (media_file_id,),
    ):
        found.setdefault(track_id, []).append(segment_id)
    return found


def _labelled(db: sqlite3.Connection, tracks: Iterable[int]) -> list[int]:
    """List those of some tracks of which a person has labelled a segment."""
    rows = db.execute(
        f"SELECT value FROM {LISTED} wanted WHERE EXISTS (SELECT 1 FROM segments s JOIN decisions d"
        " ON d.segment_id = s.id WHERE s.track_id = wanted.value AND d.undone_at IS NULL"
        f" AND d.has_tag = 1 AND d.{IS_OF_PEOPLE})",
        (json.dumps(list(tracks)),),
    )
    return [row[0] for row in rows]


def _kept_whole(
    tracks: Sequence[Sequence[str]], labelled: dict[int, list[str]], frames: dict[str, int]
) -> list[list[str]]:
    """Put labelled tracks before others, each with what is linked to the most of it.

    What can't be in one, since it has a segment in that frame, is a track of its own.
    """
    was = {segment: track_id for track_id, some in labelled.items() for segment in some}
    whole = {track_id: list(some) for track_id, some in labelled.items()}
    others: list[list[str]] = []
    for track in tracks:
        shared = Counter(was[segment] for segment in track if segment in was)
        added = [segment for segment in track if segment not in was]
        if shared:
            kept = whole[shared.most_common(1)[0][0]]
            taken = {frames.get(segment) for segment in kept}
            kept += [segment for segment in added if frames.get(segment) not in taken]
            added = [segment for segment in added if frames.get(segment) in taken]
        others.append(added)
    return [*whole.values(), *others]


def _free_segments(db: sqlite3.Connection, media_file_id: int) -> dict[str, int]:
    """List the segments of a video that may be linked, each with its frame.

    No person's act on tracks holds of them, nor are they in a track that something else made.
    """
    rows = db.execute(
        "SELECT s.id, s.frame_id FROM frames f JOIN segments s ON s.frame_id = f.id"
        " LEFT JOIN tracks t ON t.id = s.track_id WHERE f.media_file_id = ?1"
        " AND s.kind = 'object' AND ifnull(t.origin, 'linked') = 'linked'"
        " AND s.id NOT IN (SELECT said.key FROM track_edits e,"
        " json_each(CASE WHEN json_valid(e.after) THEN e.after ELSE '{}' END, '$.segments') said"
        " WHERE e.media_file_id = ?1 AND e.undone_at IS NULL)",
        (media_file_id,),
    )
    return {row[0]: row[1] for row in rows}


def _one_a_frame(tracks: Sequence[Sequence[str]], free: dict[str, int]) -> Iterable[list[str]]:
    """Leave of tracks what may be linked: segments that are there, one a frame, two at least."""
    taken = set[str]()
    for track in tracks:
        by_frame = dict[int, str]()
        for segment_id in track:
            if segment_id in free and segment_id not in taken:
                by_frame.setdefault(free[segment_id], segment_id)
        if len(by_frame) > 1:
            taken.update(by_frame.values())
            yield list(by_frame.values())


def _ids_for(wanted: Sequence[Sequence[str]], old: dict[int, list[str]]) -> list[int | None]:
    """Find for each new track the old one of which it holds most; None where there is none."""
    was = {segment: track_id for track_id, some in old.items() for segment in some}
    found: list[int | None] = []
    for segments in wanted:
        shared = Counter(was[segment] for segment in segments if segment in was)
        kept = [(n, -track_id) for track_id, n in shared.items() if 2 * n > len(old[track_id])]
        found.append(-max(kept)[1] if kept else None)
    return found
