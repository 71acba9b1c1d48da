"""Tracks split, joined and cut by people; each is one act, which can be undone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from src.counting import counted
from src.database.decisions import new_batch
from src.database.metadata_db import MetadataDatabase
from src.database.rows import LISTED
from src.database.track_acts import Places, change_tracks
from src.errors import QueryError
from src.search.query import GONE

TRACK_GONE = "this track is no longer there: its video was linked anew, or it was joined to another"


@dataclass(frozen=True)
class _Member:
    """A segment of a track, with its frame by its row id."""

    segment_id: str
    frame_id: int


class TrackEdits:
    """The acts of people on tracks. Every one is kept whole or not at all."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self._metadata = metadata

    def split(self, track_id: int, before_segment_id: str, batch: str | None = None) -> str:
        """Make two tracks of one: up to a segment, which begins the second.

        Raises:
            QueryError: the track is gone, the segment is not in it, or it is its first.
        """
        batch = batch or new_batch()
        with self._metadata.connection.write() as db:
            media, members = _track(db, track_id)
            ids = [each.segment_id for each in members]
            if before_segment_id not in ids:
                raise QueryError("this segment is not in the track that is to be split")
            first = ids.index(before_segment_id)
            if first == 0:
                raise QueryError("the track begins with this segment; split it at a later one")
            second = db.execute(
                "INSERT INTO tracks (media_file_id, origin) VALUES (?, 'human')", (media,)
            ).lastrowid
            assert second is not None
            places: Places = dict.fromkeys(ids[:first], track_id)
            places |= dict.fromkeys(ids[first:], second)
            change_tracks(db, batch, media, places, [track_id, second])
        return batch

    def join(self, track_ids: Sequence[int], batch: str | None = None) -> str:
        """Make one track of several of a video; it is the first of them.

        Raises:
            QueryError: one is gone, they are of several videos, or two of them are seen in one
                frame.
        """
        batch, track_ids = batch or new_batch(), list(dict.fromkeys(track_ids))
        if len(track_ids) < 2:
            raise QueryError("select at least two tracks to join")
        with self._metadata.connection.write() as db:
            places, frames, media_ids = Places(), set[int](), set[int]()
            for track_id in track_ids:
                media, members = _track(db, track_id)
                media_ids.add(media)
                both = [each for each in members if each.frame_id in frames]
                if both:
                    raise QueryError(
                        f"these tracks share {counted(len(both), 'frame')}; split them, or take"
                        " segments out first"
                    )
                frames.update(each.frame_id for each in members)
                places |= dict.fromkeys((each.segment_id for each in members), track_ids[0])
            if len(media_ids) > 1:
                raise QueryError("tracks of different videos can't be joined")
            change_tracks(db, batch, media_ids.pop(), places, track_ids)
        return batch

    def take_out(self, segment_ids: Sequence[str], batch: str | None = None) -> str:
        """Take segments out of their tracks; those that are in none stay in none.

        Raises:
            QueryError: one of them is gone, or none of them is in a track.
        """
        batch = batch or new_batch()
        wanted = list(dict.fromkeys(segment_ids))
        with self._metadata.connection.write() as db:
            rows = db.execute(
                "SELECT s.id, s.track_id, f.media_file_id FROM segments s"
                f" JOIN frames f ON f.id = s.frame_id WHERE s.id IN {LISTED}",
                (json.dumps(wanted),),
            ).fetchall()
            if len(rows) < len(wanted):
                raise QueryError(GONE)
            by_media: dict[int, dict[str, int]] = {}
            for segment_id, track_id, media in rows:
                if track_id is not None:
                    by_media.setdefault(media, {})[segment_id] = track_id
            if not by_media:
                raise QueryError("these segments are in no track")
            for media, tracks in by_media.items():
                places: Places = dict.fromkeys(tracks)
                change_tracks(db, batch, media, places, set(tracks.values()))
        return batch


def _track(db: sqlite3.Connection, track_id: int) -> tuple[int, list[_Member]]:
    """Look up the video of a track, and its segments in the order of time."""
    rows = db.execute(
        "SELECT s.id, s.frame_id, t.media_file_id FROM tracks t"
        " JOIN segments s ON s.track_id = t.id JOIN frames f ON f.id = s.frame_id"
        " WHERE t.id = ? ORDER BY f.frame_index",
        (track_id,),
    ).fetchall()
    if not rows:
        raise QueryError(TRACK_GONE)
    return rows[0][2], [_Member(row[0], row[1]) for row in rows]
