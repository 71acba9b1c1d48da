"""What was done to a frame is taken back in its order, and what is left of it is shown."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from src.errors import QueryError
from src.gui.detail.frame_acts import FrameActs, said_of
from src.gui.detail.mask_editing import MaskEditing, MaskEditingActions
from src.label_records import KeptEdit
from tests.held_threads import HeldThreads


class Library:
    """A frame "whole" with segments; each edit adds one. Tags are told by "segment name"."""

    def __init__(self) -> None:
        self.ids = ["whole", "one", "two"]
        self.tags: list[str] = []
        self.browse = self.labels = self.tracks = self

    def give(self, segment_ids: list[str], name: str) -> str:
        if name == "too long":
            raise QueryError("a tag is no longer than that")
        self.tags.append(f"{segment_ids[0]} {name}")
        return f"give {self.tags[-1]}"

    def reject(self, segment_ids: list[str], name: str) -> str:
        self.tags.remove(f"{segment_ids[0]} {name}")
        return f"reject {segment_ids[0]} {name}"

    def split(self, track_id: int, segment_id: str) -> str:
        return self.give([segment_id], f"begins {track_id}")

    def take_out(self, segment_ids: list[str]) -> str:
        return self.give(segment_ids, "out")

    def undo(self, batch: str) -> None:
        what, _, tag = batch.partition(" ")
        self.tags.remove(tag) if what == "give" else self.tags.append(tag)

    def redo(self, batch: str) -> None:
        what, _, tag = batch.partition(" ")
        self.tags.append(tag) if what == "give" else self.tags.remove(tag)

    def frame_view(self, _segment_id: str) -> Any:
        return SimpleNamespace(segments=[SimpleNamespace(id=each) for each in self.ids])

    def undo_edit(self, batch: str) -> None:
        assert self.ids[-1] == batch, "a later edit has to be undone first"
        self.ids.pop()

    def redo_edit(self, batch: str) -> None:
        self.ids.append(batch)


class Desk:
    """Mask editing without a window, after the edits "one" and "two" were kept."""

    def __init__(self) -> None:
        self.threads, self.library = HeldThreads(), Library()
        self.shown: list[str] = []
        self.refreshed: list[str] = []
        session = SimpleNamespace(
            read_only=False,
            main_thread=self.threads,
            library=self.library,
            tell_content_changed=lambda: None,
        )
        context: Any = SimpleNamespace(session=session)
        actions = MaskEditingActions(
            lambda _: (), lambda _: None, self.shown.append, lambda _: None
        )
        self.said: list[str] = []
        self.acts = FrameActs(session, self.shown.append, self.refreshed.append, self.said.append)
        self.editing = MaskEditing(None, None, context, actions, self.acts)
        self.editing._view = self.library.frame_view("whole")
        for name in ("one", "two"):
            self.editing._kept(KeptEdit(name, name))
        self.shown.clear()


def test_two_quick_undos_are_done_one_after_the_other() -> None:
    desk = Desk()
    desk.editing.undo()
    desk.editing.undo()
    assert len(desk.threads.waiting) == 1  # the earlier edit waits for the later one
    desk.threads.work()
    assert desk.library.ids == ["whole"] and desk.shown == ["whole", "whole"]
    desk.editing.redo()
    desk.threads.work()
    assert desk.library.ids == ["whole", "one"] and desk.shown[-1] == "one"
    assert desk.threads.errors == []


def test_an_undo_that_ends_after_another_segment_was_opened_shows_nothing() -> None:
    desk = Desk()
    desk.editing.undo()
    desk.acts.forget()
    desk.threads.work()
    desk.editing.undo()
    desk.threads.work()
    assert desk.library.ids == ["whole", "one"] and desk.shown == []


def test_tags_and_masks_are_taken_back_in_one_line() -> None:
    desk = Desk()
    desk.acts.add_tag("one", "dog", lambda: None, desk.threads.errors.append)
    desk.threads.work()
    desk.editing._kept(KeptEdit("two", "three"))
    desk.library.ids.append("three")
    desk.acts.remove_tag("one", "dog")
    desk.threads.work()
    assert desk.library.tags == [] and desk.refreshed == ["one", "one"]
    for _ in range(3):
        desk.editing.undo()
    desk.threads.work(1)
    assert desk.library.tags == ["one dog"]
    desk.threads.work(1)
    assert desk.library.ids == ["whole", "one", "two"] and desk.library.tags == ["one dog"]
    desk.threads.work(1)
    assert desk.library.tags == []
    desk.editing.redo()
    desk.threads.work()
    assert desk.library.tags == ["one dog"] and desk.threads.errors == []


def test_what_was_done_and_taken_back_is_said_and_shown() -> None:
    desk = Desk()
    desk.said.clear()
    desk.acts.add_tag("one", "dog", lambda: None, desk.threads.errors.append)
    desk.threads.work()
    desk.editing.undo()
    desk.editing.undo()
    desk.threads.work()
    assert desk.said == ["Tag “dog” added.", "Undone: Tag “dog” added.", "Undone: Mask saved."]
    assert desk.shown == ["one", "whole"]
    desk.editing.redo()
    desk.threads.work()
    assert desk.said[-1] == "Mask saved."


def test_a_tag_that_is_refused_is_said_where_it_was_typed_and_is_no_act() -> None:
    desk = Desk()
    refused: list[Exception] = []
    desk.acts.add_tag("one", "too long", lambda: None, refused.append)
    desk.threads.work()
    assert isinstance(refused[0], QueryError)
    desk.editing.undo()
    desk.threads.work()
    assert desk.said[-1] == "Undone: Mask saved."


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (KeptEdit(None, "b", removed=("a",)), "Segment deleted."),
        (KeptEdit("a", "b", removed=("c",)), "Segments merged."),
        (KeptEdit("a", "b", added=("a",)), "New segment saved."),
        (KeptEdit("a", "b", added=("c",)), "Segment split."),
        (KeptEdit("a", "b"), "Mask saved."),
    ],
)
def test_an_edit_is_named_by_what_came_of_it(kept: KeptEdit, said: str) -> None:
    assert said_of(kept) == said


def test_what_is_done_to_a_track_is_in_the_same_line() -> None:
    desk = Desk()
    desk.said.clear()
    desk.acts.split_track(3, "one")
    desk.acts.take_out("two")
    desk.threads.work()
    assert desk.library.tags == ["one begins 3", "two out"]
    assert desk.said == ["Track split.", "Segment taken out of its track."]
    desk.editing.undo()
    desk.editing.undo()
    desk.threads.work()
    assert desk.library.tags == [] and desk.shown == ["two", "one"]


def test_a_segment_whose_deletion_is_taken_back_is_shown_again() -> None:
    desk = Desk()
    desk.library.ids = ["whole", "one", "two", "gone"]
    desk.editing._kept(KeptEdit(None, "gone", removed=("gone",)))
    # undoing it brings the segment back: the library of this test does the reverse of adding
    desk.library.undo_edit, desk.library.redo_edit = (  # type: ignore[method-assign]
        desk.library.redo_edit,
        desk.library.undo_edit,
    )
    desk.library.ids.remove("gone")
    assert desk.shown[-1] == "whole"
    desk.editing.undo()
    desk.threads.work()
    assert desk.shown[-1] == "gone" and desk.said[-1] == "Undone: Segment deleted."
    desk.editing.redo()
    desk.threads.work()
    assert desk.shown[-1] == "whole"
