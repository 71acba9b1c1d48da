"""Jobs that go from one media file to the next: their common loop, and its counts."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from src.events import Event, FileFailed, FilePassedOver, FileStarted, FrameStored

if TYPE_CHECKING:
    from src.database.vector_index import VectorIndex

# What searches scan is brought into step in between, once so many segments are new.
KEEP_SCANNED = 2000


@dataclass
class Totals:
    """The result of a job's files."""

    frames: int = 0
    segments: int = 0
    failed: list[FileFailed] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Count an event of a file."""
        if isinstance(event, FrameStored):
            self.frames += 1
            self.segments += event.segments
        elif isinstance(event, FileFailed):
            self.failed.append(event)
        elif isinstance(event, FilePassedOver):
            self.removed.append(event.path)


def go_through(
    files: Iterable[tuple[FileStarted, Generator[Event]]],
    index: Callable[[], VectorIndex],
    tell_index: bool,
) -> Generator[Event, None, Totals]:
    """Work on one file after another, and let searches and the index know what was stored.

    Args:
        files: each with the work on it, which begins when its turn has come.
        index: gives the index in use now.
        tell_index: whether the index is told at the end; else a later job does it.

    Returns:
        The sum of it.
    """
    totals = Totals()
    new = 0
    for started, work in files:
        yield started
        before = totals.segments
        with closing(work) as events:
            for event in events:
                if tell_index and totals.segments == 0 and isinstance(event, FrameStored):
                    index().open_ahead()
                totals.add(event)
                yield event
        new += totals.segments - before
        if new >= KEEP_SCANNED:
            index().keep_scanned()
            new = 0
    if tell_index:
        yield from index().catch_up()
    else:
        index().keep_scanned()
    return totals
