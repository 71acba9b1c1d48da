"""Edits that were kept are taken back in their order, and what is left of them is shown."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from src.gui.detail.mask_editing import MaskEditing, MaskEditingActions
from src.label_records import KeptEdit
from tests.held_threads import HeldThreads


class Library:
    """A frame "whole" with segments; each edit adds one."""

    def __init__(self) -> None:
        self.ids = ["whole", "one", "two"]
        self.browse = self

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
        session = SimpleNamespace(
            main_thread=self.threads, library=self.library, tell_content_changed=lambda: None
        )
        context: Any = SimpleNamespace(session=session)
        actions = MaskEditingActions(
            lambda _: (), lambda _: None, self.shown.append, lambda _: None
        )
        self.editing = MaskEditing(None, None, context, actions)
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
    desk.editing.forget()
    desk.threads.work()
    desk.editing.undo()
    desk.threads.work()
    assert desk.library.ids == ["whole", "one"] and desk.shown == []
