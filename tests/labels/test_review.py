"""Frames that were looked at for labels, and the next one that was not."""

from __future__ import annotations

import pytest

from src.database.metadata_db import MetadataDatabase
from src.errors import QueryError
from src.label_records import ReviewProgress
from src.labelling import Labels
from tests.conftest import add_frame_of_qualities
from tests.labels.test_labels import no_vectors


@pytest.fixture
def labels(metadata: MetadataDatabase) -> Labels:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        add_frame_of_qualities(metadata, [None, 0.9], name)
    labels = Labels(metadata, no_vectors, no_vectors)  # type: ignore[arg-type]
    for name in ("cat", "dog"):
        labels.add(name)
    return labels


def test_the_next_frame_is_one_that_was_not_looked_at_for_all_labels(labels: Labels) -> None:
    wanted = ["Cat", "dog"]
    frame = labels.next_to_review(wanted)
    assert frame is not None and frame.answers == {} and frame.media_file_id == 1
    assert frame.segment_id == "a.jpg-00000"
    labels.answer_frame(1, 0, {"cat": True})
    again = labels.next_to_review(wanted)
    assert again is not None and again.media_file_id == 1 and again.answers == {"Cat": True}
    assert labels.review_progress(wanted) == ReviewProgress(0, 3)
    batch = labels.answer_frame(1, 0, {"dog": False})
    assert labels.review_progress(wanted) == ReviewProgress(1, 3)
    second = labels.next_to_review(wanted)
    assert second is not None and second.media_file_id == 2
    third = labels.next_to_review(wanted, second)
    assert third is not None and third.media_file_id == 3
    around = labels.next_to_review(wanted, third)  # the first is done
    assert around is not None and around.media_file_id == 2
    labels.undo(batch)
    around = labels.next_to_review(wanted, third)
    assert around is not None and around.media_file_id == 1


def test_the_frame_that_one_comes_from_is_not_the_next(labels: Labels) -> None:
    for media_file_id in (1, 2):
        labels.answer_frame(media_file_id, 0, {"cat": False})
    last = labels.next_to_review(["cat"])
    assert last is not None and last.media_file_id == 3
    assert labels.next_to_review(["cat"], last) is None
    labels.answer_frame(3, 0, {"cat": False})
    assert labels.next_to_review(["cat"]) is None
    assert labels.review_progress(["cat"]) == ReviewProgress(3, 3)


def test_a_second_answer_counts_and_hidden_copies_are_not_asked_for(
    labels: Labels, metadata: MetadataDatabase
) -> None:
    labels.answer_frame(1, 0, {"cat": False})
    labels.answer_frame(1, 0, {"cat": True})
    frame = labels.next_to_review(["cat", "dog"])
    assert frame is not None and frame.answers == {"cat": True}
    metadata.duplicates.replace_open([[1, 2]], "")
    (group,) = metadata.duplicates.verdicts()
    metadata.duplicates.decide(group, "hidden", 2)
    assert labels.review_progress(["cat"]) == ReviewProgress(0, 2)
    shown = labels.next_to_review(["cat", "dog"])
    assert shown is not None and shown.media_file_id == 2


def test_what_is_not_there_is_refused(labels: Labels) -> None:
    with pytest.raises(QueryError, match="there is no label “bird”"):
        labels.next_to_review(["bird"])
    with pytest.raises(QueryError, match="no longer in the library"):
        labels.answer_frame(9, 0, {"cat": True})
    with pytest.raises(QueryError, match="there is no label “bird”"):
        labels.answer_frame(1, 0, {"cat": True, "bird": True})
    assert labels.review_progress(["cat"]) == ReviewProgress(0, 3)  # all or none
