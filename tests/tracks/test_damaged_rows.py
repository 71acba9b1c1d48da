"""Rows that this program never stores, as a damaged or a stranger's library has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.errors import DatabaseError, QueryError
from src.records import SearchHit, Tag
from src.tracks.between_frames import box_at
from src.tracks.following import thing_to_follow
from src.tracks.moments import moments_along_videos
from src.tracks.timeline import TimelineReader
from src.tracks.track_edits import TrackEdits
from tests.drawn_tracks import add_video, link_things, segment_of


@pytest.fixture
def metadata(paths: LibraryPaths) -> Iterator[MetadataDatabase]:
    """A library whose first video has one track, its first."""
    with closing(MetadataDatabase(paths)) as opened:
        video = add_video(opened)
        link_things(opened, video, [[segment_of(0, frame) for frame in range(6)]])
        opened.add_tags(segment_of(0, 1), [Tag("dog", 1.0, "human")], "human")
        yield opened


def damage(metadata: MetadataDatabase, sql: str) -> None:
    """Change rows behind the back of the program: without its checks and checksums."""
    with closing(sqlite3.connect(metadata.paths.metadata_db)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute(f"UPDATE {sql}")
        db.commit()


@pytest.mark.parametrize(
    "sql",
    [
        "frames SET timestamp_s = 'abc'",
        "frames SET until_s = 'abc'",
        "frames SET until_s = 9e999",
        "frames SET timestamp_s = x'00'",
        "segments SET crop_path = x'00'",
        "segments SET x = 'abc'",
        "segments SET area = -1",
        "tracks SET begin_s = 'abc'",
        "tracks SET end_s = 9e999",
        "tracks SET origin = 'nobody'",
        "media_files SET duration_s = 'abc'",
        "segment_tags SET source = 'nobody'",
        "segment_tags SET confidence = 'abc'",
        "tags SET colour = 'abc'",
    ],
)
@pytest.mark.parametrize(
    "read",
    [
        lambda reader: reader.timeline(1),
        lambda reader: reader.track(1),
        lambda reader: reader.track_of(segment_of(0, 0)),
    ],
)
def test_a_damaged_row_is_said_to_be_one(
    metadata: MetadataDatabase, sql: str, read: Callable[[TimelineReader], object]
) -> None:
    damage(metadata, sql)
    with pytest.raises(DatabaseError, match="damaged"):
        read(TimelineReader(metadata))


def test_damaged_times_of_a_track_are_no_moment(metadata: MetadataDatabase) -> None:
    (segment,) = metadata.segments([segment_of(0, 0)]).values()
    damage(metadata, "tracks SET begin_s = 'abc', end_s = 'def'")
    with pytest.raises(DatabaseError, match="damaged"):
        moments_along_videos(metadata, [SearchHit(segment, 1.0)])


@pytest.mark.parametrize(
    "sql", ["tracks SET origin = x'00'", "tracks SET origin = 'nobody'", "segments SET area = 3"]
)
def test_a_track_of_no_known_origin_can_be_changed(metadata: MetadataDatabase, sql: str) -> None:
    damage(metadata, sql)
    TrackEdits(metadata).split(1, segment_of(0, 3))
    TrackEdits(metadata).take_out([segment_of(0, 1)])
    assert len(TimelineReader(metadata).track(1).segments) == 2


def test_a_segment_whose_track_is_none_can_leave_it(metadata: MetadataDatabase) -> None:
    damage(metadata, f"segments SET track_id = x'00' WHERE id = '{segment_of(0, 1)}'")
    TrackEdits(metadata).take_out([segment_of(0, 1), segment_of(0, 2)])
    assert [each.frame_index for each in TimelineReader(metadata).track(1).segments] == [
        0, 75, 100, 125
    ]  # fmt: skip


@pytest.mark.parametrize("times", ["10 - timestamp_s", "1.0", "-timestamp_s", "timestamp_s / 2"])
def test_frames_that_are_numbered_otherwise_come_in_the_order_of_time(
    metadata: MetadataDatabase, times: str
) -> None:
    damage(metadata, f"frames SET timestamp_s = {times}, until_s = NULL")
    found = TimelineReader(metadata).timeline(1)
    assert all(frame.timestamp_s <= frame.until_s for frame in found.frames)
    bars = [bar for lane in found.lanes for bar in lane.bars]
    assert bars and all(bar.begin_s <= bar.end_s for bar in bars)
    (track,) = found.tracks
    at = [each.timestamp_s for each in track.segments]
    assert at == sorted(at) and box_at(track.segments, at[0]) is not None


def test_what_is_no_text_names_no_segment(metadata: MetadataDatabase) -> None:
    """As an argument of the command line in another encoding does."""
    assert metadata.segments(["\udcff", segment_of(0, 0)]).keys() == {segment_of(0, 0)}
    assert TimelineReader(metadata).track_of("\udcff") is None
    with pytest.raises(QueryError, match="no such segment in the library"):
        thing_to_follow(metadata, "\udcff", None, None)
