"""The background thread: runs jobs, which are generators of events, one after another."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from src.errors import MediaLibraryError
from src.events import Event
from src.stopping import StoppedError, stopped_by

log = logging.getLogger(__name__)

Job = Callable[[], Iterator[Event]]


@dataclass(frozen=True)
class JobEnded(Event):
    """The worker is through with a job.

    Attributes:
        error: what went wrong, be it while a cancelled one cleaned up; None when nothing did.
    """

    error: MediaLibraryError | None = None


class Worker:
    """Runs jobs in order; what they say comes out of `events` as (job id, event)."""

    def __init__(self) -> None:
        # simple ones stay sound where a signal interrupts the main thread in them
        self.events: queue.SimpleQueue[tuple[int, Event]] = queue.SimpleQueue()
        self._jobs: queue.SimpleQueue[tuple[int, Job] | None] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._numbers = itertools.count(1)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> int:
        """Queue a job; returns its id."""
        number = next(self._numbers)
        self._jobs.put((number, job))
        return number

    def cancel(self, job_id: int) -> None:
        """Stop a job at its next event, where it asks before that, or before it starts."""
        self._cancelled.add(job_id)

    def stop(self, timeout_s: float | None = None) -> bool:
        """Stop the running job as `cancel` does and start no other; returns whether it ended."""
        self._stopping.set()
        self._jobs.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (work := self._jobs.get()) is not None:
            number, job = work
            self.events.put((number, self._run_job(number, job)))

    def _run_job(self, number: int, job: Job) -> JobEnded:
        """Run a job to its end, and say how it ended: the thread must outlive whatever it raises.

        Closing a generator runs its clean-up, which can fail as well: on a full disk, say.
        """
        events: Iterator[Event] = iter(())
        try:
            try:
                if not self._is_over(number):
                    events = job()
                    with stopped_by(lambda: not self._is_over(number)):
                        self._tell_all(number, events)
            finally:
                if isinstance(events, Generator):
                    events.close()
        except StoppedError:
            return JobEnded()
        except MediaLibraryError as exc:
            return JobEnded(exc)
        except BaseException as exc:  # a panic of a library in Rust is no Exception
            log.exception("a job ended unexpectedly")
            return JobEnded(
                MediaLibraryError(f"unexpected: {type(exc).__name__}: {exc}; see the log")
            )
        return JobEnded()

    def _tell_all(self, number: int, events: Iterator[Event]) -> None:
        """Hand on what a job says to its end, or until it is stopped."""
        for event in events:
            self.events.put((number, event))
            if self._is_over(number):
                return

    def _is_over(self, number: int) -> bool:
        return self._stopping.is_set() or number in self._cancelled
