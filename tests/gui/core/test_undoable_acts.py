"""Acts are saved in their order, taken back and done again, whatever fails between."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from src.gui.core.session import READ_ONLY
from src.gui.core.undoable_acts import Act, UndoableActs
from tests.held_threads import HeldThreads


class Verbs:
    """Notes what is taken back and done again."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def undo(self, batch: str) -> None:
        self.asked.append(f"undo {batch}")

    def redo(self, batch: str) -> None:
        self.asked.append(f"redo {batch}")


@pytest.fixture
def threads() -> HeldThreads:
    return HeldThreads()


@pytest.fixture
def verbs() -> Verbs:
    return Verbs()


@pytest.fixture
def acts(threads: HeldThreads, verbs: Verbs) -> UndoableActs:
    session: Any = SimpleNamespace(main_thread=threads, read_only=False)
    return UndoableActs(session, lambda: verbs, lambda: None, lambda _: None)


def test_acts_after_one_whose_answer_fails_are_saved(
    acts: UndoableActs, threads: HeldThreads
) -> None:
    def fail() -> None:
        raise RuntimeError("a widget is gone")

    saved: list[str] = []
    acts.do(Act(lambda: "first", done=fail))
    acts.do(Act(lambda: saved.append("second") or "second"))  # type: ignore[func-returns-value]
    threads.work()
    assert saved == ["second"] and not acts.is_saving
    assert [str(error) for error in threads.errors] == ["a widget is gone"]


def test_what_was_saved_elsewhere_is_taken_back_in_its_order(
    acts: UndoableActs, threads: HeldThreads, verbs: Verbs
) -> None:
    shown: list[str] = []
    for name in ("one", "two"):
        acts.remember(
            Act(
                str,
                done=lambda n=name: shown.append(n),
                undone=lambda n=name: shown.append(f"-{n}"),
            ),  # type: ignore[misc]
            name,
        )
    acts.undo()
    acts.undo()
    acts.redo()
    assert len(threads.waiting) == 1  # the second waits until the first is taken back
    threads.work()
    assert verbs.asked == ["undo two", "undo one", "redo one"]
    assert shown == ["-two", "-one", "one"]


def test_acts_that_are_forgotten_stand(
    acts: UndoableActs, threads: HeldThreads, verbs: Verbs
) -> None:
    acts.remember(Act(str), "one")
    acts.undo()
    acts.forget()
    threads.work()
    acts.redo()
    threads.work()
    assert verbs.asked == ["undo one"] and not acts.can_undo and not acts.can_redo


def test_where_nothing_can_be_changed_that_is_said_and_nothing_is_done() -> None:
    said: list[str] = []
    session: Any = SimpleNamespace(read_only=True)  # nothing is run in another thread
    verbs: Any = SimpleNamespace()
    acts = UndoableActs(session, lambda: verbs, lambda: None, said.append)
    acts.do(Act(lambda: pytest.fail("it was saved")))
    acts.do_found(lambda: pytest.fail("it was looked up"), lambda _: None)
    assert said == [READ_ONLY] * 2 and not acts.can_undo
