"""Timelines for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from src.gui.timeline.lane_index import LaneIndex
from src.gui.timeline.timeline_model import TimelineModel
from src.records import MediaFile, Tag
from src.track_records import (
    Lane,
    LaneBar,
    LaneKind,
    Timeline,
    TimelineFrame,
    Track,
    TrackSegment,
)


def video(duration_s: float = 10.0) -> MediaFile:
    path = Path("video.mp4")
    return MediaFile(
        1, path, None, "video", 640, 360, duration_s, None, 1, 0, "done", None, added_at=0.0
    )


def frames(count: int = 20, every_s: float = 0.5) -> tuple[TimelineFrame, ...]:
    return tuple(
        TimelineFrame(f"f{n}", n * 15, n * every_s, (n + 1) * every_s, Path(f"f{n}.jpg"), 4)
        for n in range(count)
    )


def track(id: int, places: Sequence[int], name: str = "dog", every_s: float = 0.5) -> Track:
    segments = tuple(
        TrackSegment(
            f"t{id}s{n}",
            n * 15,
            n * every_s,
            (n + 1) * every_s,
            (n, n, 9, 9),
            Path(f"{id}-{n}.jpg"),
        )
        for n in places
    )
    begin_s, end_s = segments[0].timestamp_s, segments[-1].until_s
    return Track(id, 1, begin_s, end_s, "linked", segments, (Tag(name, 1.0, "human"),))


def bar(of: Track | None, begin_s: float = 0.0, end_s: float = 0.0, segment: str = "s") -> LaneBar:
    if of is None:
        return LaneBar(begin_s, end_s, None, segment, 1)
    first = of.segments[0].segment_id
    return LaneBar(of.begin_s, of.end_s, of.id, first, len(of.segments))


def lane(name: str, bars: Sequence[LaneBar], kind: LaneKind = "label") -> Lane:
    return Lane(kind, name, kind == "label", "#E6B450", tuple(bars))


def timeline(tracks: Sequence[Track] = (), lanes: Sequence[Lane] = (), count: int = 20) -> Timeline:
    return Timeline(video(count / 2), count / 2, frames(count), tuple(tracks), tuple(lanes))


def model(of: Timeline) -> TimelineModel:
    made = TimelineModel()
    made.show(of, [LaneIndex(each) for each in of.lanes])
    return made
