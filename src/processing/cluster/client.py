"""The library's side of the pipes to the child process that speaks with a Ray cluster."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from src.child_processes import cores, killed_after, read_message, start_child, write_message
from src.cluster_address import AUTO, LOCAL, parse_cluster
from src.counting import counted
from src.errors import ClusterError
from src.events import ClusterWorkers
from src.stopping import ask_wanted, wanted

# Leaving a cluster takes a second or two; the child goes on with that by itself after this.
LEAVE_S = 1.0
# One that is not gone by then has stopped.
MOST_LEAVE_S = 20.0
# How long it takes at most to connect, or to start a cluster, on a machine with much else to do.
CONNECT_S = 90.0
# How long a cluster may have no worker at all before a job on it ends.
WAIT_S = 120.0
# To look what is there, without a job.
TEST_CLUSTER_S = 60.0
AGAIN = "What is stored is whole, and the next add goes on with the rest"


@dataclass(frozen=True)
class _Asked:
    """Work that somebody waits for; `file` and `count` as for ClusterProcess.ask."""

    future: Future[tuple[str, bytes]]
    file: Path | None
    count: Callable[[bytes], int] | None


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
        self._asked: dict[int, _Asked] = {}
        self._trouble: ClusterError | None = None
        self._workers: list[dict[str, Any]] = []
        self._problem, self._wait_s = "", wait_s
        self._sent: set[Path] = set()  # a video is sent once for each span, and counts once
        self._done: Counter[int] = Counter()
        # Set once a first worker has begun; or with why none can.
        self.begun: Future[None] = Future()
        self._folder = _ray_folder() if address == LOCAL else ""
        start: dict[str, Any] = {
            "address": address,
            "folder": self._folder,
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
        """Return what is known of the workers now; None before the first has begun."""
        told = self._workers
        if not self.begun.done():
            return None
        return ClusterWorkers(
            tuple(each["machine"] for each in told),
            tuple(each["device"] for each in told),
            tuple(self._done[each["number"]] for each in told),
            len(self._sent),
            self._problem,
            self._wait_s,
        )

    def ask(
        self,
        verb: str,
        work: bytes,
        file: Path | None = None,
        count: Callable[[bytes], int] | None = None,
    ) -> Future[tuple[str, bytes]]:
        """Have a worker do something.

        Args:
            file: to be sent along where a worker can't read it.
            count: how many images or frames an answer is of; without it, of one.

        Returns:
            How it ended, see RayCluster, and what it gave; or ClusterError.
        """
        future: Future[tuple[str, bytes]] = Future()
        number = next(self._numbers)
        with self._lock:
            if self._trouble is not None:
                raise self._trouble
            self._asked[number] = _Asked(future, file, count)
        message = {"number": number, "verb": verb}
        self._send(message if file is None else {**message, "file": str(file)}, work)
        return future

    def close(self) -> None:
        """Leave the cluster; what is asked there still is given up."""
        if self._sending.acquire(timeout=LEAVE_S):
            with suppress(OSError):
                self._requests.close()
            self._sending.release()
        else:  # it takes nothing any more, and somebody waits for that
            self._child.kill()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(LEAVE_S)
        if self._child.poll() is None:
            threading.Thread(target=self._see_it_end, daemon=True).start()

    def _see_it_end(self) -> None:
        try:
            self._child.wait(MOST_LEAVE_S)  # it has a limit of its own, which is shorter
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _send(self, message: dict[str, Any], payload: bytes) -> None:
        try:
            with self._sending:
                write_message(self._requests, message, payload)
        except (OSError, ValueError):
            pass  # it has ended: the reader says why

    def _read(self) -> None:
        trouble, is_connected, is_late = "", False, False
        try:
            with killed_after(self._child, CONNECT_S) as late:
                first = read_message(self._answers)
                is_connected = first is not None and "connected" in first[0]
                is_late = late.is_set()
            if first is not None and not is_connected:
                trouble = first[0]["trouble"]
            while (message := read_message(self._answers)) is not None:
                trouble = self._take(*message) or trouble
        except Exception as exc:  # nobody may be left waiting
            trouble = trouble or f"what it says can't be read ({exc})"
        with suppress(OSError):
            self._answers.close()
        self._has_ended()
        error = self._error(trouble, is_connected, is_late)
        with self._lock:
            self._trouble = error
            left, self._asked = [each.future for each in self._asked.values()], {}
        unanswered: list[Future[Any]] = [*left, self.begun]
        for each in unanswered:
            if not each.done():
                each.set_exception(error)

    def _take(self, said: dict[str, Any], payload: bytearray) -> str | None:
        """Handle what the child says; returns why it can't go on."""
        if "number" in said:
            with self._lock:
                asked = self._asked.pop(said["number"])
            answer = bytes(payload)
            if said["by"] is not None:
                self._done[said["by"]] += 1 if asked.count is None else asked.count(answer)
                if said["sent"] and asked.file is not None:
                    self._sent.add(asked.file)
            asked.future.set_result((said["state"], answer))
        elif "workers" in said:
            self._workers, self._problem = said["workers"], said["problem"]
            if self._workers and not self.begun.done():
                self.begun.set_result(None)
        return said.get("trouble")

    def _has_ended(self) -> None:
        """Remove what a child that was killed has left of a cluster that it had started here."""
        if self._folder:
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(LEAVE_S)
            shutil.rmtree(self._folder, ignore_errors=True)

    def _error(self, trouble: str, is_connected: bool, is_late: bool) -> ClusterError:
        name = _named(self.address)
        gone = _ENDED if self.address == LOCAL else _GONE
        if is_connected:
            return ClusterError(f"{name} can't go on: {trouble or gone}. {AGAIN}")
        why = trouble or (_late(CONNECT_S) if is_late else gone)
        return ClusterError(f"{name} can't be used: {why}")


_GONE = "its head does not answer; see whether it still runs"
_ENDED = "it ended unexpectedly; see whether there is enough memory"


def _late(limit_s: float) -> str:
    return f"it did not answer in {limit_s:.0f} s; see whether its machines are on"


def _named(address: str) -> str:
    """Name a cluster in a sentence."""
    if address == LOCAL:
        return "Ray"
    return "the Ray cluster of this machine" if address == AUTO else f"the Ray cluster {address}"


def _ray_folder() -> str:
    """Make a folder for the files of a cluster that is started here.

    Its path is short, since those of Ray's sockets in it have 107 characters at most.
    """
    short = next(filter(os.path.isdir, filter(None, (os.environ.get("RAY_TMPDIR"), "/tmp"))), None)
    return tempfile.mkdtemp(prefix="media-ray-", dir=short)


def look_at_cluster(address: str) -> str:
    """Look what a cluster is made of; nothing is started on it, and none is started here.

    Args:
        address: see cluster_address.

    Returns:
        A sentence for a person.

    Raises:
        ClusterError: it can't be used; the message is a sentence, too.
        StoppedError: nobody waits for the answer.
    """
    try:
        address = parse_cluster(address)
    except ValueError as exc:
        raise ClusterError(str(exc)) from exc
    child = start_child("src.processing.cluster.server")
    assert child.stdin is not None
    assert isinstance(child.stdout, BufferedReader)
    with child, killed_after(child, TEST_CLUSTER_S, wanted()) as late:
        with suppress(OSError):  # it has ended: what it said is read
            write_message(child.stdin, {"look_at": address})
        answer = read_message(child.stdout)
    ask_wanted()
    said = {} if answer is None else answer[0]
    if "found" not in said:
        why = said.get("trouble") or (_late(TEST_CLUSTER_S) if late.is_set() else _GONE)
        raise ClusterError(why)
    found = said["found"]
    if address == LOCAL:
        return (
            f"Ray {found['version']} is installed; each job starts a cluster of this machine's "
            f"{counted(cores(), 'core')}."
        )
    gpus = f" and {counted(found['gpus'], 'GPU')}" if found["gpus"] else ""
    answers = "answers" if found["machines"] == 1 else "answer"
    return (
        f"{counted(found['machines'], 'machine')} {answers}, with "
        f"{counted(found['cores'], 'core')}{gpus} (Ray {found['version']})."
    )
