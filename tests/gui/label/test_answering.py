"""Answers are shown at once, saved in their order, and taken back whole, quick hands or not."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from src.errors import QueryError
from src.gui.core.undoable_acts import Act, UndoableActs
from src.gui.label.answering import Answering
from src.gui.label.rank_list import RankList
from tests.gui.label.fake_labels import FakeLabels
from tests.gui.label.test_rank_list import hits
from tests.gui.label.waiting_thread import WaitingThread


class Desk:
    """An answering person's desk, without a window."""

    def __init__(self, names: str = "abcdef") -> None:
        self.labels, self.thread = FakeLabels(), WaitingThread()
        self.labels.add("yellow block")
        self.labels.add("red block")
        session: Any = SimpleNamespace(main_thread=self.thread, read_only=False)
        self.said: list[str] = []
        self.saved: list[int] = []
        self.returned: list[Sequence[str]] = []
        self.acts = UndoableActs(session, lambda: self.labels, lambda: None, self.said.append)
        self.list = RankList()
        self.list.begin(hits(*names))
        self.answering = Answering(
            self.list,
            self.acts,
            lambda: self.labels,
            lambda: None,
            self.saved.append,
            self.returned.append,
        )
        self.answering.label = "yellow block"

    @property
    def shown(self) -> str:
        signs = {"accepted": "+", "rejected": "-", "": "."}
        return "".join(signs[each.answer] for each in self.list.candidates)

    def has(self, name: str) -> dict[str, str]:
        return self.labels.state[name][1]


def test_an_answer_is_shown_before_it_is_saved() -> None:
    desk = Desk()
    desk.answering.accept(["a"])
    desk.answering.reject(["b"])
    assert desk.shown == "+-...." and not desk.has("yellow block")
    desk.thread.finish()
    assert desk.has("yellow block") == {"a": "human", "b": "no"} and desk.saved == [1, 1]


def test_undo_before_the_answer_is_saved_takes_it_back() -> None:
    desk = Desk()
    desk.answering.accept(["a"])
    desk.acts.undo()
    assert desk.acts.can_undo
    desk.thread.finish()
    assert desk.shown == "......" and not desk.has("yellow block")
    assert desk.returned == [["a"]] and desk.saved == [1, -1] and not desk.acts.can_undo


def test_a_bulk_answer_is_taken_back_and_done_again_as_one() -> None:
    desk = Desk()
    desk.answering.reject(["b"])
    desk.answering.accept_together(hits("a", "c", "z"))
    desk.thread.finish()
    assert desk.shown == "+-+..." and desk.said[-1] == "3 segments accepted as “yellow block”."
    assert desk.has("yellow block") == {
        "b": "no",
        "a": "propagated",
        "c": "propagated",
        "z": "propagated",
    }
    desk.acts.undo()
    desk.thread.finish()
    assert desk.shown == ".-...." and desk.has("yellow block") == {"b": "no"}
    desk.acts.redo()
    desk.thread.finish()
    assert desk.shown == "+-+..." and len(desk.has("yellow block")) == 4


def test_another_label_takes_the_place_of_the_one_that_is_asked_about() -> None:
    desk = Desk()
    desk.answering.give(["a"], "red block")
    desk.thread.finish()
    assert desk.list.candidates[0].given == "red block" and desk.shown[0] == "-"
    assert desk.has("red block") == {"a": "human"} and desk.has("yellow block") == {"a": "no"}
    desk.answering.accept(["a"])
    desk.thread.finish()
    assert desk.has("red block") == {"a": "no"} and desk.has("yellow block") == {"a": "human"}
    assert desk.list.candidates[0].given == "" and desk.shown[0] == "+"
    desk.acts.undo()
    desk.thread.finish()
    assert desk.list.candidates[0].given == "red block"


def test_the_key_of_the_label_that_is_asked_about_accepts() -> None:
    desk = Desk()
    desk.answering.give(["a"], "yellow block")
    desk.thread.finish()
    assert desk.shown[0] == "+" and desk.has("yellow block") == {"a": "human"}


def test_an_answer_that_is_cleared_is_none() -> None:
    desk = Desk()
    desk.answering.accept(["a", "b"])
    desk.answering.clear(["a"])
    desk.thread.finish()
    assert desk.shown == ".+...." and desk.has("yellow block") == {"b": "human"}


def test_acts_for_a_label_that_was_left_are_saved_and_show_nothing() -> None:
    desk = Desk()
    desk.answering.accept(["a"])
    desk.answering.label = "red block"
    desk.list.begin(hits(*"abc"))
    desk.thread.finish()
    assert desk.shown == "..." and desk.has("yellow block") == {"a": "human"}
    desk.acts.undo()
    desk.thread.finish()
    assert desk.shown == "..." and not desk.has("yellow block")


def test_what_can_not_be_saved_is_shown_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()

    def refuse(*_: object) -> str:
        raise QueryError("this segment is no longer in the library")

    monkeypatch.setattr(desk.labels, "give", refuse)
    desk.answering.accept(["a"])
    desk.answering.reject(["b"])
    assert desk.shown == "+-...."
    with pytest.raises(QueryError):
        desk.thread.step()
    desk.thread.finish()
    assert desk.shown == ".-...." and desk.has("yellow block") == {"b": "no"}


def test_a_new_act_ends_what_could_be_done_again() -> None:
    desk = Desk()
    desk.answering.accept(["a"])
    desk.acts.undo()
    desk.thread.finish()
    assert desk.acts.can_redo
    desk.answering.reject(["a"])
    desk.thread.finish()
    assert not desk.acts.can_redo
    desk.acts.redo()
    desk.thread.finish()
    assert desk.has("yellow block") == {"a": "no"}


def test_what_saves_nothing_is_no_act() -> None:
    desk = Desk()
    desk.acts.do(Act(lambda: ""))
    desk.thread.finish()
    assert not desk.acts.can_undo
