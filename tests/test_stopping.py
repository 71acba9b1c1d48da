"""Work that ends once nobody waits for it: in a thread, in others that work for it, in children."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from src.processing.work_threads import WorkThreads
from src.stopping import StoppedError, ask_wanted, result_of, stopped_by, wanted


def test_blocks_are_asked_from_within_outwards() -> None:
    outer, inner = [True], [True]
    with stopped_by(lambda: outer[0]):
        with stopped_by(lambda: inner[0]):
            ask_wanted()
            outer[0] = False
            with pytest.raises(StoppedError):
                ask_wanted()
            outer[0], inner[0] = True, False
            with pytest.raises(StoppedError):
                ask_wanted()
        ask_wanted()
    outer[0] = False
    ask_wanted()


def test_a_thread_asks_only_what_its_own_work_is_stopped_by() -> None:
    with stopped_by(lambda: False):
        here, there = wanted(), list[bool]()
        other = threading.Thread(target=lambda: there.append(wanted()()))
        other.start()
        other.join()
    assert there == [True] and not here()


def test_a_result_is_waited_for_no_longer_than_it_is_wanted() -> None:
    never, asked = Future[int](), list[bool]()

    def go_on() -> bool:
        asked.append(True)
        return len(asked) < 3

    with stopped_by(go_on), pytest.raises(StoppedError):
        result_of(never)
    assert len(asked) == 3
    never.set_exception(TimeoutError("its own"))
    with pytest.raises(TimeoutError, match="its own"):
        result_of(never)


@pytest.mark.parametrize("by", ["its threads are closed", "its job is stopped"])
def test_work_in_threads_ends(by: str) -> None:
    is_wanted, runs = [True], threading.Event()

    def work() -> None:
        runs.set()
        while True:
            ask_wanted()

    with stopped_by(lambda: is_wanted[0]):
        threads = WorkThreads(1, 100)
    begun = threads.submit(work)
    assert runs.wait(10)
    if by == "its job is stopped":
        is_wanted[0] = False
        with pytest.raises(StoppedError):
            begun.result(10)
    threads.close()
    with pytest.raises(StoppedError):
        begun.result(0)
