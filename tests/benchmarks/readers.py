"""The log of a library beside which others read: python -m tests.benchmarks.readers [--minutes N]

One process stores frames of 40 segments without a pause, as adding does at its quickest; beside it
one reader waits, one searches and one pages through the library, each in a process of its own
that looks at the library every two seconds as a window does. Prints the size of the log once a
second and, in the end, the largest, and how often each reader had its answer.

    --readers N   so many of each kind; 0 for none
    --large N     so many segments are there before (20,000)
    --folder      where the library is made; it is removed in the end
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import TypeVar

from src.config import LibraryPaths
from src.database.browse_queries import BrowseQueries
from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.database.reader_watch import ReaderWatch
from src.search.leaves import segment_filter
from tests.benchmarks.large_library import Space, fill
from tests.conftest import new_segments, unit_vectors

MODEL = "made up"
PER_FRAME = 40
LOOK_EVERY_S = 2.0
KINDS = ("waits", "searches", "pages")
T = TypeVar("T")


def write(paths: LibraryPaths, until: float, stored: Synchronized[int]) -> None:
    """Store frames, each in a transaction of its own."""
    vectors = unit_vectors(PER_FRAME)
    with closing(MetadataDatabase(paths, upkeep_later=True)) as metadata:
        while time.time() < until:
            number = stored.value
            media = metadata.add_media(Path(f"/more/{number:07}.jpg"), "image", 10, 10)
            segments = new_segments(vectors, prefix=f"m{number}-")
            metadata.store_frame(media, 0, None, (100, 100), segments, MODEL)
            metadata.update_media(media, status="done", content_hash=f"m{number}")
            stored.value += 1


def read(paths: LibraryPaths, kind: str, until: float, answers: Synchronized[int]) -> None:
    """Ask as a window does where a person waits, searches, or scrolls through the library."""
    query, slowest = unit_vectors(1, seed=7)[0], dict[str, float]()

    def timed(name: str, work: Callable[..., T], *asked: object) -> T:
        began = time.monotonic()
        result = work(*asked)
        slowest[name] = max(slowest.get(name, 0.0), time.monotonic() - began)
        return result

    with closing(MetadataDatabase(paths, read_only=True)) as metadata:
        watch = ReaderWatch(metadata.connection, paths.lock, None)
        browse = BrowseQueries(metadata)
        store = EmbeddingStore(metadata.connection, MODEL)
        half, looked = segment_filter(tags=("half",)), 0.0
        while time.time() < until:
            if time.monotonic() - looked >= LOOK_EVERY_S:
                looked = time.monotonic()
                timed("look", watch.look)
            if kind == "waits":
                time.sleep(0.1)
                continue
            if kind == "searches":
                best = timed("search", store.best, query, 60)
                timed("segments", metadata.segments, [row[0] for row in best])
                timed("search within half", store.best, query, 60, half)
            else:
                ids = timed("list", browse.media_ids, "added")
                for start in range(0, min(len(ids), 1200), 60):
                    timed("cards", browse.media_cards, ids[start : start + 60])
                timed("segments of half", browse.segments_in_order, half, 60)
                timed("list of half", browse.media_ids, "captured", half)
                timed("tags", metadata.tag_counts)
            answers.value += 1
    slow = ", ".join(f"{name} {took:.2f} s" for name, took in slowest.items())
    print(f"the slowest of one that {kind}: {slow}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--readers", type=int, default=1)
    parser.add_argument("--large", type=int, default=20_000)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        paths = LibraryPaths(Path(folder) / "library")
        fill(paths, Space(arguments.large).images(arguments.large), MODEL)
        until = time.time() + 60 * arguments.minutes
        stored = multiprocessing.Value("l", 0)
        work = [multiprocessing.Process(target=write, args=(paths, until, stored))]
        answers = {kind: multiprocessing.Value("l", 0) for kind in KINDS}
        for kind in KINDS:
            for _ in range(arguments.readers):
                args = (paths, kind, until, answers[kind])
                work.append(multiprocessing.Process(target=read, args=args))
        for process in work:
            process.start()
        log, sizes = Path(f"{paths.metadata_db}-wal"), list[float]()
        while time.time() < until:
            time.sleep(1)
            sizes.append(log.stat().st_size / 1e6 if log.exists() else 0.0)
            if len(sizes) % 10 == 0:
                print(f"{len(sizes)} s: {sizes[-1]:.1f} MB, {stored.value} frames", flush=True)
        for process in work:
            process.join()
        left = os.path.getsize(log) / 1e6 if log.exists() else 0.0
    asked = ", ".join(f"{kind} {count.value}" for kind, count in answers.items())
    print(
        f"the log: {max(sizes):.1f} MB at most, {sizes[-1]:.1f} MB last, {left:.1f} MB when closed;"
        f" {stored.value * PER_FRAME / (60 * arguments.minutes):,.0f} segments/s; {asked}"
    )


if __name__ == "__main__":
    main()
