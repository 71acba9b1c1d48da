"""Labels in a large library: python -m tests.benchmarks.labels [SEGMENTS]

Rows are made up, 20 segments a frame, each with three tags of models, and every tenth with a label
of a person. Times are by the clock, the median of five; in brackets the longest.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NoReturn

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.labelling import Labels
from tests.conftest import small_mask

NAMES = [f"word {number}" for number in range(60)]
PER_FRAME = 20
ROUNDS = 5


def fill(metadata: MetadataDatabase, segments: int) -> None:
    with metadata.connection.write() as db:
        for number in range(segments // PER_FRAME):
            db.execute(
                "INSERT INTO media_files (path, kind, file_size, modified_at_ns, status, added_at)"
                " VALUES (?, 'image', 1, 1, 'done', 0)",
                (f"/made up/{number}.jpg",),
            )
            db.execute(
                "INSERT INTO frames (media_file_id, frame_index, width, height)"
                " VALUES (?, 0, 100, 100)",
                (number + 1,),
            )
        mask = small_mask(0)
        db.executemany(
            "INSERT INTO segments (id, frame_id, kind, x, y, w, h, area, mask, crop_path, origin)"
            " VALUES (?, ?, ?, 0, 0, 4, 4, 16, ?, 'crop.jpg', 'sam')",
            [
                (_id(n), n // PER_FRAME + 1, "object" if n % PER_FRAME else "frame", mask)
                for n in range(segments)
            ],
        )
        db.executemany(
            "INSERT INTO tags (name, added_by) VALUES (?, 'vocabulary')", [(n,) for n in NAMES]
        )
        db.executemany(
            "INSERT INTO segment_tags (segment_id, tag_id, confidence, source)"
            " VALUES (?, ?, 0.5, 'auto')",
            [
                (_id(n), (n * 7 + k * 20) % len(NAMES) + 1)
                for n in range(segments)
                for k in range(3)
            ],
        )


def _id(number: int) -> str:
    return f"{number:032x}"


def _no_model() -> NoReturn:
    raise AssertionError("no model is needed for this")


def measure(segments: int) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(MetadataDatabase(LibraryPaths(Path(folder)))) as metadata,
    ):
        fill(metadata, segments)
        labels = Labels(metadata, _no_model, _no_model)
        for place, name in enumerate(NAMES):
            labels.give([_id(n) for n in range(place, segments, 10 * len(NAMES))], name)
        thousand = [_id(n) for n in range(5, segments, segments // 1000)][:1000]
        batches = list[str]()

        def timed(
            what: str, verb: Callable[[], object], after: Callable[[], object] | None = None
        ) -> None:
            times = []
            for _ in range(ROUNDS):
                begun = time.perf_counter()
                verb()
                times.append(1000 * (time.perf_counter() - begun))
                if after is not None:
                    after()
            print(f"{what:44} {statistics.median(times):8.1f} ms ({max(times):.1f})", flush=True)

        def give() -> None:
            batches.append(labels.give(thousand, "word 3"))

        def merge() -> None:
            batches.append(labels.merge(["word 1", "word 2"], "word 3"))

        def undo() -> None:
            labels.undo(batches.pop())

        print(f"{segments:,} segments, {len(NAMES)} labels")
        timed("the list while nothing changes", labels.list)
        timed("the list after a change", labels.list, lambda: labels.give(thousand[:1], "word 3"))
        timed("names for completion", labels.names)
        timed("give a label to 1,000 segments", give)
        timed("undo that", undo)
        timed("reject on 1,000 segments", lambda: labels.reject(thousand, "word 3"))
        timed(
            "accept 1,000 together", lambda: labels.accept_together(thousand, "new", [0.9] * 1000)
        )
        timed("merge two labels into a third", merge, undo)
        timed("next frame to review, of 60 labels", lambda: labels.next_to_review(NAMES))
        timed("progress of the review", lambda: labels.review_progress(NAMES))
        timed("disagreements", labels.disagreements)


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
