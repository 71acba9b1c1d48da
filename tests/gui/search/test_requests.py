"""When a search is asked again, and which answer is shown; without a window."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from src.errors import QueryError
from src.gui.search.requests import PAGE, Answer, SearchRequests
from src.records import SearchResult


class Asking:
    """A session whose other thread answers when a test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.limits: list[int] = []
        self.answers: list[Answer] = []
        self.shown: list[SearchResult] = []
        self.said: list[str] = []
        self.offers: list[bool] = []
        signals = SimpleNamespace(content_changed=[], job_ended=[], job_event=[])
        browse = SimpleNamespace(is_empty=lambda: False)
        self.session: Any = SimpleNamespace(
            read_only=False,
            signals=signals,
            main_thread=SimpleNamespace(run=self._later),
            library=SimpleNamespace(browse=browse),
        )
        self.is_seen = False
        self.requests = SearchRequests(
            self.session,
            self.answers.append,
            self.said.append,
            self.offers.append,
            lambda: self.is_seen,
        )

    def _later(
        self,
        work: Callable[[], Any],
        then: Callable[[Any], None],
        failed: Callable[[Exception], None],
        fails: str,
        is_search: bool = False,
    ) -> None:
        def answer() -> None:
            try:
                found = work()
            except Exception as exc:
                failed(exc)
            else:
                then(found)

        self.waiting.append(answer)

    def ask(self, unknown: str = "") -> None:
        def request(limit: int) -> SearchResult:
            self.limits.append(limit)
            return SearchResult((), (unknown,))

        self.requests.ask(request, self.shown.append, None)

    def answer(self) -> None:
        waiting, self.waiting = self.waiting, []
        for each in waiting:
            each()

    def library_changes(self) -> None:
        for listener in self.session.signals.content_changed:
            listener()


@pytest.fixture
def asking() -> Asking:
    return Asking()


def test_an_older_answer_is_void(asking: Asking) -> None:
    asking.ask("first")
    asking.ask("second")
    asking.answer()
    assert [result.unknown_words for result in asking.shown] == [("second",)]


def test_a_page_more_is_twice_as_many_and_asked_once(asking: Asking) -> None:
    asking.ask()
    asking.requests.ask_for_more()  # the first is not there yet
    asking.answer()
    asking.requests.ask_for_more()
    asking.requests.ask_for_more()
    asking.answer()
    assert asking.limits == [PAGE, 2 * PAGE]
    assert [answer.keeps_place for answer in asking.answers] == [False, True]
    asking.ask("another")
    asking.answer()
    assert asking.limits[-1] == PAGE


def test_what_changed_is_asked_again_where_it_is_seen(asking: Asking) -> None:
    asking.ask()
    asking.answer()
    asking.library_changes()
    assert not asking.waiting
    asking.requests.refresh()
    asking.answer()
    asking.is_seen = True
    asking.library_changes()
    asking.answer()
    assert len(asking.shown) == 3


def test_an_earlier_search_is_asked_again_only_where_the_library_changed(asking: Asking) -> None:
    asking.ask("first")
    asking.answer()
    first = asking.requests.asked()
    assert first is not None
    asking.ask("second")
    asking.answer()
    asking.requests.return_to(first)
    assert not asking.waiting
    asking.ask("third")
    asking.answer()
    asking.library_changes()
    asking.requests.return_to(first)
    asking.answer()
    assert [each.unknown_words[0] for each in asking.shown] == ["first", "second", "third", "first"]


def test_what_a_person_asked_wrongly_is_said_in_place(asking: Asking) -> None:
    def request(limit: int) -> SearchResult:
        raise QueryError("the search is empty")

    asking.requests.ask(request, asking.shown.append, None)
    asking.answer()
    assert asking.said == ["The search is empty."] and asking.requests.asked() is None
