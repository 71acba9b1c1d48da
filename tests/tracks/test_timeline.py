"""What is read of a video over time: frames, tracks, and the bars of labels and tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from src.database.browse_queries import BrowseQueries
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment
from src.errors import QueryError
from src.models.mask_rle import encode_rle
from src.records import SearchHit, Segment, Tag, TagSource
from src.track_records import Lane
from src.tracks.moments import moments_along_videos
from src.tracks.timeline import TimelineReader
from tests.conftest import MODEL

WH = (64, 48)
EMPTY = np.zeros((1, 1, 3), np.uint8)
MASK = encode_rle(np.pad(np.ones((10, 10), np.uint8), ((2, 36), (2, 52))))["counts"]
VECTOR = np.full(512, 512**-0.5, np.float32)


def add_video(
    metadata: MetadataDatabase,
    frames: Sequence[Mapping[str, Sequence[tuple[str, TagSource]]]],
    name: str = "a.mp4",
    duration_s: float = 8.0,
) -> int:
    """Store a video with a frame a second; of each frame its segments, with their tags."""
    media_id = metadata.add_media(Path("/videos") / name, "video", 10, 10)
    for number, segments in enumerate(frames):
        crop = f"extracted_segments/{name}-{number}.jpg"
        whole = Segment("frame", (0, 0, *WH), WH[0] * WH[1], None, None, None, EMPTY)
        new = [NewSegment(f"{name} {number}", whole, crop, VECTOR)]
        for place, (key, tags) in enumerate(segments.items()):
            found = Segment("object", (place, 2, 10, 10), 100, 0.9, 0.9, MASK, EMPTY)
            given = tuple(Tag(tag, 0.5 + 0.01 * number, source) for tag, source in tags)
            new.append(NewSegment(f"{name} {number} {key}", found, crop, VECTOR, given))
        metadata.store_frame(media_id, number, float(number), WH, new, MODEL)
    metadata.update_media(media_id, status="done", duration_s=duration_s)
    return media_id


def bars(lane: Lane) -> list[tuple[float, float, bool, int]]:
    return [(bar.begin_s, bar.end_s, bar.track_id is not None, bar.frames) for bar in lane.bars]


@pytest.fixture
def media_id(metadata: MetadataDatabase) -> int:
    dog: list[tuple[str, TagSource]] = [("dog", "human")]
    red: list[tuple[str, TagSource]] = [("red", "auto")]
    frames: list[dict[str, list[tuple[str, TagSource]]]] = [
        {"d": dog, "r": red},
        {"d": [("dog", "propagated")], "r": red},
        {"r": red},
        {"d": [("dog", "propagated"), ("red", "auto")]},
        {"x": []},
        {"x": []},
    ]
    media_id = add_video(metadata, frames)
    tracks = [[f"a.mp4 {n} {key}" for n in some] for key, some in TRACKS.items()]
    metadata.tracks.replace_linked(media_id, tracks, "test")
    return media_id


TRACKS = {"d": (0, 1, 3), "r": (0, 1, 2), "x": (4, 5)}


def test_lanes_say_when_something_is_seen(metadata: MetadataDatabase, media_id: int) -> None:
    timeline = TimelineReader(metadata).timeline(media_id)
    assert timeline.duration_s == 8.0
    assert [(f.timestamp_s, f.until_s) for f in timeline.frames] == [
        (0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 8),
    ]  # fmt: skip
    assert [frame.segments for frame in timeline.frames] == [3, 3, 2, 2, 2, 2]
    card = BrowseQueries(metadata).media_cards([media_id])[media_id]
    assert sum(frame.segments for frame in timeline.frames) == card.segments
    dog, red, plain = timeline.lanes
    assert (dog.kind, dog.name, dog.is_of_people) == ("label", "dog", True)
    assert bars(dog) == [(0, 2, True, 2), (3, 4, True, 1)]
    assert dog.bars[0].track_id == dog.bars[1].track_id
    assert dog.bars[0].segment_id == "a.mp4 0 d", "a person's word goes before a surer one"
    assert (red.kind, red.is_of_people) == ("tag", False)
    assert bars(red) == [(0, 3, True, 3), (3, 4, True, 1)], "the second is of another track"
    assert (plain.kind, plain.name, bars(plain)) == ("track", "Track 3", [(4, 8, True, 2)])
    assert all(lane.colour.startswith("#") for lane in timeline.lanes)
    assert red.colour == "#F0686C", "what is called by a colour is painted in it"
    assert len(TimelineReader(metadata).timeline(media_id, False).lanes) == 2


def test_two_things_with_one_tag_are_one_bar_of_no_track(metadata: MetadataDatabase) -> None:
    red: list[tuple[str, TagSource]] = [("red", "auto")]
    media_id = add_video(metadata, [{"a": red, "b": red}, {"a": red, "b": red}, {"a": red}])
    both = [[f"a.mp4 {n} a" for n in range(3)], [f"a.mp4 {n} b" for n in range(2)]]
    metadata.tracks.replace_linked(media_id, both, "test")
    (lane,) = TimelineReader(metadata).timeline(media_id).lanes
    assert bars(lane) == [(0, 2, False, 2), (2, 8, True, 1)]


def test_a_track_has_its_segments_and_tags_in_order(
    metadata: MetadataDatabase, media_id: int
) -> None:
    reader = TimelineReader(metadata)
    track = reader.track_of("a.mp4 1 d")
    assert track is not None
    assert [each.segment_id for each in track.segments] == ["a.mp4 0 d", "a.mp4 1 d", "a.mp4 3 d"]
    assert [(tag.name, tag.source) for tag in track.tags] == [("dog", "human"), ("red", "auto")]
    assert reader.track(track.id) == track
    assert track in reader.timeline(media_id).tracks
    assert reader.track_of("a.mp4 1") is None and reader.track_of("gone") is None
    spans = metadata.tracks.spans(["a.mp4 1 d", "a.mp4 1", "gone"])
    assert spans == {"a.mp4 1 d": (track.begin_s, track.end_s)}
    with pytest.raises(QueryError, match="the track is gone"):
        reader.track(999)


def test_photos_and_what_is_gone_have_no_timeline(metadata: MetadataDatabase) -> None:
    photo = metadata.add_media(Path("/a.jpg"), "image", 1, 1)
    with pytest.raises(QueryError, match=r"a\.jpg is a photo"):
        TimelineReader(metadata).timeline(photo)
    with pytest.raises(QueryError, match="no longer in the library"):
        TimelineReader(metadata).timeline(photo + 1)


def test_a_video_of_which_nothing_has_come_yet(metadata: MetadataDatabase) -> None:
    media_id = metadata.add_media(Path("/a.mp4"), "video", 10, 10)
    timeline = TimelineReader(metadata).timeline(media_id)
    assert (timeline.duration_s, timeline.frames, timeline.lanes) == (0.0, (), ())


def test_results_along_videos_are_a_moment_a_track(
    metadata: MetadataDatabase, media_id: int
) -> None:
    other = add_video(metadata, [{"d": []}], "b.mp4")
    ids = ["b.mp4 0 d", "a.mp4 1 d", "a.mp4 0 r", "a.mp4 3 d", "a.mp4 2"]
    segments = metadata.segments(ids)
    hits = [SearchHit(segments[each], 1 - 0.1 * n) for n, each in enumerate(ids)]
    folded = [hits[0], SearchHit(hits[1].segment, 0.9, alike=(hits[3],)), hits[2], hits[4]]
    first, second = moments_along_videos(metadata, folded)
    assert (first.media.id, second.media.id) == (other, media_id)
    found = [(m.segment_id, m.begin_s, m.score) for m in second.moments]
    assert found == [("a.mp4 0 r", 0.0, 0.8), ("a.mp4 1 d", 0.0, 0.9), ("a.mp4 2", 2.0, 0.6)]


def test_a_track_alone_is_as_in_its_video_and_reads_no_more_frames(
    metadata: MetadataDatabase, media_id: int
) -> None:
    reader = TimelineReader(metadata)
    for track in reader.timeline(media_id).tracks:
        statements: list[str] = []
        metadata.connection.read().set_trace_callback(statements.append)
        assert reader.track(track.id) == track
        metadata.connection.read().set_trace_callback(None)
        frames = [each for each in statements if "f.id" in each and "crop_path" in each]
        assert frames and all("track_id = " in each for each in frames)
