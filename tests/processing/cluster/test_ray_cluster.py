"""Work given to workers that die, with a stand-in for Ray that does as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from src.processing.cluster import ray_cluster
from src.processing.cluster.ray_cluster import ClusterTroubleError, RayCluster, Request, Start
from src.processing.cluster.work import NOT_READ


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
            call.end(("studio", "cpu")) if self._actor.ray.begins else call.fail()
        else:
            self._actor.ray.calls.append(call)
        return call


class Actor:
    def __init__(self, ray: FakeRay) -> None:
        self.ray = ray

    def __getattr__(self, name: str) -> Method:
        return Method(self, name)


class FakeRay:
    """One machine with so many cores."""

    def __init__(self, cores: float, begins: bool = True) -> None:
        self.cores, self.begins = cores, begins
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
        start = Start("local", (), False, 1, "", 60.0)
        self.cluster = RayCluster(start, b"", self._replied, lambda *_: None, lambda: None)
        self.look()

    def _replied(self, request: Request, state: str, made: bytes, worker: int | None) -> None:
        self.replies.append((request.number, state, made))

    def look(self) -> None:
        self.cluster._look()
        self.until(lambda: any(worker.about for worker in self.cluster._workers))

    def until(self, is_so: Any) -> None:
        """Handle what happens, one event after another."""
        while not is_so():
            event = self.cluster._events.get(timeout=20)
            assert event is not None
            event()
            self.cluster._give_out()

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
    driven.until(lambda: sum(each.about is not None for each in driven.cluster._workers) == 2)
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
    assert driven.replies == [(1, "done", b"one"), (2, "unread", b"")]
    driven.cluster.close()


def test_what_a_dead_worker_had_is_done_by_another_one_after_the_other(driven: Driven) -> None:
    driven.ask(1, 2)
    for call in list(driven.ray.calls):
        call.fail()
    driven.until(lambda: not driven.cluster._workers)
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
        driven.until(lambda: not driven.cluster._workers)
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
