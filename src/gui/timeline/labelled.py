"""Which segments of a video get a label: what is chosen, a lane or all in a range; and how many."""

from __future__ import annotations

from collections.abc import Sequence

from src.counting import counted
from src.gui.timeline.choice import Choice
from src.gui.timeline.timeline_model import TimelineModel
from src.track_records import Track


def of_choice(model: TimelineModel, begin_s: float, end_s: float) -> list[str]:
    """Return the chosen things' segments in a range."""
    return [each for choice in model.chosen for each in _of(model, choice, begin_s, end_s)]


def of_lane(model: TimelineModel, lane: int, begin_s: float, end_s: float) -> list[str]:
    """Return the segments of a lane's things in a range."""
    return _of_lanes(model, [lane], begin_s, end_s)


def of_all(model: TimelineModel, begin_s: float, end_s: float) -> list[str]:
    """Return the segments of all things that lanes show in a range."""
    return _of_lanes(model, range(len(model.lanes)), begin_s, end_s)


def said_of(model: TimelineModel, segment_ids: Sequence[str]) -> str:
    """Write how much gets a label that some segments get: "2 tracks (9 segments)"."""
    wanted = set(segment_ids)
    tracks = [
        track
        for track in model.tracks
        if any(segment.segment_id in wanted for segment in track.segments)
    ]
    in_tracks = {segment.segment_id for track in tracks for segment in track.segments}
    alone = len(wanted - in_tracks)
    if not tracks:
        return counted(alone, "segment")
    segments = counted(len(in_tracks) + alone, "segment")
    if not alone:
        return f"{counted(len(tracks), 'track')} ({segments})"
    return f"{counted(len(tracks), 'track')} and {counted(alone, 'segment')} ({segments} in all)"


def _of_lanes(
    model: TimelineModel, lanes: Sequence[int], begin_s: float, end_s: float
) -> list[str]:
    found: dict[str, None] = {}
    for number in lanes:
        lane = model.lanes[number].lane
        for bar in model.lanes[number].bars:
            if bar.begin_s <= end_s and bar.end_s >= begin_s:
                tracks = model.tracks_in(lane, bar, begin_s, end_s)
                of = [each for track in tracks for each in _inside(track, begin_s, end_s)]
                found.update(dict.fromkeys(of or [bar.segment_id]))
    return list(found)


def _of(model: TimelineModel, choice: Choice, begin_s: float, end_s: float) -> list[str]:
    track = model.track_of(choice)
    return [choice.segment_id] if track is None else _inside(track, begin_s, end_s)


def _inside(track: Track, begin_s: float, end_s: float) -> list[str]:
    """Return a track's segments in a range."""
    inside = (s for s in track.segments if begin_s - 1e-6 <= s.timestamp_s <= end_s + 1e-6)
    return [segment.segment_id for segment in inside]
