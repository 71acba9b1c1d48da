"""A real Ray cluster of two nodes on this machine, and libraries compared row by row."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

# Left out of a comparison: moments, what is computed of them, and names that are drawn by lot.
NOT_COMPARED = {"checksum", "added_at", "decided_at", "removed_at", "modified_at", "edited_at"}
TABLES_NOT_COMPARED = {"info", "roots"}
SMALL = {"object_store_memory": 100_000_000, "include_dashboard": False}


class TwoNodes:
    """A head and another node, with so many cores each."""

    def __init__(self, head_cores: int = 1, other_cores: int = 1, client_port: int = 0) -> None:
        from ray.cluster_utils import Cluster

        head: dict[str, Any] = {"num_cpus": head_cores, **SMALL}
        if client_port:
            head["ray_client_server_port"] = client_port
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self.head = self._cluster.head_node
        self.other = self._cluster.add_node(num_cpus=other_cores, **SMALL) if other_cores else None
        self.address: str = self._cluster.address

    def remove(self, node: Any) -> None:
        """End all processes of a node at once."""
        self._cluster.remove_node(node, allow_graceful=False)

    def kill(self) -> None:
        """End the head, and the processes that start workers: their workers end with them."""
        self.head.kill_gcs_server(check_alive=False)
        for node in (self.head, self.other):
            if node is not None:
                node.kill_raylet(check_alive=False)

    def close(self) -> None:
        self._cluster.shutdown()


def worker_pids() -> list[int]:
    """Find the processes of workers on clusters that this process has started."""
    return [pid for pid in _descendants(os.getpid()) if b"ray::Worker" in _command(pid)]


def kill_a_worker(limit_s: float = 60.0) -> int:
    """End a worker as the system does when memory is out; waits until there is one."""
    ends = time.monotonic() + limit_s
    while not (pids := worker_pids()):
        assert time.monotonic() < ends
        threading.Event().wait(0.1)
    os.kill(pids[0], signal.SIGKILL)
    return pids[0]


def _descendants(root: int) -> Iterator[int]:
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
    left = [root]
    while left:
        for child in parents.get(left.pop(), []):
            left.append(child)
            yield child


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def rows(root: Path) -> dict[str, list[dict[str, Any]]]:
    """Read all rows of a library, in the order in which they were written; vectors as numbers."""
    db = sqlite3.connect(root / "metadata.db")
    db.row_factory = sqlite3.Row
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {}
    for table in sorted({*tables} - TABLES_NOT_COMPARED):
        found[table] = [
            {key: row[key] for key in row.keys() if key not in NOT_COMPARED}  # noqa: SIM118
            for row in db.execute(f'SELECT * FROM "{table}"')
        ]
    db.close()
    return found


def assert_same_library(root: Path, other: Path) -> None:
    """Compare two libraries row by row, embeddings to 1e-5, and their crops byte by byte."""
    mine, theirs = rows(root), rows(other)
    assert mine.keys() == theirs.keys()
    vectors = [
        np.array([np.frombuffer(row.pop("vector"), "<f4") for row in each["embeddings"]])
        for each in (mine, theirs)
    ]
    for table in mine:
        for a, b in zip(mine[table], theirs[table], strict=True):
            if table == "segment_tags":
                np.testing.assert_allclose(a.pop("confidence"), b.pop("confidence"), atol=1e-4)
            assert a == b, table
    assert len(vectors[0]) > 0
    np.testing.assert_allclose(*vectors, atol=1e-5)
    crops = [
        {
            file.relative_to(each).as_posix(): file.read_bytes()
            for file in (each / "extracted_segments").rglob("*.jpg")
        }
        for each in (root, other)
    ]
    assert crops[0] == crops[1]
