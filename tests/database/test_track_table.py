"""Tracks of a video as they are stored: linked, linked anew, and right when segments go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment
from src.records import Segment
from tests.conftest import MODEL, small_mask, unit_vectors
from tests.drawn_tracks import METHOD, add_video, link_things, segment_of


@pytest.fixture
def metadata(paths: LibraryPaths) -> Iterator[MetadataDatabase]:
    with closing(MetadataDatabase(paths)) as opened:
        yield opened
        assert opened.damaged_rows() == [] and opened.miscounted() == {}


def things(thing: int, frames: range | list[int]) -> list[str]:
    return [segment_of(thing, frame) for frame in frames]


def rows(metadata: MetadataDatabase) -> list[tuple[object, ...]]:
    found = metadata.connection.read().execute(
        "SELECT id, begin_s, end_s, origin FROM tracks ORDER BY id"
    )
    return [tuple(row) for row in found]


def members(metadata: MetadataDatabase) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for segment in metadata.segments_where():
        if segment.track_id is not None:
            found.setdefault(segment.track_id, []).append(segment.id)
    return found


def test_tracks_are_written_with_their_times_and_the_video_is_linked(
    metadata: MetadataDatabase,
) -> None:
    video = add_video(metadata)
    assert metadata.tracks.has_unlinked() and metadata.tracks.unlinked_media() == [video]
    first, second = link_things(metadata, video, [things(0, range(4)), things(1, [1, 5])])
    assert rows(metadata) == [(first, 0.0, 3.0, "linked"), (second, 1.0, 5.0, "linked")]
    assert members(metadata) == {first: things(0, range(4)), second: things(1, [1, 5])}
    assert not metadata.tracks.has_unlinked() and metadata.tracks.unlinked_media() == []
    assert metadata.tracks.unlinked_media("another linker") == [video]


def test_what_can_be_no_track_is_left_out(metadata: MetadataDatabase) -> None:
    video = add_video(metadata, name="v.mp4")
    add_video(metadata, name="other.mp4")
    metadata.tracks.replace_linked(
        video,
        [
            [segment_of(0, 0), segment_of(1, 0), segment_of(0, 1)],  # two in one frame
            [segment_of(0, 1), segment_of(0, 2)],  # the first is in a track already
            [segment_of(None, 3), segment_of(0, 4), "gone", segment_of(0, 5, "other.mp4")],
        ],
        METHOD,
    )
    assert [sorted(some) for some in members(metadata).values()] == [things(0, range(2))]


def test_photos_and_videos_that_are_not_read_through_are_not_to_be_linked(
    metadata: MetadataDatabase,
) -> None:
    video = add_video(metadata)
    metadata.update_media(video, status="processing")
    assert metadata.tracks.unlinked_media() == []
    metadata.update_media(video, status="failed")  # broken at its end: its frames are there
    assert metadata.tracks.unlinked_media() == [video]


def test_a_track_that_is_mostly_the_same_keeps_its_id(metadata: MetadataDatabase) -> None:
    video = add_video(metadata, frames=8)
    long, short = link_things(metadata, video, [things(0, range(6)), things(1, range(4))])
    new = link_things(
        metadata, video, [things(1, range(8)), things(0, range(2)), things(0, range(2, 8))]
    )
    assert new[0] == short and new[2] == long and new[1] not in (short, long)
    assert set(members(metadata)) == set(new) == {row[0] for row in rows(metadata)}


def test_tracks_of_people_stay_when_a_video_is_linked_anew(metadata: MetadataDatabase) -> None:
    video = add_video(metadata)
    mine, _ = link_things(metadata, video, [things(0, range(3)), things(1, range(6))])
    with metadata.connection.write() as db:
        db.execute("UPDATE tracks SET origin = 'human' WHERE id = ?", (mine,))
    metadata.tracks.replace_linked(video, [things(0, range(6))], METHOD)
    assert members(metadata)[mine] == things(0, range(3))
    assert sorted(map(len, members(metadata).values())) == [3, 3]


def test_a_video_is_unlinked_when_segments_come_go_or_change(metadata: MetadataDatabase) -> None:
    video = add_video(metadata)

    def link() -> None:
        link_things(metadata, video, [things(0, range(4))])
        assert metadata.tracks.unlinked_media() == []

    link()
    metadata.store_frame(video, 999, 9.0, (100, 100), [], MODEL)
    assert metadata.tracks.unlinked_media() == [video]
    link()
    with metadata.connection.write() as db:
        db.execute("DELETE FROM segments WHERE id = ?", (segment_of(0, 3),))
    assert metadata.tracks.unlinked_media() == [video]
    link()
    crop = unit_vectors(1)[0]
    mask = Segment("object", (9, 0, 4, 4), 16, 0.9, 0.9, small_mask(9), crop)
    metadata.change_segment(
        NewSegment(segment_of(1, 0), mask, "extracted_segments/x.jpg", crop), MODEL
    )
    assert metadata.tracks.unlinked_media() == [video]
    link()
    with metadata.connection.write() as db:
        db.execute("DELETE FROM frames WHERE frame_index = 999")
    assert metadata.tracks.unlinked_media() == [video]
    link()
    metadata.set_until(video, 0, 0.5)  # says nothing of where anything lies
    assert metadata.tracks.unlinked_media() == []


def test_a_track_follows_its_segments_and_goes_with_the_last_but_one(
    metadata: MetadataDatabase,
) -> None:
    video = add_video(metadata)
    track, _ = link_things(metadata, video, [things(0, range(4)), things(1, range(2))])
    with metadata.connection.write() as db:
        db.execute("DELETE FROM segments WHERE id = ?", (segment_of(0, 0),))
        db.execute("DELETE FROM segments WHERE id = ?", (segment_of(1, 0),))
    assert rows(metadata) == [(track, 1.0, 3.0, "linked")]
    assert members(metadata) == {track: things(0, range(1, 4))}
    metadata.set_until(video, 75, 3.5)
    assert rows(metadata) == [(track, 1.0, 3.5, "linked")]
    with metadata.connection.write() as db:
        db.execute("UPDATE tracks SET origin = 'human' WHERE id = ?", (track,))
        for frame in (1, 2):
            db.execute("DELETE FROM segments WHERE id = ?", (segment_of(0, frame),))
    assert rows(metadata) == [(track, 3.0, 3.5, "human")]
    with metadata.connection.write() as db:
        db.execute("DELETE FROM segments WHERE id = ?", (segment_of(0, 3),))
    assert rows(metadata) == []


def test_a_video_that_is_removed_takes_its_tracks_along(metadata: MetadataDatabase) -> None:
    video = add_video(metadata)
    link_things(metadata, video, [things(0, range(4))])
    metadata.remove_media(video)
    assert rows(metadata) == [] and metadata.tracks.unlinked_media() == []
