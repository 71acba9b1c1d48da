"""The library's side of the pipes to the child process that speaks with a Ray cluster."""

from __future__ import annotations

import itertools
import subprocess
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

from src.child_processes import cores, read_message, start_child, write_message
from src.errors import ClusterError
from src.events import ClusterWorkers

# Leaving a cluster takes a second or two; the child goes on with that by itself after this.
LEAVE_S = 1.0
# How long a cluster may have no worker at all before a job on it ends.
WAIT_S = 120.0
AGAIN = "What is stored is whole: `ingest` goes on with the rest"


class ClusterProcess:
    """One connection to a cluster, for one job. Calls may come from any thread.

    Ray is in a process of its own, since it ends that when the head of a cluster is gone.
    """

    def __init__(
        self,
        address: str,
        setup: bytes,
        files: Sequence[Path],
        cuts_nothing: bool,
        wait_s: float = WAIT_S,
        for_measurements: Mapping[str, Any] | None = None,
    ) -> None:
        """Begin to connect.

        Args:
            address: see cluster_address.
            setup: a pickled WorkerSetup.
            files: of the models.
            wait_s: how long it may have no worker.
            for_measurements: fields of ray_cluster.Start that have other values then.
        """
        self.address = address
        self._child = start_child("src.processing.cluster.server")
        assert self._child.stdin is not None
        assert isinstance(self._child.stdout, BufferedReader)
        self._requests, self._answers = self._child.stdin, self._child.stdout
        self._lock, self._sending = threading.Lock(), threading.Lock()
        self._numbers = itertools.count()
        self._asked: dict[int, Future[tuple[str, bytes]]] = {}
        self._trouble: ClusterError | None = None
        self._is_closed = False
        self._workers: list[dict[str, Any]] = []
        self._done: Counter[int] = Counter()
        # Set once a first worker has begun; or with why none can.
        self.begun: Future[None] = Future()
        start: dict[str, Any] = {
            "address": address,
            "files": [str(each) for each in files],
            "cuts_nothing": cuts_nothing,
            "cores": cores(),
            "wait_s": wait_s,
            **(for_measurements or {}),
        }
        self._reader = threading.Thread(target=self._read, name="cluster", daemon=True)
        self._reader.start()
        self._send(start, setup)

    @property
    def workers(self) -> ClusterWorkers | None:
        """Return what is known of the workers now; None while there is none."""
        told = self._workers
        if not told:
            return None
        return ClusterWorkers(
            tuple(each["machine"] for each in told),
            tuple(each["device"] for each in told),
            tuple(self._done[each["number"]] for each in told),
        )

    def ask(self, verb: str, work: bytes, file: Path | None = None) -> Future[tuple[str, bytes]]:
        """Have a worker do something.

        Args:
            file: to be sent along where a worker can't read it.

        Returns:
            How it ended, see RayCluster, and what it gave; or ClusterError.
        """
        future: Future[tuple[str, bytes]] = Future()
        number = next(self._numbers)
        with self._lock:
            if self._trouble is not None:
                raise self._trouble
            self._asked[number] = future
        message = {"number": number, "verb": verb}
        self._send(message if file is None else {**message, "file": str(file)}, work)
        return future

    def close(self) -> None:
        """Leave the cluster; what is asked there still is given up."""
        self._is_closed = True
        with suppress(OSError), self._sending:
            self._requests.close()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(LEAVE_S)
        if self._child.poll() is None:  # it has its own limit
            threading.Thread(target=self._child.wait, daemon=True).start()

    def _send(self, message: dict[str, Any], payload: bytes) -> None:
        try:
            with self._sending:
                write_message(self._requests, message, payload)
        except (OSError, ValueError):
            pass  # it has ended: the reader says why

    def _read(self) -> None:
        trouble: str | None = None
        try:
            while (message := read_message(self._answers)) is not None:
                said, payload = message
                if "number" in said:
                    with self._lock:
                        future = self._asked.pop(said["number"])
                    if said["by"] is not None:
                        self._done[said["by"]] += 1
                    future.set_result((said["state"], bytes(payload)))
                elif "workers" in said:
                    self._workers = said["workers"]
                    if self._workers and not self.begun.done():
                        self.begun.set_result(None)
                elif "trouble" in said:
                    trouble = said["trouble"]
        except Exception as exc:  # nobody may be left waiting
            trouble = trouble or f"what it says can't be read ({exc})"
        with suppress(OSError):
            self._answers.close()
        name = "Ray" if self.address == "local" else f"the Ray cluster {self.address}"
        why = trouble or "the connection was lost; see whether its head still runs"
        with self._lock:
            self._trouble = ClusterError(f"{name}: {why}. {AGAIN}")
            left, self._asked = list(self._asked.values()), {}
        unanswered: list[Future[Any]] = [*left, self.begun]
        for each in unanswered:
            if not each.done():
                each.set_exception(self._trouble)
