"""One thread that handles what happens, while other threads wait for it."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class EventLoop:
    """Events for one thread, and the threads that wait for what they are about."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._calls = ThreadPoolExecutor(8, "calls")  # what may wait for the cluster
        self._looks = ThreadPoolExecutor(1, "looks")  # must not wait for files that are sent

    def put(self, event: Callable[[], None] | None) -> None:
        """Have something done by the one thread; None asks it to end. Any thread may call it."""
        self._events.put(event)

    def next(self, timeout_s: float) -> Callable[[], None] | None:
        """Wait for the next event.

        Raises:
            queue.Empty: none came.
        """
        return self._events.get(timeout=timeout_s)

    def call(
        self,
        work: Callable[[], Any],
        then: Callable[[Future[Any]], None],
        is_look: bool = False,
    ) -> None:
        """Do work in another thread; how it ended is an event."""
        threads = self._looks if is_look else self._calls
        threads.submit(work).add_done_callback(lambda made: self.put(lambda: then(made)))

    def when_there(self, promised: Any, then: Callable[[Future[Any]], None]) -> None:
        """Wait for what Ray promises; how it ended is an event."""
        promised.future().add_done_callback(lambda made: self.put(lambda: then(made)))

    def close(self) -> None:
        """Wait for nothing any more."""
        for threads in (self._calls, self._looks):
            threads.shutdown(wait=False, cancel_futures=True)
