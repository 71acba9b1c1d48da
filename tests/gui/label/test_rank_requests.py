"""One ranking at a time; of several that are asked for, the newest is shown."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from src.errors import QueryError
from src.gui.label.rank_requests import Ranked, RankRequests, Wanted
from tests.gui.label.fake_labels import FakeLabels
from tests.gui.label.test_rank_list import hits
from tests.gui.label.waiting_thread import WaitingThread


class Asking:
    def __init__(self) -> None:
        self.labels, self.thread = FakeLabels(lambda _: hits(*"abcdef")), WaitingThread()
        self.labels.add("yellow block")
        self.labels.add("red block")
        library = SimpleNamespace(labels=self.labels)
        session: Any = SimpleNamespace(main_thread=self.thread, library=library)
        self.ranked: list[Ranked] = []
        self.failed: list[Exception] = []
        self.requests = RankRequests(
            session, self.ranked.append, lambda _, exc: self.failed.append(exc)
        )

    def ask(self, label: str = "yellow block", **what: Any) -> None:
        self.requests.ask(Wanted(label, **what))


def test_a_newer_question_takes_the_place_of_one_that_waits() -> None:
    asking = Asking()
    asking.ask()
    asking.ask("red block")
    asking.ask("red block", order="doubtful", from_start=False)
    assert asking.requests.is_busy
    asking.thread.finish()
    assert [(found.wanted.label, found.wanted.order) for found in asking.ranked] == [
        ("red block", "doubtful")
    ]
    assert [asked[:1] for asked in asking.labels.asked] == [("yellow block",), ("red block",)]
    # the list of the question that was never answered was to begin anew
    assert asking.ranked[0].wanted.from_start
    assert not asking.requests.is_busy


def test_what_may_be_accepted_together_is_the_best_in_every_order() -> None:
    asking = Asking()
    asking.labels.acceptable = 3
    asking.ask(order="doubtful")
    asking.thread.finish()
    (found,) = asking.ranked
    assert [hit.segment.id for hit in found.ranking.candidates] == list("fedcba")
    assert [hit.segment.id for hit in found.best] == list("abc")


def test_all_that_may_be_accepted_is_ranked_where_fewer_are_shown() -> None:
    asking = Asking()
    asking.labels.acceptable = 5
    asking.ask(limit=2)
    asking.thread.finish()
    assert len(asking.ranked[0].ranking.candidates) == 2
    assert [hit.segment.id for hit in asking.ranked[0].best] == list("abcde")


def test_a_failure_is_told_and_the_next_question_answered() -> None:
    asking = Asking()
    asking.ask("no label of this name")
    asking.thread.finish()
    assert isinstance(asking.failed[0], KeyError | QueryError)
    asking.ask()
    asking.thread.finish()
    assert len(asking.ranked) == 1
