"""The application's side of the pipes to the child processes that decode images."""

from __future__ import annotations

import atexit
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from src.config import APPLICATION_FOLDER, NO_CONSOLE
from src.errors import MediaReadError
from src.processing.decoder_server import time_limit_s

# A job, two threads of thumbnails: more would only wait for a processor.
MOST = 3


class DecoderProcess:
    """One child. It serves one request at a time, and none after it has failed at one."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "src.processing.decoder_server"],
            cwd=APPLICATION_FOLDER,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A Ctrl-C in the terminal is for the application: the child leaves with its pipe.
            start_new_session=True,
            creationflags=NO_CONSOLE,
        )
        assert self._child.stdin is not None
        assert isinstance(self._child.stdout, io.BufferedReader)
        self._requests, self._answers = self._child.stdin, self._child.stdout
        self._late = False

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return not self._late and self._child.poll() is None

    def ask(self, path: Path, request: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray | None]:
        """Send a request about a file, and wait for the answer as long as it may take.

        Returns:
            The answer, and pixels where it has some: (H, W, 3) uint8 RGB.

        Raises:
            MediaReadError: the child crashed over the file, or hung and was killed.
        """
        limit_s = time_limit_s(0)
        watchdog = self._watch(limit_s)
        try:
            line = json.dumps({**request, "path": os.path.abspath(path)}).encode() + b"\n"
            self._requests.write(line)
            self._requests.flush()
            answer = self._line()
            while "pixels" in answer:  # a large one: it may take longer
                watchdog.cancel()
                limit_s = time_limit_s(answer["pixels"])
                watchdog = self._watch(limit_s)
                answer = self._line()
            pixels = None
            if "shape" in answer:
                pixels = np.empty(answer["shape"], np.uint8)
                if self._answers.readinto(pixels.data.cast("B")) < pixels.nbytes:
                    raise EOFError
        except (OSError, EOFError, ValueError) as exc:
            self.close()
            raise MediaReadError(path, self._last_words(limit_s)) from exc
        except BaseException:
            self.close()  # interrupted half-way: the next answer would be this one
            raise
        finally:
            watchdog.cancel()
        return answer, pixels

    def close(self) -> None:
        """End the child; it holds nothing that could be lost."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._requests, self._answers):
            try:
                pipe.close()
            except OSError:
                pass  # a request that was not read to its end

    def _line(self) -> dict[str, Any]:
        line = self._answers.readline()
        if not line.endswith(b"\n"):
            self._child.wait()  # so that how it ended is known before it is killed
            raise EOFError
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _watch(self, limit_s: float) -> threading.Timer:
        watchdog = threading.Timer(limit_s, self._kill_late)
        watchdog.daemon = True
        watchdog.start()
        return watchdog

    def _kill_late(self) -> None:
        self._late = True
        self._child.kill()

    def _last_words(self, limit_s: float) -> str:
        if self._late:
            return f"decoding took more than {limit_s:.0f} s and was stopped"
        code = self._child.returncode
        if code is not None and code < 0:
            return f"the decoder crashed ({signal.Signals(-code).name})"
        return f"the decoder stopped (exit code {code})"


class DecoderPool:
    """A few children, started when they are needed and kept. Calls may come from any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._room = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[DecoderProcess] = []

    def ask(self, path: Path, request: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray | None]:
        """Ask any of them; see DecoderProcess.ask."""
        with self._borrowed() as decoder:
            return decoder.ask(path, request)

    def close(self) -> None:
        """End those that are idle; the next request starts another."""
        with self._lock:
            idle, self._idle = self._idle, []
        for decoder in idle:
            decoder.close()

    @contextmanager
    def _borrowed(self) -> Iterator[DecoderProcess]:
        with self._room:
            decoder = self._take()
            try:
                yield decoder
            finally:
                if decoder.alive:
                    with self._lock:
                        self._idle.append(decoder)
                else:
                    decoder.close()

    def _take(self) -> DecoderProcess:
        while True:
            with self._lock:
                decoder = self._idle.pop() if self._idle else None
            if decoder is None:
                return DecoderProcess()
            if decoder.alive:
                return decoder
            decoder.close()  # killed from outside while it was idle


DECODERS = DecoderPool()
atexit.register(DECODERS.close)
