"""Work of which only the newest counts, without a window."""

from __future__ import annotations

from typing import Any

from src.gui.core.latest_work import Job, LatestWork
from tests.held_threads import HeldThreads


def test_what_is_asked_for_meanwhile_is_done_once_as_it_is_then() -> None:
    threads: Any = HeldThreads()
    wishes, shown = [1], list[int]()

    def begin() -> Job | None:
        wish = wishes[-1]
        return None if wish == 0 else (lambda: wish, shown.append)

    drawing = LatestWork(threads, begin)
    drawing.ask()
    for wish in (2, 3):
        wishes.append(wish)
        drawing.ask()
    threads.work()
    assert shown == [1, 3] and not threads.waiting
    wishes.append(0)
    drawing.ask()
    assert not threads.waiting, "there is nothing to do"


def test_what_waits_behind_one_that_fails_is_done() -> None:
    threads: Any = HeldThreads()
    shown, broken = list[str](), [True]

    def begin() -> Job | None:
        def work() -> str:
            if broken.pop():
                raise RuntimeError("no memory")
            return "drawn"

        return work, shown.append

    drawing = LatestWork(threads, begin)
    broken.insert(0, False)
    drawing.ask()
    drawing.ask()
    threads.work()
    assert shown == ["drawn"] and [str(exc) for exc in threads.errors] == ["no memory"]
