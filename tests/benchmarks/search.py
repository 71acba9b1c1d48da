"""Search: python -m tests.benchmarks.search [SEGMENTS…] [--no-chroma] [--verbs]

Ours beside plain numpy (all vectors in memory, nothing else), plain Chroma (embedded, its own
filters) and faiss (eight bits, where it is installed), on the same vectors and queries in one run.
Ours returns whole hits, with path, box and tags; the others only ids. Of a filter the others know
the rows beforehand.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.child_processes import cores
from src.config import LibraryPaths
from src.database import vector_index
from src.database.metadata_db import MetadataDatabase
from src.database.vector_db import VectorDatabase
from src.models.model_manager import ModelManager
from src.records import EMBEDDING_DIM
from src.search.filters import EVERYTHING, Filter
from src.search.leaves import segment_filter
from tests.benchmarks import verbs
from tests.benchmarks.large_library import PER_FILE, Space, fill, number_of
from tests.conftest import unit_vectors

QUERIES = 30
NUMBERS = (10, 100)
NAMES = ("ours", "numpy", "Chroma", "faiss")
TELL = 5_000  # segments of which Chroma is told, to see how fast that is

Search = Callable[[np.ndarray, int], list[int]]


@dataclass
class Case:
    """What is searched in.

    Attributes:
        rows: which vectors the filter leaves.
        chroma: the same filter in Chroma's words.
    """

    name: str
    where: Filter
    rows: np.ndarray
    chroma: dict[str, object] | None


@dataclass
class Figures:
    """Milliseconds of a search: the first of its kind, median, 90th percentile, CPU; and recall."""

    first: float
    p50: float
    p90: float
    cpu: float
    recall: float

    def __str__(self) -> str:
        return (
            f"{self.first:7.1f} {self.p50:7.1f} {self.p90:7.1f} {self.cpu:7.1f} {self.recall:6.3f}"
        )


def timed(search: Search, queries: np.ndarray, n: int, truth: list[list[int]]) -> Figures:
    start = time.perf_counter()
    search(queries[0], n)
    first = 1000 * (time.perf_counter() - start)
    times, right = [], []
    cpu = time.process_time()
    for query, expected in zip(queries, truth, strict=False):
        start = time.perf_counter()
        found = search(query, n)
        times.append(1000 * (time.perf_counter() - start))
        right.append(len({*expected[:n]}.intersection(found)) / max(1, len(expected[:n])))
    cpu = 1000 * (time.process_time() - cpu) / len(queries)
    p50, p90 = np.percentile(times, [50, 90])
    return Figures(first, float(p50), float(p90), cpu, float(np.mean(right)))


def truth_of(vectors: np.ndarray, rows: np.ndarray, queries: np.ndarray, n: int) -> list[list[int]]:
    """Find the nearest in double precision, among more than enough by single precision."""
    scores = (vectors if len(rows) == len(vectors) else vectors[rows]) @ queries.T
    found = []
    for query, column in zip(queries, scores.T, strict=True):
        near = np.argpartition(-column, min(4 * n, len(rows) - 1))[: 4 * n]
        exact = vectors[rows[near]].astype(np.float64) @ query.astype(np.float64)
        found.append([int(rows[near[i]]) for i in np.argsort(-exact)[:n]])
    return found


def bandwidth() -> float:
    """Measure how fast this machine reads memory, on as many threads as a scan: bytes a second."""
    block = np.ones(1 << 26, np.int64)
    parts = np.array_split(block, 4 * cores())
    best = float("inf")
    with ThreadPoolExecutor(cores()) as threads:
        for _ in range(5):
            start = time.perf_counter()
            list(threads.map(np.bitwise_xor.reduce, parts))
            best = min(best, time.perf_counter() - start)
    return block.nbytes / best


def numpys(vectors: np.ndarray, case: Case) -> Search:
    def search(query: np.ndarray, n: int) -> list[int]:
        some = vectors if len(case.rows) == len(vectors) else vectors[case.rows]
        scores = some @ query
        near = np.argpartition(-scores, n)[:n] if n < len(scores) else np.arange(len(scores))
        return [int(i) for i in case.rows[near[np.argsort(-scores[near])]]]

    return search


def plain_chroma(folder: Path, vectors: np.ndarray, opposed: np.ndarray) -> object:
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    client = chromadb.PersistentClient(str(folder), ChromaSettings(anonymized_telemetry=False))
    plain = client.create_collection(
        "plain", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
    )
    for at in range(0, len(vectors), 5000):
        rows = range(at, min(at + 5000, len(vectors)))
        plain.add(
            ids=[str(i) for i in rows],
            embeddings=vectors[at : at + 5000],
            metadatas=[
                {
                    "media": i // PER_FILE,
                    "rare": i % 100 == 0,
                    "half": i % 2 == 1,
                    "opposed": bool(opposed[i]),
                }
                for i in rows
            ],
        )
    return plain


def chromas(plain: object, case: Case) -> Search:
    def search(query: np.ndarray, n: int) -> list[int]:
        found = plain.query(  # type: ignore[attr-defined]
            query_embeddings=query[None], n_results=n, where=case.chroma, include=["distances"]
        )
        return [int(each) for each in found["ids"][0]]

    return search


def faiss_of(vectors: np.ndarray) -> Callable[[Case], Search] | None:
    """Give faiss's exhaustive search over eight bits; None where it is not installed."""
    try:
        import faiss
    except ImportError:
        return None
    faiss.omp_set_num_threads(cores())
    index = faiss.IndexScalarQuantizer(
        EMBEDDING_DIM, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    index.train(vectors[:100_000])
    index.add(vectors)

    def of(case: Case) -> Search:
        parameters = None
        if len(case.rows) < len(vectors):
            bits = np.packbits(np.isin(np.arange(len(vectors)), case.rows), bitorder="little")
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))

        def search(query: np.ndarray, n: int) -> list[int]:
            _, found = index.search(query[None], n, params=parameters)
            return [int(each) for each in found[0]]

        return search

    return of


def measure(n: int, folder: Path, with_chroma: bool, with_verbs: bool) -> None:
    began = time.perf_counter()
    space = Space(n)
    vectors = space.images(n)
    queries = {
        "text": space.text_queries(vectors, QUERIES),
        "image": space.image_queries(vectors, QUERIES),
    }
    # the three tenths of the library that are farthest from the texts
    to_texts = vectors @ queries["text"].mean(axis=0)
    opposed = to_texts < np.quantile(to_texts, 0.3)
    clip = ModelManager(device="cpu").load_clip()
    paths = LibraryPaths(folder / "library")
    if not paths.has_library():
        fill(paths, vectors, clip.name, opposed)
    print(f"\n{n:,} segments, made in {time.perf_counter() - began:.0f} s", flush=True)

    every = np.arange(n)
    cases = [
        Case("all", EVERYTHING, every, None),
        Case("20 rows", segment_filter(media_file_ids=(7,)), every[120:140], {"media": 6}),
        Case("1 %", segment_filter(tags=("rare",)), every[::100], {"rare": True}),
        Case("half", segment_filter(tags=("half",)), every[1::2], {"half": True}),
        Case(
            "opposed, 30 %",
            segment_filter(tags=("opposed",)),
            np.flatnonzero(opposed),
            {"opposed": True},
        ),
    ]
    with closing(MetadataDatabase(paths)) as metadata:
        ours = VectorDatabase(paths, clip, metadata, use_index=True)
        start = time.perf_counter()
        ours.embeddings.keep_scanned()
        print(f"the scanned file made from SQLite in {time.perf_counter() - start:.1f} s")
        plain = plain_chroma(folder / "chroma", vectors, opposed) if with_chroma else None
        faiss_search = faiss_of(vectors)
        limit = 1000 * n * (EMBEDDING_DIM + 16) / bandwidth()
        print(f"reading {n * 528 / 1e6:,.0f} MB once takes {limit:.1f} ms here, {cores()} threads")
        head = f"{'first':>7} {'p50':>7} {'p90':>7} {'CPU':>7} {'recall':>6}"
        print(f"\n{'':30} | {' | '.join(name.ljust(37) for name in NAMES)}")
        print(f"{'ms':30} | {' | '.join([head] * len(NAMES))}")
        few = QUERIES if n <= 200_000 else 5  # of the others, which take seconds there
        for kind, some in queries.items():
            for case in cases:
                truth = truth_of(vectors, case.rows, some, max(NUMBERS))
                for k in NUMBERS:

                    def by_us(query: np.ndarray, n: int, where: Filter = case.where) -> list[int]:
                        found = ours.search_by_embedding(query, n, where)
                        return [number_of(hit.segment.id) for hit in found]

                    searches: list[Search | None] = [
                        by_us,
                        numpys(vectors, case),
                        None if plain is None else chromas(plain, case),
                        None if faiss_search is None else faiss_search(case),
                    ]
                    figures = [
                        "-".center(37)
                        if each is None
                        else str(timed(each, some if each is by_us else some[:few], k, truth))
                        for each in searches
                    ]
                    print(f"{kind:6} {case.name:14} top {k:4} | {' | '.join(figures)}", flush=True)
        counts = ours.embeddings.counts
        print(
            f"{counts.searches} searches: {counts.proven_at_once} proven by the rows looked at "
            f"first; a search read {counts.scored / counts.searches:.0f} embeddings and asked "
            f"the filter about {counts.tested / counts.searches:.0f}"
        )
        del faiss_search
        append(metadata, ours, queries["text"][0])
        ours.close()
    del vectors
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-m", __spec__.name, "--open", str(paths.root)], check=True,
                   env=environment)  # fmt: skip
    tell(folder / "told", clip.name)
    if with_verbs:
        verbs.measure(paths)


def append(metadata: MetadataDatabase, ours: VectorDatabase, query: np.ndarray) -> None:
    """Add 1,000 segments five times, and save what is scanned of them while searches go on."""
    slowest, over = 0.0, False

    def keep_searching() -> int:
        nonlocal slowest
        done = 0
        while not over:
            start = time.perf_counter()
            ours.search_by_embedding(query, 10)
            slowest, done = max(slowest, time.perf_counter() - start), done + 1
        return done

    ours.embeddings.keep_scanned()
    times, base = [], int(time.time()) << 32
    with ThreadPoolExecutor(1) as threads:
        searches = threads.submit(keep_searching)
        for number in range(5):
            names = [f"{base | number << 10 | i:024x}" for i in range(1000)]
            with metadata.connection.write() as db:
                db.executemany(
                    "INSERT INTO segments (id, frame_id, kind, x, y, w, h, area, crop_path)"
                    " VALUES (?, 1, 'object', 0, 0, 9, 9, 20, 'extracted_segments/aa/0.jpg')",
                    [(name,) for name in names],
                )
                ours.embeddings.add(names, unit_vectors(1000, seed=number))
            start = time.perf_counter()
            ours.embeddings.keep_scanned()
            times.append(1000 * (time.perf_counter() - start))
        over = True
        done = searches.result()
    print(
        f"1,000 segments brought into the scan and its file: {np.median(times):.0f} ms (at most "
        f"{max(times):.0f}), beside {done} searches of which the slowest took {1000 * slowest:.0f}"
    )


def open_and_search(root: Path) -> None:
    """Open a library in a process of its own: the first answer, and what it takes in memory."""
    clip = ModelManager(device="cpu").load_clip()
    import numkong as _numkong  # noqa: F401

    before = _memory()
    start = time.perf_counter()
    with VectorDatabase(LibraryPaths(root), clip) as ours:
        opened = time.perf_counter() - start
        query = unit_vectors(1, seed=3)[0]
        ours.search_by_embedding(query, 10)
        first = time.perf_counter() - start
        for _ in range(10):
            ours.search_by_embedding(query, 100)
        after = _memory()
    print(
        f"opened in {1000 * opened:.0f} ms, first answer after {1000 * first:.0f}; searching takes "
        f"{after[0] - before[0]:.0f} MB of memory, and {after[1] - before[1]:.0f} MB of the file "
        "that the system takes back when it needs it"
    )


def _memory() -> tuple[float, float]:
    """Read what this process takes, in MB: of its own, and mapped from files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = {key: value for key, _, value in (line.partition(":") for line in lines)}
    return int(found["RssAnon"].split()[0]) / 1000, int(found["RssFile"].split()[0]) / 1000


def tell(folder: Path, model: str) -> None:
    """See how fast Chroma is told, in batches of several sizes."""
    vectors = unit_vectors(TELL)
    for batch in (200, 1000, 5000):
        paths = LibraryPaths(folder / str(batch))
        fill(paths, vectors, model, np.zeros(TELL, bool))
        with closing(MetadataDatabase(paths)) as metadata:
            from src.database.embedding_store import EmbeddingStore

            index = vector_index.VectorIndex(metadata, EmbeddingStore(metadata.connection, model))
            before, vector_index.BATCH = vector_index.BATCH, batch
            start = time.perf_counter()
            for _ in index.catch_up():
                pass
            index.close()
            vector_index.BATCH = before
            print(f"Chroma told {batch:,} at a time: {TELL / (time.perf_counter() - start):,.0f}/s")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("segments", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--no-chroma", action="store_true", help="filling it takes long")
    parser.add_argument("--verbs", action="store_true", help="and what the window asks; see there")
    parser.add_argument("--folder", type=Path, help="keeps the library, and uses one that is there")
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.open is not None:
        open_and_search(arguments.open)
        return
    if arguments.folder is not None:
        (n,) = arguments.segments
        measure(n, arguments.folder, not arguments.no_chroma, arguments.verbs)
        return
    for n in arguments.segments:
        with tempfile.TemporaryDirectory() as folder:
            measure(n, Path(folder), not arguments.no_chroma, arguments.verbs)


if __name__ == "__main__":
    main()
