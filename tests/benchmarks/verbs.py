"""What the window asks of a large library: python -m tests.benchmarks.verbs [SEGMENTS [LIBRARY]]

Rows are made up, 20 segments a file; there are no files, so nothing that reads pictures is here.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from src.config import LibraryPaths
from src.library import MediaLibrary
from src.models.model_manager import ModelManager
from src.search.leaves import segment_filter
from src.search.query import Query
from src.search.recipe import Recipe
from tests.benchmarks.large_library import PER_FILE, Space, fill

SLOW_S = 1.0
# What reads every row takes minutes in a larger library, and grows with it.
LONG_UP_TO = 100_000


def measure(paths: LibraryPaths) -> None:
    """Time each verb twice, the second time with what the first one has left in memory.

    By the clock, and in brackets the processor's time of the second one.
    """
    print(f"{'s':44} {'first':>8} {'again':>8}")

    def timed(name: str, verb: Callable[[], object], once: bool = False) -> None:
        times, cpu = [], 0.0
        for _ in range(1 if once else 2):
            start, cpu = time.perf_counter(), time.process_time()
            verb()
            times.append(time.perf_counter() - start)
            cpu = time.process_time() - cpu
        slow = "  over a second" if times[-1] > SLOW_S else ""
        by_clock = " ".join(f"{each:8.3f}" for each in times)
        print(f"{name:44} {by_clock} ({cpu:.3f}){slow}", flush=True)

    start = time.perf_counter()
    library = MediaLibrary(paths, ModelManager(device="cpu"), upkeep_later=True)
    print(f"{'open':44} {time.perf_counter() - start:8.3f}")
    with library:
        browse, upkeep = library.browse, library.upkeep
        if upkeep.backup_waits:
            timed("the day's backup, behind the window", lambda: list(upkeep.back_up()), once=True)
        ids = browse.media_ids("added")
        for order in ("added", "captured", "name", "segments"):
            timed(f"media files in order: {order}", lambda order=order: browse.media_ids(order))  # type: ignore[misc]
        timed("a page of cards", lambda: browse.media_cards(ids[1000:1048]))
        timed("which are photos", lambda: browse.photos(ids))
        timed("is it empty", browse.is_empty)
        timed("failed files", browse.failed_media)
        timed("frames of a file", lambda: browse.sampled_frames(ids[7]))
        timed("range of mask quality", browse.quality_range)
        timed("tags with their counts", library.tag_counts)
        timed("statistics, without the models' names", lambda: library.stats(name_models=False))
        timed("unfinished and stopped", lambda: (library.unfinished(), library.stopped()))
        library.load_models()
        timed("segments the wanted CLIP lacks", library.coverage)
        timed("do tags wait", library.tags_wait)
        timed("frames cut by another SAM", library.segmented_by_others)
        timed("what searches scan is made", lambda: list(upkeep.prepare_search()), once=True)
        timed("a search", lambda: library.search("a red circle"))
        half = segment_filter(tags=("half",), min_predicted_iou=0.6)
        timed("a search in half of it", lambda: library.search("a red circle", where=half))
        timed("what a filter leaves: half", lambda: library.find(Query((), half, 100), count=False))
        timed("and its count, once", lambda: library.find(Query((), half, 100)), once=True)
        timed("frames that nobody has measured", library.has_unmeasured_frames)
        timed("folders of media", library.roots)
        found = library.search("a red circle")
        timed("similar segments", lambda: library.similar(found[0].segment.id))
        batch = library.add_tag(found[0].segment.id, "mine")
        timed("a tag given", lambda: library.add_tag(found[1].segment.id, "mine"))
        timed("an act taken back", lambda: library.undo(batch))
        timed("a search for a word that was given", lambda: library.search("mine", where=half))
        timed("a file removed", lambda: library.remove([ids[5]]), once=True)
        timed("files that are gone", library.missing_media, once=True)
        every, some = Recipe(), Recipe(half)
        timed("count an export: everything", lambda: library.export_preview(every))
        timed("count an export: half", lambda: library.export_preview(some))
        if len(ids) * PER_FILE > LONG_UP_TO:
            return
        timed("rows examined (verify)", library.metadata.damaged_rows, once=True)


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    if len(sys.argv) > 2:
        measure(LibraryPaths(Path(sys.argv[2])))
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = LibraryPaths(Path(folder) / "library")
        name = ModelManager(device="cpu").load_clip().name
        fill(paths, Space(n).images(n), name, np.zeros(n, bool))
        print(f"{n:,} segments")
        measure(paths)


if __name__ == "__main__":
    main()
