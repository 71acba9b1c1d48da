"""Search times: python -m tests.benchmarks.search [SEGMENTS…]

Ours beside plain numpy (all vectors in memory, nothing else) and plain Chroma (embedded, its
own filters), on the same clustered vectors, in one run. Ours returns whole hits, with path,
box and tags; the others only ids.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import chromadb
import numpy as np
from chromadb.config import Settings as ChromaSettings

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment
from src.database.vector_db import VectorDatabase
from src.models.model_manager import ModelManager
from src.records import EMBEDDING_DIM, Segment, Tag
from src.search.filters import Filter
from src.search.leaves import segment_filter
from tests.conftest import small_mask

PER_FRAME = 20
K = 10
QUERIES = 30


def clustered(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw unit vectors around n / 100 centres, as segments of a real library lie."""
    centres = rng.normal(size=(max(1, n // 100), EMBEDDING_DIM))
    rows = centres[rng.integers(0, len(centres), n)] + 0.7 * rng.normal(size=(n, EMBEDDING_DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def fill(metadata: MetadataDatabase, vectors: np.ndarray, model: str) -> None:
    """Store vectors as segments, 20 a frame, one frame a file; 1 in 100 is tagged rare."""
    crop = np.zeros((1, 1, 3), np.uint8)
    segment = Segment("object", (0, 0, 9, 9), 81, 0.9, 0.9, small_mask(0), crop)
    with metadata.connection.write():
        for start in range(0, len(vectors), PER_FRAME):
            media_id = metadata.add_media(Path(f"/photos/{start}.jpg"), "image", 1, 1)
            new = [
                NewSegment(
                    f"{i:08}",
                    segment,
                    f"{i}.jpg",
                    vectors[i],
                    (Tag("rare", 0.9, "auto"),) * (i % 100 == 0)
                    + (Tag("half", 0.9, "auto"),) * (i % 2),
                )
                for i in range(start, min(start + PER_FRAME, len(vectors)))
            ]
            metadata.store_frame(media_id, 0, None, (100, 100), new, model)
            metadata.update_media(media_id, status="done")


def p50_ms(search: Callable[[np.ndarray], object], queries: np.ndarray) -> float:
    times = []
    for query in queries:
        start = time.perf_counter()
        search(query)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def measure(n: int, folder: Path) -> None:
    rng = np.random.default_rng(0)
    vectors = clustered(n, rng)
    queries = vectors[rng.integers(0, n, QUERIES)] + 0.02 * rng.normal(
        size=(QUERIES, EMBEDDING_DIM)
    )
    queries = (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32)

    clip = ModelManager(device="cpu").load_clip()
    paths = LibraryPaths(folder / "library")
    metadata = MetadataDatabase(paths)
    fill(metadata, vectors, clip.name)
    ours = VectorDatabase(paths, clip, metadata, use_index=True)
    assert ours.index is not None
    start = time.perf_counter()
    for _ in ours.index.catch_up():
        pass
    told = n / (time.perf_counter() - start)

    client = chromadb.PersistentClient(
        str(folder / "chroma"), ChromaSettings(anonymized_telemetry=False)
    )
    plain = client.create_collection(
        "plain", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
    )
    start = time.perf_counter()
    for at in range(0, n, 1000):
        added_rows = range(at, min(at + 1000, n))
        plain.add(
            ids=[f"{i:08}" for i in added_rows],
            embeddings=vectors[at : at + 1000],
            metadatas=[
                {"media": i // PER_FRAME, "rare": i % 100 == 0, "half": i % 2 == 1}
                for i in added_rows
            ],
        )
    added = n / (time.perf_counter() - start)

    every = np.arange(n)
    cases: list[tuple[str, Filter, np.ndarray, dict[str, object] | None]] = [
        ("all", segment_filter(), every, None),
        ("one file (20)", segment_filter(media_file_ids=(7,)), every[120:140], {"media": 6}),
        ("a tag (1 %)", segment_filter(tags=("rare",)), every[::100], {"rare": True}),
        ("a tag (50 %)", segment_filter(tags=("half",)), every[1::2], {"half": True}),
    ]
    print(f"\n{n:,} segments, top {K}, median of {QUERIES}, ms")
    print(
        f"{'search in':16} {'ours':>8} {'numpy':>8} {'Chroma':>8} {'Chroma/ours':>12} {'recall':>7}"
    )
    for name, where, rows, chroma_where in cases:

        def exact(query: np.ndarray, rows: np.ndarray = rows) -> list[str]:
            scores = vectors[rows] @ query if len(rows) < n else vectors @ query
            return [f"{rows[i]:08}" for i in np.argsort(-scores)[:K]]

        def by_chroma(query: np.ndarray, where: dict[str, object] | None = chroma_where) -> object:
            return plain.query(
                query_embeddings=query[None], n_results=K, where=where, include=["distances"]
            )

        def by_us(query: np.ndarray, where: Filter = where) -> list[str]:
            return [hit.segment.id for hit in ours.search_by_embedding(query, K, where)]

        recall = np.mean([len(set(by_us(q)) & set(exact(q))) / K for q in queries])
        a, b, c = p50_ms(by_us, queries), p50_ms(exact, queries), p50_ms(by_chroma, queries)
        print(f"{name:16} {a:8.1f} {b:8.1f} {c:8.1f} {c / a:12.1f} {recall:7.3f}")
    print(f"index told {told:,.0f} segments/s, 200 at a time; plain Chroma {added:,.0f}, 1,000")
    ours.close()
    metadata.close()


def main() -> None:
    for n in [int(word) for word in sys.argv[1:]] or [10_000, 100_000]:
        with tempfile.TemporaryDirectory() as folder:
            measure(n, Path(folder))


if __name__ == "__main__":
    main()
