"""Labels that are given, undone or merged while a segment is gone, which then comes back."""

from __future__ import annotations

import pytest

from src.errors import QueryError
from src.library import MediaLibrary
from src.records import StoredSegment
from tests.labels.test_kept_edits import objects


def deleted(library: MediaLibrary, segment: StoredSegment) -> str:
    with library.edit_frame(segment.id) as editor:
        editor.begin(segment.id)
        editor.delete()
        return editor.keep().batch


def given(library: MediaLibrary, segment: StoredSegment) -> set[str]:
    tags = library.metadata.tags_of([segment.id]).get(segment.id, ())
    return {tag.name for tag in tags if tag.source == "human"}


def test_what_was_undone_meanwhile_does_not_come_back(library: MediaLibrary) -> None:
    one, other = objects(library)[:2]
    batch = library.labels.give([one.id, other.id], "dog")
    gone = deleted(library, one)
    library.labels.undo(batch)
    library.undo_edit(gone)
    assert given(library, one) == given(library, other) == set()
    assert library.labels.list() == []
    library.labels.redo(batch)
    assert given(library, one) == given(library, other) == {"dog"}


def test_what_was_done_again_meanwhile_comes_back(library: MediaLibrary) -> None:
    one, other = objects(library)[:2]
    batch = library.labels.give([one.id, other.id], "dog")
    library.labels.undo(batch)
    gone = deleted(library, one)
    library.labels.redo(batch)
    library.undo_edit(gone)
    assert given(library, one) == given(library, other) == {"dog"}


def test_a_clearing_that_was_undone_meanwhile_is_undone(library: MediaLibrary) -> None:
    one, other = objects(library)[:2]
    library.labels.give([one.id, other.id], "dog")
    cleared = library.labels.clear([one.id, other.id], "dog")
    gone = deleted(library, one)
    library.labels.undo(cleared)
    library.undo_edit(gone)
    assert given(library, one) == given(library, other) == {"dog"}


def test_a_label_that_was_merged_meanwhile_is_one_again(library: MediaLibrary) -> None:
    one, other = objects(library)[:2]
    library.labels.give([one.id, other.id], "cat")
    gone = deleted(library, one)
    merged = library.labels.merge(["cat"], "pet")
    library.undo_edit(gone)
    assert given(library, one) == {"cat"} and given(library, other) == {"pet"}
    assert {label.name for label in library.labels.list()} == {"cat", "pet"}
    library.redo_edit(gone)
    library.undo_edit(gone)
    library.labels.undo(merged)
    assert given(library, one) == given(library, other) == {"cat"}
    assert [label.name for label in library.labels.list()] == ["cat"]


def test_an_edit_is_not_undone_by_halves(library: MediaLibrary) -> None:
    segment = objects(library)[0]
    with library.edit_frame(segment.id) as editor:
        editor.begin(segment.id, "horse")
        editor.stroke([(3, 3)], 3)
        batch = editor.keep().batch
    for act in (library.labels.undo, library.labels.redo):
        with pytest.raises(QueryError, match="an edit of masks"):
            act(batch)
    assert given(library, segment) == {"horse"}
    library.undo_edit(batch)
    assert given(library, segment) == set()


def test_an_edit_that_a_later_one_builds_on_waits_for_it(library: MediaLibrary) -> None:
    """Also where the later one has left the mask of the segment as it was."""
    with library.edit_frame(objects(library)[0].id) as editor:
        editor.begin(None)
        editor.polygon([(5, 5), (60, 5), (60, 40), (5, 40)])
        drawn = editor.keep()
        editor.begin(drawn.segment_id, "dog")
        labelled = editor.keep()
    with pytest.raises(QueryError, match="later changes first"):
        library.undo_edit(drawn.batch)
    assert library.undo_edit(labelled.batch) == 1
    assert library.undo_edit(drawn.batch) == 1
    assert library.redo_edit(drawn.batch) == 1
    assert library.redo_edit(labelled.batch) == 1
