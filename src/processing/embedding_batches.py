"""Cut frames that wait until there are enough of them to be embedded at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from src.processing.file_errors import is_file_error
from src.processing.models_in_use import ClipBundle
from src.processing.segment_pipeline import EMBEDDED_AT_ONCE, CutFrame, FrameResult

BATCH, LEAST = EMBEDDED_AT_ONCE, 4

Embed = Callable[[Sequence[tuple[ClipBundle, CutFrame]]], list[FrameResult]]


class EmbeddingBatches:
    """Embeds frames in batches, in the threads that cut them. Calls may come from any thread.

    What may bring a frame is announced before, so that the last frames do not wait for others:
    the thread that fills a batch embeds it, or the one that ends the last of what was announced.
    """

    def __init__(self, embed: Embed, threads: int) -> None:
        """Begin with nothing.

        Args:
            embed: gives the results of frames, in their order.
            threads: that announce and add.
        """
        self._embed, self._threads = embed, threads
        self._lock = threading.Lock()
        self._announced = 0
        self._waiting: list[tuple[ClipBundle, CutFrame, Future[FrameResult]]] = []

    def announce(self) -> None:
        """Expect one call of `end_one` more."""
        with self._lock:
            self._announced += 1

    def add(self, bundle: ClipBundle, frame: CutFrame, result: Future[FrameResult]) -> None:
        """Have a frame wait; its result, or what went wrong, is set later."""
        with self._lock:
            self._waiting.append((bundle, frame, result))

    def end_one(self) -> None:
        """End what was announced; embeds here what waits, where that is enough."""
        with self._lock:
            self._announced -= 1
            if not self._is_enough():
                return
            batch, self._waiting = self._waiting, []
        self._embed_together(batch)

    def _is_enough(self) -> bool:
        """Return whether to embed what waits now; towards the end each thread is to have some."""
        if not self._announced:
            return len(self._waiting) > 0
        return len(self._waiting) >= min(BATCH, max(LEAST, 1 + self._announced // self._threads))

    def _embed_together(
        self, batch: Sequence[tuple[ClipBundle, CutFrame, Future[FrameResult]]]
    ) -> None:
        try:
            results = self._embed([(bundle, frame) for bundle, frame, _ in batch])
        except BaseException as exc:
            if len(batch) > 1 and isinstance(exc, Exception) and is_file_error(exc):
                for each in batch:  # one of them is to blame
                    self._embed_together([each])
                return
            for _, _, waits in batch:
                waits.set_exception(exc)
            return
        for (_, _, waits), result in zip(batch, results, strict=True):
            waits.set_result(result)
