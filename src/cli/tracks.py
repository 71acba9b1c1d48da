"""The command about what was followed through videos: lists it, or follows a segment."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from src.cli.arguments import no_such
from src.cli.report import event_as_json, note, one_line, print_json
from src.counting import counted, moment
from src.errors import DatabaseError
from src.events import Event, Progress, SegmentPropagated
from src.library import MediaLibrary
from src.records import MediaFile, SearchHit
from src.search.leaves import MediaKindIs
from src.track_records import Track


def list_tracks(library: MediaLibrary, paths: Sequence[Path], as_json: bool) -> None:
    """Print the tracks of videos, those that are seen longest first.

    Args:
        paths: videos, and folders with videos, of the library; none for all of it.

    Raises:
        DatabaseError: nothing of the library is at a path.
    """
    videos = tracks = 0
    for media in _videos(library, paths):
        found = sorted(
            library.tracks.timeline(media.id).tracks,
            key=lambda track: (-len(track.segments), track.begin_s, track.id),
        )
        videos += 1
        tracks += len(found)
        if not as_json:
            print(f"{one_line(media.path)}  {counted(len(found), 'track')}")
        for track in found:
            best = _best(library, track)
            if as_json:
                print_json(_as_json(media, track, best))
            else:
                print(f"  {_line(track, best)}")
    if library.tracks.has_unlinked():
        note("some videos are not linked yet; open the library where nothing else has it open")
    note(f"{counted(tracks, 'track')} in {counted(videos, 'video')}")


def follow_segment(
    library: MediaLibrary,
    arguments: argparse.Namespace,
    shown: Callable[[Iterable[Event]], Iterable[Event]],
) -> None:
    """Follow a segment through its video, and print what was found.

    Raises:
        ModelNotLoadedError, QueryError, MediaReadError: see Tracks.propagate.
    """
    begin_s, end_s = arguments.begin_s, arguments.end_s
    is_following = True  # what is found is stored after the last frame
    try:
        for event in shown(library.tracks.propagate(arguments.segment_id, begin_s, end_s)):
            if isinstance(event, Progress) and event.doing == "propagate":
                is_following = event.done < event.total
            elif isinstance(event, SegmentPropagated):
                _print_followed(event, arguments.json)
    except KeyboardInterrupt:
        if is_following:
            note("nothing was stored; run the command again to follow the segment from its frame")
        raise


def _print_followed(event: SegmentPropagated, as_json: bool) -> None:
    if as_json:
        print_json(event_as_json(event))
    elif event.batch is None:
        print(f"nothing found in {counted(event.frames, 'frame')}; nothing was changed")
    else:
        print(
            f"track {event.track_id}: {counted(event.added, 'new segment')}, "
            f"{event.taken:,} that were there, in {counted(event.frames, 'frame')}"
        )


def _videos(library: MediaLibrary, paths: Sequence[Path]) -> list[MediaFile]:
    if not paths:
        ids = library.browse.media_ids("name", MediaKindIs(("video",)))
        cards = library.browse.media_cards(ids)
        return [cards[media_id].media for media_id in ids if media_id in cards]
    found: dict[int, MediaFile] = {}
    for path in paths:
        under = library.media_under(path)
        if not under:
            lies = "" if os.path.lexists(path) else f" ({no_such([path])})"
            raise DatabaseError(f"{path}: nothing of the library is there{lies}")
        found.update((media.id, media) for media in under if media.kind == "video")
    return list(found.values())


def _best(library: MediaLibrary, track: Track) -> SearchHit | None:
    """Look up the segment that shows it best: the one SAM is surest of, of equal ones the largest.

    None where all of them are gone, or hidden.
    """
    hits = library.segments([each.segment_id for each in track.segments]).hits
    return max(
        hits,
        key=lambda hit: (hit.segment.predicted_iou or 0.0, hit.segment.area, hit.segment.id),
        default=None,
    )


def _line(track: Track, best: SearchHit | None) -> str:
    tags = ", ".join(one_line(tag.name) for tag in track.tags) or "no tags"
    shown = "" if best is None else f"  {one_line(best.segment.crop_path)}"
    times = f"{moment(track.begin_s)}–{moment(track.end_s)}"
    return f"{track.id:>6}  {times}  {counted(len(track.segments), 'frame')}  {tags}{shown}"


def _as_json(media: MediaFile, track: Track, best: SearchHit | None) -> dict[str, Any]:
    return {
        "track_id": track.id,
        "path": media.path,
        "begin_s": track.begin_s,
        "end_s": track.end_s,
        "origin": track.origin,
        "tags": [
            {"name": tag.name, "confidence": tag.confidence, "source": tag.source}
            for tag in track.tags
        ],
        "best_segment_id": None if best is None else best.segment.id,
        "crop_path": None if best is None else best.segment.crop_path,
        "segments": [
            {
                "segment_id": each.segment_id,
                "frame_index": each.frame_index,
                "timestamp_s": each.timestamp_s,
                "until_s": each.until_s,
                "bbox_xywh": each.bbox_xywh,
            }
            for each in track.segments
        ],
    }
