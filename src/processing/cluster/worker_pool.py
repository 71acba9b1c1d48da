"""The workers on a Ray cluster: made where it has room, looked after, and given up when gone."""

from __future__ import annotations

import importlib
import itertools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from src.processing.cluster.connection import ClusterTroubleError, short
from src.processing.cluster.event_loop import EventLoop
from src.processing.cluster.planning import CORES_EACH, Share, plan

# Workers that never began, one after another: it is no accident.
MOST_FALSE_STARTS = 3
# After one the next is tried later and later; others may work meanwhile.
MOST_BETWEEN_TRIES_S = 60.0
LOOK_EVERY_S = 1.0
# A worker has a thread for answering that it is there, so one that does not for so many looks, a
# minute, has stopped. A clock would go on while this program itself is stopped, by Ctrl-Z.
SILENT_LOOKS = 60


@dataclass
class Request:
    """Work that somebody waits for.

    Attributes:
        file: to be sent along where a worker can't read it; None for a frame, and for what is too
            large to be sent.
        not_at: workers that can't do it.
        why_not: why the last of them can't.
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
    why_not: str = ""
    was_asked: bool = False
    deaths: int = 0
    alone: int = 0


@dataclass
class RayWorker:
    """A worker as the cluster's side knows it.

    Attributes:
        number: that it is known by.
        about: its machine and what it computes on; None until it has begun.
        works_on: requests that it has now.
        misses: files in a row that it could not read by their paths.
        silent_looks: so many since it was asked whether it is there; 0 once it has answered.
    """

    number: int
    handle: Any
    share: Share
    about: tuple[str, str] | None = None
    works_on: dict[int, Request] = field(default_factory=dict)
    misses: int = 0
    silent_looks: int = 0


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


class WorkerPool:
    """All workers of a job. Only the thread of its event loop may call it.

    Attributes:
        workers: that were made and are not known to be gone.
        problem: why more of them can't begin.
    """

    def __init__(
        self,
        ray: Any,
        start: Start,
        setup: bytes,
        loop: EventLoop,
        lost: Callable[[RayWorker, BaseException], None],
        tell: Callable[[list[dict[str, Any]], str], None],
    ) -> None:
        """Send the models; make no worker yet.

        Args:
            ray: the module, connected.
            setup: a pickled WorkerSetup.
            lost: called with a worker that is gone, and how that is known.
            tell: called with what each worker is, and with `problem`, when that has changed.
        """
        self._ray, self._start, self._loop, self._lost, self._tell = ray, start, loop, lost, tell
        module, _, name = start.worker.partition(":")
        self._class = ray.remote(getattr(importlib.import_module(module), name))
        self._setup = ray.put(setup)
        self._files = [ray.put(Path(each).read_bytes()) for each in start.files]
        self.workers: list[RayWorker] = []
        self.problem = ""
        self._numbers = itertools.count()
        self._being_made: Counter[Share] = Counter()
        self._false_starts = 0
        self._tries_again_at = self._without_since = time.monotonic()
        self._looks_since: float | None = None
        self._told: tuple[list[dict[str, Any]], str] = [], ""

    @property
    def begun(self) -> list[RayWorker]:
        """Return those that can be asked."""
        return [each for each in self.workers if each.about is not None]

    def look(self) -> None:
        """See which workers are there, and whether the cluster has room for more.

        Raises:
            ClusterTroubleError: there have been none for long, or the cluster does not answer.
        """
        now, wait_s = time.monotonic(), self._start.wait_s
        self._see_who_is_there()
        if self.begun:
            self._without_since = now
        elif now - self._without_since > wait_s:
            why = self.problem or (
                "see with `ray status` whether its machines are there, and whether others use all "
                "their cores"
            )
            raise ClusterTroubleError(f"no worker could begin in {wait_s:.0f} s; {why}")
        if self._looks_since is None:
            self._looks_since = now
            self._loop.call(self._machines, self._looked, is_look=True)
        elif now - self._looks_since > wait_s:
            raise ClusterTroubleError(
                f"its head has not answered for {wait_s:.0f} s; see whether it is on the network"
            )
        self.say()

    def ask_about(self, worker: RayWorker, then: Callable[[Future[tuple[str, str]]], None]) -> None:
        """Ask a worker what it is, which it answers whatever else it does."""
        self._loop.when_there(worker.handle.about.remote(), then)

    def give_up(self, worker: RayWorker) -> bool:
        """Have a worker ended that is gone; returns whether that was not known."""
        if worker not in self.workers:
            return False
        self.workers.remove(worker)
        self._kill(worker)
        return True

    def say(self) -> None:
        """Tell of the workers when one has come or gone."""
        now = [
            {"number": each.number, "machine": each.about[0], "device": each.about[1]}
            for each in self.workers
            if each.about is not None
        ]
        if (now, self.problem) != self._told:
            self._told = now, self.problem
            self._tell(now, self.problem)

    def close(self) -> None:
        """Give all of them back."""
        for worker in self.workers:
            self._kill(worker)

    def _kill(self, worker: RayWorker) -> None:
        try:
            self._ray.kill(worker.handle)
        except Exception:
            pass  # it is gone

    def _see_who_is_there(self) -> None:
        """Ask each worker whether it is there; one that waits for work would not be missed."""
        for worker in self.begun:
            worker.silent_looks += 1
            if worker.silent_looks == 1:
                self.ask_about(worker, partial(self._is_there, worker))
            elif worker.silent_looks > SILENT_LOOKS:
                silent_s = SILENT_LOOKS * LOOK_EVERY_S
                self._lost(worker, TimeoutError(f"it has not answered for {silent_s:.0f} s"))

    def _is_there(self, worker: RayWorker, about: Future[tuple[str, str]]) -> None:
        worker.silent_looks = 0
        if (error := about.exception()) is not None:
            self._lost(worker, error)

    def _machines(self) -> list[dict[str, float]]:
        return [each["Resources"] for each in self._ray.nodes() if each["Alive"]]

    def _looked(self, machines: Future[list[dict[str, float]]]) -> None:
        self._looks_since = None
        if machines.exception() is not None:
            raise ClusterTroubleError(f"its head does not answer ({short(machines.exception())})")
        if time.monotonic() < self._tries_again_at:
            return
        there = Counter(each.share for each in self.workers) + self._being_made
        lacking = plan(machines.result(), self._start.cores_each) - there
        if not lacking and all(each.about for each in self.workers):
            self.problem = ""
        for share in lacking.elements():
            self._being_made[share] += 1
            self._loop.call(partial(self._made, share), self._has_made)

    def _made(self, share: Share) -> RayWorker:
        resources = {"num_cpus": share.cores, "num_gpus": share.gpus}
        # one thread is left to answer in, whatever it works on
        threads = share.depth(self._start.cuts_nothing) + 1
        made = self._class.options(**resources, max_concurrency=threads, max_restarts=0)
        return RayWorker(
            next(self._numbers), made.remote(self._setup, share.cores, *self._files), share
        )

    def _has_made(self, made: Future[RayWorker]) -> None:
        if made.exception() is not None:
            raise ClusterTroubleError(f"its head does not answer ({short(made.exception())})")
        worker = made.result()
        self._being_made[worker.share] -= 1
        self.workers.append(worker)
        self.ask_about(worker, partial(self._began, worker))

    def _began(self, worker: RayWorker, about: Future[tuple[str, str]]) -> None:
        error = about.exception()
        if error is None:
            worker.about, self._false_starts = about.result(), 0
            return
        self.workers.remove(worker)
        self._false_starts += 1
        self.problem = f"its workers can't begin ({short(error)})"
        wait_s = min(2.0**self._false_starts, MOST_BETWEEN_TRIES_S)
        self._tries_again_at = time.monotonic() + wait_s
        is_last = not self.workers and not self._being_made.total()
        if is_last and self._false_starts >= MOST_FALSE_STARTS:
            raise ClusterTroubleError(self.problem)
