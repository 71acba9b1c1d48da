"""What a running job says: frozen records of ids, paths and numbers.

A job is a generator of these. Each one is a progress point and a place to cancel.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Event:
    """Anything a job says."""


@dataclass(frozen=True)
class JobStarted(Event):
    """The job knows its files."""

    files: int


@dataclass(frozen=True)
class FileStarted(Event):
    """Work on a file begins; `file_number` counts from 1."""

    path: Path
    file_number: int


@dataclass(frozen=True)
class FrameStored(Event):
    """A frame and its segments are in the library.

    Attributes:
        fraction: how much of the file is behind us, 0 to 1.
    """

    path: Path
    frame_index: int
    timestamp_s: float | None
    segments: int
    fraction: float


@dataclass(frozen=True)
class FrameSkipped(Event):
    """A frame that looks like the one before, or that was stored by an earlier run."""

    path: Path
    frame_index: int
    fraction: float


@dataclass(frozen=True)
class WorkStays(Event):
    """A segment of before that is kept when its frame is cut again, for what people did on it.

    No new segment is the same thing, so it stays beside them.

    Attributes:
        tags: that people gave it.
    """

    path: Path
    frame_index: int
    timestamp_s: float | None
    segment_id: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class FileDone(Event):
    """A file is whole in the library; `note` says what is wrong with it or good to know."""

    path: Path
    frames: int
    segments: int
    note: str | None = None


@dataclass(frozen=True)
class FileKnown(Event):
    """A file whose content the library already has."""

    path: Path
    reason: str


@dataclass(frozen=True)
class FileFailed(Event):
    """A file that can't be taken in, and why; the job goes on."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Progress(Event):
    """So many of so many, for jobs that are not about files; 0 of 0 while it waits."""

    doing: str
    done: int
    total: int


@dataclass(frozen=True)
class Downloading(Event):
    """How far the download of a model is, and how fast this run of it goes."""

    name: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    seconds_left: float


@dataclass(frozen=True)
class ModelFetched(Event):
    """A model is verified and in its place."""

    name: str
    path: Path


@dataclass(frozen=True)
class JobDone(Event):
    """The job is over.

    Attributes:
        failed: files that failed, with their reasons.
        written: where an export went.
    """

    files: int = 0
    frames: int = 0
    segments: int = 0
    failed: tuple[FileFailed, ...] = ()
    written: Path | None = field(default=None)


@dataclass(frozen=True)
class ProblemFound(Event):
    """Something about a library that is not as it should be, and whether it was mended."""

    what: str
    mended: bool
