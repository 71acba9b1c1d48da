"""A video over time: its frames, its tracks, and when its labels and tags are seen."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from src.config import LibraryPaths
from src.database.decisions import SOURCES
from src.database.frame_spans import stored_frame_times, until_the_next
from src.database.metadata_db import MetadataDatabase
from src.database.text_normalization import is_text
from src.errors import QueryError
from src.label_records import LABEL_COLOURS
from src.records import Tag
from src.track_records import (
    Lane,
    LaneBar,
    Timeline,
    TimelineFrame,
    Track,
    TrackOrigin,
    TrackSegment,
)

GONE = "the video is no longer in the library"
_AMBER, _RED, _BLUE, _GREEN, _PINK, _BROWN, _PURPLE, _GREY = LABEL_COLOURS
# What tracks without a tag are painted in.
_PLAIN = _GREY
# A tag that names a colour is not painted in another one.
_CALLED = {
    "yellow": _AMBER,
    "orange": _AMBER,
    "red": _RED,
    "blue": _BLUE,
    "green": _GREEN,
    "pink": _PINK,
    "brown": _BROWN,
    "purple": _PURPLE,
    # as light and as dark as can be told from the window's own ground, in either appearance
    "white": "#B2B2BA",
    "gray": _GREY,
    "grey": _GREY,
    "black": "#53535C",
}

_FRAMES = """SELECT f.id, f.frame_index, f.timestamp_s, f.until_s, s.id, s.crop_path,
        (SELECT count(*) FROM segments o WHERE o.frame_id = f.id)
    FROM frames f JOIN segments s ON s.frame_id = f.id AND s.kind = 'frame'
    WHERE f.media_file_id = ? AND f.timestamp_s IS NOT NULL ORDER BY f.timestamp_s, f.frame_index"""
# The same of the frames that a track is in, which are few of a long video's.
_FRAMES_OF_TRACK = """SELECT f.id, f.frame_index, f.timestamp_s, f.until_s, s.id, s.crop_path, 1
    FROM frames f JOIN segments s ON s.frame_id = f.id AND s.kind = 'frame'
    WHERE f.media_file_id = ?1 AND f.timestamp_s IS NOT NULL
        AND f.id IN (SELECT frame_id FROM segments WHERE track_id = ?2)
    ORDER BY f.timestamp_s, f.frame_index"""
_LAST_FRAME = """SELECT f.timestamp_s, f.until_s FROM frames f
    WHERE f.media_file_id = ? AND f.timestamp_s IS NOT NULL
    ORDER BY f.timestamp_s DESC, f.frame_index DESC LIMIT 1"""
_SEGMENTS = """SELECT s.id, s.frame_id, s.track_id, s.x, s.y, s.w, s.h, s.area, s.crop_path
    FROM frames f JOIN segments s ON s.frame_id = f.id
    WHERE f.media_file_id = ?"""
_SEGMENT_COLUMNS = ("id", "frame_id", "track_id", "x", "y", "w", "h", "area", "crop_path")
_TAGS = """SELECT st.segment_id, t.name, t.colour, t.position, st.confidence, st.source
    FROM frames f JOIN segments s ON s.frame_id = f.id
    JOIN segment_tags st ON st.segment_id = s.id JOIN tags t ON t.id = st.tag_id
    WHERE f.media_file_id = ?"""
_TRACKS = "SELECT id, begin_s, end_s, origin FROM tracks WHERE media_file_id = ?"


@dataclass(frozen=True)
class _Segment:
    """A segment of the video; `frame` is the place of its frame among all frames."""

    id: str
    frame: int
    track_id: int | None
    bbox_xywh: tuple[int, int, int, int]
    area: int
    crop: str


@dataclass(frozen=True)
class _Seen:
    """A segment in a lane, with how sure its tag is: the strongest word first, then the surest."""

    segment: _Segment
    strength: tuple[int, float]


class TimelineReader:
    """Reads videos of a library; in any thread."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self._metadata = metadata

    def timeline(self, media_file_id: int, tracks_without_tags: bool = True) -> Timeline:
        """Read a video.

        Args:
            tracks_without_tags: whether tracks that have no tag have lanes of their own.

        Raises:
            QueryError: it is gone, or no video.
        """
        media = self._metadata.media(media_file_id)
        if media is None:
            raise QueryError(GONE)
        if media.kind != "video":
            raise QueryError(f"{media.path.name} is a photo, and has no timeline")
        video = _Video.read(self._metadata, media_file_id, media.duration_s)
        tracks = video.tracks(f"{_TRACKS} ORDER BY id", media_file_id)
        last = video.frames[-1].until_s if video.frames else 0.0
        return Timeline(
            media,
            max(media.duration_s or 0.0, last),
            tuple(video.frames),
            tuple(tracks),
            tuple(video.lanes(tracks if tracks_without_tags else [])),
        )

    def track(self, track_id: int) -> Track:
        """Read a track.

        Raises:
            QueryError: it is gone.
        """
        row = self._db.execute(
            "SELECT t.media_file_id, m.duration_s FROM tracks t"
            " JOIN media_files m ON m.id = t.media_file_id WHERE t.id = ?",
            (track_id,),
        ).fetchone()
        found = []
        if row is not None:
            self._metadata.rows.check_columns("media_files", (None, "duration_s"), [row])
            video = _Video.read(self._metadata, row[0], row[1], track_id)
            found = video.tracks(f"{_TRACKS} AND id = ?", row[0], track_id)
        if not found:
            raise QueryError("the track is gone; its segments may be in another one now")
        return found[0]

    def track_of(self, segment_id: str) -> Track | None:
        """Read the track that a segment is in; None where it is in none, or gone."""
        sql = "SELECT track_id FROM segments WHERE id = ?"
        row = self._db.execute(sql, (segment_id,)).fetchone() if is_text(segment_id) else None
        if row is None or row[0] is None:
            return None
        try:
            return self.track(row[0])
        except QueryError:  # it went between the two looks
            return None

    @property
    def _db(self) -> sqlite3.Connection:
        return self._metadata.connection.read()


class _Crops:
    """Paths of crops: tens of thousands of a video, in a few folders that are checked once."""

    def __init__(self, paths: LibraryPaths) -> None:
        self._paths = paths
        self._folders: dict[str, Path | None] = {}

    def path(self, stored: str) -> Path:
        folder, slash, name = stored.rpartition("/")
        if folder not in self._folders:
            path = self._paths.crop(f"{folder}/crop.jpg")
            is_inside = path.name == "crop.jpg" and bool(slash)
            self._folders[folder] = path.parent if is_inside else None
        known = self._folders[folder]
        if known is None or not name.endswith(".jpg") or "\0" in name or len(name) < 5:
            return self._paths.crop(stored)
        return known / name


@dataclass(frozen=True)
class _Video:
    """What was read of a video.

    Attributes:
        colours: of labels, by their names.
        positions: of labels in their list, by their names.
        tags: of segments, by their ids.
    """

    metadata: MetadataDatabase
    crops: _Crops
    frames: list[TimelineFrame]
    segments: list[_Segment]
    tags: Mapping[str, list[Tag]]
    colours: Mapping[str, str | None]
    positions: Mapping[str, int | None]

    @classmethod
    def read(
        cls,
        metadata: MetadataDatabase,
        media_file_id: int,
        duration_s: float | None,
        track_id: int | None = None,
    ) -> _Video:
        """Read a video, or of its segments only those of a track."""
        db, crops = metadata.connection.read(), _Crops(metadata.paths)
        check = metadata.rows.check_columns
        of_track = "" if track_id is None else f" AND s.track_id = {int(track_id)}"
        if track_id is None:
            rows = db.execute(_FRAMES, (media_file_id,)).fetchall()
        else:
            rows = db.execute(_FRAMES_OF_TRACK, (media_file_id, track_id)).fetchall()
        check("frames", ("id", "frame_index", "timestamp_s", "until_s"), rows)
        check("segments", (*[None] * 4, "id", "crop_path"), rows)
        if track_id is None:
            ends_s = _ends([row[2] for row in rows], rows[-1:], 2, duration_s)
        else:
            last = db.execute(_LAST_FRAME, (media_file_id,)).fetchall()
            check("frames", ("timestamp_s", "until_s"), last)
            times = stored_frame_times(metadata.connection, media_file_id)
            ends = _ends([time_s for _, time_s in times], last, 0, duration_s)
            end_of = {index: end_s for (index, _), end_s in zip(times, ends, strict=True)}
            ends_s = [end_of.get(row[1], row[2]) for row in rows]
        frames = [
            TimelineFrame(row[4], row[1], row[2], end_s, crops.path(row[5]), row[6])
            for row, end_s in zip(rows, ends_s, strict=True)
        ]
        places = {row[0]: place for place, row in enumerate(rows)}
        wanted = f"{_SEGMENTS}{of_track} ORDER BY f.frame_index, s.id"
        found = db.execute(wanted, (media_file_id,)).fetchall()
        check("segments", _SEGMENT_COLUMNS, found)
        segments = [
            _Segment(row[0], places[row[1]], row[2], tuple(row[3:7]), row[7], row[8])
            for row in found
            if row[1] in places
        ]
        segments.sort(key=lambda each: each.frame)  # a stranger's frames may be in any order
        tags: dict[str, list[Tag]] = {}
        colours: dict[str, str | None] = {}
        positions: dict[str, int | None] = {}
        tagged = db.execute(_TAGS + of_track, (media_file_id,)).fetchall()
        check("segment_tags", (*[None] * 4, "confidence", "source"), tagged)
        check("tags", (None, "name", "colour", "position"), tagged)
        for row in tagged:
            segment_id, name, colours[name], positions[name], confidence, source = row
            tags.setdefault(segment_id, []).append(Tag(name, confidence, source))
        return cls(metadata, crops, frames, segments, tags, colours, positions)

    def tracks(self, sql: str, *values: int) -> list[Track]:
        by_track: dict[int, list[_Segment]] = {}
        for segment in self.segments:
            if segment.track_id is not None:
                by_track.setdefault(segment.track_id, []).append(segment)
        db = self.metadata.connection.read()
        if not any(column[1] == "origin" for column in db.execute("PRAGMA table_info(tracks)")):
            sql = sql.replace("origin", "NULL")  # a reader opens an older library as it is
        rows = db.execute(sql, values).fetchall()
        self.metadata.rows.check_columns("tracks", ("id", "begin_s", "end_s", "origin"), rows)
        return [self._track(values[0], row, by_track[row[0]]) for row in rows if row[0] in by_track]

    def _track(self, media_file_id: int, row: Any, segments: Sequence[_Segment]) -> Track:
        track_id, begin_s, end_s, origin = row
        made_by: TrackOrigin = origin or "linked"
        parts = tuple(self._part(each) for each in segments)
        return Track(
            track_id,
            media_file_id,
            parts[0].timestamp_s if begin_s is None else begin_s,
            parts[-1].until_s if end_s is None else end_s,
            made_by,
            parts,
            _strongest(tag for each in segments for tag in self.tags.get(each.id, ())),
        )

    def _part(self, segment: _Segment) -> TrackSegment:
        frame = self.frames[segment.frame]
        return TrackSegment(
            segment.id,
            frame.frame_index,
            frame.timestamp_s,
            frame.until_s,
            segment.bbox_xywh,
            self.crops.path(segment.crop),
        )

    def lanes(self, tracks: Sequence[Track]) -> list[Lane]:
        """Make a lane for each label, for each tag that only models gave, and for other tracks."""
        seen: dict[tuple[bool, str], list[_Seen]] = {}
        for segment in self.segments:
            for tag in self.tags.get(segment.id, ()):
                key = tag.source != "auto", tag.name
                seen.setdefault(key, []).append(_Seen(segment, _strength(tag)))
        named = [
            Lane(
                "label" if of_people else "tag",
                name,
                of_people,
                self.colours.get(name) or "",
                tuple(self._bars(some)),
            )
            for (of_people, name), some in seen.items()
        ]
        labels = sorted(
            (lane for lane in named if lane.is_of_people),
            key=lambda lane: (-_seen_s(lane), self.positions.get(lane.name) or 0, lane.name),
        )
        tags = sorted(
            (lane for lane in named if not lane.is_of_people),
            key=lambda lane: (-_seen_s(lane), lane.name),
        )
        return [*_coloured([*labels, *tags]), *self._plain_lanes(tracks)]

    def _plain_lanes(self, tracks: Sequence[Track]) -> list[Lane]:
        by_id: dict[int, list[_Seen]] = {track.id: [] for track in tracks if not track.tags}
        for segment in self.segments:
            if segment.track_id in by_id:
                by_id[segment.track_id].append(_Seen(segment, (0, segment.area)))
        lanes = [
            Lane("track", f"Track {number}", False, _PLAIN, tuple(self._bars(by_id[track.id])))
            for number, track in enumerate(tracks, 1)
            if track.id in by_id
        ]
        return sorted(lanes, key=lambda lane: -_seen_s(lane))

    def _bars(self, some: Sequence[_Seen]) -> list[LaneBar]:
        """Make a bar of what is seen in one frame after another, and belongs to the same track."""
        bars: list[LaneBar] = []
        last: int | None = None  # the frame in which the last bar ends
        best: _Seen | None = None
        for frame, group in itertools.groupby(some, lambda each: each.segment.frame):
            seen = list(group)
            tracks = {each.segment.track_id for each in seen}
            track_id = seen[0].segment.track_id if len(tracks) == 1 else None
            here = seen[0] if len(seen) == 1 else max(seen, key=_how_well)
            if last == frame - 1 and best is not None and bars[-1].track_id == track_id:
                best = max(best, here, key=_how_well)
                begin_s, frames = bars[-1].begin_s, bars[-1].frames + 1
                bars.pop()
            else:
                best, begin_s, frames = here, self.frames[frame].timestamp_s, 1
            end_s = self.frames[frame].until_s
            bars.append(LaneBar(begin_s, end_s, track_id, best.segment.id, frames))
            last = frame
        return bars


def _ends(
    times_s: Sequence[float], last: Sequence[Any], column: int, duration_s: float | None
) -> list[float]:
    """Return until when each frame is shown.

    Args:
        times_s: of all frames of the video, ascending.
        last: the row of the last one, with its time in a column and its until_s in the next.
    """
    lasts_s = max(duration_s or 0.0, *(row[column + 1] or row[column] for row in last), 0.0)
    return until_the_next(times_s, lasts_s)


def _how_well(seen: _Seen) -> tuple[tuple[int, float], int, str]:
    return seen.strength, seen.segment.area, seen.segment.id


def _strength(tag: Tag) -> tuple[int, float]:
    return -SOURCES.index(tag.source), tag.confidence


def _strongest(tags: Iterable[Tag]) -> tuple[Tag, ...]:
    """Keep of equal tags the one with the strongest source, then the surest."""
    best: dict[str, Tag] = {}
    for tag in tags:
        if tag.name not in best or _strength(tag) > _strength(best[tag.name]):
            best[tag.name] = tag
    return tuple(sorted(best.values(), key=lambda tag: (*_strength(tag), tag.name), reverse=True))


def _seen_s(lane: Lane) -> float:
    return sum(bar.end_s - bar.begin_s for bar in lane.bars)


def _coloured(lanes: Sequence[Lane]) -> list[Lane]:
    """Paint lanes without a colour of their own, in turn, unless they are called by one."""
    return [
        replace(
            lane,
            colour=lane.colour
            or _CALLED.get(lane.name.casefold())
            or LABEL_COLOURS[place % len(LABEL_COLOURS)],
        )
        for place, lane in enumerate(lanes)
    ]
