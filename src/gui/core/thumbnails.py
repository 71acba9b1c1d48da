"""Thumbnails for what is on the screen: decoded in threads, kept while the cache has space."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from src.errors import MediaLibraryError
from src.gui.core.main_thread import MainThread
from src.gui.theme.pictures import cover

KEPT_BYTES = 96 << 20
# What can't be read now may be later: once its drive is back, or its crop is repaired.
RETRY_S = 10.0
_THREADS = 2

log = logging.getLogger(__name__)

Key = tuple[Path, tuple[int, int]]


class Thumbnails:
    """Pictures by file and size: what is on the screen now first, from its top."""

    def __init__(
        self,
        main_thread: MainThread,
        read: Callable[[Path], np.ndarray],
        on_loaded: Callable[[], None],
    ) -> None:
        """Start the threads.

        Args:
            read: gives a file as (h, w, 3) uint8 RGB; may raise anything.
            on_loaded: called in the window's thread once a picture is there, or has failed.
        """
        self._main_thread, self._read, self._on_loaded = main_thread, read, on_loaded
        self._kept: OrderedDict[Key, Image.Image] = OrderedDict()
        self._failed: dict[Key, float] = {}  # when, on the monotonic clock
        self._retry_waits = False
        self._bytes = 0
        self._waiting: set[Key] = set()
        self._wanted: dict[object, frozenset[Key]] = {}
        # (screen, place on it, key): a later screen has a lower number
        self._queue: queue.PriorityQueue[tuple[int, int, Key | None]] = queue.PriorityQueue()
        self._screen = self._place = 0
        for number in range(_THREADS):
            threading.Thread(target=self._work, name=f"thumbnails-{number}", daemon=True).start()

    def get(self, source: Path, size_wh: tuple[int, int]) -> Image.Image | None:
        """Return a picture of this size, or None: it is being made, or can't be."""
        key = (source, size_wh)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if key not in self._waiting and not self._has_just_failed(key):
            self._waiting.add(key)
            self._place += 1
            self._queue.put((self._screen, self._place, key))
        return None

    def want(self, who: object, keys: Iterable[Key]) -> None:
        """Set what one place shows now; what no place shows any more is not decoded."""
        wanted = frozenset(keys)
        if wanted != self._wanted.get(who):
            self._wanted[who] = wanted
            self._screen -= 1

    def close(self) -> None:
        """End the threads."""
        for number in range(_THREADS):
            self._queue.put((-(1 << 60), number, None))

    def _work(self) -> None:
        while (key := self._queue.get()[2]) is not None:
            source, size_wh = key
            if not any(key in keys for keys in list(self._wanted.values())):
                self._main_thread.post(partial(self._waiting.discard, key))
                continue
            try:
                picture: Image.Image | None = cover(self._read(source), size_wh)
            except MediaLibraryError:
                picture = None  # a card without its picture says enough; verify says the rest
            except Exception:  # the thread must outlive one picture
                if key not in self._failed:
                    log.exception("no thumbnail of %s", source)
                picture = None
            self._main_thread.post(partial(self._keep, key, picture))

    def _keep(self, key: Key, picture: Image.Image | None) -> None:
        self._waiting.discard(key)
        if picture is None:
            self._failed[key] = time.monotonic()
            if not self._retry_waits:
                self._retry_waits = True
                self._main_thread.after(RETRY_S, self._retry)
            self._on_loaded()
            return
        self._failed.pop(key, None)
        self._kept[key] = picture
        self._bytes += _size(key)
        while self._bytes > KEPT_BYTES and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))
        self._on_loaded()

    def _retry(self) -> None:
        """Retry pictures that could not be read, where they are still shown."""
        self._retry_waits = False
        self._on_loaded()

    def _has_just_failed(self, key: Key) -> bool:
        failed_at = self._failed.get(key)
        return failed_at is not None and time.monotonic() - failed_at < RETRY_S

    def _drop(self, key: Key) -> None:
        del self._kept[key]
        self._bytes -= _size(key)


def _size(key: Key) -> int:
    return key[1][0] * key[1][1] * 3
