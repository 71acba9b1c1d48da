"""Random acts, undone one by one, leave the library as it was before each; done again, as after."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable

import pytest

from src.database.metadata_db import MetadataDatabase
from src.errors import QueryError
from src.label_records import Disagreement, LabelAttribute
from src.labelling import Labels
from src.records import Tag
from tests.conftest import add_frame_of_qualities
from tests.labels.test_labels import no_vectors

SEGMENTS = [f"{name}.jpg-0000{number}" for name in "ab" for number in range(5)]
NAMES = ["ant", "bee", "cow", "Dog", "eel"]
ATTRIBUTES = [
    LabelAttribute("size", "number"),
    LabelAttribute("colour", "choice", ("red", "blue")),
    LabelAttribute("age", "number"),
]

State = tuple[object, ...]


def state_of(metadata: MetadataDatabase) -> State:
    """All that holds: what no act shows is which acts there were, and names that nobody uses."""
    db = metadata.connection.read()

    def rows(sql: str) -> list[tuple[object, ...]]:
        return sorted((tuple(row) for row in db.execute(sql)), key=repr)

    return (
        rows(
            "SELECT st.segment_id, t.name, st.confidence, st.source FROM segment_tags st"
            " JOIN tags t ON t.id = st.tag_id"
        ),
        rows("SELECT r.segment_id, t.name FROM removed_tags r JOIN tags t ON t.id = r.tag_id"),
        rows("SELECT name, colour, position, attributes FROM tags WHERE position IS NOT NULL"),
        rows(
            "SELECT id, tag_id, has_tag, source, confidence, batch FROM decisions"
            " WHERE undone_at IS NULL AND source != 'auto'"
        ),
        rows(
            "SELECT segment_id, tag_id, name, value, source FROM segment_attributes"
            " WHERE undone_at IS NULL"
        ),
        rows("SELECT kind, segment_id, tag_id FROM settled_disagreements WHERE undone_at IS NULL"),
    )


def acts(draw: random.Random) -> dict[str, Callable[[Labels], object]]:
    """One of each kind of act, on what was drawn for it."""
    some = draw.sample(SEGMENTS, draw.randint(1, 4))
    name, other = draw.sample(NAMES, 2)
    batch = f"{draw.random()}"
    return {
        "add": lambda labels: labels.add(name, None, draw.sample(ATTRIBUTES, 2), batch),
        "give": lambda labels: labels.give(some, name, batch),
        "reject": lambda labels: labels.reject(some, name, batch),
        "replace": lambda labels: labels.replace(some, name, other, batch),
        "together": lambda labels: labels.accept_together(
            some, name, [draw.random() for _ in some], batch
        ),
        "clear": lambda labels: labels.clear(some, name, batch),
        "rename": lambda labels: labels.rename(name, draw.choice([other, name.upper()]), batch),
        "merge": lambda labels: labels.merge([name, draw.choice(NAMES)], other, batch),
        "remove": lambda labels: labels.remove(name, batch),
        "reorder": lambda labels: labels.reorder([name, other], batch),
        "colour": lambda labels: labels.set_colour(name, f"#{draw.randrange(1 << 24):06X}", batch),
        "attributes": lambda labels: labels.set_attributes(
            name, draw.sample(ATTRIBUTES, draw.randint(0, 3)), batch
        ),
        "value": lambda labels: labels.set_attribute(
            some[:1], name, "colour", draw.choice(["red", "blue", None]), batch
        ),
        "number": lambda labels: labels.set_attribute(some[:1], name, "size", draw.random(), batch),
        "frame": lambda labels: labels.answer_frame(
            draw.choice([1, 2]), 0, {name: draw.random() < 0.5}, batch
        ),
        "settle": lambda labels: labels.resolve(
            Disagreement("model", some[0], name, other, 0.9),
            draw.choice(["keep", "other", "neither"]),
            batch,
        ),
        "batch": lambda labels: batch,
    }


@pytest.mark.parametrize("seed", range(12))
def test_random_acts_are_undone_and_done_again_one_by_one(
    metadata: MetadataDatabase, seed: int
) -> None:
    draw = random.Random(seed)
    for name in ("a.jpg", "b.jpg"):
        add_frame_of_qualities(metadata, [None, 0.9, 0.9, 0.9, 0.9], name)
    for segment_id in draw.sample(SEGMENTS, 6):
        tags = [Tag(name, draw.random(), "auto") for name in draw.sample(NAMES, 2)]
        metadata.add_tags(segment_id, tags, "vocabulary")
    labels = Labels(metadata, no_vectors, no_vectors)  # type: ignore[arg-type]
    states, batches = [state_of(metadata)], list[str]()
    kinds = set[str]()
    for _ in range(40):
        possible = acts(draw)
        kind = draw.choice([each for each in possible if each != "batch"])
        before = state_of(metadata)
        try:
            possible[kind](labels)
        except QueryError:
            assert state_of(metadata) == before, kind  # refused as a whole
            continue
        kinds.add(kind)
        batches.append(str(possible["batch"](labels)))
        states.append(state_of(metadata))
    assert len(kinds) > 6
    for _ in range(2):
        for place in range(len(batches) - 1, -1, -1):
            labels.undo(batches[place])
            assert state_of(metadata) == states[place]
        for place, batch in enumerate(batches):
            labels.redo(batch)
            assert state_of(metadata) == states[place + 1]
    assert metadata.damaged_rows() == [] and metadata.miscounted() == {}
    assert metadata.integrity_problems() == []
    follows_from_decisions(metadata)


def follows_from_decisions(metadata: MetadataDatabase) -> None:
    """What holds of tags is what the decisions say, whatever was undone."""
    from src.database.repair.derived_tags import restore_from_decisions

    before = state_of(metadata)
    with metadata.connection.write() as db:
        assert isinstance(db, sqlite3.Connection)
        restore_from_decisions(db, decisions_are_whole=True)
    assert state_of(metadata) == before


def given_and_not_listed(metadata: MetadataDatabase) -> list[str]:
    """The tags that a person's word, or what came of it, gives to a segment, and are no label."""
    rows = metadata.connection.read().execute(
        "SELECT DISTINCT t.name FROM segment_tags st JOIN tags t ON t.id = st.tag_id"
        " WHERE st.source != 'auto' AND t.position IS NULL"
    )
    return [row[0] for row in rows]


@pytest.mark.parametrize("seed", range(8))
def test_acts_undone_in_any_order_leave_no_word_of_theirs(
    metadata: MetadataDatabase, seed: int
) -> None:
    draw = random.Random(seed)
    for name in ("a.jpg", "b.jpg"):
        add_frame_of_qualities(metadata, [None, 0.9, 0.9, 0.9, 0.9], name)
    labels = Labels(metadata, no_vectors, no_vectors)  # type: ignore[arg-type]
    words = slice(0, 2), slice(3, 6)

    def said() -> State:
        state = state_of(metadata)
        return state[words[0]] + state[words[1]]

    before, batches = said(), list[str]()
    for _ in range(30):
        possible = acts(draw)
        # a name that has to come back may be another label's by then, which is refused
        kind = draw.choice([each for each in possible if each not in ("batch", "rename")])
        try:
            possible[kind](labels)
        except QueryError:
            continue
        batches.append(str(possible["batch"](labels)))
    after = said()
    for _ in range(2):
        for batch in draw.sample(batches, len(batches)):
            labels.undo(batch)
            assert given_and_not_listed(metadata) == []
        assert said() == before
        for batch in batches:
            labels.redo(batch)
            assert given_and_not_listed(metadata) == []
        assert said() == after
    for _ in range(60):
        draw.choice([labels.undo, labels.redo])(draw.choice(batches))
        assert given_and_not_listed(metadata) == []
    assert metadata.damaged_rows() == [] and metadata.miscounted() == {}
    assert metadata.integrity_problems() == []
    follows_from_decisions(metadata)


def test_an_act_that_was_undone_stays_so_when_a_later_one_is_undone(
    metadata: MetadataDatabase,
) -> None:
    add_frame_of_qualities(metadata, [None, 0.9, 0.9, 0.9, 0.9], "a.jpg")
    labels = Labels(metadata, no_vectors, no_vectors)  # type: ignore[arg-type]
    given = labels.give(SEGMENTS[:2], "dog")
    cleared = labels.clear(SEGMENTS[:2], "dog")
    assert labels.undo(given) and labels.undo(cleared)
    assert state_of(metadata)[0] == []
    assert labels.redo(given)
    assert len(state_of(metadata)[0]) == 2  # type: ignore[arg-type]
    assert labels.redo(cleared)
    assert state_of(metadata)[0] == []


def test_several_calls_of_one_act_are_undone_together(metadata: MetadataDatabase) -> None:
    add_frame_of_qualities(metadata, [None, 0.9, 0.9, 0.9, 0.9], "a.jpg")
    labels = Labels(metadata, no_vectors, no_vectors)  # type: ignore[arg-type]
    before = state_of(metadata)
    batch = labels.give(SEGMENTS[:2], "dog")
    labels.clear(SEGMENTS[:1], "dog", batch)
    after = state_of(metadata)
    labels.undo(batch)
    assert state_of(metadata) == before
    labels.redo(batch)
    assert state_of(metadata) == after
