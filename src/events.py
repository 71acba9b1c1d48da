"""What a running job says: frozen records of ids, paths and numbers.

A job is a generator of these. Each one is a progress point and a place to cancel.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

Result = TypeVar("Result")
# Files that the library has as they are, and what is to be read for the first time.
WorkKind = Literal["known", "image", "video"]

# Of the kinds of files that can't be read, the most frequent.
_ENDINGS_SHOWN = 5


@dataclass(frozen=True)
class Event:
    """Anything a job says."""


@dataclass(frozen=True)
class FileWork:
    """How much work a file will be, as far as that is known before it is opened.

    Attributes:
        amount: in what takes about the same time within a kind.
    """

    kind: WorkKind = "image"
    amount: float = 1.0


@dataclass(frozen=True)
class JobStarted(Event):
    """The job knows its files.

    Attributes:
        work: the sum of all files', by its kind; empty where they are all alike.
    """

    files: int
    work: Mapping[WorkKind, float] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class FileStarted(Event):
    """Work on a file begins; `file_number` counts from 1."""

    path: Path
    file_number: int
    work: FileWork = field(default=FileWork(), compare=False)


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
class AnnotationUnmatched(Event):
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
class FilePassedOver(Event):
    """A file met in a folder whose content a person has removed from the library before."""

    path: Path


@dataclass(frozen=True)
class FileFailed(Event):
    """A file that can't be added, and why; the job continues."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Progress(Event):
    """So many of so many, for jobs that are not about files; 0 of 0 while it waits."""

    doing: str
    done: int
    total: int


def run_through(steps: Generator[object, None, Result]) -> Result:
    """Go through steps without telling of them; returns their result."""
    try:
        while True:
            next(steps)
    except StopIteration as over:
        result: Result = over.value
        return result


def said(
    doing: str, steps: Generator[tuple[int, int], None, Result]
) -> Generator[Event, None, Result]:
    """Say how far steps are that yield how much is done and of how much; gives their result."""
    try:
        while True:
            yield Progress(doing, *next(steps))
    except StopIteration as over:
        result: Result = over.value
        return result


@dataclass(frozen=True)
class IndexAway(Event):
    """The Chroma server that keeps the search index can't be told now; searches need none.

    Attributes:
        reason: what the server, or the way to it, says.
    """

    reason: str

    def __str__(self) -> str:
        return (
            f"The Chroma server can't be updated: {self.reason}. Searches here are complete, and "
            "it catches up when it answers again"
        )


@dataclass(frozen=True)
class ClusterWorkers(Event):
    """The workers of a cluster that work for a job have changed, or have done more.

    Attributes:
        machines: where each is.
        devices: what each computes on.
        done: how many images and frames each has done.
        sent: how many files had to be sent to workers that did not find them.
        problem: why workers on other machines can't begin.
        wait_s: how long one is waited for where there is none, before the job ends.
    """

    machines: tuple[str, ...]
    devices: tuple[str, ...]
    done: tuple[int, ...] = ()
    sent: int = field(default=0, compare=False)
    problem: str = ""
    wait_s: float = field(default=0.0, compare=False)

    def __str__(self) -> str:
        if not self.devices:
            why = f": {self.problem}" if self.problem else ""
            limit = f", {self.wait_s:.0f} s at most" if self.wait_s else ""
            return f"0 workers; waiting for one{limit}{why}"
        kinds = ", ".join(
            f"{self.devices.count(each)} × {each}" for each in sorted({*self.devices})
        )
        workers = _so_many(len(self.devices), "worker{s}")
        machines = _so_many(len({*self.machines}), "machine{s}")
        said = f"{workers} on {machines} ({kinds})"
        return f"{said}; others do not work: {self.problem}" if self.problem else said


@dataclass(frozen=True)
class ReadHere(Event):
    """A video is read on this machine, all or the rest of it, where workers read others.

    Its frames are cut by the workers all the same.
    """

    path: Path
    reason: str


@dataclass(frozen=True)
class MissingMediaFound(Event):
    """All media files have been looked for.

    Attributes:
        gone: those that are not there, and of which no copy is known.
        away: how many are on drives that can't be reached now.
    """

    gone: tuple[int, ...]
    away: int


@dataclass(frozen=True)
class DuplicatesFound(Event):
    """All media files have been compared.

    Attributes:
        groups: of near-duplicates that nobody has decided on.
        files: in them.
    """

    groups: int
    files: int


@dataclass(frozen=True)
class FileTrashed(Event):
    """A file is in the trash, and out of the library."""

    path: Path


@dataclass(frozen=True)
class ClipWritten(Event):
    """A clip is at its place.

    Attributes:
        has_masks: whether masks are drawn into it.
    """

    file: Path
    frames: int
    has_masks: bool


@dataclass(frozen=True)
class SegmentPropagated(Event):
    """A segment was followed through its video, and what was found is linked to it.

    Attributes:
        batch: of the act, for undo; None where nothing was found, and nothing changed.
        track_id: of the thing.
        added: segments that are new.
        taken: segments that were there, and are in its track now.
        frames: that were looked at.
    """

    batch: str | None
    track_id: int | None
    added: int
    taken: int
    frames: int


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
class PassedOver:
    """What a walk through folders left where it is: numbers of files, by the reason.

    Attributes:
        thumbnails: pictures that other programs made of pictures.
        deleted: what lies in bins.
        left_out: in other folders that the settings name.
        hidden: files, and what is in folders, whose names begin with a dot.
        exports: crops in datasets that this program wrote.
        libraries: what other libraries of this program keep of their own.
        not_read: files of kinds that can't be read, by their endings; "" for those with none.
        removed: what a person removed from the library before.
    """

    thumbnails: int = 0
    deleted: int = 0
    left_out: int = 0
    hidden: int = 0
    exports: int = 0
    libraries: int = 0
    not_read: dict[str, int] = field(default_factory=dict)
    removed: tuple[Path, ...] = ()

    def __str__(self) -> str:
        """Write in one line, without a full stop, what was passed over; "" when nothing was."""
        parts = [
            _so_many(self.thumbnails, "thumbnail{s} of another program"),
            _so_many(self.deleted, "deleted file{s} in a bin"),
            _so_many(self.left_out, "file{s} in folders that the settings leave out"),
            _so_many(self.hidden, "hidden file{s}"),
            _so_many(self.exports, "file{s} of exported datasets"),
            _so_many(self.libraries, "file{s} of another library"),
            self._kinds_not_read(),
            _so_many(len(self.removed), "that you removed"),
        ]
        return ", ".join(part for part in parts if part)

    def _kinds_not_read(self) -> str:
        number = sum(self.not_read.values())
        endings = sorted(self.not_read, key=lambda ending: (-self.not_read[ending], ending))
        shown = [ending or "no ending" for ending in endings[:_ENDINGS_SHOWN]]
        if len(endings) > len(shown):
            shown.append("…")
        kinds = "kinds" if len(endings) > 1 else "a kind"
        return _so_many(number, f"file{{s}} of {kinds} not read ({', '.join(shown)})")


def _so_many(number: int, what: str) -> str:
    return f"{number:,} {what.format(s='' if number == 1 else 's')}" if number else ""


@dataclass(frozen=True)
class JobDone(Event):
    """The job is over.

    Attributes:
        failed: files that failed, with their reasons.
        written: where an export went.
        passed_over: what the folders that were added hold beside what was taken.
    """

    files: int = 0
    frames: int = 0
    segments: int = 0
    failed: tuple[FileFailed, ...] = ()
    written: Path | None = field(default=None)
    passed_over: PassedOver = field(default_factory=PassedOver)


@dataclass(frozen=True)
class ProblemFound(Event):
    """Something about a library that is not as it should be, and whether it was mended.

    Attributes:
        is_missing_file: it is a media file that is not where it was.
    """

    what: str
    mended: bool
    is_missing_file: bool = False
