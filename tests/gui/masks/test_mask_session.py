"""An edit asks its editor in order, and tells what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from src.errors import QueryError
from src.gui.masks.editor import Look, Opened
from src.gui.masks.mask_session import MaskSession, SessionEvents
from src.label_records import KeptEdit
from tests.gui.masks.fake_editor import FakeEditor
from tests.held_threads import HeldThreads

IMAGE = np.zeros((100, 200, 3), np.uint8)


@dataclass
class Told:
    """What a session told."""

    opened: list[Look] = field(default_factory=list)
    changed: list[Look] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    kept: list[KeptEdit] = field(default_factory=list)
    prepared: int = 0

    def prepare(self) -> None:
        self.prepared += 1


@pytest.fixture
def threads() -> HeldThreads:
    return HeldThreads()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def session(threads: HeldThreads, told: Told) -> MaskSession:
    events = SessionEvents(
        told.opened.append,
        told.prepare,
        told.changed.append,
        told.wrong.append,
        told.kept.append,
    )
    return MaskSession(threads, events)


@pytest.fixture
def editor() -> FakeEditor:
    mask = np.zeros((100, 200), bool)
    mask[20:40, 20:60] = True
    return FakeEditor(IMAGE, {"one": mask, "two": ~mask})


def test_steps_are_done_in_order_and_undone(
    session: MaskSession, threads: HeldThreads, told: Told, editor: FakeEditor
) -> None:
    session.open(lambda: Opened(editor, True), "one", "dog")
    threads.work()
    assert told.opened[0].state.area == 20 * 40 and not session.has_changes
    assert told.prepared == 1
    session.do(lambda e: e.stroke([(100, 50)], 5, False))
    session.do(lambda e: e.click(150, 50, False))
    assert session.has_changes  # before the answer: a close must not lose them
    threads.work()
    assert editor.calls == ["prepare", "stroke", "click"]
    assert told.changed[-1].state.points == ((150, 50, False),)
    session.do(lambda e: e.undo())
    session.do(lambda e: e.undo())
    threads.work()
    assert (told.changed[-1].mask == told.opened[0].mask).all() and not session.has_changes


def test_what_a_person_did_wrong_is_a_sentence_and_the_mask_stays(
    session: MaskSession, threads: HeldThreads, told: Told, editor: FakeEditor
) -> None:
    def fail(_: object) -> None:
        raise QueryError("the polygon crosses itself")

    session.open(lambda: Opened(editor, True), "one", "")
    threads.work()
    session.do(fail)
    threads.work()
    assert told.wrong == ["The polygon crosses itself."]
    assert told.changed[-1].state == told.opened[0].state and threads.errors == []


def test_a_fault_of_the_program_is_an_error_and_the_edit_goes_on(
    session: MaskSession, threads: HeldThreads, told: Told, editor: FakeEditor
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("a fault")

    session.open(lambda: Opened(editor, True), "one", "")
    threads.work()
    session.do(fail)
    session.do(lambda e: e.stroke([(5, 5)], 5, False))
    threads.work()
    assert [str(error) for error in threads.errors] == ["a fault"]
    assert told.changed[-1].state.strokes == 1


def test_an_edit_that_was_left_before_it_was_opened_is_discarded(
    session: MaskSession, threads: HeldThreads, told: Told, editor: FakeEditor
) -> None:
    other = FakeEditor(IMAGE, {"two": np.ones((100, 200), bool)})
    session.open(lambda: Opened(editor, True), "one", "")
    session.open(lambda: Opened(other, True), "two", "")
    threads.work()
    assert editor.calls == ["close"]
    assert [look.state.segment_id for look in told.opened] == ["two"]


def test_keeping_writes_the_label_and_closes(
    session: MaskSession, threads: HeldThreads, told: Told, editor: FakeEditor
) -> None:
    session.open(lambda: Opened(editor, True), "one", "")
    threads.work()
    session.label = "dog"
    assert session.has_changes
    session.keep()
    session.do(lambda e: e.undo())  # is too late
    assert session.is_keeping
    threads.work()
    assert editor.calls == ["prepare", "keep", "close"] and editor.label == "dog"
    assert told.kept[0].segment_id == "one" and not session.is_open


def test_another_label_takes_the_place_of_the_one_before(
    session: MaskSession, threads: HeldThreads, editor: FakeEditor
) -> None:
    taken: list[tuple[str, str, str]] = []
    opened = Opened(editor, True, lambda *what: taken.append(what))
    session.open(lambda: opened, "one", "dog")
    threads.work()
    session.label = "cat"
    session.keep()
    threads.work()
    assert editor.label == "cat" and taken == [("one", "dog", "batch")]


def test_what_can_not_be_kept_is_still_under_edit(
    session: MaskSession, threads: HeldThreads, told: Told, editor: FakeEditor
) -> None:
    def full() -> None:
        raise QueryError("the mask is empty")

    session.open(lambda: Opened(editor, True), "one", "")
    threads.work()
    session.do(lambda e: e.stroke([(5, 5)], 5, False))
    editor.on_keep = full
    session.keep()
    threads.work()
    assert told.wrong == ["The mask is empty."] and told.kept == []
    assert session.is_open and session.has_changes and not session.is_keeping


def test_a_preview_waits_for_the_photo_and_changes_nothing(
    session: MaskSession, threads: HeldThreads, editor: FakeEditor
) -> None:
    shown: list[np.ndarray] = []
    session.open(lambda: Opened(editor, True), "one", "")
    session.preview(100, 50, True, shown.append)
    threads.work(1)
    session.preview(100, 50, True, shown.append)
    assert not shown
    threads.work()
    session.preview(100, 50, True, shown.append)
    threads.work()
    assert len(shown) == 1 and shown[0][50, 100] and not session.has_changes
    session.preview(100, 50, True, shown.append)
    session.close()
    threads.work()
    assert len(shown) == 1


def test_without_a_model_nothing_is_prepared(
    session: MaskSession, threads: HeldThreads, told: Told
) -> None:
    editor = FakeEditor(IMAGE, {"one": np.ones((100, 200), bool)})
    session.open(lambda: Opened(editor, False), "one", "")
    threads.work()
    assert not session.can_click and told.prepared == 0 and editor.calls == []


def test_an_outline_is_only_asked_for_with_the_polygon_in_hand(
    session: MaskSession, threads: HeldThreads, told: Told, editor: FakeEditor
) -> None:
    session.open(lambda: Opened(editor, True), "one", "")
    threads.work()
    assert told.opened[0].rings == ()
    session.wants_rings = True
    session.refresh()
    threads.work()
    assert told.changed[-1].rings == ([(20, 20), (60, 20), (60, 40), (20, 40)],)


def test_a_photo_that_cannot_be_prepared_says_nothing_about_the_edit_after_it(
    session: MaskSession, threads: HeldThreads, told: Told, editor: FakeEditor
) -> None:
    class NoModel(FakeEditor):
        def prepare(self) -> None:
            raise QueryError("there is no model")

    first = NoModel(IMAGE, {"one": np.ones((100, 200), bool)})
    session.open(lambda: Opened(first, True), "one", "")
    threads.work(1)  # the photo waits to be prepared
    session.open(lambda: Opened(editor, True), "two", "")
    threads.work()
    assert told.wrong == [] and threads.errors == []
    assert [look.state.segment_id for look in told.opened] == ["one", "two"]
