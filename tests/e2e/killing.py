"""Waits for a moment in a process's work, and ends it with its children like a loss of power."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import closing
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.records import EMBEDDING_DIM

Rows = Sequence[tuple[object, ...]]
WORK_S = 180.0  # only what hangs takes so long, however busy the machine


def wait_for_words(process: BaseProcess, said: Path, size: float) -> None:
    """Wait until so many bytes are written of what was acknowledged; the first says "started"."""
    deadline = time.monotonic() + WORK_S
    while process.is_alive() and time.monotonic() < deadline:
        if said.exists() and said.stat().st_size >= size:
            return
        time.sleep(0.0005)


def kill_with_children(process: BaseProcess) -> bool:
    """Kill a process and its index child at the same moment; says whether it was at work."""
    assert process.pid is not None
    at_work = process.is_alive()
    children = []
    if at_work:
        os.kill(process.pid, signal.SIGSTOP)  # so that it starts none meanwhile
        children = children_of(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        for child in children:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it left by itself
    process.join()
    while any(Path(f"/proc/{child}").exists() and not _is_zombie(child) for child in children):
        time.sleep(0.01)
    return at_work


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def assert_same_rows(ours: Rows, theirs: Rows) -> None:
    """Compare rows; embeddings and confidences to 1e-5, which a batch of another size changes."""
    assert len(ours) == len(theirs)
    for own, other in zip(ours, theirs, strict=True):
        for one, two in zip(own, other, strict=True):
            if isinstance(one, float) and isinstance(two, float):
                assert abs(one - two) <= 1e-5, (own, other)
            elif isinstance(one, bytes) and isinstance(two, bytes) and _holds_vector(one, two):
                apart = np.frombuffer(one, "<f4") - np.frombuffer(two, "<f4")
                assert np.abs(apart).max() <= 1e-5, own[:2]
            else:
                assert one == two, (own, other)


def _holds_vector(*values: bytes) -> bool:
    return all(len(value) == 4 * EMBEDDING_DIM for value in values)


def rows_of(paths: LibraryPaths, *queries: str) -> dict[str, list[tuple[object, ...]]]:
    """Read a library that is closed: the rows of each query."""
    with closing(MetadataDatabase(paths)) as metadata:
        db = metadata.connection.read()
        return {query: [tuple(row) for row in db.execute(query)] for query in queries}
