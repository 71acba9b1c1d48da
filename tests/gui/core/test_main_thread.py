"""Work in other threads and its answers, with a root that only keeps what is to be called."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from src.gui.core.main_thread import MainThread
from src.stopping import StoppedError

DEADLINE_S = 20


class Root:
    """Calls what is due when it is told to."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def after(self, _ms: int, call: Callable[[], None]) -> str:
        self.due.append(call)
        return "turn"

    def after_cancel(self, _turn: str) -> None:
        self.due.clear()

    def turn_until(self, condition: Callable[[], object]) -> None:
        until = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < until
            due, self.due = self.due, []
            for call in due:
                call()


@pytest.fixture
def root() -> Root:
    return Root()


@pytest.fixture
def errors() -> list[Exception]:
    return []


@pytest.fixture
def main_thread(root: Root, errors: list[Exception]) -> Iterator[MainThread]:
    widget: Any = root
    thread = MainThread(widget, errors.append)
    yield thread
    thread.close()


def test_searches_that_wait_hold_up_nothing_else(root: Root, main_thread: MainThread) -> None:
    file_is_made = threading.Event()
    browsed: list[str] = []
    found: list[bool] = []
    for _ in range(6):
        main_thread.run(lambda: file_is_made.wait(DEADLINE_S), found.append, is_search=True)
    main_thread.run(lambda: "page", browsed.append)
    root.turn_until(lambda: browsed)
    assert found == []
    file_is_made.set()
    root.turn_until(lambda: len(found) == 6)
    assert all(found)


def test_what_nobody_waits_for_is_no_error(
    root: Root, main_thread: MainThread, errors: list[Exception]
) -> None:
    def stops() -> None:
        raise StoppedError

    def fails() -> None:
        raise ZeroDivisionError

    answered: list[object] = []
    main_thread.run(stops, answered.append)
    main_thread.run(fails, answered.append)
    root.turn_until(lambda: errors)
    assert [type(error) for error in errors] == [ZeroDivisionError] and answered == []
