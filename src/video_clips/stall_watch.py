"""An ffmpeg that works for us and is waited for: ended once it shows no sign of life."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from src.processing.ffmpeg_log import LOOK_EVERY_S, STALL_S
from src.stopping import wanted


class StallWatch:
    """Watches a process as long as it is waited for, however long its work takes as a whole.

    It is killed when nothing moves for STALL_S, and soon after nobody waits for its work any
    more, so that who waits for it gets an answer.

    Attributes:
        stalled: whether it was killed because nothing moved.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], progress: Callable[[], object] = lambda: None
    ) -> None:
        """Watch from now on; close ends it.

        Args:
            progress: another answer than the last time is a sign of life; asked in a thread.
        """
        self.stalled = False
        self._process, self._progress, self._go_on = process, progress, wanted()
        self._waits = False
        self._last_sign_s = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Inside the block the process must move; outside it may be waiting for us."""
        self.moved()
        self._waits = True
        try:
            yield
        finally:
            self._waits = False

    def moved(self) -> None:
        """Note that something has come out of it, or gone into it."""
        self._last_sign_s = time.monotonic()

    def close(self) -> None:
        """Stop watching."""
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        last = self._progress()
        while not self._done.wait(LOOK_EVERY_S):
            if not self._waits:
                continue
            now = self._progress()
            if now != last:
                last = now
                self.moved()
            self.stalled = time.monotonic() - self._last_sign_s > STALL_S
            if self.stalled or not self._go_on():
                self._process.kill()
                return
