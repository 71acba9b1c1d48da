"""Work given to the workers on a Ray cluster, and given to others when they die.

It runs in a child process, which Ray ends when the head of a cluster is gone.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from src.processing.cluster.connection import (
    ClusterTroubleError,
    StartedHere,
    connected,
    short,
)
from src.processing.cluster.event_loop import EventLoop
from src.processing.cluster.work import NOT_READ, WHY_NOT
from src.processing.cluster.worker_pool import (
    LOOK_EVERY_S,
    RayWorker,
    Request,
    Start,
    WorkerPool,
)

# Whoever dies while it works on a request alone, so many times, dies of it.
MOST_DEATHS_ALONE = 2
# With others a request may be innocent; beyond this the cluster has other troubles.
MOST_DEATHS = 8
# What Ray says of workers that had no part in it.
NODE_DIED = "its node has died"
# Shared memory of a cluster that is started here: for models, and for what is under way.
LEAST_STORE_BYTES = 200_000_000


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
            reply: called with a request, "done" or why not, what it gave or what is known of the
                reason, and which worker did it.
            tell: called with what each worker is, and why others can't begin, when that has
                changed.
            is_connected: called once there is a cluster, before the models are sent to it.

        Raises:
            ClusterTroubleError: there is no such cluster.
        """
        self._start, self._reply = start, reply
        models = sum(Path(each).stat().st_size for each in start.files)
        room = LEAST_STORE_BYTES + 2 * models
        self._ray = connected(start.address, StartedHere(start.cores, room, start.folder))
        is_connected()
        self._loop = EventLoop()
        self.pool = WorkerPool(self._ray, start, setup, self._loop, self._died, tell)
        self._waiting: deque[Request] = deque()

    def ask(self, request: Request) -> None:
        """Have something done; any thread may call it."""
        self._loop.put(lambda: self._waiting.append(request))

    def end(self) -> None:
        """Have `run` end; any thread may call it."""
        self._loop.put(None)

    def run(self) -> None:
        """Give out work until the end is asked for.

        Raises:
            ClusterTroubleError: it can't go on.
        """
        try:
            self._run()
        except ConnectionError as exc:  # Ray's, of whatever is asked once it has lost the head
            raise ClusterTroubleError(f"its head does not answer ({short(exc)})") from exc

    def _run(self) -> None:
        looked_at = -LOOK_EVERY_S
        while True:
            if time.monotonic() - looked_at >= LOOK_EVERY_S:
                looked_at = time.monotonic()
                self.pool.look()
            try:
                event = self._loop.next(LOOK_EVERY_S)
            except queue.Empty:
                continue
            if event is None:
                return
            self.handle(event)

    def handle(self, event: Callable[[], None]) -> None:
        """Handle what has happened, and give out what can be given out now."""
        event()
        self._give_out()
        self.pool.say()

    def close(self) -> None:
        """Give the workers back, and end a cluster that was started here."""
        self._loop.close()
        self.pool.close()
        self._ray.shutdown()

    def _give_out(self) -> None:
        """Give what waits to whoever has least to do."""
        for request in list(self._waiting):
            if request.not_at and self._is_nowhere(request):
                self._waiting.remove(request)
                self._reply(request, "unread", request.why_not.encode(), None)
            elif (worker := self._free_for(request)) is not None:
                self._waiting.remove(request)
                self._give(worker, request)
            elif not request.not_at:
                return  # nobody is free

    def _is_nowhere(self, request: Request) -> bool:
        """Return whether no worker can do what a request asks for."""
        begun = {each.number for each in self.pool.begun}
        return bool(begun) and begun <= request.not_at

    def _free_for(self, request: Request) -> RayWorker | None:
        """Find a worker; what a worker has died with is given to one that has nothing else."""
        most = 1 if request.deaths else None
        free = [
            each
            for each in self.pool.begun
            if each.number not in request.not_at
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

        self.pool.ask_about(worker, answered)

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
                self._loop.when_there(call.result(), partial(self._ended, worker, request))
            elif isinstance(error, OSError) and not isinstance(error, ConnectionError):
                # the file is gone: it is read in its turn
                del worker.works_on[request.number]
                self._reply(request, "gone", b"", None)
            else:
                self._died(worker, error)

        self._loop.call(send, sent)

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
        if result == NOT_READ and request.file is not None:
            request.with_content = True
            self._send(worker, request)
            return
        del worker.works_on[request.number]
        # compared and not looked up: an answer of many megabytes would be hashed for it
        if any(result == each for each in WHY_NOT):
            request.not_at.add(worker.number)
            request.why_not = WHY_NOT[result]
            self._waiting.appendleft(request)
        else:
            self._reply(request, "done", result, worker.number)

    def _died(self, worker: RayWorker, error: BaseException) -> None:
        """Ask others what a worker has left, but not for ever what it may have died of."""
        if not self.pool.give_up(worker):
            return
        left = list(worker.works_on.values())
        worker.works_on.clear()  # what it may answer yet is no longer waited for
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


def started_thread(work: Callable[[], None]) -> threading.Thread:
    """Start a thread that keeps nobody from ending."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
