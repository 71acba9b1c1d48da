"""Work in order, and glances of which only the newest counts."""

from __future__ import annotations

from functools import partial

import pytest

from src.gui.core.work_line import WorkLine
from tests.held_threads import HeldThreads


@pytest.fixture
def threads() -> HeldThreads:
    return HeldThreads()


@pytest.fixture
def line(threads: HeldThreads) -> WorkLine:
    return WorkLine(threads, "test")


def test_of_many_glances_the_newest_is_made(threads: HeldThreads, line: WorkLine) -> None:
    made: list[int] = []
    shown: list[int] = []

    def look(number: int) -> int:
        made.append(number)
        return number

    for number in range(5):
        line.glance(partial(look, number), shown.append)
    threads.work()
    assert made == shown == [4]
    line.glance(partial(look, 5), shown.append)
    threads.work()
    assert shown == [4, 5]


def test_a_glance_that_comes_while_one_is_made_is_made_next(
    threads: HeldThreads, line: WorkLine
) -> None:
    shown: list[str] = []

    def look() -> str:
        line.glance(lambda: "second", shown.append)
        return "first"

    line.glance(look, shown.append)
    threads.work()
    assert shown == ["first", "second"]


def test_work_drops_the_glance_before_it(threads: HeldThreads, line: WorkLine) -> None:
    shown: list[str] = []
    line.glance(lambda: "glance", shown.append)
    line.run(lambda: "work", shown.append)
    assert line.is_busy
    threads.work()
    assert shown == ["work"] and not line.is_busy
    line.glance(lambda: "later", shown.append)
    threads.work()
    assert shown == ["work", "later"]


def test_what_fails_is_told_and_the_next_is_done(threads: HeldThreads, line: WorkLine) -> None:
    def fail() -> None:
        raise ValueError("no")

    told: list[Exception] = []
    done: list[str] = []
    line.run(fail, failed=told.append)
    line.run(fail)
    line.run(lambda: "work", done.append)
    threads.work()
    assert len(told) == 1 and len(threads.errors) == 1
    assert done == ["work"] and not line.is_busy


def test_a_glance_after_work_waits_for_that_work(threads: HeldThreads, line: WorkLine) -> None:
    done: list[str] = []
    line.glance(lambda: "before", done.append)
    line.run(lambda: done.append("work"))
    line.glance(lambda: done.append("look") or "after", done.append)  # type: ignore[func-returns-value]
    threads.work()
    assert done == ["work", "look", "after"]


def test_a_glance_is_made_after_one_that_failed(threads: HeldThreads, line: WorkLine) -> None:
    shown: list[str] = []

    def fail() -> str:
        line.glance(lambda: "next", shown.append)
        raise ValueError("no")

    line.glance(fail, shown.append)
    threads.work()
    assert shown == ["next"] and len(threads.errors) == 1
