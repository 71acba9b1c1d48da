"""The tracks of a dataset beside those that a library has, and those of people there."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from src.database.acts import redo, undo
from src.database.metadata_db import MetadataDatabase
from src.datasets.imported_tracks import put_tracks
from src.tracks.track_edits import TrackEdits
from tests.drawn_tracks import METHOD, add_video, link_things, segment_of

FRAMES = 6


@pytest.fixture
def video(metadata: MetadataDatabase) -> int:
    return add_video(metadata, FRAMES)


def of(thing: int, *frames: int) -> list[str]:
    return [segment_of(thing, frame) for frame in frames or range(FRAMES)]


def tracks_of(metadata: MetadataDatabase) -> dict[str, int | None]:
    return {each.id: each.track_id for each in metadata.segments_where() if each.kind == "object"}


def together(metadata: MetadataDatabase) -> set[frozenset[str]]:
    """Which segments are one track."""
    found: dict[int, set[str]] = {}
    for segment_id, track_id in tracks_of(metadata).items():
        if track_id is not None:
            found.setdefault(track_id, set()).add(segment_id)
    return {frozenset(each) for each in found.values()}


def put(
    metadata: MetadataDatabase, numbers: Mapping[str, int | None], batch: str = "import"
) -> tuple[int, int, int]:
    counts = put_tracks(metadata, numbers, batch)
    return counts["tracks"], counts["known tracks"], counts["lost tracks"]


def test_they_come_as_one_act(metadata: MetadataDatabase, video: int) -> None:
    numbers = {**dict.fromkeys(of(0), 1), **dict.fromkeys(of(1, 2, 3), 2)}
    assert put(metadata, numbers) == (2, 0, 0)
    made = together(metadata)
    assert made == {frozenset(of(0)), frozenset(of(1, 2, 3))}
    assert put(metadata, numbers, "again") == (0, 2, 0)
    with metadata.connection.write() as db:
        assert undo(db, "import") and not undo(db, "again")
    assert not together(metadata)
    with metadata.connection.write() as db:
        assert redo(db, "import")
    assert together(metadata) == made
    metadata.tracks.replace_linked(video, [of(1)], METHOD)  # they are a person's word
    assert frozenset(of(0)) in together(metadata)


def test_what_is_linked_like_that_is_known(metadata: MetadataDatabase, video: int) -> None:
    link_things(metadata, video, [of(0), of(1)])
    before = tracks_of(metadata)
    some = {**dict.fromkeys(of(0), 7), **dict.fromkeys(of(1, 2, 3), 8)}  # of a range
    assert put(metadata, some) == (0, 2, 0) and tracks_of(metadata) == before


def test_what_is_linked_otherwise_is_put_right(metadata: MetadataDatabase, video: int) -> None:
    mixed = [[*of(0, 0, 1, 2, 3), *of(1, 4, 5)], [*of(1, 0, 1, 2, 3), *of(0, 4, 5)]]
    first, second = link_things(metadata, video, mixed)
    numbers = {**dict.fromkeys(of(0), 1), **dict.fromkeys(of(1), 2)}
    assert put(metadata, numbers) == (2, 0, 0)
    now = tracks_of(metadata)
    assert {now[each] for each in of(0)} == {first} and {now[each] for each in of(1)} == {second}
    with metadata.connection.write() as db:
        undo(db, "import")
    assert together(metadata) == {frozenset(each) for each in mixed}


def test_two_tracks_of_a_dataset_are_two_here(metadata: MetadataDatabase, video: int) -> None:
    link_things(metadata, video, [of(0)])
    numbers = {**dict.fromkeys(of(0, 0, 1, 2, 3), 1), **dict.fromkeys(of(0, 4, 5), 2)}
    assert put(metadata, numbers) == (1, 1, 0)
    assert together(metadata) == {frozenset(of(0, 0, 1, 2, 3)), frozenset(of(0, 4, 5))}
    assert put(metadata, numbers, "again") == (0, 2, 0)


def test_what_the_dataset_has_in_no_track_leaves_it_and_the_rest_stays(
    metadata: MetadataDatabase, video: int
) -> None:
    link_things(metadata, video, [of(0)])
    numbers = {**dict.fromkeys(of(0, 0, 1), 1), **dict.fromkeys(of(0, 2), None)}
    assert put(metadata, numbers) == (1, 0, 0)
    assert together(metadata) == {frozenset(of(0, 0, 1, 3, 4, 5))}
    # a dataset that knows of no tracks says nothing of them
    assert put(metadata, dict.fromkeys(of(0), None), "again") == (0, 0, 0)
    assert together(metadata) == {frozenset(of(0, 0, 1, 3, 4, 5))}


def test_the_word_of_a_person_here_stays(metadata: MetadataDatabase, video: int) -> None:
    _, second = link_things(metadata, video, [of(0), of(1)])
    edits = TrackEdits(metadata)
    edits.take_out(of(0, 5))
    edits.split(second, segment_of(1, 3))
    numbers = {**dict.fromkeys(of(0), 1), **dict.fromkeys(of(1), 2)}
    before = tracks_of(metadata)
    assert put(metadata, numbers) == (0, 2, 0) and tracks_of(metadata) == before


def test_a_track_of_a_person_grows(metadata: MetadataDatabase, video: int) -> None:
    put(metadata, dict.fromkeys(of(0, 0, 1), 1), "first")
    assert put(metadata, dict.fromkeys(of(0), 4), "second") == (1, 0, 0)
    assert together(metadata) == {frozenset(of(0))}
    with metadata.connection.write() as db:
        undo(db, "second")
    assert together(metadata) == {frozenset(of(0, 0, 1))}


def test_of_two_in_one_frame_the_first_is_in_the_track(
    metadata: MetadataDatabase, video: int
) -> None:
    both = {**dict.fromkeys(of(0), 1), segment_of(1, 2): 1}
    assert put(metadata, both) == (1, 0, 0) and together(metadata) == {frozenset(of(0))}


def test_the_same_numbers_in_two_videos_are_two_tracks(
    metadata: MetadataDatabase, video: int
) -> None:
    add_video(metadata, FRAMES, name="w.mp4")
    others = [segment_of(0, frame, "w.mp4") for frame in range(FRAMES)]
    assert put(metadata, dict.fromkeys([*of(0), *others], 1)) == (2, 0, 0)
    assert together(metadata) == {frozenset(of(0)), frozenset(others)}


def test_what_is_in_no_video_here_is_lost(metadata: MetadataDatabase, video: int) -> None:
    assert put(metadata, {"unknown": 3, segment_of(None, 0): 4}) == (0, 0, 2)
