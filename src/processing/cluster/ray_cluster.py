"""Workers on a Ray cluster: made, given work, and replaced when they die.

It runs in a child process, which Ray ends when the head of a cluster is gone.
"""

from __future__ import annotations

import importlib
import itertools
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from src.processing.cluster.connection import (
    ClusterTroubleError,
    StartedHere,
    connected,
    short,
)
from src.processing.cluster.planning import CORES_EACH, Share, plan
from src.processing.cluster.work import NOT_READ

# Whoever dies while it works on a request alone, so many times, dies of it.
MOST_DEATHS_ALONE = 2
# With others a request may be innocent; beyond this the cluster has other troubles.
MOST_DEATHS = 8
# Workers that never began, one after another: it is no accident.
MOST_FALSE_STARTS = 3
# After one the next is tried later and later; others may work meanwhile.
MOST_BETWEEN_TRIES_S = 60.0
LOOK_EVERY_S = 1.0
# What Ray says of workers that had no part in it.
NODE_DIED = "its node has died"
# Shared memory of a cluster that is started here: for models, and for what is under way.
LEAST_STORE_BYTES = 200_000_000


@dataclass
class Request:
    """Work that somebody waits for.

    Attributes:
        file: to be sent along where a worker can't read it; None for a frame, and for what is too
            large to be sent.
        not_at: workers that can't read what is too large to be sent.
        with_content: the bytes of the file are to be sent along.
        was_asked: the worker that has it was alive when it got it.
        deaths, alone: of workers that had it, and of those that had nothing else.
    """

    number: int
    verb: str
    work: bytes
    file: str | None = None
    with_content: bool = False
    not_at: set[int] = field(default_factory=set)
    was_asked: bool = False
    deaths: int = 0
    alone: int = 0


@dataclass
class RayWorker:
    """A worker as the cluster's side knows it.

    Attributes:
        number: that it is known by.
        works_on: requests that it has now.
        misses: files in a row that it could not read by their paths.
    """

    number: int
    handle: Any
    share: Share
    about: tuple[str, str] | None = None
    works_on: dict[int, Request] = field(default_factory=dict)
    misses: int = 0


@dataclass(frozen=True)
class Start:
    """How workers are made.

    Attributes:
        worker: "module:class" of what runs on the cluster.
        cores, folder: of a cluster that is started here, see StartedHere.
        cores_each: of a worker, at most.
        wait_s: how long it may have no worker at all, or not answer.
    """

    address: str
    files: Sequence[str]
    cuts_nothing: bool
    cores: int
    folder: str
    wait_s: float
    cores_each: int = CORES_EACH
    worker: str = "src.processing.cluster.workers:Worker"


class RayCluster:
    """Gives requests to workers, each to one at a time; its own thread does all of it."""

    def __init__(
        self,
        start: Start,
        setup: bytes,
        reply: Callable[[Request, str, bytes, int | None], None],
        tell: Callable[[list[dict[str, Any]], str], None],
        is_connected: Callable[[], None],
    ) -> None:
        """Connect, and have workers made.

        Args:
            setup: a pickled WorkerSetup.
            reply: called with a request, "done" or why not, what it gave, and which worker did it.
            tell: called with what each worker is, and why others can't begin, when that has
                changed.
            is_connected: called once there is a cluster, before the models are sent to it.

        Raises:
            ClusterTroubleError: there is no such cluster.
        """
        self._start, self._reply, self._tell = start, reply, tell
        models = [Path(each) for each in start.files]
        room = LEAST_STORE_BYTES + 2 * sum(each.stat().st_size for each in models)
        self._ray = connected(start.address, StartedHere(start.cores, room, start.folder))
        is_connected()
        module, _, name = start.worker.partition(":")
        self._class = self._ray.remote(getattr(importlib.import_module(module), name))
        self._setup = self._ray.put(setup)
        self._files = [self._ray.put(each.read_bytes()) for each in models]
        self._events: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._calls = ThreadPoolExecutor(8, "calls")  # what may wait for the cluster
        self._looks = ThreadPoolExecutor(1, "looks")  # must not wait for files that are sent
        self._numbers = itertools.count()
        self._waiting: deque[Request] = deque()
        self._workers: list[RayWorker] = []
        self._being_made: Counter[Share] = Counter()
        self._false_starts = 0
        self._problem = ""
        self._tries_again_at = self._without_since = time.monotonic()
        self._looks_since: float | None = None
        self._told: tuple[list[dict[str, Any]], str] = [], ""

    def ask(self, request: Request) -> None:
        """Have something done; any thread may call it."""
        self._events.put(lambda: self._take(request))

    def end(self) -> None:
        """Have `run` end; any thread may call it."""
        self._events.put(None)

    def run(self) -> None:
        """Give out work until the end is asked for.

        Raises:
            ClusterTroubleError: it can't go on.
        """
        looked_at = -LOOK_EVERY_S
        while True:
            if time.monotonic() - looked_at >= LOOK_EVERY_S:
                looked_at = time.monotonic()
                self._look()
            try:
                event = self._events.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                continue
            if event is None:
                return
            event()
            self._give_out()
            self._say()

    def close(self) -> None:
        """Give the workers back, and end a cluster that was started here."""
        for threads in (self._calls, self._looks):
            threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            try:
                self._ray.kill(worker.handle)
            except Exception:
                pass  # it is gone
        self._ray.shutdown()

    # -- workers

    def _look(self) -> None:
        """See whether the cluster has room for more workers, and whether there are any."""
        now, wait_s = time.monotonic(), self._start.wait_s
        if any(each.about for each in self._workers):
            self._without_since = now
        elif now - self._without_since > wait_s:
            why = self._problem or (
                "see with `ray status` whether its machines are there, and whether others use all "
                "their cores"
            )
            raise ClusterTroubleError(f"no worker could begin in {wait_s:.0f} s; {why}")
        if self._looks_since is None:
            self._looks_since = now
            self._call(self._machines, self._looked, self._looks)
        elif now - self._looks_since > wait_s:
            raise ClusterTroubleError(
                f"its head has not answered for {wait_s:.0f} s; see whether it is on the network"
            )
        self._say()

    def _machines(self) -> list[dict[str, float]]:
        return [each["Resources"] for each in self._ray.nodes() if each["Alive"]]

    def _looked(self, machines: Future[list[dict[str, float]]]) -> None:
        self._looks_since = None
        if machines.exception() is not None:
            raise ClusterTroubleError(f"its head does not answer ({short(machines.exception())})")
        if time.monotonic() < self._tries_again_at:
            return
        there = Counter(each.share for each in self._workers) + self._being_made
        lacking = plan(machines.result(), self._start.cores_each) - there
        if not lacking and all(each.about for each in self._workers):
            self._problem = ""
        for share in lacking.elements():
            self._being_made[share] += 1
            self._call(partial(self._made, share), self._has_made)

    def _made(self, share: Share) -> RayWorker:
        resources = {"num_cpus": share.cores, "num_gpus": share.gpus}
        threads = share.threads(self._start.cuts_nothing)
        made = self._class.options(**resources, max_concurrency=threads, max_restarts=0)
        return RayWorker(
            next(self._numbers), made.remote(self._setup, share.cores, *self._files), share
        )

    def _has_made(self, made: Future[RayWorker]) -> None:
        if made.exception() is not None:
            raise ClusterTroubleError(f"its head does not answer ({short(made.exception())})")
        worker = made.result()
        self._being_made[worker.share] -= 1
        self._workers.append(worker)
        self._await(worker.handle.about.remote(), lambda about: self._began(worker, about))

    def _began(self, worker: RayWorker, about: Future[tuple[str, str]]) -> None:
        error = about.exception()
        if error is None:
            worker.about, self._false_starts = about.result(), 0
            return
        self._workers.remove(worker)
        self._false_starts += 1
        self._problem = f"its workers can't begin ({short(error)})"
        wait_s = min(2.0**self._false_starts, MOST_BETWEEN_TRIES_S)
        self._tries_again_at = time.monotonic() + wait_s
        is_last = not self._workers and not self._being_made.total()
        if is_last and self._false_starts >= MOST_FALSE_STARTS:
            raise ClusterTroubleError(self._problem)

    # -- work

    def _take(self, request: Request) -> None:
        self._waiting.append(request)

    def _give_out(self) -> None:
        """Give what waits to whoever has least to do."""
        for request in list(self._waiting):
            if request.not_at and self._is_nowhere(request):
                self._waiting.remove(request)
                self._reply(request, "unread", b"", None)
            elif (worker := self._free_for(request)) is not None:
                self._waiting.remove(request)
                self._give(worker, request)
            elif not request.not_at:
                return  # nobody is free

    def _is_nowhere(self, request: Request) -> bool:
        """Return whether no worker can read what a request is about."""
        begun = {each.number for each in self._workers if each.about is not None}
        return bool(begun) and begun <= request.not_at

    def _free_for(self, request: Request) -> RayWorker | None:
        """Find a worker; what a worker has died with is given to one that has nothing else."""
        most = 1 if request.deaths else None
        free = [
            each
            for each in self._workers
            if each.about is not None
            and each.number not in request.not_at
            and len(each.works_on) < (most or each.share.depth(self._start.cuts_nothing))
            and not any(other.deaths for other in each.works_on.values())
        ]
        return min(
            free, key=lambda each: len(each.works_on) / max(1, each.share.cores), default=None
        )

    def _give(self, worker: RayWorker, request: Request) -> None:
        """Give work to a worker; one that may kill it is given to one that is alive for sure."""
        worker.works_on[request.number] = request
        request.was_asked = not request.deaths
        if request.was_asked:
            self._send(worker, request)
            return

        def answered(about: Future[Any]) -> None:
            if worker.works_on.get(request.number) is not request:
                return
            if (error := about.exception()) is not None:
                self._died(worker, error)
                return
            request.was_asked = True
            self._send(worker, request)

        self._await(worker.handle.about.remote(), answered)

    def _send(self, worker: RayWorker, request: Request) -> None:
        if request.file is not None and worker.misses >= 3:
            request.with_content = True

        def send() -> Any:
            ask = getattr(worker.handle, request.verb).remote
            if request.with_content and request.file is not None:
                return ask(request.work, Path(request.file).read_bytes())
            return ask(request.work)

        def sent(call: Future[Any]) -> None:
            if worker.works_on.get(request.number) is not request:
                return  # the worker has died meanwhile
            error = call.exception()
            if error is None:
                self._await(call.result(), lambda made: self._ended(worker, request, made))
            elif isinstance(error, OSError) and not isinstance(error, ConnectionError):
                # the file is gone: it is read in its turn
                del worker.works_on[request.number]
                self._reply(request, "gone", b"", None)
            else:
                self._died(worker, error)

        self._call(send, sent)

    def _ended(self, worker: RayWorker, request: Request, made: Future[bytes]) -> None:
        if worker.works_on.get(request.number) is not request:
            return  # it was given to another one, when this one died
        error = made.exception()
        if error is not None:
            self._died(worker, error)
            return
        result = made.result()
        if request.file is not None and not request.with_content:
            worker.misses = worker.misses + 1 if result == NOT_READ else 0
        if result == NOT_READ and request.file is None:
            del worker.works_on[request.number]
            request.not_at.add(worker.number)
            self._waiting.appendleft(request)
            return
        if result == NOT_READ:
            request.with_content = True
            self._send(worker, request)
            return
        del worker.works_on[request.number]
        self._reply(request, "done", result, worker.number)

    def _died(self, worker: RayWorker, error: BaseException) -> None:
        """Ask others what a worker has left, but not for ever what it may have died of."""
        if worker not in self._workers:
            return
        self._workers.remove(worker)
        try:
            self._ray.kill(worker.handle)
        except Exception:
            pass  # it is gone
        left = list(worker.works_on.values())
        for request in left:
            if request.was_asked:
                # one that is given its first work may have died before, as its machine did
                is_sure = request.deaths > 0 and NODE_DIED not in str(error)
                request.deaths += 1
                request.alone += is_sure and len(left) == 1
            if request.alone >= MOST_DEATHS_ALONE or request.deaths >= MOST_DEATHS:
                self._reply(request, "killed", short(error).encode(), None)
            else:
                self._waiting.append(request)

    # -- between threads

    def _call(
        self,
        work: Callable[[], Any],
        then: Callable[[Future[Any]], None],
        threads: ThreadPoolExecutor | None = None,
    ) -> None:
        (threads or self._calls).submit(work).add_done_callback(
            lambda made: self._events.put(lambda: then(made))
        )

    def _await(self, promised: Any, then: Callable[[Future[Any]], None]) -> None:
        promised.future().add_done_callback(lambda made: self._events.put(lambda: then(made)))

    def _say(self) -> None:
        """Tell of the workers when one has come or gone."""
        now = [
            {"number": each.number, "machine": each.about[0], "device": each.about[1]}
            for each in self._workers
            if each.about is not None
        ]
        if (now, self._problem) != self._told:
            self._told = now, self._problem
            self._tell(now, self._problem)


def started_thread(work: Callable[[], None]) -> threading.Thread:
    """Start a thread that keeps nobody from ending."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
