"""Decoders that are stopped and killed again and again while media is taken in."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.config import LibraryPaths
from src.events import FileDone, FileFailed, ProblemFound
from src.library import MediaLibrary
from src.models.model_manager import ModelManager
from src.processing import decoder_process
from src.processing.decoder_process import DecoderProcess
from src.settings import Settings
from tests.processing.test_full_disk import shared_models  # noqa: F401 (a fixture)

LIMIT_S = 1.0


class Disturber(threading.Thread):
    """Stops or kills the newest decoder again and again, at moments of its own."""

    def __init__(self, decoders: list[DecoderProcess]) -> None:
        super().__init__(daemon=True)
        self.decoders, self.sent = decoders, 0
        self._random = np.random.default_rng(7)
        self._over = threading.Event()

    def run(self) -> None:
        # the first as soon as there is a decoder: a quick machine needs a second for all of it
        while not self._over.wait(self._random.uniform(0.1, 0.8) if self.sent else 0.001):
            if self.decoders and self.decoders[-1]._child.poll() is None:
                number = (signal.SIGSTOP, signal.SIGKILL)[self._random.integers(2)]
                os.kill(self.decoders[-1].pid, number)
                self.sent += 1

    def stop(self) -> None:
        self._over.set()
        self.join()


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("count", [6, pytest.param(300, marks=pytest.mark.slow)])
def test_signals_cost_the_files_they_hit_until_the_next_run(
    tmp_path: Path,
    shared_models: ModelManager,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    count: int,
) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    random = np.random.default_rng(1)
    for number in range(count):
        noise = random.integers(0, 255, (60, 80, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{number:03}.png")
    decoders: list[DecoderProcess] = []

    class Recorded(DecoderProcess):
        def __init__(self) -> None:
            super().__init__()
            decoders.append(self)

    monkeypatch.setattr(decoder_process, "DecoderProcess", Recorded)
    settings = Settings(duplicate_distance=-1)
    paths = LibraryPaths(tmp_path / "library")
    decoder_process.DECODERS.close()
    with MediaLibrary(paths, shared_models, settings) as library:
        library.load_models()
        with monkeypatch.context() as patch:
            patch.setattr(decoder_process, "time_limit_s", lambda pixels: LIMIT_S)
            disturber = Disturber(decoders)
            disturber.start()
            began = time.monotonic()
            events = list(library.add([folder]))
            taken_s = time.monotonic() - began
            disturber.stop()
        failed = [event for event in events if isinstance(event, FileFailed)]
        done = [event for event in events if isinstance(event, FileDone)]
        assert len(done) + len(failed) == count
        assert all("stopped" in e.reason or "crashed" in e.reason for e in failed), failed
        again = list(library.add([folder]))
        assert [event for event in again if isinstance(event, FileFailed)] == []
        assert library.metadata.counts()["frames"] == count
        assert [e for e in library.verify() if isinstance(e, ProblemFound)] == []
    assert disturber.sent > 0
    assert taken_s < 20 + (LIMIT_S + 1) * disturber.sent + 0.5 * count
    print(f"{disturber.sent} signals, {len(failed)} of {count} files hit, {taken_s:.1f} s")
