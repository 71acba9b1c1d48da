"""A server's answer, read by a thread of its own."""

from __future__ import annotations

import queue
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

CHUNK = 1 << 18
TIMEOUT_S = 30
WAIT_S = 0.2
_AHEAD = 16  # chunks that may wait to be written


class WebStream:
    """The answer to a request; the reader gets control at least every WAIT_S and can stop.

    A silent server keeps a read for TIMEOUT_S, and nothing ends that. So the reading is done by a
    thread that only reads: it is left behind, and it touches no file.
    """

    def __init__(
        self, request: urllib.request.Request, handler: urllib.request.BaseHandler
    ) -> None:
        self._request, self._handler = request, handler
        self._came: queue.Queue[Any] = queue.Queue(_AHEAD)
        self._left = threading.Event()
        threading.Thread(target=self._read, name="download", daemon=True).start()

    def wait(self) -> Iterator[Any]:
        """Yield what comes, in order.

        Yields:
            The response, then bytes, of which none means the end; None while nothing comes.

        Raises:
            OSError, http.client.HTTPException: as urllib and the response raise them.
        """
        while True:
            try:
                came = self._came.get(timeout=WAIT_S)
            except queue.Empty:
                yield None
                continue
            if isinstance(came, Exception):
                raise came
            yield came

    def leave(self) -> None:
        """Want no more; the thread ends when its read does."""
        self._left.set()

    def _read(self) -> None:
        try:
            opener = urllib.request.build_opener(self._handler)
            with opener.open(self._request, timeout=TIMEOUT_S) as response:
                self._put(response)
                block = b"first"
                while block and not self._left.is_set():
                    block = response.read1(CHUNK)
                    self._put(block)
        except Exception as exc:  # whatever it is, it is raised where it is waited for
            self._put(exc)

    def _put(self, item: Any) -> None:
        while not self._left.is_set():
            try:
                self._came.put(item, timeout=WAIT_S)
            except queue.Full:
                continue  # the disk is slower than the network
            break
