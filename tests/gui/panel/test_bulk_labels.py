"""Labels for what is selected, without a window."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from src.errors import QueryError
from src.gui.core.known_labels import NO_LABELS, KnownLabels
from src.gui.core.session import Listeners
from src.gui.panel.bulk_labels import NOTHING_THERE, BulkLabels
from src.label_records import Label
from tests.direct_thread import DirectThread


class Verbs:
    """Those of a library's labels, which write down what is asked of them."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []

    def give(self, segment_ids: Sequence[str], name: str) -> str:
        if len(name) > 20:
            raise QueryError("a tag has at most 20 characters")
        if name == "broken":
            raise RuntimeError("the disk is gone")
        self.done.append(("give", *segment_ids, name))
        return f"batch {len(self.done)}"

    def undo(self, batch: str) -> None:
        self.done.append(("undo", batch))

    def redo(self, batch: str) -> None:
        self.done.append(("redo", batch))


class Bulk(SimpleNamespace):
    """What a panel has: a selection, labels, and a line in which something is said."""

    def __init__(self, selected: Sequence[str], labels: Sequence[str] = ("dog", "cat")) -> None:
        self.verbs, self.said, self.told = Verbs(), list[tuple[str, bool]](), 0
        known: Any = SimpleNamespace(labels=[Label(name, "#5B96EE") for name in labels])
        known.with_key = partial(KnownLabels.with_key, known)
        known._session = SimpleNamespace(read_only=False)
        known.why_none = partial(KnownLabels.why_none, known)
        session: Any = SimpleNamespace(
            read_only=False,
            library=SimpleNamespace(labels=self.verbs),
            main_thread=DirectThread(),
            signals=Listeners(),
            tell_content_changed=self.tell,
        )
        self.session = session
        self.ids: Sequence[str] | None = selected
        self.bulk = BulkLabels(
            session,
            known,
            lambda: None if self.ids is None else (lambda: self.ids),
            lambda text, can_undo: self.said.append((text, can_undo)),
            lambda: None,
        )

    def tell(self) -> None:
        self.told += 1


def test_a_label_goes_to_all_that_is_selected_in_one_act_with_one_undo() -> None:
    panel = Bulk(["a", "b"])
    panel.bulk.give("  red   block ")
    assert panel.verbs.done == [("give", "a", "b", "red block")]
    assert panel.said == [("2 segments labelled “red block”.", True)] and panel.told == 1
    panel.bulk.undo()
    panel.bulk.redo()
    assert panel.verbs.done[1:] == [("undo", "batch 1"), ("redo", "batch 1")]
    assert panel.said[1:] == [
        ("Undone: 2 segments labelled “red block”.", False),
        ("2 segments labelled “red block”.", True),
    ]
    assert panel.told == 3


def test_undo_is_offered_as_long_as_there_is_an_act_to_undo() -> None:
    panel = Bulk(["a"])
    panel.bulk.give("dog")
    panel.bulk.give("cat")
    panel.bulk.undo()
    assert panel.said[-1] == ("Undone: 1 segment labelled “cat”.", True)
    panel.bulk.undo()
    assert panel.said[-1] == ("Undone: 1 segment labelled “dog”.", False)


def test_an_undo_right_after_a_label_is_about_that_label() -> None:
    panel = Bulk(["a"])
    panel.bulk.give("dog")
    waiting: list[Any] = []
    thread: Any = SimpleNamespace(run=lambda *job: waiting.append(job))
    direct, panel.session.main_thread = panel.session.main_thread, thread
    panel.bulk.give("cat")
    panel.bulk.undo()  # before it is known what “cat” is given to
    panel.session.main_thread = direct
    while waiting:
        direct.run(*waiting.pop(0))
    assert panel.verbs.done == [("give", "a", "dog"), ("give", "a", "cat"), ("undo", "batch 2")]


def test_keys_give_the_first_labels() -> None:
    panel = Bulk(["a"])
    panel.bulk.give_key(2)
    assert panel.verbs.done == [("give", "a", "cat")]
    panel.bulk.give_key(3)
    assert panel.said[-1] == ("No label has the key 3.", False)
    without = Bulk(["a"], labels=())
    without.bulk.give_key(1)
    assert without.said == [(NO_LABELS, False)] and not without.verbs.done


@pytest.mark.parametrize("name", ["", "   "])
def test_nothing_is_no_label(name: str) -> None:
    panel = Bulk(["a"])
    panel.bulk.give(name)
    assert not panel.verbs.done and not panel.said


def test_where_nothing_is_selected_nothing_is_done() -> None:
    panel = Bulk(["a"])
    panel.ids = None
    panel.bulk.give("dog")
    assert not panel.verbs.done
    panel.ids = []  # selected, but no frame of it is stored yet
    panel.bulk.give("dog")
    assert not panel.verbs.done and panel.said == [(NOTHING_THERE, False)]


def test_what_a_person_typed_wrong_is_said_in_place_and_all_else_is_an_error() -> None:
    panel = Bulk(["a"])
    panel.bulk.give("x" * 21)
    assert panel.said == [("A tag has at most 20 characters.", False)]
    with pytest.raises(RuntimeError):
        panel.bulk.give("broken")
