"""A library's parts at powers of ten: python -m tests.benchmarks.scale [SEGMENTS…] [--vectors]

    --vectors   with embeddings, and so with searches: 2.7 kB of disk a segment in place of 0.4
    --folder    where the libraries are made, one after the other; each is removed in the end
    --crops N   so many empty files as crops, to measure walks through them

Prints a table in Markdown: seconds by the clock, once each, the first of a kind with nothing known
from before in the program (what the system has in memory of the file is another thing). Where
`verify` takes over a minute, its time is reckoned from the rows it had looked at by then: ~.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from src.config import LibraryPaths
from src.database.backup import back_up, backups, damage_of
from src.database.browse_queries import BrowseQueries
from src.database.disk_use import DiskUse
from src.database.media_facts import MediaFacts
from src.database.metadata_db import MetadataDatabase
from src.database.scan_rows import ScanRows
from src.records import MediaOrder
from src.search.leaves import segment_filter
from tests.benchmarks.large_library import PER_FILE, Space, fill

SIZES = (100_000, 1_000_000, 10_000_000)
ORDERS: tuple[MediaOrder, ...] = ("added", "captured", "name", "segments")
PAGE = 60
MOST_S = 60.0
MOST_COPIED = 1_500_000_000  # bytes; of a larger file no backup is tried
MODEL = "made up"
CROPS = 100_000

Figures = dict[str, str]
T = TypeVar("T")


def measure(folder: Path, n: int, with_vectors: bool, crops: int) -> Figures:
    """Make a library of n segments, measure it, and remove it."""
    paths = LibraryPaths(folder / f"of-{n}")
    figures: Figures = {}
    try:
        began = time.perf_counter()
        fill(paths, Space(n).images(n) if with_vectors else n, MODEL)
        print(f"{n:,} segments made in {time.perf_counter() - began:.0f} s", flush=True)
        size = paths.metadata_db.stat().st_size
        figures["metadata.db, MB"] = f"{size / 1e6:,.0f}"
        figures["bytes a segment"] = f"{size / n:,.0f}"
        for name, figure in _figures(paths, n, with_vectors, crops):
            figures[name] = figure
            print(f"{n:,}: {name}: {figure}", flush=True)
    finally:
        shutil.rmtree(paths.root, ignore_errors=True)
    return figures


def _figures(
    paths: LibraryPaths, n: int, with_vectors: bool, crops: int
) -> Iterator[tuple[str, str]]:
    MetadataDatabase(paths, upkeep_later=True).close()  # the day's backup of a small one
    took, metadata = timed(lambda: MetadataDatabase(paths, upkeep_later=True))
    yield "open", took
    try:
        browse, facts = BrowseQueries(metadata), MediaFacts(metadata)
        ids: list[int] = []
        for order in ORDERS:
            took, ids = timed(lambda order=order: browse.media_ids(order))  # type: ignore[misc]
            yield f"list of media files, by {order}", took
        yield f"a page of {PAGE} cards", timed(lambda: browse.media_cards(ids[:PAGE]))[0]
        yield "part of a name", timed(lambda: browse.media_ids("added", name="0042"))[0]
        yield "counts (`stats`)", timed(metadata.counts)[0]
        yield "tag counts", timed(metadata.tag_counts)[0]
        yield "folders and days", timed(lambda: (facts.folders(), facts.captured_between()))[0]
        yield "mask quality, lowest and highest", timed(browse.quality_range)[0]
        rare, half = segment_filter(tags=("rare",)), segment_filter(tags=("half",))
        good = segment_filter(min_predicted_iou=0.9)
        yield "count of a filter, 1 %", timed(lambda: browse.count_where(rare))[0]
        yield "count of a filter, half", timed(lambda: browse.count_where(half))[0]
        yield "count by mask quality, 1 in 5", timed(lambda: browse.count_where(good))[0]
        yield "segments of a filter, a page", timed(lambda: browse.segments_in_order(rare, PAGE))[0]
        yield "media files of a filter", timed(lambda: browse.media_ids("added", rare))[0]
        if with_vectors:
            scan = ScanRows(metadata.connection, MODEL)
            yield "the file that searches scan, made", timed(lambda: scan.keep(1))[0]
            again = ScanRows(metadata.connection, MODEL)
            yield "the same, opened", timed(lambda: again.parts(1))[0]
        yield "`verify`: checksums of rows", _rows_checked(metadata)
        yield "examination (`quick_check`)", timed(lambda: damage_of(metadata.connection.read()))[0]
        if metadata.paths.metadata_db.stat().st_size <= MOST_COPIED:
            yield "backup, with its examination", _backed_up(metadata)
        if crops:
            _make_crops(paths, crops)
            yield f"size of {crops:,} crops (`stats`)", timed(DiskUse(paths).bytes)[0]
            walk = timed(lambda: sum(1 for _ in paths.files.walk("extracted_segments")))[0]
            yield f"walk over {crops:,} crops (`verify`)", walk
        yield "most memory, MB", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f}"
        yield "close", timed(metadata.close)[0]
    finally:
        metadata.close()


def _rows_checked(metadata: MetadataDatabase) -> str:
    began, looked = time.perf_counter(), metadata.look_for_damaged_rows()
    for done, total in looked:
        took = time.perf_counter() - began
        if took > MOST_S and done:
            looked.close()
            return f"~{took * total / done:,.0f}"
    return f"{time.perf_counter() - began:,.1f}"


def _backed_up(metadata: MetadataDatabase) -> str:
    database = metadata.paths.metadata_db
    took, _ = timed(lambda: back_up(metadata.connection.read(), database))
    for backup in backups(database):
        os.unlink(backup)
    return took


def _make_crops(paths: LibraryPaths, n: int) -> None:
    """Make empty files as crops lie: a folder for each media file, in 256 others."""
    for media in range(n // PER_FILE):
        folder = paths.extracted_segments / f"{media % 256:02x}" / f"{media:016x}"
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(PER_FILE):
            (folder / f"{number}.jpg").touch()


def timed(work: Callable[[], T]) -> tuple[str, T]:
    """Do something; returns its seconds, with as many digits as mean anything, and its result."""
    began = time.perf_counter()
    result = work()
    took = time.perf_counter() - began
    return f"{took:.4f}" if took < 0.1 else f"{took:,.2f}" if took < 10 else f"{took:,.0f}", result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("segments", nargs="*", type=int)
    parser.add_argument("--vectors", action="store_true")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--crops", type=int, default=CROPS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        columns = {
            n: measure(Path(folder), n, arguments.vectors, arguments.crops)
            for n in arguments.segments or SIZES
        }
    names = list(dict.fromkeys(name for figures in columns.values() for name in figures))
    print("| segments | " + " | ".join(f"{n:,}" for n in columns) + " |")
    print("| --- " * (1 + len(columns)) + "|")
    for name in names:
        print(f"| {name} | " + " | ".join(each.get(name, "") for each in columns.values()) + " |")


if __name__ == "__main__":
    main()
