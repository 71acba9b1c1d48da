"""The index's process: stopped or killed at any moment, it costs its time limit and no more."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from src import child_processes
from src.database import index_places, index_process
from src.database.embedding_store import EmbeddingStore
from src.database.index_process import IndexBusyError, IndexProcess, IndexUnavailableError
from src.database.metadata_db import MetadataDatabase
from src.database.vector_db import VectorDatabase
from src.database.vector_index import VectorIndex
from src.models.clip_encoder import ClipEncoder
from src.records import EMBEDDING_DIM
from tests.conftest import MODEL, add_media_with, unit_vectors

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")

# A stopped reader's pipe takes 64 KiB; a batch of the index is more.
BATCH_BYTES = bytes(200 * EMBEDDING_DIM * 4)
LIMIT_S = 0.3
SOON_S = 20.0  # far over the limits here, far under those of the application


@pytest.fixture(autouse=True)
def cold_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process starts as it does for a person."""
    monkeypatch.setattr(child_processes, "subprocess", subprocess)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[IndexProcess]:
    process = IndexProcess(tmp_path / "index")
    yield process
    process.close()


def within(limit_s: float, work: object) -> object:
    """Do something in a thread, which must end in time; give what it gave or raised."""
    given: list[object] = []

    def run() -> None:
        try:
            given.append(work())  # type: ignore[operator]
        except Exception as exc:
            given.append(exc)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    assert given, f"it still waits after {limit_s:.0f} s"
    return given[0]


def test_writing_to_a_child_that_does_not_read_ends(process: IndexProcess) -> None:
    os.kill(process.pid, signal.SIGSTOP)
    said = within(SOON_S, lambda: process.ask({"verb": "add"}, 4 * BATCH_BYTES, LIMIT_S))
    assert isinstance(said, IndexUnavailableError) and "no answer within" in str(said)
    said = within(SOON_S, lambda: process.ask({"verb": "count"}, timeout_s=LIMIT_S))
    assert isinstance(said, IndexUnavailableError) and "gone" in str(said)


def test_a_turn_that_does_not_come_is_not_waited_for(process: IndexProcess) -> None:
    os.kill(process.pid, signal.SIGSTOP)
    first = threading.Thread(
        target=within, args=(SOON_S, lambda: process.ask({"verb": "count"}, timeout_s=1.0))
    )
    first.start()
    until = time.monotonic() + SOON_S
    while not process._lock.locked() and time.monotonic() < until:
        time.sleep(0.001)
    said = within(SOON_S, lambda: process.ask({"verb": "count"}, timeout_s=LIMIT_S))
    assert isinstance(said, IndexBusyError)
    first.join()


def test_closing_a_child_that_does_not_read_ends(
    process: IndexProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_process, "LEAVE_S", LIMIT_S)
    os.kill(process.pid, signal.SIGSTOP)
    busy = threading.Thread(
        target=within, args=(SOON_S, lambda: process.ask({"verb": "add"}, 4 * BATCH_BYTES, SOON_S))
    )
    busy.start()
    assert within(SOON_S, process.close) is None  # also while another thread writes to it
    busy.join(SOON_S)
    assert not busy.is_alive()


class Disturber(threading.Thread):
    """Stops or kills the index's newest process again and again, at moments of its own."""

    def __init__(self, processes: list[IndexProcess], seed: int) -> None:
        super().__init__(daemon=True)
        self.processes, self.sent = processes, 0
        self._random = np.random.default_rng(seed)
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(self._random.uniform(0.02, 0.6)):
            if self.processes and self.processes[-1]._child.poll() is None:
                number = (signal.SIGSTOP, signal.SIGKILL)[self._random.integers(2)]
                os.kill(self.processes[-1].pid, number)
                self.sent += 1

    def stop(self) -> None:
        self._over.set()
        self.join()


@pytest.mark.parametrize("rounds", [1, pytest.param(60, marks=pytest.mark.slow)])
def test_a_loop_of_signals_loses_no_segment_and_no_answer(
    metadata: MetadataDatabase, clip: ClipEncoder, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    processes: list[IndexProcess] = []

    class Recorded(IndexProcess):
        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            processes.append(self)

    monkeypatch.setattr(index_places, "IndexProcess", Recorded)
    monkeypatch.setattr(index_process, "START_S", 1.0 if rounds == 1 else 4.0)
    monkeypatch.setattr(index_process, "REQUEST_S", 1.0)
    monkeypatch.setattr(index_process, "LEAVE_S", 1.0)
    sent = stored = 0
    slowest_s = 0.0
    with VectorDatabase(metadata.paths, clip, metadata, use_index=True) as database:
        index = database.index
        assert index is not None
        for each in range(rounds):
            vectors = unit_vectors(300, seed=each)
            add_media_with(metadata, vectors, f"{each}.jpg", clip.name)
            stored += len(vectors)
            index.failure, index._distrusted = None, 0
            disturber = Disturber(processes, each)
            disturber.start()
            began = time.monotonic()
            for _ in index.catch_up():
                pass
            hits = database.search_by_embedding(vectors[7], 1)
            slowest_s = max(slowest_s, time.monotonic() - began)
            disturber.stop()
            assert hits[0].segment.id == f"{each}.jpg-00007"
            sent += disturber.sent
        assert database.embeddings.count() == stored
        monkeypatch.undo()
        for _ in index.rebuild():
            pass
        assert index.problems() == [] and index.failure is None
    assert sent >= rounds and slowest_s < SOON_S
    print(f"{sent} signals in {rounds} jobs, {len(processes)} processes, at most {slowest_s:.1f} s")


def test_a_stopped_child_ends_with_its_library(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_process, "LEAVE_S", LIMIT_S)
    add_media_with(metadata, unit_vectors(20))
    index = VectorIndex(metadata, EmbeddingStore(metadata.connection, MODEL))
    for _ in index.catch_up():
        pass
    assert index._process is not None
    stopped = index._process.pid
    os.kill(stopped, signal.SIGSTOP)
    assert within(SOON_S, index.close) is None
    with pytest.raises(ProcessLookupError):
        os.kill(stopped, 0)
