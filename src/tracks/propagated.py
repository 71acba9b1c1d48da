"""What was found of a thing, put into the library and its track: one act, whole or absent."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from src.database.decisions import new_batch
from src.database.metadata_db import MetadataDatabase
from src.database.segment_edits import note_added
from src.database.track_acts import Places, change_tracks
from src.errors import QueryError
from src.processing.crop_files import crop_folder
from src.processing.pending_deletes import strike_off, write_down_crops
from src.processing.segment_writer import SegmentWriter, segment_fingerprint
from src.search.query import GONE
from src.tracks.following import FoundOnFrame, ThingToFollow

# Tracks that only people change, or that this has made.
_OF_PEOPLE = "human"
_STAYS = ("human", "propagated")


@dataclass(frozen=True)
class StoredThing:
    """What has become of what was found.

    Attributes:
        batch: of the act; None where nothing was found, and nothing changed.
        added: how many segments are new.
        taken: how many were there already.
    """

    batch: str | None
    track_id: int | None
    added: int
    taken: int


def store_found(
    metadata: MetadataDatabase,
    writer: SegmentWriter,
    thing: ThingToFollow,
    found: Sequence[FoundOnFrame],
) -> StoredThing:
    """Store new segments, and link all that was found into a track, in one transaction.

    Where the thing is in a track that a person has made, or that was propagated before, this
    track grows; else it gets one of its own. Segments in the track of a person stay there.

    Raises:
        QueryError: the segment is gone meanwhile, or the file has another content.
    """
    media, segment_id = thing.media, thing.segment.id
    assert media.content_hash is not None
    found = [each for each in found if each.known_id is not None or each.result is not None]
    names = _crops_of(metadata, thing, found)
    write_down_crops(metadata, names)  # so that a kill leaves none behind
    batch, added = new_batch(), 0
    with metadata.connection.write() as db:
        now = metadata.media(media.id)
        if now is None or metadata.segments([segment_id], with_masks=False).get(segment_id) is None:
            raise QueryError(GONE)
        if now.content_hash != media.content_hash:
            raise QueryError("the video has another content by now; nothing was stored")
        track_id = _growing_track(db, segment_id)
        taken_frames = _frames_of(db, track_id)
        ids: list[str] = []
        for each in found:
            row = metadata.frame_row(media.id, each.frame_index)
            if row is None or row.id in taken_frames:
                continue
            if each.result is None:
                if _may_be_taken(db, str(each.known_id)):
                    ids.append(str(each.known_id))
                continue
            (new,) = each.result.segments
            assert new.kept is not None
            writer.add_segments(row.id, media.content_hash, each.result, lambda: None)
            note_added(db, batch, row.id, new.kept.id)
            ids.append(new.kept.id)
            added += 1
        if ids:
            if track_id is None:
                track_id = db.execute(
                    "INSERT INTO tracks (media_file_id, origin) VALUES (?, 'propagated')",
                    (media.id,),
                ).lastrowid
            places: Places = dict.fromkeys([segment_id, *ids], track_id)
            change_tracks(db, batch, media.id, places, [])
        strike_off(metadata, names)
    if not ids:
        return StoredThing(None, None, 0, 0)
    return StoredThing(batch, track_id, added, len(ids) - added)


def _crops_of(
    metadata: MetadataDatabase, thing: ThingToFollow, found: Sequence[FoundOnFrame]
) -> list[str]:
    """Name the crop files of new segments, as the writer does."""
    digest = thing.media.content_hash or ""
    folder = crop_folder(metadata.paths, digest)
    return [
        metadata.paths.name(folder / f"{segment_fingerprint(digest, each.frame_index, new)}.jpg")
        for each in found
        if each.result is not None
        for new in each.result.segments
    ]


def _growing_track(db: sqlite3.Connection, segment_id: str) -> int | None:
    """Return the track of a segment that is to grow; None where it gets a new one."""
    row = db.execute(
        "SELECT t.id, t.origin FROM segments s JOIN tracks t ON t.id = s.track_id WHERE s.id = ?",
        (segment_id,),
    ).fetchone()
    return row[0] if row is not None and row[1] in _STAYS else None


def _frames_of(db: sqlite3.Connection, track_id: int | None) -> set[int]:
    rows = db.execute("SELECT frame_id FROM segments WHERE track_id = ?", (track_id,))
    return {row[0] for row in rows}


def _may_be_taken(db: sqlite3.Connection, segment_id: str) -> bool:
    """Return whether a segment is there, and in no track of a person's."""
    row = db.execute(
        "SELECT t.origin FROM segments s LEFT JOIN tracks t ON t.id = s.track_id WHERE s.id = ?",
        (segment_id,),
    ).fetchone()
    return row is not None and row[0] != _OF_PEOPLE
