"""Where a model is sure of another word than people's, and where labels of people overlap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from src.database.metadata_db import MetadataDatabase
from src.errors import QueryError
from src.label_records import Disagreement
from src.labelling import Labels
from src.records import Tag
from tests.conftest import MODEL, add_media_with, new_segments, unit_vectors
from tests.labels.test_labels import no_vectors

FIRST, SECOND, THIRD, FOURTH = (f"a.jpg-0000{number}" for number in (1, 2, 3, 4))


@pytest.fixture
def labels(metadata: MetadataDatabase) -> Labels:
    add_media_with(metadata, unit_vectors(6))
    labels = Labels(metadata, no_vectors, no_vectors)  # type: ignore[arg-type]
    for name in ("cat", "dog", "red"):
        labels.add(name)
    return labels


def model_says(metadata: MetadataDatabase, segment_id: str, name: str, sure: float) -> None:
    metadata.add_tags(segment_id, [Tag(name, sure, "auto")], "vocabulary")


def of_model(segment_id: str, label: str, other: str, sure: float) -> Disagreement:
    return Disagreement("model", segment_id, label, other, sure, is_removed=label == other)


def test_a_sure_model_against_a_persons_word(labels: Labels, metadata: MetadataDatabase) -> None:
    labels.give([FIRST, SECOND, THIRD], "cat")
    model_says(metadata, FIRST, "dog", 0.95)
    model_says(metadata, SECOND, "dog", 0.6)  # not sure
    model_says(metadata, THIRD, "animal", 0.99)  # no label: nobody works with that word
    model_says(metadata, FOURTH, "dog", 0.99)
    labels.reject([FOURTH], "dog")
    assert labels.disagreements() == [
        of_model(FOURTH, "dog", "dog", 0.99),
        of_model(FIRST, "cat", "dog", 0.95),
    ]
    assert labels.disagreements(limit=1) == [of_model(FOURTH, "dog", "dog", 0.99)]


def test_labels_that_go_together_do_not_contradict_each_other(
    labels: Labels, metadata: MetadataDatabase
) -> None:
    labels.give([FIRST], "cat")
    model_says(metadata, FIRST, "red", 0.99)
    assert len(labels.disagreements()) == 1
    for name in ("cat", "red"):
        labels.give([SECOND], name)
    assert labels.disagreements() == []


def add_overlapping(metadata: MetadataDatabase) -> tuple[str, str]:
    """Add a file with two segments of nearly the same pixels."""
    media_id = metadata.add_media(Path("/photos/b.jpg"), "image", 10, 10)
    one, two = new_segments(unit_vectors(2, seed=1), prefix="b-")
    two = replace(two, segment=replace(two.segment, mask_rle=one.segment.mask_rle))
    metadata.store_frame(media_id, 0, None, (100, 100), [one, two], MODEL)
    return one.id, two.id


def test_two_segments_of_the_same_pixels_with_different_labels(
    labels: Labels, metadata: MetadataDatabase
) -> None:
    one, two = add_overlapping(metadata)
    labels.give([one, FIRST], "cat")  # FIRST and SECOND are of one frame, and elsewhere in it
    labels.give([SECOND], "dog")
    assert labels.disagreements() == []
    batch = labels.give([two], "dog")
    expected = Disagreement("overlap", one, "cat", "dog", 1.0, False, two)
    assert labels.disagreements() == [expected]
    labels.undo(batch)
    labels.give([two], "cat")
    assert labels.disagreements() == []


def test_what_is_settled_does_not_come_back_until_that_is_undone(
    labels: Labels, metadata: MetadataDatabase
) -> None:
    one, two = add_overlapping(metadata)
    labels.give([one], "cat")
    labels.give([two, FIRST], "dog")
    model_says(metadata, FIRST, "cat", 0.95)
    model_says(metadata, SECOND, "cat", 0.95)
    labels.reject([SECOND], "cat")
    listed = labels.disagreements()
    assert len(listed) == 3
    for each in listed:
        batch = labels.settle(each)
        assert each not in labels.disagreements()
        assert labels.undo(batch) == 1 and each in labels.disagreements()
        assert labels.redo(batch) == 1 and each not in labels.disagreements()
    assert labels.disagreements() == []
    with pytest.raises(QueryError):
        labels.settle(replace(listed[0], segment_id="gone"))


@pytest.mark.parametrize(
    ("answer", "first", "second", "removed"),
    [
        ("keep", {"cat"}, set(), {SECOND: ("dog",)}),
        ("other", {"dog"}, {"dog"}, {FIRST: ("cat",)}),
        ("neither", set(), set(), {FIRST: ("cat", "dog"), SECOND: ("dog",)}),
    ],
)
def test_an_answer_is_one_act(
    labels: Labels,
    metadata: MetadataDatabase,
    answer: str,
    first: set[str],
    second: set[str],
    removed: dict[str, tuple[str, ...]],
) -> None:
    labels.give([FIRST], "cat")
    labels.reject([SECOND], "dog")
    for segment_id in (FIRST, SECOND):
        model_says(metadata, segment_id, "dog", 0.95)
    model_says(metadata, FIRST, "cat", 0.97)
    listed = labels.disagreements()
    assert len(listed) == 2
    batches = [labels.resolve(each, answer) for each in listed]  # type: ignore[arg-type]
    assert labels.disagreements() == []
    said = metadata.tags_of([FIRST, SECOND])
    of_people = [
        {tag.name for tag in said.get(each, ()) if tag.source == "human"}
        for each in (FIRST, SECOND)
    ]
    assert of_people == [first, second]
    assert metadata.removed_tags_of([FIRST, SECOND]) == removed
    for batch in reversed(batches):
        labels.undo(batch)
    assert labels.disagreements() == listed
    with pytest.raises(QueryError, match="is no answer"):
        labels.resolve(listed[0], "perhaps")  # type: ignore[arg-type]


def test_an_overlap_takes_the_label_of_the_other(
    labels: Labels, metadata: MetadataDatabase
) -> None:
    one, two = add_overlapping(metadata)
    labels.give([one], "cat")
    labels.give([two], "dog")
    (overlap,) = labels.disagreements()
    batch = labels.resolve(overlap, "other")
    assert [tag.name for tag in metadata.tags_of([one])[one]] == ["dog"]
    assert labels.disagreements() == []
    labels.undo(batch)
    labels.resolve(overlap, "neither")
    assert metadata.tags_of([one, two]) == {} and labels.disagreements() == []
