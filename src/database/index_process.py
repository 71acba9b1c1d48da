"""The application's side of the pipe to the child process that holds Chroma."""

from __future__ import annotations

import logging
import queue
import subprocess
import threading
from io import BufferedReader
from pathlib import Path
from typing import Any

from src.child_processes import Message, killed_after, read_message, start_child, write_message
from src.chroma_address import ChromaAddress

START_S = 60.0
REQUEST_S = 60.0
LEAVE_S = 20.0
# Only a process that waits for a dead drive lives on longer after a kill.
KILLED_S = 10.0

log = logging.getLogger(__name__)


class IndexUnavailableError(Exception):
    """The child does not answer, or says that the index can't be trusted."""


class IndexAwayError(IndexUnavailableError):
    """A server that keeps the index can't be reached; the index itself may be sound."""


class IndexBusyError(IndexUnavailableError):
    """Other requests took all the time; the index itself may be sound."""


class IndexProcess:
    """One child with one Chroma folder, or database. Calls may come from any thread, by turns.

    No call takes longer than its time limit, whatever the child does: what is not done by then
    is ended by a kill, which also ends a write into a pipe that nobody reads.
    """

    def __init__(self, place: Path | str, server: ChromaAddress | None = None) -> None:
        """Start the child.

        Args:
            place: the folder; the name of the database where a server keeps it.

        Raises:
            IndexUnavailableError: the system can't start another process.
        """
        self._is_remote = server is not None
        self._lock = threading.Lock()
        # simple ones stay sound where a signal interrupts the waiting
        self._answers: queue.SimpleQueue[tuple[dict[str, Any], bytearray] | None] = (
            queue.SimpleQueue()
        )
        try:
            of_server = () if server is None else (str(server),)
            self._child = start_child("src.database.index_server", str(place), *of_server)
        except OSError as exc:  # no memory, no more processes
            raise IndexUnavailableError(f"its process can't be started ({exc})") from exc
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._child.pid

    def _read(self) -> None:
        assert isinstance(self._child.stdout, BufferedReader)
        try:
            while (message := read_message(self._child.stdout)) is not None:
                self._answers.put(message)
        finally:
            self._child.stdout.close()
            self._answers.put(None)

    def ask(
        self, request: dict[str, Any], payload: bytes = b"", timeout_s: float | None = None
    ) -> Message:
        """Send a request and wait for its answer.

        Args:
            timeout_s: of waiting for a turn, and again of the request itself; REQUEST_S when
                None.

        Raises:
            IndexBusyError: its turn did not come.
            IndexAwayError: a server that it asks can't be reached, or did not answer in time.
            IndexUnavailableError: the child said no, is gone, or did not read or answer in time;
                a child that hangs is killed, since its next answer would be taken for another's.
        """
        assert self._child.stdin is not None
        timeout_s = REQUEST_S if timeout_s is None else timeout_s
        if not self._lock.acquire(timeout=timeout_s):
            raise IndexBusyError(f"it was busy for {timeout_s:.0f} s")
        try:
            with killed_after(self._child, timeout_s) as late:
                try:
                    write_message(self._child.stdin, request, payload)
                    answer = self._answers.get(timeout=timeout_s + KILLED_S)
                except (OSError, ValueError, queue.Empty) as exc:
                    raise self._gone(late, timeout_s) from exc
            if answer is None:
                raise self._gone(late, timeout_s)
        finally:
            self._lock.release()
        if "error" in answer[0]:
            kind = IndexAwayError if answer[0].get("away") else IndexUnavailableError
            raise kind(answer[0]["error"])
        return answer

    def _gone(self, late: threading.Event, limit_s: float) -> IndexUnavailableError:
        """Say why no answer came; of a server that says nothing about what it keeps."""
        why = f"no answer within {limit_s:.0f} s" if late.is_set() else "its process is gone"
        return IndexAwayError(why) if self._is_remote else IndexUnavailableError(why)

    def close(self) -> None:
        """Wait for the child to finish and exit; one that does not is killed."""
        assert self._child.stdin is not None
        with killed_after(self._child, LEAVE_S):
            try:
                self._child.stdin.close()
            except OSError:
                pass  # a request that it never read to its end
            try:
                self._child.wait(LEAVE_S + KILLED_S)
            except subprocess.TimeoutExpired:
                log.warning("the index's process %d outlives its kill", self.pid)
