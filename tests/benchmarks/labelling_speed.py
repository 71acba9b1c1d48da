"""How long a label takes to be ranked again: python -m tests.benchmarks.labelling_speed [SEGMENTS]

In a made-up library with vectors of CLIP's spectrum, 20 segments a file, after 60 and after 1,000
answers. The first ranking of a library also measures its space; all others are as the second.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.database.vector_db import VectorDatabase
from src.labels.ranker import Rankers
from src.models.model_manager import ModelManager
from src.records import Tag
from src.search.segment_search import SegmentSearch
from tests.benchmarks.large_library import Space, fill

REPEATS = 9
NAME = "red"


def main(n: int) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        paths = LibraryPaths(Path(temporary) / "library")
        clip = ModelManager(device="cpu").load_clip()
        vectors = Space(n).images(n)
        fill(paths, vectors, clip.name, np.zeros(n, bool))
        likeness = vectors @ vectors[0]
        with closing(MetadataDatabase(paths)) as metadata:
            search = VectorDatabase(paths, clip, metadata)
            search.embeddings.keep_scanned()
            rankers = Rankers(
                metadata,
                lambda: search,
                lambda: SegmentSearch(search, lambda _: np.zeros((4, 4, 3))),
            )
            rows = metadata.connection.read().execute(
                "SELECT segment_id FROM embeddings ORDER BY id"
            )
            ids = [row["segment_id"] for row in rows]
            order, rng, answered = np.argsort(-likeness), np.random.default_rng(0), 0
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            for answers in (60, 1000):
                # the likest half have it, others from anywhere have not
                half = (answers - answered) // 2
                yes = order[answered // 2 : answered // 2 + half]
                no = rng.choice(order[n // 10 :], half, replace=False)
                with metadata.connection.write():
                    for place in (*yes, *no):
                        metadata.add_tags(ids[place], [Tag(NAME, 1.0, "human")], added_by="human")
                    for place in no:
                        metadata.remove_tag(ids[place], NAME)
                answered = answers
                took, cpu = [], time.process_time()
                for _ in range(REPEATS):
                    start = time.perf_counter()
                    ranking = rankers.of(NAME).rank()
                    took.append(1000 * (time.perf_counter() - start))
                cpu = 1000 * (time.process_time() - cpu) / REPEATS
                print(
                    f"{n:,} segments, {answers:,} answers ({ranking.accepted} yes): first"
                    f" {took[0]:.0f} ms, then median {np.median(took[1:]):.0f} ms, most"
                    f" {max(took[1:]):.0f} ms; {cpu:.0f} ms of the processor each",
                    flush=True,
                )
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            print(f"memory at most {grown:.0f} MB more than before, the mapped scan file included")
            search.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
