"""The application's side of the pipe to the child process that holds Chroma."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from src.config import APPLICATION_FOLDER, NO_CONSOLE
from src.database.index_server import read_message, write_message

START_S = 60.0
REQUEST_S = 60.0
LEAVE_S = 20.0


class IndexUnavailableError(Exception):
    """The child does not answer, or says that the index can't be trusted."""


class IndexProcess:
    """One child with one Chroma folder. Calls may come from any thread; they take turns."""

    def __init__(self, folder: Path) -> None:
        """Start the child.

        Raises:
            IndexUnavailableError: the system has no room for another process.
        """
        self.folder = folder
        self._lock = threading.Lock()
        # simple ones stay sound where a signal interrupts the waiting
        self._answers: queue.SimpleQueue[tuple[dict[str, Any], bytes] | None] = queue.SimpleQueue()
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "src.database.index_server", str(folder)],
                cwd=APPLICATION_FOLDER,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # A Ctrl-C in the terminal is for the application: the child leaves when told to.
                start_new_session=True,
                creationflags=NO_CONSOLE,
            )
        except OSError as exc:  # no memory, no more processes
            raise IndexUnavailableError(f"its process can't be started ({exc})") from exc
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._child.pid

    def _read(self) -> None:
        assert self._child.stdout is not None
        try:
            while (message := read_message(self._child.stdout)) is not None:
                self._answers.put(message)
        finally:
            self._answers.put(None)

    def ask(
        self, request: dict[str, Any], payload: bytes = b"", timeout_s: float | None = None
    ) -> tuple[dict[str, Any], bytes]:
        """Send a request and wait for its answer.

        Raises:
            IndexUnavailableError: the child said no, is gone, or did not answer in time; a child
                that hangs is killed, since its next answer would be taken for another's.
        """
        assert self._child.stdin is not None
        timeout_s = REQUEST_S if timeout_s is None else timeout_s
        with self._lock:
            try:
                write_message(self._child.stdin, request, payload)
                answer = self._answers.get(timeout=timeout_s)
            except queue.Empty as exc:
                self._child.kill()
                raise IndexUnavailableError(f"no answer within {timeout_s:.0f} s") from exc
            except (OSError, ValueError) as exc:
                raise IndexUnavailableError("its process is gone") from exc
            if answer is None:
                raise IndexUnavailableError("its process is gone")
        if "error" in answer[0]:
            raise IndexUnavailableError(answer[0]["error"])
        return answer

    def close(self) -> None:
        """Let the child finish and leave; one that does not is killed."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.close()
            self._child.wait(LEAVE_S)
        except (OSError, subprocess.TimeoutExpired):
            self._child.kill()
            self._child.wait()
