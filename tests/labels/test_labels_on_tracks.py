"""What people say of one segment of a track goes to the others, and leaves with it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing

import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.errors import QueryError
from src.labelling import Labels
from src.records import Tag
from src.tracks.track_edits import TrackEdits
from tests.drawn_tracks import add_video, link_things, segment_of
from tests.labels.test_labels import no_vectors

Said = dict[str, tuple[str, ...]]


@pytest.fixture
def metadata(paths: LibraryPaths) -> Iterator[MetadataDatabase]:
    with closing(MetadataDatabase(paths)) as opened:
        yield opened
        assert opened.damaged_rows() == [] and opened.miscounted() == {}
        assert opened.integrity_problems() == []


def labels_of(metadata: MetadataDatabase) -> Labels:
    return Labels(metadata, no_vectors, no_vectors)  # type: ignore[arg-type]


def link(metadata: MetadataDatabase, *tracks: list[str], frames: int = 6) -> tuple[int, list[int]]:
    video = add_video(metadata, frames=frames)
    return video, link_things(metadata, video, tracks)


def things(thing: int, frames: range | list[int]) -> list[str]:
    return [segment_of(thing, frame) for frame in frames]


def said(metadata: MetadataDatabase, name: str = "dog") -> dict[str, list[int]]:
    """By source: the frames of the first thing that have a label."""
    found: dict[str, list[int]] = {}
    ids = things(0, range(6))
    for segment_id, tags in metadata.tags_of(ids).items():
        for tag in tags:
            if tag.name == name:
                found.setdefault(tag.source, []).append(ids.index(segment_id))
    return {source: sorted(frames) for source, frames in found.items()}


def test_a_label_goes_to_the_track_and_is_undone_whole(metadata: MetadataDatabase) -> None:
    link(metadata, things(0, range(5)), things(1, range(6)))
    labels = labels_of(metadata)
    batch = labels.give([segment_of(0, 2)], "dog")
    assert said(metadata) == {"human": [2], "propagated": [0, 1, 3, 4]}
    assert all(not tags for tags in metadata.tags_of(things(1, range(6))).values())
    assert labels.undo(batch) == 5 and said(metadata) == {}
    assert labels.redo(batch) == 5
    assert said(metadata) == {"human": [2], "propagated": [0, 1, 3, 4]}
    labels.give([segment_of(0, 3)], "dog")  # confirmed
    assert said(metadata) == {"human": [2, 3], "propagated": [0, 1, 4]}
    (label,) = labels.list()
    assert (label.segments, label.accepted_together) == (2, 3)


def test_a_person_s_word_stays_and_a_model_s_gives_way(metadata: MetadataDatabase) -> None:
    link(metadata, things(0, range(5)))
    metadata.add_tags(segment_of(0, 0), [Tag("dog", 0.4, "auto")], "vocabulary")
    labels = labels_of(metadata)
    no = labels.reject([segment_of(0, 1)], "dog")
    assert said(metadata) == {}  # no model's word holds on the thing either
    labels.undo(no)
    assert said(metadata) == {"auto": [0]}
    labels.redo(no)
    yes = labels.give([segment_of(0, 2)], "dog")
    assert said(metadata) == {"human": [2], "propagated": [0, 3, 4]}
    labels.undo(no)
    assert said(metadata) == {"human": [2], "propagated": [0, 1, 3, 4]}
    labels.undo(yes)
    assert said(metadata) == {"auto": [0]}


def test_a_label_that_is_cleared_leaves_the_track(metadata: MetadataDatabase) -> None:
    link(metadata, things(0, range(5)))
    labels = labels_of(metadata)
    labels.give([segment_of(0, 1)], "dog")
    one = labels.clear([segment_of(0, 3)], "dog")  # it had it from another
    assert said(metadata) == {"human": [1], "propagated": [0, 2, 4]}
    labels.give([segment_of(0, 0)], "cat")
    assert said(metadata) == {"human": [1], "propagated": [0, 2, 4]}  # it does not come back
    two = labels.clear([segment_of(0, 1)], "dog")
    assert said(metadata) == {}
    labels.undo(one)
    labels.undo(two)
    assert said(metadata) == {"human": [1], "propagated": [0, 2, 3, 4]}


def test_replace_and_accept_go_to_the_track_too(metadata: MetadataDatabase) -> None:
    link(metadata, things(0, range(3)), things(0, [3, 4, 5]))
    labels = labels_of(metadata)
    accepted = labels.accept_together([segment_of(0, 0), segment_of(0, 1)], "dog", [0.9, 0.7])
    assert said(metadata) == {"propagated": [0, 1, 2]}
    (tag,) = metadata.tags_of([segment_of(0, 2)])[segment_of(0, 2)]
    assert tag.confidence == 0.9
    labels.undo(accepted)
    assert said(metadata) == {}
    labels.give([segment_of(0, 4)], "dog")
    labels.replace([segment_of(0, 4)], "dog", "wolf")
    assert said(metadata) == {}
    assert said(metadata, "wolf") == {"human": [4], "propagated": [3, 5]}


def test_labels_follow_when_tracks_change(metadata: MetadataDatabase) -> None:
    video, (one, other) = link(metadata, things(0, range(3)), things(0, [3, 4, 5]))
    labels, edits = labels_of(metadata), TrackEdits(metadata)
    batch = labels.give([segment_of(0, 1)], "dog")
    joined = edits.join([one, other])
    assert said(metadata) == {"human": [1], "propagated": [0, 2, 3, 4, 5]}
    cut = edits.split(one, segment_of(0, 2))
    assert said(metadata) == {"human": [1], "propagated": [0]}
    labels.undo(cut)
    out = edits.take_out([segment_of(0, 4)])
    assert said(metadata) == {"human": [1], "propagated": [0, 2, 3, 5]}
    labels.undo(out)
    labels.undo(batch)  # what came along later goes with it
    assert said(metadata) == {}
    labels.undo(joined)
    labels.redo(batch)
    assert said(metadata) == {"human": [1], "propagated": [0, 2]}
    link_things(metadata, video, [things(0, range(5))])  # linked anew
    assert said(metadata) == {"human": [1], "propagated": [0, 2, 3, 4]}


def test_a_track_that_people_have_labelled_stays_whole_when_its_video_is_linked_anew(
    metadata: MetadataDatabase,
) -> None:
    video, (one, other) = link(metadata, things(0, [0, 1, 2, 4]), things(1, range(4)))
    labels = labels_of(metadata)
    batch = labels.give([segment_of(0, 1)], "dog")
    anew = [
        [*things(0, [0, 1]), segment_of(1, 4)],  # one more, where the track has one already
        [segment_of(0, 2), segment_of(0, 3)],
        [segment_of(0, 4), segment_of(0, 5)],
        things(1, range(4)),
    ]
    link_things(metadata, video, anew)
    assert said(metadata) == {"human": [1], "propagated": [0, 2, 3, 4, 5]}
    tracks = {s.id: s.track_id for s in metadata.segments_where() if s.track_id is not None}
    assert {tracks[segment] for segment in things(0, range(6))} == {one}
    assert {tracks[segment] for segment in things(1, range(4))} == {other}
    labels.undo(batch)
    link_things(metadata, video, anew[1:])
    assert said(metadata) == {}
    tracks = {s.id: s.track_id for s in metadata.segments_where() if s.track_id is not None}
    assert len({*tracks.values()}) == 3 and len(tracks) == 8


def test_two_labelled_tracks_that_are_linked_to_one_stay_two(metadata: MetadataDatabase) -> None:
    video, (one, other) = link(metadata, things(0, range(2)), things(0, [2, 3]))
    labels = labels_of(metadata)
    labels.give([segment_of(0, 0)], "dog")
    labels.give([segment_of(0, 3)], "cat")
    link_things(metadata, video, [things(0, range(6))])
    assert said(metadata)["propagated"] == [1, 4, 5]
    tracks = {s.id: s.track_id for s in metadata.segments_where() if s.track_id is not None}
    assert tracks[segment_of(0, 0)] == tracks[segment_of(0, 1)] == one
    assert tracks[segment_of(0, 2)] == tracks[segment_of(0, 3)] == other
    assert len(tracks) == 6


@pytest.mark.parametrize("seed", range(6))
def test_random_acts_on_labels_and_tracks_are_undone_one_by_one(
    metadata: MetadataDatabase, seed: int
) -> None:
    draw = random.Random(seed)
    video = add_video(metadata, frames=6, things=2)
    link_things(metadata, video, [things(0, range(6)), things(1, range(6))])
    ids = things(0, range(6)) + things(1, range(6))
    labels, edits = labels_of(metadata), TrackEdits(metadata)

    def state() -> object:
        db = metadata.connection.read()
        return [
            sorted(map(tuple, db.execute(sql)))
            for sql in (
                "SELECT segment_id, tag_id, source, confidence FROM segment_tags",
                "SELECT segment_id, tag_id FROM removed_tags",
                "SELECT id, track_id FROM segments WHERE track_id IS NOT NULL",
            )
        ]

    batches, states = list[str](), [state()]
    for _ in range(16):
        segment, name = draw.choice(ids), draw.choice(["dog", "cat"])
        tracks = sorted({s.track_id for s in metadata.segments_where() if s.track_id is not None})
        act = draw.choice(["give", "reject", "accept", "replace", "split", "join", "out"])
        try:
            if act == "give":
                batches.append(labels.give([segment], name))
            elif act == "reject":
                batches.append(labels.reject([segment], name))
            elif act == "accept":
                batches.append(labels.accept_together([segment], name, [0.5]))
            elif act == "replace":
                batches.append(labels.replace([segment], "dog", "cat"))
            elif act == "split":
                batches.append(edits.split(draw.choice(tracks), segment))
            elif act == "join":
                batches.append(edits.join(draw.sample(tracks, 2)))
            else:
                batches.append(edits.take_out([segment]))
        except (QueryError, ValueError):
            continue
        states.append(state())
    assert len(batches) > 5
    for place in range(len(batches) - 1, -1, -1):
        labels.undo(batches[place])
        assert state() == states[place]
    for place, batch in enumerate(batches):
        labels.redo(batch)
        assert state() == states[place + 1]
    for batch in draw.sample(batches, len(batches)):
        labels.undo(batch)
    assert state() == states[0]
