from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from src.errors import QueryError
from src.events import Event, Progress
from src.worker import JobEnded, Worker

DEADLINE_S = 20


def said(worker: Worker, job_id: int) -> list[Event]:
    """Everything a job says, to its end."""
    events = []
    while True:
        number, event = worker.events.get(timeout=DEADLINE_S)
        if number == job_id:
            events.append(event)
            if isinstance(event, JobEnded):
                return events


def counting(n: int) -> Iterator[Event]:
    for number in range(n):
        yield Progress("count", number, n)


def test_jobs_run_in_order_on_another_thread() -> None:
    worker = Worker()
    threads: list[int] = []

    def job() -> Iterator[Event]:
        threads.append(threading.get_ident())
        yield from counting(3)

    first, second = worker.submit(job), worker.submit(job)
    assert said(worker, first) == [*counting(3), JobEnded()]
    assert said(worker, second) == [*counting(3), JobEnded()]
    assert threads[0] == threads[1] != threading.get_ident()
    assert worker.stop(DEADLINE_S)


def test_a_job_stops_at_its_next_event_and_cleans_up() -> None:
    worker, closed = Worker(), threading.Event()

    def endless() -> Iterator[Event]:
        try:
            while True:
                yield Progress("on", 0, 1)
        finally:
            closed.set()

    job_id = worker.submit(endless)
    worker.events.get(timeout=DEADLINE_S)
    waiting = worker.submit(lambda: counting(1))
    worker.cancel(waiting)
    worker.cancel(job_id)
    assert said(worker, job_id)[-1] == JobEnded()
    assert closed.is_set()
    assert said(worker, waiting) == [JobEnded()]
    assert worker.stop(DEADLINE_S)


def test_an_error_ends_the_job_and_not_the_worker() -> None:
    worker = Worker()
    error = QueryError("the search is empty")

    def fails() -> Iterator[Event]:
        yield Progress("on", 0, 1)
        raise error

    def breaks() -> Iterator[Event]:
        yield Progress("on", 0, 1)
        raise ZeroDivisionError

    assert said(worker, worker.submit(fails))[-1] == JobEnded(error=error)
    (_, ended) = said(worker, worker.submit(breaks))
    assert isinstance(ended, JobEnded) and "ZeroDivisionError" in str(ended.error)
    assert said(worker, worker.submit(lambda: counting(1)))[-1] == JobEnded()
    assert worker.stop(DEADLINE_S)


def test_stopping_ends_the_job_at_hand() -> None:
    worker = Worker()

    def endless() -> Iterator[Event]:
        while True:
            yield Progress("on", 0, 1)

    job_id = worker.submit(endless)
    worker.events.get(timeout=DEADLINE_S)
    assert worker.stop(DEADLINE_S)
    assert said(worker, job_id)[-1] == JobEnded()


class Panic(BaseException):
    """What a library written in Rust raises where it gives up: no Exception."""


@pytest.mark.parametrize("raised", [QueryError("the disk is full"), OSError("no room"), Panic("x")])
def test_a_cancelled_job_that_fails_as_it_is_closed_ends_and_the_worker_goes_on(
    raised: BaseException,
) -> None:
    worker = Worker()

    def fails_in_the_end() -> Iterator[Event]:
        try:
            while True:
                yield Progress("on", 0, 1)
        finally:
            raise raised

    job_id = worker.submit(fails_in_the_end)
    worker.events.get(timeout=DEADLINE_S)
    worker.cancel(job_id)
    ended = said(worker, job_id)[-1]
    assert isinstance(ended, JobEnded) and str(raised) in str(ended.error)
    assert said(worker, worker.submit(lambda: counting(1)))[-1] == JobEnded()
    assert worker.stop(DEADLINE_S)


def test_a_job_that_will_not_be_closed_ends_and_the_worker_goes_on() -> None:
    worker = Worker()

    def deaf() -> Iterator[Event]:
        while True:
            try:
                yield Progress("on", 0, 1)
            except GeneratorExit:
                yield Progress("still on", 0, 1)

    job_id = worker.submit(deaf)
    worker.events.get(timeout=DEADLINE_S)
    worker.cancel(job_id)
    ended = said(worker, job_id)[-1]
    assert isinstance(ended, JobEnded) and "GeneratorExit" in str(ended.error)
    assert said(worker, worker.submit(lambda: counting(1)))[-1] == JobEnded()
    assert worker.stop(DEADLINE_S)


def test_a_panic_ends_the_job_and_not_the_worker() -> None:
    worker = Worker()

    def panics() -> Iterator[Event]:
        yield Progress("on", 0, 1)
        raise Panic("index out of range")

    ended = said(worker, worker.submit(panics))[-1]
    assert isinstance(ended, JobEnded) and "index out of range" in str(ended.error)
    assert said(worker, worker.submit(lambda: counting(1)))[-1] == JobEnded()
    assert worker.stop(DEADLINE_S)
