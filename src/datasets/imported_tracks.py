"""A dataset's tracks on segments of a library's videos, put there as an act of people."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from src.database.metadata_db import MetadataDatabase
from src.database.rows import LISTED
from src.database.track_acts import Places, change_tracks

# Of each segment that a dataset is about: the number of its track there, None where it is in none.
TrackNumbers = Mapping[str, int | None]


@dataclass(frozen=True)
class _Place:
    """Where a segment is.

    Attributes:
        frame_id: of its frame, by its row.
        track_id: of the track that it is in.
        is_settled: whether a person here has put it there, or into none.
    """

    frame_id: int
    track_id: int | None
    is_settled: bool


def put_tracks(metadata: MetadataDatabase, numbers: TrackNumbers, batch: str) -> Counter[str]:
    """Put segments of videos in the tracks of a dataset, in one transaction.

    A segment that a person here has put in a track, or taken out of one, stays there. Of the
    others those of one track come together: in the track that most of them are in, which keeps
    what the dataset does not mention, or in a new one. What the dataset has in no track leaves it.

    Args:
        numbers: no two videos have tracks of the same number, or they are told apart here.
        batch: of the act that this is a part of.

    Returns:
        How many tracks were `tracks`, that is made or changed, `known tracks`, which are here like
        that, and `lost tracks`, of which no segment is in a video here.
    """
    counts = Counter[str]()
    wanted = {number for number in numbers.values() if number is not None}
    if not wanted:
        return counts
    found = set[int]()
    with metadata.connection.write() as db:
        by_media: dict[int, list[str]] = defaultdict(list)
        for segment_id, media_id in db.execute(
            "SELECT s.id, f.media_file_id FROM segments s JOIN frames f ON f.id = s.frame_id"
            " JOIN media_files m ON m.id = f.media_file_id"
            f" WHERE m.kind = 'video' AND s.kind = 'object' AND s.id IN {LISTED}"
            " ORDER BY f.media_file_id, f.frame_index, s.id",
            (json.dumps(list(numbers)),),
        ).fetchall():
            by_media[media_id].append(segment_id)
        for media_id, segment_ids in by_media.items():
            of_media = {each: numbers[each] for each in segment_ids}
            found |= {number for number in of_media.values() if number is not None}
            planned = _Plan(_places(db, media_id), of_media)
            for number, track_id in planned.tracks.items():
                if track_id is None:
                    planned.tracks[number] = db.execute(
                        "INSERT INTO tracks (media_file_id, origin) VALUES (?, 'human')",
                        (media_id,),
                    ).lastrowid
            places: Places = {
                segment_id: None if number is None else planned.tracks[number]
                for segment_id, number in planned.places.items()
            }
            if places:
                about = [track for track in planned.tracks.values() if track is not None]
                change_tracks(db, batch, media_id, places, about)
            counts["tracks"] += len(planned.tracks)
            counts["known tracks"] += planned.known
    counts["lost tracks"] = len(wanted - found)
    return counts


def _places(db: sqlite3.Connection, media_file_id: int) -> dict[str, _Place]:
    """Look up where the segments of a video are."""
    rows = db.execute(
        "SELECT s.id, s.frame_id, s.track_id, s.id IN (SELECT said.key FROM track_edits e,"
        " json_each(CASE WHEN json_valid(e.after) THEN e.after ELSE '{}' END, '$.segments') said"
        " WHERE e.media_file_id = ?1 AND e.undone_at IS NULL)"
        " FROM frames f JOIN segments s ON s.frame_id = f.id"
        " WHERE f.media_file_id = ?1 AND s.kind = 'object'",
        (media_file_id,),
    )
    return {row[0]: _Place(row[1], row[2], bool(row[3])) for row in rows.fetchall()}


class _Plan:
    """What is to become of a video's segments.

    Attributes:
        tracks: those that change, by their numbers in the dataset: the track here that each
            becomes; None for a new one.
        places: the numbers of the tracks that segments come into; None for none.
        known: how many tracks are here like that.
    """

    def __init__(self, here: Mapping[str, _Place], numbers: TrackNumbers) -> None:
        self._here = here
        self.tracks: dict[int, int | None] = {}
        self.places: dict[str, int | None] = {}
        self.known = 0
        self._members: dict[int, set[str]] = defaultdict(set)
        for segment_id, place in here.items():
            if place.track_id is not None:
                self._members[place.track_id].add(segment_id)
        by_number = self._by_number(numbers)
        taken = set[int]()
        # the track that holds most of one is that one, and of no other
        for number, segment_ids in sorted(
            by_number.items(), key=lambda item: (-self._most(item[1])[1], item[0])
        ):
            track_id = self._most(segment_ids, taken)[0]
            if track_id is not None:
                taken.add(track_id)
            self._plan(number, segment_ids, track_id, numbers)

    def _by_number(self, numbers: TrackNumbers) -> dict[int, list[str]]:
        """List the segments of each track, one a frame: the first."""
        found: dict[int, list[str]] = {}
        frames = set[tuple[int, int]]()
        for segment_id, number in numbers.items():
            if number is None:
                continue
            place = number, self._here[segment_id].frame_id
            if place not in frames:
                frames.add(place)
                found.setdefault(number, []).append(segment_id)
        return found

    def _most(
        self, segment_ids: Sequence[str], without: Collection[int] = ()
    ) -> tuple[int | None, int]:
        """Find the track that most of some segments are in, and how many; a person's goes first."""
        counted = Counter[int]()
        settled = set[int]()
        for segment_id in segment_ids:
            place = self._here[segment_id]
            if place.track_id is not None and place.track_id not in without:
                counted[place.track_id] += 1
                if place.is_settled:
                    settled.add(place.track_id)
        best = max(counted, key=lambda each: (each in settled, counted[each], -each), default=None)
        return best, 0 if best is None else counted[best]

    def _plan(
        self, number: int, segment_ids: Sequence[str], track_id: int | None, numbers: TrackNumbers
    ) -> None:
        members = set[str]() if track_id is None else self._members[track_id]
        settled = {self._here[each].frame_id for each in members if self._here[each].is_settled}
        coming = [
            each
            for each in segment_ids
            if each not in members
            and not self._here[each].is_settled
            and self._here[each].frame_id not in settled
        ]
        leaving = [
            each
            for each in members
            if each in numbers and numbers[each] is None and not self._here[each].is_settled
        ]
        if not coming and not leaving:
            self.known += 1
            return
        self.tracks[number] = track_id
        free = [each for each in segment_ids if not self._here[each].is_settled]
        self.places |= dict.fromkeys((each for each in free if each in members), number)
        self.places |= dict.fromkeys(coming, number)
        self.places |= dict.fromkeys(leaving)
