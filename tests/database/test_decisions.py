"""Every act on a tag is kept, one place decides which holds, and undo takes a whole act back."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from src.database.decisions import new_batch, repeat, replace_automatic_tags
from src.database.metadata_db import MetadataDatabase
from src.records import Decision, Tag, TagSource
from tests.conftest import MODEL, add_media_with, new_segments, unit_vectors

FIRST, SECOND = "a.jpg-00000", "a.jpg-00001"


@pytest.fixture(autouse=True)
def media_id(metadata: MetadataDatabase) -> int:
    return add_media_with(metadata, unit_vectors(3))


def tag_of(metadata: MetadataDatabase, segment_id: str = FIRST) -> Tag | None:
    tags = metadata.tags_of([segment_id]).get(segment_id, ())
    return next((tag for tag in tags if tag.name == "dog"), None)


def put(metadata: MetadataDatabase, source: TagSource, confidence: float = 1.0) -> None:
    metadata.add_tags(FIRST, [Tag("dog", confidence, source)], "human")


def test_the_stronger_word_holds_in_whatever_order_they_come(metadata: MetadataDatabase) -> None:
    strongest_first: tuple[TagSource, ...] = ("human", "imported", "propagated", "auto")
    for order in itertools.permutations(strongest_first):
        batch = new_batch()
        for source in order:
            metadata.add_tags(FIRST, [Tag("dog", 0.5, source)], "human", batch)
        assert tag_of(metadata) == Tag("dog", 0.5, "human"), order
        metadata.undo(batch)
        assert tag_of(metadata) == Tag("dog", 0.5, "auto"), order
        with metadata.connection.write() as db:
            replace_automatic_tags(db, {FIRST: ()})
        assert tag_of(metadata) is None


@pytest.mark.parametrize("source", ["auto", "propagated", "imported"])
def test_a_removal_is_a_persons_word(metadata: MetadataDatabase, source: TagSource) -> None:
    put(metadata, source, 0.5)
    metadata.remove_tag(FIRST, "dog")
    put(metadata, source, 0.75)
    assert tag_of(metadata) is None and metadata.removed_tags_of([FIRST]) == {FIRST: ("dog",)}
    put(metadata, "human")
    assert tag_of(metadata) == Tag("dog", 1.0, "human")


def test_one_undo_takes_a_whole_act_back(metadata: MetadataDatabase) -> None:
    put(metadata, "auto", 0.5)
    batch = new_batch()
    metadata.add_tags(FIRST, [Tag("dog", 1.0, "human")], "human", batch)
    metadata.add_tags(SECOND, [Tag("dog", 1.0, "human"), Tag("pet", 1.0, "human")], "human", batch)
    assert metadata.undo(batch) == 3
    assert tag_of(metadata) == Tag("dog", 0.5, "auto")  # what the model said holds again
    assert metadata.tags_of([SECOND]) == {}
    assert metadata.undo(batch) == 0 and metadata.undo("never heard of") == 0
    rows = metadata.connection.read().execute(
        "SELECT count(*) FROM decisions WHERE undone_at IS NOT NULL"
    )
    assert rows.fetchone()[0] == 3  # an act that was undone is kept as well


def test_undo_brings_back_the_word_before(metadata: MetadataDatabase) -> None:
    put(metadata, "human")
    metadata.remove_tag(FIRST, "DOG", batch="removal")
    assert tag_of(metadata) is None
    metadata.undo("removal")
    assert tag_of(metadata) == Tag("dog", 1.0, "human")
    assert metadata.removed_tags_of([FIRST]) == {}


def test_undo_brings_back_what_the_model_in_use_says(metadata: MetadataDatabase) -> None:
    put(metadata, "auto", 0.5)
    metadata.remove_tag(FIRST, "dog", batch="removal")
    with metadata.connection.write() as db:  # another model meanwhile
        replace_automatic_tags(db, {FIRST: (Tag("dog", 0.25, "auto"),)})
    assert tag_of(metadata) is None
    metadata.undo("removal")
    assert tag_of(metadata) == Tag("dog", 0.25, "auto")


def test_what_was_carried_over_is_no_persons_work(
    metadata: MetadataDatabase, media_id: int
) -> None:
    put(metadata, "propagated", 0.5)
    assert not metadata.has_work_of_people(media_id)
    metadata.remove_tag(SECOND, "dog", batch="removal")
    assert metadata.has_work_of_people(media_id)
    metadata.undo("removal")
    assert not metadata.has_work_of_people(media_id)
    put(metadata, "imported", 0.5)
    assert metadata.has_work_of_people(media_id)


def test_decisions_keep_their_time_and_act_on_another_segment(metadata: MetadataDatabase) -> None:
    metadata.remove_tag(FIRST, "dog", batch="act")
    metadata.add_tags(FIRST, [Tag("dog", 1.0, "human")], "human", "act")
    (decided,) = metadata.decisions_of([FIRST]).values()
    assert [(each.has_tag, each.batch) for each in decided] == [(True, "act")]
    with metadata.connection.write() as db:
        repeat(db, SECOND, decided)
    assert metadata.decisions_of([SECOND]) == {SECOND: decided}
    assert tag_of(metadata, SECOND) == Tag("dog", 1.0, "human")
    metadata.undo("act")
    assert tag_of(metadata, SECOND) is None


def test_a_frame_that_was_looked_at_has_a_verdict(
    metadata: MetadataDatabase, media_id: int
) -> None:
    assert metadata.decide_on_frame(media_id, 0, "dog", False, batch="look")
    assert not metadata.decide_on_frame(media_id, 7, "dog", False)
    (decision,) = metadata.frame_decisions(media_id)[0]
    assert replace(decision, decided_at=None) == Decision("dog", False, "human", 1.0, None, "look")
    assert metadata.tags_of([FIRST]) == {} and metadata.removed_tags_of([FIRST]) == {}
    metadata.undo("look")
    assert metadata.frame_decisions(media_id) == {}


def test_what_was_decided_before_acts_had_names_is_listed_and_never_undone(
    metadata: MetadataDatabase,
) -> None:
    put(metadata, "human")
    metadata.remove_tag(SECOND, "dog")
    with metadata.connection.write() as db:  # as the step to schema 7 writes it
        db.execute("UPDATE decisions SET decided_at = NULL, batch = NULL")
    given, taken = metadata.decisions_of([FIRST, SECOND]).values()
    assert given == (Decision("dog", True, "human"),)
    assert taken == (Decision("dog", False, "human"),)
    for batch in ("", "None", "NULL"):
        assert metadata.undo(batch) == 0
    metadata.remove_tag(FIRST, "dog", "later")
    metadata.repeat(SECOND, given)  # carried over to another segment without a time as well
    assert tag_of(metadata) is None and tag_of(metadata, SECOND) == Tag("dog", 1.0, "human")
    assert metadata.undo("later") == 1
    assert tag_of(metadata) == Tag("dog", 1.0, "human")
    assert metadata.decisions_of([SECOND])[SECOND] == taken + given
    assert metadata.damaged_rows() == []


def test_a_segment_keeps_its_id_and_tags_when_its_mask_changes(metadata: MetadataDatabase) -> None:
    put(metadata, "human")
    (other,) = new_segments(unit_vectors(1, seed=5), "other")
    changed = replace(other, id=FIRST, fingerprint="edited", origin="human")
    metadata.change_segment(changed, MODEL)
    segment = metadata.segments([FIRST])[FIRST]
    assert (segment.id, segment.fingerprint, segment.origin) == (FIRST, "edited", "human")
    assert segment.crop_path.name == "other00000.jpg"
    assert tag_of(metadata) == Tag("dog", 1.0, "human")
    assert metadata.damaged_rows() == [] and metadata.miscounted() == {}
