"""What people change of tracks: kept as acts, which can be undone and done again in any order.

An act says of segments in which track they are, or that they are in none. Of each segment the last
act holds that is not undone; where there is none, the segment is where it was before people touched
it. So what holds depends on which acts are undone, and not on the order in which they were. Where
that puts two segments of one frame in a track, the one of the later act is in it, and the other in
none.

A track that such an act is about is a person's, as long as the act is not undone: it is not linked
anew.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from src.database.row_values import HIGHEST_ID
from src.database.track_labels import follow_tracks
from src.errors import DatabaseError
from src.track_records import TrackOrigin

_LISTED = "(SELECT value FROM json_each(?))"

Places = dict[str, int | None]  # of segments: the track that each is in


@dataclass(frozen=True)
class TrackAct:
    """A person's act on the tracks of one video.

    Attributes:
        base: where each segment was before any act that is not undone was about it.
        about: the tracks that are a person's by it.
        origins: of these, and of those in `base`, what they were before; None for new ones.
        places: where the act puts each segment.
        pushed: segments that no act is about, but that this one leaves no place: the track that
            each was in before.
    """

    id: int
    media_file_id: int
    base: Places
    about: tuple[int, ...]
    origins: dict[int, str | None]
    places: Places
    pushed: Places


def change_tracks(
    db: sqlite3.Connection, batch: str, media_file_id: int, places: Places, tracks: Iterable[int]
) -> None:
    """Put segments of a video in tracks, or in none, as a person's act.

    Args:
        places: of all segments that the act is about, also where they stay where they are.
        tracks: those that it is about.
    """
    about = tuple(track for track in tracks if _is_track(track))
    base, origins = _before(db, media_file_id, places, about)
    before, after = _written(base, about, origins), _written(places)
    db.execute(
        "INSERT INTO track_edits (batch, media_file_id, before, after, edited_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (batch, media_file_id, before, after, time.time()),
    )
    _put(db, media_file_id, {}, origins)


def turn_tracks(db: sqlite3.Connection, batch: str, undo: bool) -> int:
    """Undo what an act did to tracks, or do it again; returns how many segments it moves.

    Raises:
        DatabaseError: what is kept of it is damaged.
    """
    moved = 0
    was = "IS NULL" if undo else "IS NOT NULL"
    for act in _acts(db, f"batch = ? AND undone_at {was} ORDER BY id", batch):
        base, origins = {**act.pushed, **act.base}, act.origins
        if not undo:  # the video may have been linked anew meanwhile
            base, origins = _before(db, act.media_file_id, act.places, act.about)
            base = {**act.base, **base}
            before = _written(base, act.about, origins)
            db.execute("UPDATE track_edits SET before = ? WHERE id = ?", (before, act.id))
        db.execute(
            "UPDATE track_edits SET undone_at = ? WHERE id = ?",
            (time.time() if undo else None, act.id),
        )
        moved += _put(db, act.media_file_id, base, origins)
    return moved


def tracks_of(db: sqlite3.Connection, batch: str) -> int:
    """Count the tracks that an act is about, where it is not undone.

    Raises:
        DatabaseError: what is kept of it is damaged.
    """
    return len(
        {t for act in _acts(db, "batch = ? AND undone_at IS NULL", batch) for t in act.about}
    )


def put_in_tracks(db: sqlite3.Connection, segment_ids: Sequence[str]) -> None:
    """Put segments that come back where the acts of people say that they are."""
    rows = db.execute(
        "SELECT DISTINCT f.media_file_id FROM segments s JOIN frames f ON f.id = s.frame_id"
        f" WHERE s.id IN {_LISTED}",
        (json.dumps(list(segment_ids)),),
    ).fetchall()
    back = set(segment_ids)
    for (media_file_id,) in rows:
        live = _acts(db, "media_file_id = ? AND undone_at IS NULL ORDER BY id", media_file_id)
        # segments may come back one after another: what no act is about moves nothing else
        if any(back & (act.places.keys() | act.pushed.keys()) for act in live):
            _put(db, media_file_id, {}, {})
    follow_tracks(db, segment_ids)


def place_of_row(db: sqlite3.Connection, frame_id: int, track_id: object) -> int | None:
    """Return the track that a restored segment goes back to; None where it is gone or taken."""
    row = db.execute(
        "SELECT t.id FROM tracks t JOIN frames f ON f.media_file_id = t.media_file_id"
        " WHERE t.id = ?1 AND f.id = ?2 AND NOT EXISTS"
        " (SELECT 1 FROM segments s WHERE s.frame_id = ?2 AND s.track_id = ?1)",
        (track_id if isinstance(track_id, int) else None, frame_id),
    ).fetchone()
    return None if row is None else int(row[0])


def _before(
    db: sqlite3.Connection, media_file_id: int, places: Iterable[str], tracks: Iterable[int]
) -> tuple[Places, dict[int, str | None]]:
    """Find out where segments are, and what tracks are, but for what people did."""
    now = db.execute(
        f"SELECT id, track_id FROM segments WHERE id IN {_LISTED}", (json.dumps(list(places)),)
    )
    # a stranger's library may have anything in a row
    base: Places = {row[0]: row[1] if _is_track(row[1]) else None for row in now}
    live = _acts(db, "media_file_id = ? AND undone_at IS NULL ORDER BY id", media_file_id)
    for act in live:
        base |= {s: track for s, track in act.pushed.items() if base.get(s, track) is None}
    for act in live:
        base |= {segment: act.base.get(segment) for segment in act.places if segment in base}
    # the tracks that segments may come back to stay in the meantime, too
    origins: dict[int, str | None] = dict.fromkeys(
        [*tracks, *(track for track in base.values() if track is not None)]
    )
    for track_id, origin in db.execute(
        f"SELECT id, origin FROM tracks WHERE id IN {_LISTED}", (json.dumps(list(origins)),)
    ):
        origins[track_id] = origin if origin in get_args(TrackOrigin) else "linked"
    for act in live:
        origins |= {track: old for track, old in act.origins.items() if track in origins}
    return base, origins


def _put(
    db: sqlite3.Connection, media_file_id: int, base: Places, origins: Mapping[int, str | None]
) -> int:
    """Put the segments of a video where the acts say, and those of `base` there where none does.

    Args:
        origins: what tracks are where no act is about them.
    """
    live = _acts(db, "media_file_id = ? AND undone_at IS NULL ORDER BY id", media_file_id)
    # of each segment how much its place counts, and the place
    wanted = {segment: (0, track) for act in live for segment, track in act.pushed.items()}
    wanted |= {segment: (0, track) for segment, track in base.items()}
    for number, act in enumerate(live, 2):
        wanted |= {segment: (number, track) for segment, track in act.places.items()}
    now = {
        row[0]: (row[1], row[2] if _is_track(row[2]) else None)
        for row in db.execute(
            "SELECT s.id, s.frame_id, s.track_id FROM segments s JOIN frames f"
            " ON f.id = s.frame_id WHERE f.media_file_id = ?"
            f" AND (s.track_id IS NOT NULL OR s.id IN {_LISTED})",
            (media_file_id, json.dumps(list(wanted))),
        )
    }
    stays = {segment: (1, track) for segment, (_, track) in now.items()}
    taken, after, pushed = dict[tuple[int, int], int](), Places(), dict[int, Places]()
    for segment, (counts, track) in sorted(
        ({**stays, **wanted}).items(), key=lambda item: (-item[1][0], item[0])
    ):
        if segment not in now:
            continue
        place = None if track is None else (track, now[segment][0])
        after[segment] = None if place in taken else track
        if place is not None and taken.setdefault(place, counts) >= 2 > counts:
            pushed.setdefault(taken[place] - 2, {})[segment] = track
    for number, places in pushed.items():
        _keep_pushed(db, live[number], places)
    of_people = {track for act in live for track in act.about}
    _make_tracks(db, media_file_id, after, of_people, origins)
    changed = {segment: track for segment, track in after.items() if now[segment][1] != track}
    touched = {now[segment][1] for segment in changed} | set(changed.values())
    assign(db, changed)
    follow_tracks(db, list(changed), [track for track in touched if track is not None])
    return len(changed)


def _keep_pushed(db: sqlite3.Connection, act: TrackAct, places: Places) -> None:
    if not places.items() <= act.pushed.items():
        act.pushed.update(places)
        before = _written(act.base, act.about, act.origins, act.pushed)
        db.execute("UPDATE track_edits SET before = ? WHERE id = ?", (before, act.id))


def _make_tracks(
    db: sqlite3.Connection,
    media_file_id: int,
    places: Places,
    of_people: set[int],
    origins: Mapping[int, str | None],
) -> None:
    """Make the tracks again that segments come back to, and say whose each is."""
    needed = {track for track in places.values() if track is not None}
    known = {
        row[0]: row[1]
        for row in db.execute(
            f"SELECT id, media_file_id FROM tracks WHERE id IN {_LISTED}",
            (json.dumps(list(needed | of_people | set(origins))),),
        )
    }
    for track in sorted(needed):
        if track not in known:
            db.execute(
                "INSERT INTO tracks (id, media_file_id, origin) VALUES (?, ?, 'linked')",
                (track, media_file_id),
            )
            known[track] = media_file_id
    for segment, place in places.items():  # a stranger's library may name anything
        if place is not None and known[place] != media_file_id:
            places[segment] = None
    whose = {
        track: "human" if track in of_people else origins[track] or "linked"
        for track in (of_people | set(origins)) & known.keys()
        if known[track] == media_file_id
    }
    db.executemany(
        "UPDATE tracks SET origin = ?2 WHERE id = ?1 AND origin IS NOT ?2", list(whose.items())
    )


def assign(db: sqlite3.Connection, track_of: Mapping[str, int | None]) -> None:
    """Put segments in tracks, or in none; inside the caller's transaction."""
    if track_of:
        db.execute(
            "UPDATE segments SET track_id = wanted.track_id FROM"
            " (SELECT key AS id, value AS track_id FROM json_each(?)) AS wanted"
            " WHERE segments.id = wanted.id AND segments.track_id IS NOT wanted.track_id",
            (json.dumps(track_of),),
        )


def _acts(db: sqlite3.Connection, condition: str, value: str | int) -> list[TrackAct]:
    rows = db.execute(
        f"SELECT id, media_file_id, before, after FROM track_edits WHERE {condition}", (value,)
    )
    return [_read(*row) for row in rows.fetchall()]


def _written(
    places: Places,
    about: Sequence[int] | None = None,
    origins: Mapping[int, str | None] | None = None,
    pushed: Places | None = None,
) -> str:
    said = {"segments": places, "about": about, "tracks": origins, "pushed": pushed}
    return json.dumps({name: value for name, value in said.items() if value is not None})


def _read(act_id: int, media_file_id: int, before: object, after: object) -> TrackAct:
    """Read what _written wrote.

    Raises:
        DatabaseError: it is none of that.
    """
    try:
        said, then = json.loads(str(before)), json.loads(str(after))
        base, places = _places(said["segments"]), _places(then["segments"])
        pushed = _places(said.get("pushed", {}))
        origins = {int(track): origin for track, origin in said["tracks"].items()}
        about = tuple(said["about"])
        _places({str(track): track for track in (*origins, *about)})
        if not all(
            origin is None or origin in get_args(TrackOrigin) for origin in origins.values()
        ):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise DatabaseError(
            "what is kept of a change of tracks is damaged; it can't be undone"
        ) from exc
    return TrackAct(act_id, media_file_id, base, about, origins, places, pushed)


def _places(said: Mapping[str, Any]) -> Places:
    for track in said.values():
        if track is not None and not _is_track(track):
            raise ValueError
    return dict(said)


def _is_track(value: object) -> bool:
    return type(value) is int and 0 < value <= HIGHEST_ID
