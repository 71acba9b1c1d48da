"""The child process that alone opens Chroma: `python -m src.database.index_server FOLDER`.

With the name of a database and the address of a Chroma server it asks that instead.

Chroma lives apart from the application because its inserts hold the interpreter's lock, and
because files left by a kill can crash the process that opens them next. Requests come on standard
input, and answers go to standard output (see src/child_processes.py). The parent gone means
standard input closed: the child then finishes the request at hand and leaves.

A marker beside the folder stands while Chroma's files may be half written. It is made before
the first write, removed when writing has rested and the index answers; a process that finds it at
start throws the folder away. A server keeps its own files whole.
"""

from __future__ import annotations

import gc
import os
import queue
import sys
import threading
import time
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from src import child_processes
from src.child_processes import Message, answers_of_this_process, read_message, write_message
from src.chroma_address import ChromaAddress
from src.database.index_on_server import AwayError, ServerDatabase
from src.library_files import SafeFolder
from src.records import EMBEDDING_DIM

COLLECTION = "media_segments"
REST_S = 1.0
LEAVE_S = 60.0  # for the request at hand, once the parent is gone
# A flush killed at the wrong moment leaves files of terabytes, sparse on the disk.
SPARE_BYTES = 256 << 20
BYTES_PER_ROW = 16 << 10


# Chroma's memory limit: damaged files have made it ask for all there is.
SPARE_MEMORY = 8 << 30
MEMORY_PER_ROW = 32 << 10


def limit_memory(rows: int) -> None:
    """Limit this process's memory to what an index of so many rows needs."""
    child_processes.limit_memory(SPARE_MEMORY + rows * MEMORY_PER_ROW)


def marker_of(folder: Path) -> Path:
    return folder.with_name(folder.name + ".dirty")


class IndexServer:
    """Answers requests about one Chroma folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.marker = marker_of(folder).name
        self.files = SafeFolder(folder.parent)
        self.dirty = False
        self.collection: Any = None

    def open(self, model: str, rows: int) -> dict[str, Any]:
        """Open the collection, making it when it is not there.

        Args:
            model: the CLIP whose embeddings it holds.
            rows: how many it should hold, to judge the size of its files by.
        """
        if self.files.entry(self.marker) is not None:
            return {"error": "the index was being written when its process ended"}
        for entry in self.files.walk(self.folder.name):
            if entry.status.st_size > SPARE_BYTES + rows * BYTES_PER_ROW:
                return {"error": f"{entry.name} has grown out of all proportion"}
        limit_memory(rows)
        import chromadb  # slow to load, and needed only here
        from chromadb.config import Settings

        # Settings reads a .env from the working directory; ours is not Chroma's to read.
        settings = Settings(_env_file=None, anonymized_telemetry=False, is_persistent=True)
        client = chromadb.PersistentClient(path=str(self.folder), settings=settings)
        self.mark_dirty()  # making the collection writes, too
        return self.open_collection(client, model)

    def open_collection(self, client: Any, model: str) -> dict[str, Any]:
        """Open a model's collection, or make it."""
        self.collection = client.get_or_create_collection(
            COLLECTION,
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine"}},
            metadata={"model": model},
        )
        if (self.collection.metadata or {}).get("model") != model:
            return {"error": "the index is of another model"}
        return {"count": self.collection.count()}

    def add(self, ids: list[str], payload: bytearray) -> dict[str, Any]:
        matrix = _matrix(payload)
        if not np.isfinite(matrix).all():
            return {"error": "an embedding is not finite; run verify --repair"}
        self.mark_dirty()
        self.collection.add(ids=ids, embeddings=matrix)
        return {}

    def delete(self, ids: list[str]) -> dict[str, Any]:
        self.mark_dirty()
        self.collection.delete(ids=ids)
        return {}

    def count(self) -> dict[str, Any]:
        return {"count": self.collection.count()}

    def get(self, ids: list[str]) -> tuple[dict[str, Any], bytes]:
        found = self.collection.get(ids=ids, include=["embeddings"])
        matrix = np.asarray(found["embeddings"], "<f4")
        return {"ids": found["ids"]}, matrix.tobytes()

    def query(self, n: int, payload: bytearray) -> dict[str, Any]:
        found = self.collection.query(query_embeddings=_matrix(payload), n_results=n, include=[])
        return {"ids": found["ids"][0]}

    def mark_dirty(self) -> None:
        if not self.dirty:
            with self.files.open_to_change(self.marker) as stream:
                stream.write(str(os.getpid()).encode())
                os.fsync(stream.fileno())
            self.dirty = True

    def mark_clean(self) -> None:
        """Remove the marker, once the index has answered since the last write."""
        if self.dirty and self.collection is not None:
            if self.collection.count():
                probe = np.full((1, EMBEDDING_DIM), EMBEDDING_DIM**-0.5, np.float32)
                self.collection.query(query_embeddings=probe, n_results=1, include=[])
            self.files.remove(self.marker)
            self.dirty = False

    def answer(self, request: dict[str, Any], payload: bytearray) -> tuple[dict[str, Any], bytes]:
        verb = request.pop("verb")
        if verb == "open":
            return self.open(**request), b""
        if verb == "add":
            return self.add(request["ids"], payload), b""
        if verb == "delete":
            return self.delete(request["ids"]), b""
        if verb == "get":
            return self.get(request["ids"])
        if verb == "query":
            return self.query(request["n"], payload), b""
        if verb == "count":
            return self.count(), b""
        return {"error": f"no such request: {verb}"}, b""


class RemoteIndexServer(IndexServer):
    """Answers the same requests about a database of a Chroma server."""

    def __init__(self, database: ServerDatabase) -> None:
        self.database = database
        self.dirty = False
        self.collection: Any = None

    def open(self, model: str, rows: int) -> dict[str, Any]:
        limit_memory(0)
        client = self.database.client()
        found: dict[str, Any] = self.database.reached(lambda: self.open_collection(client, model))
        return found

    def mark_dirty(self) -> None:
        """Leave it to the server, which a kill of this process does not concern."""

    def answer(self, request: dict[str, Any], payload: bytearray) -> tuple[dict[str, Any], bytes]:
        database = self.database
        acts = {"reach": database.reach, "make": database.make, "drop": database.drop}
        try:
            if request["verb"] in acts:
                acts[request["verb"]]()
                return {}, b""
            answered: tuple[dict[str, Any], bytes] = self.database.reached(
                lambda: super(RemoteIndexServer, self).answer(request, payload)
            )
            return answered
        except AwayError as exc:
            return {"error": str(exc), "away": True}, b""


def _matrix(payload: bytearray) -> np.ndarray:
    return np.frombuffer(payload, "<f4").reshape(-1, EMBEDDING_DIM)


def main() -> None:
    place, *server_address = sys.argv[1:]
    if server_address:
        address = ChromaAddress.parse(server_address[0])
        server: IndexServer = RemoteIndexServer(ServerDatabase(address, place))
    else:
        server = IndexServer(Path(place))
    answers = answers_of_this_process()
    requests: queue.Queue[Message | None] = queue.Queue()

    def read() -> None:
        assert isinstance(sys.stdin.buffer, BufferedReader)
        while (message := read_message(sys.stdin.buffer)) is not None:
            requests.put(message)
        requests.put(None)
        # The parent has ended this one by now if it could; one that hangs would stay for ever.
        time.sleep(LEAVE_S)
        os._exit(1)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            message = requests.get(timeout=REST_S)
        except queue.Empty:
            server.mark_clean()
            continue
        if message is None:
            break
        try:
            answer, payload = server.answer(*message)
        except (
            Exception
        ) as exc:  # Chroma raises its own, Rust's and pickle's: all the same to the parent
            answer, payload = {"error": f"{type(exc).__name__}: {exc}"}, b""
        write_message(answers, answer, payload)
    server.mark_clean()
    gc.freeze()  # or Python looks for garbage in all of Chroma before it ends


if __name__ == "__main__":
    main()
