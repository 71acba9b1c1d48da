"""The application's side of the pipes to the child processes that decode images."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from src.child_processes import (
    Message,
    cores,
    killed_after,
    read_message,
    start_child,
    write_message,
)
from src.errors import MediaReadError
from src.processing.decoder_server import time_limit_s
from src.stopping import ask_wanted, wanted

# A job's threads, two of thumbnails: more would only wait for a processor.
MOST = cores() + 2


class DecoderProcess:
    """One child. It serves one request at a time, and none after it has failed at one."""

    def __init__(self) -> None:
        one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._child = start_child("src.processing.decoder_server", variables=one_thread)
        assert self._child.stdin is not None
        assert isinstance(self._child.stdout, BufferedReader)
        self._requests, self._answers = self._child.stdin, self._child.stdout
        self._late = threading.Event()

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return not self._late.is_set() and self._child.poll() is None

    def ask(self, path: Path, request: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray | None]:
        """Send a request about a file, and wait for the answer as long as it may take.

        Returns:
            The answer, and pixels where it has some: (H, W, 3) uint8 RGB.

        Raises:
            MediaReadError: the child crashed over the file, or hung and was killed.
            StoppedError: nobody waits for it any more.
        """
        limit_s = time_limit_s(0)
        try:
            with killed_after(self._child, limit_s, wanted()) as self._late:
                write_message(self._requests, {**request, "path": os.path.abspath(path)})
                answer, payload = self._message()
            while "pixels" in answer:  # a large one: it may take longer
                limit_s = time_limit_s(answer["pixels"])
                with killed_after(self._child, limit_s, wanted()) as self._late:
                    answer, payload = self._message()
            shape = answer.get("shape")
            pixels = None if shape is None else np.frombuffer(payload, np.uint8).reshape(shape)
        except (OSError, EOFError, ValueError) as exc:
            self.close()
            ask_wanted()
            raise MediaReadError(path, self._last_words(limit_s)) from exc
        except BaseException:
            self.close()  # interrupted half-way: the next answer would be this one
            raise
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

    def _message(self) -> Message:
        message = read_message(self._answers)
        if message is None:
            self._child.wait()  # its exit code has to be known before it is killed
            raise EOFError
        return message

    def _last_words(self, limit_s: float) -> str:
        if self._late.is_set():
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
