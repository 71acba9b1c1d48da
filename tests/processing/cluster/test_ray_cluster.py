"""Work given to workers that die, with a stand-in for Ray that does as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from src.processing.cluster import ray_cluster
from src.processing.cluster.connection import ClusterTroubleError
from src.processing.cluster.ray_cluster import MOST_DEATHS, RayCluster
from src.processing.cluster.work import NOT_READ, OTHER_FFMPEG, WHY_NOT
from src.processing.cluster.worker_pool import (
    MOST_FALSE_STARTS,
    SILENT_LOOKS,
    Request,
    Start,
    WorkerPool,
)


class Call:
    """A call of a worker that the test lets end."""

    def __init__(self, actor: Actor, arguments: tuple[Any, ...]) -> None:
        self.actor, self.arguments = actor, arguments
        self._future: Future[Any] = Future()

    def future(self) -> Future[Any]:
        return self._future

    def end(self, result: Any) -> None:
        self._future.set_result(result)

    def fail(self) -> None:
        self._future.set_exception(RuntimeError("the actor died"))


class Method:
    def __init__(self, actor: Actor, name: str) -> None:
        self._actor, self._name = actor, name

    def remote(self, *arguments: Any) -> Call:
        call = Call(self._actor, arguments)
        if self._name == "about":
            ray, self._actor.asked = self._actor.ray, self._actor.asked + 1
            is_there = ray.begins if self._actor.asked == 1 else ray.stays
            if is_there is not None:
                call.end(("studio", "cpu")) if is_there else call.fail()
        else:
            self._actor.ray.calls.append(call)
        return call


class Actor:
    def __init__(self, ray: FakeRay) -> None:
        self.ray, self.asked = ray, 0

    def __getattr__(self, name: str) -> Method:
        return Method(self, name)


class FakeRay:
    """One machine with so many cores.

    Attributes:
        begins, stays: what becomes of a worker that is made, and of one that has begun; None: it
            says nothing.
    """

    def __init__(self, cores: float, begins: bool = True) -> None:
        self.cores, self.begins = cores, begins
        self.stays: bool | None = True
        self.calls: list[Call] = []

    def remote(self, kind: type) -> FakeRay:
        return self

    def options(self, **how: Any) -> Any:
        ray = self

        class Made:
            @staticmethod
            def remote(*arguments: Any) -> Actor:
                return Actor(ray)

        return Made()

    def put(self, value: Any) -> Any:
        return value

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": {"CPU": self.cores}}]

    def kill(self, actor: Actor) -> None:
        pass

    def shutdown(self) -> None:
        pass


class Driven:
    """A cluster whose thread is the test's own."""

    def __init__(self, ray: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ray_cluster, "connected", lambda address, here: ray)
        self.ray = ray
        self.replies: list[tuple[int, str, bytes]] = []
        self.told: list[tuple[list[dict[str, Any]], str]] = []
        start = Start("local", (), False, 1, "", 60.0)
        self.cluster = RayCluster(start, b"", self._replied, self._told, lambda: None)
        self.look()

    def _replied(self, request: Request, state: str, made: bytes, worker: int | None) -> None:
        self.replies.append((request.number, state, made))

    def _told(self, workers: list[dict[str, Any]], problem: str) -> None:
        self.told.append((workers, problem))

    def look(self) -> None:
        self.pool.look()
        self.until(lambda: self.pool.begun)

    @property
    def pool(self) -> WorkerPool:
        return self.cluster.pool

    def until(self, is_so: Any) -> None:
        """Handle what happens, one event after another."""
        while not is_so():
            event = self.cluster._loop.next(20)
            assert event is not None
            self.cluster.handle(event)

    def ask(self, *numbers: int) -> None:
        for number in numbers:
            self.cluster.ask(Request(number, "frame", b"work %d" % number))
        before = len(self.ray.calls)
        self.until(lambda: len(self.ray.calls) >= before + len(numbers))

    def call_of(self, number: int) -> Call:
        """Return the latest call for a request."""
        work = b"work %d" % number
        return next(call for call in reversed(self.ray.calls) if call.arguments[0] == work)


@pytest.fixture
def driven(monkeypatch: pytest.MonkeyPatch) -> Iterator[Driven]:
    made = Driven(FakeRay(1), monkeypatch)
    yield made
    made.cluster.close()


def test_work_is_done(driven: Driven) -> None:
    driven.ask(1, 2)
    driven.call_of(2).end(b"two")
    driven.call_of(1).end(b"one")
    driven.until(lambda: len(driven.replies) == 2)
    assert sorted(driven.replies) == [(1, "done", b"one"), (2, "done", b"two")]


def test_what_is_too_large_to_be_sent_goes_to_who_can_read_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    driven = Driven(FakeRay(8), monkeypatch)  # two workers
    driven.until(lambda: sum(each.about is not None for each in driven.pool.workers) == 2)
    driven.ask(1)
    first = driven.call_of(1)
    first.end(NOT_READ)
    driven.until(lambda: len(driven.ray.calls) == 2)
    second = driven.call_of(1)
    assert second.actor is not first.actor and second.arguments == (b"work 1",)
    second.end(b"one")
    driven.until(lambda: len(driven.replies) == 1)
    driven.ask(2)
    driven.call_of(2).end(NOT_READ)
    driven.until(lambda: len(driven.ray.calls) == 4)
    driven.call_of(2).end(NOT_READ)
    driven.until(lambda: len(driven.replies) == 2)
    assert driven.replies == [(1, "done", b"one"), (2, "unread", WHY_NOT[NOT_READ].encode())]
    driven.cluster.close()


def test_what_a_dead_worker_had_is_done_by_another_one_after_the_other(driven: Driven) -> None:
    driven.ask(1, 2)
    for call in list(driven.ray.calls):
        call.fail()
    driven.until(lambda: not driven.pool.workers)
    driven.look()
    driven.until(lambda: len(driven.ray.calls) == 3)
    assert len(driven.cluster._waiting) == 1  # it waits until the first has nothing to do with it
    first = driven.ray.calls[-1]
    first.end(b"done")
    driven.until(lambda: len(driven.ray.calls) == 4)
    driven.ray.calls[-1].end(b"done")
    driven.until(lambda: len(driven.replies) == 2)
    assert {state for _, state, _ in driven.replies} == {"done"}


def test_what_kills_worker_after_worker_costs_itself(driven: Driven) -> None:
    driven.ask(1, 2)
    while not any(reply[0] == 1 for reply in driven.replies):
        call = driven.call_of(1)
        before = len(driven.ray.calls)
        call.fail()
        driven.until(lambda: not driven.pool.workers)
        driven.look()
        if driven.cluster._waiting or driven.ray.calls[before:]:
            driven.until(lambda before=before: len(driven.ray.calls) > before)
        last = driven.ray.calls[-1]
        if last.arguments[0] == b"work 2":
            last.end(b"two")
            driven.until(lambda: any(reply[0] == 2 for reply in driven.replies))
            if not any(reply[0] == 1 for reply in driven.replies):
                driven.until(lambda: driven.ray.calls[-1].arguments[0] == b"work 1")
    states = {number: state for number, state, _ in driven.replies}
    assert states == {1: "killed", 2: "done"}


def test_workers_that_never_begin_end_it_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClusterTroubleError, match=r"can't begin \(the actor died\)"):
        made = Driven(FakeRay(16, begins=False), monkeypatch)
        made.until(lambda: False)


def test_what_a_worker_asks_for_is_sent_to_it(driven: Driven, tmp_path: Path) -> None:
    file = tmp_path / "file.jpg"
    file.write_bytes(b"content")
    driven.cluster.ask(Request(1, "image", b"work 1", str(file)))
    driven.until(lambda: len(driven.ray.calls) == 1)
    driven.ray.calls[0].end(NOT_READ)
    driven.until(lambda: len(driven.ray.calls) == 2)
    assert driven.ray.calls[1].arguments == (b"work 1", b"content")
    driven.ray.calls[1].end(b"done")
    driven.until(lambda: driven.replies == [(1, "done", b"done")])
    assert not driven.pool.workers[0].works_on


def test_workers_that_had_died_before_cost_no_file(driven: Driven) -> None:
    driven.ask(1)
    driven.ray.calls[-1].fail()  # as it is where the worker was dead already
    driven.until(lambda: not driven.pool.workers)
    driven.ray.stays = False  # it begins, and does not answer when the file is to be given to it
    for _ in range(MOST_DEATHS):
        driven.look()
        driven.until(lambda: not driven.pool.workers)
        assert not driven.replies
    driven.ray.stays = True
    driven.look()
    driven.until(lambda: len(driven.ray.calls) == 2)
    driven.ray.calls[-1].end(b"one")
    driven.until(lambda: driven.replies == [(1, "done", b"one")])


def test_while_others_work_those_that_can_not_begin_end_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    driven = Driven(FakeRay(4), monkeypatch)
    driven.ray.cores, driven.ray.begins = 8, False
    for _ in range(2 * MOST_FALSE_STARTS):
        before = driven.pool._false_starts
        driven.pool._tries_again_at = 0.0
        driven.pool.look()
        driven.until(lambda before=before: driven.pool._false_starts > before)
    assert driven.told[-1][1] == "its workers can't begin (the actor died)"
    assert len(driven.told[-1][0]) == 1
    driven.ray.begins = True
    driven.pool._tries_again_at = 0.0
    driven.pool.look()
    driven.until(lambda: all(each.about for each in driven.pool.workers[:2]))
    driven.until(lambda: len(driven.pool.workers) == 2)
    driven.until(lambda: all(each.about for each in driven.pool.workers))
    driven.pool.look()
    driven.until(lambda: driven.pool.problem == "")
    driven.cluster.close()


def test_a_head_that_says_nothing_ends_it(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    driven.until(lambda: driven.pool._looks_since is None)
    monkeypatch.setattr(driven.ray, "nodes", threading.Event().wait)
    driven.cluster._loop.close()
    driven.pool._looks_since = time.monotonic() - driven.cluster._start.wait_s - 1
    with pytest.raises(ClusterTroubleError, match=r"its head has not answered for 60 s"):
        driven.pool.look()


def test_without_a_worker_for_long_it_ends_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    driven = Driven(FakeRay(1), monkeypatch)
    driven.pool.workers.clear()
    driven.pool._without_since -= driven.cluster._start.wait_s + 1
    with pytest.raises(ClusterTroubleError, match=r"no worker could begin in 60 s; see with `ray"):
        driven.pool.look()
    driven.cluster.close()


def test_a_worker_that_dies_while_it_has_nothing_to_do_is_missed(driven: Driven) -> None:
    assert len(driven.told[-1][0]) == 1
    driven.ray.stays = False
    driven.pool.look()
    driven.until(lambda: not driven.pool.workers)
    assert driven.told[-1] == ([], "")


def test_one_that_does_not_answer_any_more_is_given_up_and_what_it_had_is_done_once(
    driven: Driven,
) -> None:
    driven.ask(1)
    stopped, driven.ray.stays = driven.ray.calls[-1], None
    for _ in range(SILENT_LOOKS):
        driven.pool.look()
    assert len(driven.pool.workers) == 1  # it is given time
    driven.pool.look()
    driven.ray.stays = True
    driven.look()
    driven.until(lambda: len(driven.ray.calls) == 2)
    stopped.end(b"late")  # it goes on after all
    driven.ray.calls[-1].end(b"one")
    driven.until(lambda: driven.replies)
    driven.ask(2)
    driven.call_of(2).end(b"two")
    driven.until(lambda: len(driven.replies) == 2)
    assert driven.replies == [(1, "done", b"one"), (2, "done", b"two")]


def test_a_worker_with_another_ffmpeg_leaves_a_video_to_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driven = Driven(FakeRay(8), monkeypatch)  # two workers
    driven.until(lambda: len(driven.pool.begun) == 2)
    file = tmp_path / "video.mp4"
    file.write_bytes(b"content")
    driven.cluster.ask(Request(1, "span", b"work 1", str(file)))
    driven.until(lambda: len(driven.ray.calls) == 1)
    first = driven.call_of(1)
    first.end(OTHER_FFMPEG)
    driven.until(lambda: len(driven.ray.calls) == 2)
    assert driven.call_of(1).actor is not first.actor
    driven.call_of(1).end(OTHER_FFMPEG)
    driven.until(lambda: driven.replies)
    assert (
        driven.replies[0][:2] == (1, "unread")
        and b"another version of ffmpeg" in (driven.replies[0][2])
    )
    driven.cluster.close()


def test_a_connection_that_breaks_ends_it_with_a_sentence(
    driven: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    def remote(method: Method, *arguments: Any) -> Call:
        raise ConnectionError("no reconnection in 30s")

    monkeypatch.setattr(Method, "remote", remote)
    with pytest.raises(ClusterTroubleError, match=r"head does not answer \(no reconnection in 30s"):
        driven.cluster.run()
