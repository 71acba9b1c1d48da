"""What people say of one segment of a track, carried over to the others.

Such a word is a decision with the source `propagated` in the same act as the person's, which names
the segment that it came from: it is undone with that act, and never goes before a person's own word
on the segment. Which there are follows from the tracks and from people's words: when a track is
split, joined or linked anew, a word comes along to what is in the track now, and leaves what is
not. Linking anew takes nothing out of a track that has been labelled. What a ranking gave goes to
the tracks that there are then, and leaves in the same way, but does not come along.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence

from src.database.decisions import IS_OF_PEOPLE, cover, settle

_LISTED = "(SELECT value FROM json_each(?))"
_WRITTEN = "segment_id, tag_id, has_tag, source, confidence, decided_at, batch, from_segment"


def follow_tracks(
    db: sqlite3.Connection, segment_ids: Sequence[str], track_ids: Sequence[int] = ()
) -> None:
    """Update the labels of segments whose tracks have changed.

    Args:
        segment_ids: those that have come into a track, or have left one.
        track_ids: the tracks that they are in, or were in.
    """
    tracks = {*track_ids, *_tracks_of(db, segment_ids)}
    _settle_carried(db, segment_ids, tracks)
    _carry_over(db, tracks)


def follow_words(db: sqlite3.Connection, segment_ids: Sequence[str]) -> None:
    """Carry what people said of segments, or no longer say, over to the others of their tracks."""
    _carry_over(db, _tracks_of(db, segment_ids))


def follow_decided(db: sqlite3.Connection, decisions: Sequence[int]) -> None:
    """Do the same for what some decisions were on, by their ids.

    They may have been undone while the tracks were others.
    """
    rows = db.execute(
        f"SELECT DISTINCT d.segment_id FROM decisions d JOIN segments s ON s.id = d.segment_id"
        f" WHERE d.id IN {_LISTED}",
        (json.dumps(list(decisions)),),
    )
    follow_tracks(db, [row[0] for row in rows.fetchall()])


def give_tracks(
    db: sqlite3.Connection, confidences: Mapping[str, float], tag_id: int, batch: str
) -> None:
    """Carry a label that a ranking gave to segments over to the others of their tracks.

    Args:
        confidences: by segment; another one of a track has the highest of those in the track.
    """
    added = db.execute(
        f"INSERT INTO decisions ({_WRITTEN}) SELECT segment_id, ?2, 1, 'propagated', confidence,"
        " ?3, ?4, from_segment FROM (SELECT o.id AS segment_id, max(given.value) AS confidence,"
        " s.id AS from_segment FROM json_each(?1) given JOIN segments s ON s.id = given.key"
        " JOIN segments o ON o.track_id = s.track_id"
        " WHERE o.id NOT IN (SELECT key FROM json_each(?1)) AND NOT EXISTS (SELECT 1 FROM decisions"
        " d WHERE d.segment_id = o.id AND d.tag_id = ?2 AND d.undone_at IS NULL"
        f" AND d.{IS_OF_PEOPLE}) GROUP BY o.id) RETURNING segment_id, tag_id",
        (json.dumps(dict(confidences)), tag_id, time.time(), batch),
    ).fetchall()
    _settle(db, [(row[0], row[1]) for row in added])


def carried_over(db: sqlite3.Connection, segment_ids: Sequence[str], tag_id: int) -> list[int]:
    """List the decisions on others that came from segments' own words on a tag, by their ids.

    What another segment of the track says in the same act does not come from these alone.
    """
    rows = db.execute(
        "WITH given AS MATERIALIZED (SELECT s.id, s.track_id FROM json_each(?1) JOIN segments s"
        " ON s.id = value WHERE s.track_id IS NOT NULL),"
        " others AS MATERIALIZED (SELECT d.id, d.batch, d.source, d.from_segment, s.track_id FROM"
        " (SELECT DISTINCT track_id FROM given) g JOIN segments s ON s.track_id = g.track_id"
        " JOIN decisions d ON d.segment_id = s.id WHERE d.tag_id = ?2 AND d.undone_at IS NULL"
        " AND s.id NOT IN (SELECT id FROM given))"
        " SELECT o.id FROM others o WHERE o.from_segment IN (SELECT id FROM given)"
        " AND NOT EXISTS (SELECT 1 FROM others p WHERE p.track_id = o.track_id"
        f" AND p.batch IS o.batch AND p.{IS_OF_PEOPLE})",
        (json.dumps(list(segment_ids)), tag_id),
    )
    return [row[0] for row in rows.fetchall()]


def _tracks_of(db: sqlite3.Connection, segment_ids: Sequence[str]) -> set[int]:
    rows = db.execute(
        f"SELECT DISTINCT track_id FROM segments WHERE id IN {_LISTED} AND track_id IS NOT NULL",
        (json.dumps(list(segment_ids)),),
    )
    return {row[0] for row in rows.fetchall()}


def _settle_carried(
    db: sqlite3.Connection, segment_ids: Sequence[str], tracks: Iterable[int]
) -> None:
    """Settle what was carried over to segments: it holds only in the track that it came from."""
    rows = db.execute(
        "SELECT DISTINCT d.segment_id, d.tag_id FROM decisions d WHERE d.from_segment IS NOT NULL"
        " AND d.segment_id IN (SELECT value FROM json_each(?1) UNION SELECT id FROM segments"
        " WHERE track_id IN (SELECT value FROM json_each(?2)))",
        (json.dumps(list(segment_ids)), json.dumps(list(tracks))),
    ).fetchall()
    settle(db, [(row[0], row[1]) for row in rows])


def _carry_over(db: sqlite3.Connection, tracks: Iterable[int]) -> None:
    """Carry the last word of people on each tag over to all of a track, where it is missing.

    Where a person has cleared a label since, it does not come back.
    """
    tracks = list(tracks)
    if not tracks:
        return
    added = db.execute(
        "WITH words AS MATERIALIZED (SELECT s.track_id, d.tag_id, d.has_tag, d.batch, d.decided_at,"
        " d.confidence, s.id, max(d.id) FROM segments s JOIN decisions d ON d.segment_id = s.id"
        f" WHERE s.track_id IN (SELECT value FROM json_each(?1)) AND d.undone_at IS NULL"
        f" AND d.{IS_OF_PEOPLE} GROUP BY s.track_id, d.tag_id)"
        f" INSERT INTO decisions ({_WRITTEN}) SELECT s.id, w.tag_id, w.has_tag, 'propagated',"
        " w.confidence, w.decided_at, w.batch, w.id"
        " FROM words w JOIN segments s ON s.track_id = w.track_id"
        " WHERE NOT EXISTS (SELECT 1 FROM decisions d WHERE d.segment_id = s.id"
        " AND d.tag_id = w.tag_id AND (d.batch IS w.batch AND d.from_segment IS w.id"
        f" OR d.undone_at IS NULL AND d.{IS_OF_PEOPLE}"
        " OR d.undone_at >= ifnull(w.decided_at, 0) AND EXISTS (SELECT 1 FROM retractions r"
        " WHERE r.decision_id = d.id AND r.undone_at IS NULL AND r.batch NOT LIKE 'undone: %')))"
        " RETURNING segment_id, tag_id",
        (json.dumps(tracks),),
    ).fetchall()
    _settle(db, [(row[0], row[1]) for row in added])


def _settle(db: sqlite3.Connection, pairs: Sequence[tuple[str, int]]) -> None:
    by_tag: dict[int, list[str]] = {}
    for segment_id, tag_id in pairs:
        by_tag.setdefault(tag_id, []).append(segment_id)
    for tag_id, segment_ids in by_tag.items():
        cover(db, segment_ids, tag_id)
    settle(db, pairs)
