"""Tracks that people split, join and cut; undone and done again in any order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing

import pytest

from src.config import LibraryPaths
from src.database.acts import redo, undo
from src.database.metadata_db import MetadataDatabase
from src.errors import QueryError
from src.tracks.track_edits import TrackEdits
from tests.drawn_tracks import add_video, link_things, segment_of

Members = dict[int, set[str]]


@pytest.fixture
def metadata(paths: LibraryPaths) -> Iterator[MetadataDatabase]:
    with closing(MetadataDatabase(paths)) as opened:
        yield opened
        assert opened.damaged_rows() == [] and opened.miscounted() == {}
        assert opened.integrity_problems() == []


def things(thing: int, frames: range | list[int]) -> set[str]:
    return {segment_of(thing, frame) for frame in frames}


def members(metadata: MetadataDatabase) -> Members:
    found: Members = {}
    for segment in metadata.segments_where():
        if segment.track_id is not None:
            found.setdefault(segment.track_id, set()).add(segment.id)
    return found


def origins(metadata: MetadataDatabase) -> dict[int, str]:
    return dict(metadata.connection.read().execute("SELECT id, origin FROM tracks").fetchall())


def turn(metadata: MetadataDatabase, batch: str, is_undo: bool) -> int:
    with metadata.connection.write() as db:
        return (undo if is_undo else redo)(db, batch)


def link(metadata: MetadataDatabase, video: int, *tracks: set[str]) -> list[int]:
    return link_things(metadata, video, [sorted(track) for track in tracks])


def test_a_track_is_split_in_two_and_is_one_again(metadata: MetadataDatabase) -> None:
    video = add_video(metadata)
    (track,) = link(metadata, video, things(0, range(6)))
    batch = TrackEdits(metadata).split(track, segment_of(0, 4))
    (second,) = members(metadata).keys() - {track}
    assert members(metadata) == {track: things(0, range(4)), second: things(0, [4, 5])}
    assert origins(metadata) == {track: "human", second: "human"}
    assert turn(metadata, batch, True) == 2
    assert members(metadata) == {track: things(0, range(6))}
    assert origins(metadata) == {track: "linked"}
    assert turn(metadata, batch, True) == 0
    assert turn(metadata, batch, False) == 2
    assert members(metadata) == {track: things(0, range(4)), second: things(0, [4, 5])}
    assert origins(metadata) == {track: "human", second: "human"}


def test_tracks_are_joined_to_the_first(metadata: MetadataDatabase) -> None:
    video = add_video(metadata)
    one, other = link(metadata, video, things(0, range(3)), things(1, [4, 5]))
    batch = TrackEdits(metadata).join([other, one])
    assert members(metadata) == {other: things(0, range(3)) | things(1, [4, 5])}
    assert origins(metadata) == {other: "human"}
    turn(metadata, batch, True)
    assert members(metadata) == {one: things(0, range(3)), other: things(1, [4, 5])}
    assert origins(metadata) == {one: "linked", other: "linked"}


def test_segments_leave_their_tracks(metadata: MetadataDatabase) -> None:
    video = add_video(metadata)
    one, other = link(metadata, video, things(0, range(3)), things(1, [4, 5]))
    batch = TrackEdits(metadata).take_out([segment_of(0, 1), segment_of(1, 4), segment_of(1, 0)])
    assert members(metadata) == {one: things(0, [0, 2]), other: things(1, [5])}
    link(metadata, video, things(0, [0, 1]), things(1, [4, 5]))  # a person's word holds
    assert members(metadata) == {one: things(0, [0, 2]), other: things(1, [5])}
    turn(metadata, batch, True)
    assert members(metadata) == {one: things(0, range(3)), other: things(1, [4, 5])}


def test_what_can_not_be_is_refused_with_a_reason(metadata: MetadataDatabase) -> None:
    video, second = add_video(metadata), add_video(metadata, name="w.mp4")
    one, other = link(metadata, video, things(0, range(3)), things(1, range(1, 6)))
    (far,) = link(metadata, second, {segment_of(0, 0, "w.mp4"), segment_of(0, 1, "w.mp4")})
    edits, before = TrackEdits(metadata), members(metadata)
    for act, said in (
        (lambda: edits.split(one, segment_of(0, 0)), "begins with this segment"),
        (lambda: edits.split(one, segment_of(1, 2)), "not in the track"),
        (lambda: edits.split(99, segment_of(1, 2)), "no longer there"),
        (lambda: edits.join([one]), "at least two"),
        (lambda: edits.join([one, other]), "share 2 frames"),
        (lambda: edits.join([one, far]), "different videos"),
        (lambda: edits.join([one, 99]), "no longer there"),
        (lambda: edits.take_out([segment_of(0, 5)]), "in no track"),
        (lambda: edits.take_out([segment_of(0, 1), "gone"]), "no longer in the library"),
    ):
        with pytest.raises(QueryError, match=said):
            act()
    assert members(metadata) == before and set(origins(metadata).values()) == {"linked"}
    assert metadata.connection.read().execute("SELECT * FROM track_edits").fetchall() == []


def test_an_act_that_is_undone_below_a_later_one_leaves_what_that_said(
    metadata: MetadataDatabase,
) -> None:
    video = add_video(metadata)
    (track,) = link(metadata, video, things(0, range(6)))
    edits = TrackEdits(metadata)
    first = edits.split(track, segment_of(0, 3))
    edits.take_out([segment_of(0, 4)])
    turn(metadata, first, True)
    assert members(metadata) == {track: things(0, [0, 1, 2, 3, 5])}


def test_two_of_one_frame_are_never_in_a_track_and_the_later_act_holds(
    metadata: MetadataDatabase,
) -> None:
    video = add_video(metadata)
    one, other = link(metadata, video, things(0, range(4)), things(1, [2, 5]))
    edits = TrackEdits(metadata)
    first = edits.take_out([segment_of(0, 2)])
    second = edits.join([one, other])
    turn(metadata, first, True)
    assert members(metadata) == {one: things(0, [0, 1, 3]) | things(1, [2, 5])}
    turn(metadata, second, True)
    assert members(metadata) == {one: things(0, range(4)), other: things(1, [2, 5])}


def test_a_video_that_is_linked_anew_between_an_undo_and_a_redo(
    metadata: MetadataDatabase,
) -> None:
    video = add_video(metadata)
    one, other = link(metadata, video, things(0, range(3)), things(1, [4, 5]))
    batch = TrackEdits(metadata).join([one, other])
    turn(metadata, batch, True)
    (new,) = link(metadata, video, things(0, range(6)))
    assert new == one
    turn(metadata, batch, False)
    assert members(metadata)[one] == things(0, range(4)) | things(1, [4, 5])
    turn(metadata, batch, True)
    assert members(metadata) == {one: things(0, range(6))}


@pytest.mark.parametrize("seed", range(12))
def test_random_acts_in_random_order(metadata: MetadataDatabase, seed: int) -> None:
    """What holds depends on which acts are undone, and not on the order in which they were."""
    draw = random.Random(seed)
    video = add_video(metadata, frames=8, things=3)
    link(metadata, video, *(things(thing, range(8)) for thing in range(3)))
    edits, start = TrackEdits(metadata), (members(metadata), origins(metadata))
    batches, states = list[str](), [start]
    for _ in range(14):
        now = members(metadata)
        track = draw.choice(sorted(now))
        act = draw.choice(["split", "join", "take out"])
        try:
            if act == "split":
                batches.append(edits.split(track, draw.choice(sorted(now[track]))))
            elif act == "join":
                batches.append(edits.join([track, draw.choice(sorted(now))]))
            else:
                some = sorted(set().union(*now.values()))
                batches.append(edits.take_out(draw.sample(some, min(2, len(some)))))
        except QueryError:
            assert (members(metadata), origins(metadata)) == states[-1]
            continue
        states.append((members(metadata), origins(metadata)))
    assert len(batches) > 4
    for place in range(len(batches) - 1, -1, -1):  # one after the other, as people do
        turn(metadata, batches[place], True)
        assert (members(metadata), origins(metadata)) == states[place]
    for place, batch in enumerate(batches):
        turn(metadata, batch, False)
        assert (members(metadata), origins(metadata)) == states[place + 1]
    live, by_live = set(batches), {frozenset(batches): states[-1]}
    for _ in range(40):
        batch = draw.choice(batches)
        turn(metadata, batch, batch in live)
        live ^= {batch}
        state = members(metadata), origins(metadata)
        assert by_live.setdefault(frozenset(live), state) == state
        for track in state[0].values():
            assert len({name.rsplit("-", 2)[1] for name in track}) == len(track)
    for batch in draw.sample(sorted(live), len(live)):
        turn(metadata, batch, True)
    assert (members(metadata), origins(metadata)) == start


def test_a_stranger_s_act_is_refused(metadata: MetadataDatabase) -> None:
    video = add_video(metadata)
    (track,) = link(metadata, video, things(0, range(6)))
    batch = TrackEdits(metadata).split(track, segment_of(0, 3))
    for text in ("[]", '{"segments": {"x": "y"}}', '{"segments": {"x": 1e99}}', "x"):
        with metadata.connection.write() as db:
            db.execute("UPDATE track_edits SET after = ?", (text,))
        with pytest.raises(Exception, match="damaged"):
            turn(metadata, batch, True)
