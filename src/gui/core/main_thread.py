"""One queue into the window's thread: no other thread ever touches a widget."""

from __future__ import annotations

import logging
import queue
import sys
import time
import tkinter
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from src.errors import GivenUp
from src.stopping import StoppedError

Result = TypeVar("Result")

# Often enough that a search result does not wait, rarely enough to cost nothing at rest.
EVERY_MS = 15
# Each call into Tk releases the GIL, and waits for it again while another thread computes: at
# Python's own 5 ms a dialog of a few hundred calls would take seconds.
SWITCH_S = 0.0005
# What is left after this time waits for the next turn, so that clicks are handled.
TURN_S = 0.008

log = logging.getLogger(__name__)


class MainThread:
    """Runs work in other threads and its callbacks in the window's thread."""

    def __init__(self, root: tkinter.Misc, on_error: Callable[[Exception], None]) -> None:
        """Start to drain the queue.

        Args:
            on_error: gets what failed and had no answer of its own.
        """
        sys.setswitchinterval(SWITCH_S)
        self._root = root
        self._on_error = on_error
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="query")
        # apart: where a library has no file to scan yet, searches wait until it is made
        self._search_threads = ThreadPoolExecutor(2, thread_name_prefix="search")
        self._own_threads: list[ThreadPoolExecutor] = []
        self._pollers: list[Callable[[], bool]] = []
        self._closed = False
        self._turn = root.after(EVERY_MS, self._drain)

    def post(self, call: Callable[[], None]) -> None:
        """Call something in the window's thread; may be called from any thread."""
        self._calls.put(call)

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something later in the window's thread; to be called from that thread."""
        self._root.after(round(1000 * seconds), self._safely, call)

    def poll(self, poller: Callable[[], bool]) -> None:
        """Call something in every turn; while it returns True it may have more at once."""
        self._pollers.append(poller)

    def run(
        self,
        work: Callable[[], Result],
        then: Callable[[Result], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        fails: str = "",
        is_search: bool = False,
    ) -> None:
        """Do work in another thread, and hand its result to `then` in this one.

        Args:
            failed: called with the exception in place of the window's error handler.
            fails: what to say where it fails, as a note of the exception; see `title_of`.
            is_search: it may take long, and holds up other searches alone.
        """
        threads = self._search_threads if is_search else self._threads
        self.run_in(threads, work, then, failed, fails)

    def own_thread(self, name: str) -> Executor:
        """Return one thread for `run_in`, which does its work in order."""
        self._own_threads.append(ThreadPoolExecutor(1, thread_name_prefix=name))
        return self._own_threads[-1]

    def run_in(
        self,
        threads: Executor,
        work: Callable[[], Result],
        then: Callable[[Result], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        fails: str = "",
    ) -> None:
        """Do work in some threads; see `run`."""

        def working() -> None:
            try:
                result = work()
            except (GivenUp, StoppedError):
                pass  # nobody waits for it any more
            except Exception as exc:  # whatever it is, it is shown to a person
                if fails:
                    exc.add_note(fails)
                answer = failed or self._on_error
                self.post(partial(answer, exc))
            else:
                if then is not None:
                    self.post(lambda: then(result))

        if not self._closed:
            threads.submit(working)

    def close(self) -> None:
        """Accept no more work, drop what waits, and wait for what runs."""
        self._closed = True
        self._root.after_cancel(self._turn)
        for threads in (self._threads, self._search_threads, *self._own_threads):
            threads.shutdown(wait=True, cancel_futures=True)

    def _drain(self) -> None:
        until = time.monotonic() + TURN_S
        try:
            while time.monotonic() < until:
                try:
                    call = self._calls.get_nowait()
                except queue.Empty:
                    break
                self._safely(call)
            for poller in self._pollers:
                while time.monotonic() < until and self._safely(poller):
                    pass
        finally:
            if not self._closed:
                self._turn = self._root.after(EVERY_MS, self._drain)

    def _safely(self, call: Callable[[], object]) -> object:
        """Run one callback; if it fails, the others must still run."""
        try:
            return call()
        except Exception as exc:
            log.exception("an answer to work in the background failed")
            self._on_error(exc)
            return None
