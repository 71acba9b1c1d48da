"""The state of a running job, in the words of the strip at the bottom."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from src.counting import clock, counted, megabytes
from src.dataset_events import LabelsImported
from src.events import (
    ClusterWorkers,
    Downloading,
    Event,
    FileDone,
    FileFailed,
    FileKnown,
    FileStarted,
    FrameSkipped,
    FrameStored,
    JobDone,
    JobStarted,
    Progress,
    ReadHere,
)
from src.job_kinds import STAGES, JobKind, job_kind, job_kinds
from src.time_left import TimeLeft

# Before that an estimate from a count is worth nothing.
_GUESS_AFTER_S, _GUESS_AFTER = 2.0, 0.02


@dataclass
class JobState:
    """A job, as far as it is.

    Attributes:
        name: what was asked for, in words.
        kind: the key of its kind; see src/job_kinds.py.
        in_place: whether that which started it is still there to say what goes wrong.
        taken: files that are done, now or before; a folder that can't be read is none.
        known: those of them that the library had before.
        imported: what came of the import of a dataset.
        download: how far the file is that is being fetched.
        doing_from: when what it is `doing` began, and how much was done by then.
        cancelling: a person has asked it to stop.
        asked_for: the files and folders that an add is to take in.
        workers: of a cluster, that work for it; None where none does.
        read_here: videos that those do not read.
    """

    name: str = ""
    files: int = 0
    file_number: int = 0
    path: Path | None = None
    frames: int = 0
    file_frames: int = 0
    segments: int = 0
    file_fraction: float = 0.0
    taken: int = 0
    known: int = 0
    imported: LabelsImported | None = None
    doing: Progress | None = None
    download: Downloading | None = None
    failed: list[FileFailed] = field(default_factory=list)
    done: JobDone | None = None
    cancelling: bool = False
    clock: Callable[[], float] = time.monotonic
    started_at: float | None = None
    doing_from: tuple[float, int] = (0.0, 0)
    kind: str = "add"
    in_place: bool = True
    asked_for: Sequence[Path] = ()
    workers: ClusterWorkers | None = None
    read_here: list[ReadHere] = field(default_factory=list)

    def __post_init__(self) -> None:
        # the window has the index told by a job of its own
        self._time_left = TimeLeft(self.clock, tells_index=False)

    def take(self, event: Event) -> None:
        """Update it by an event of the job."""
        if self.started_at is None:
            self.started_at = self.clock()
        if isinstance(event, ClusterWorkers):  # they come and go beside what the job does
            self.workers = event
            return
        if isinstance(event, ReadHere):
            self.read_here.append(event)
            return
        if isinstance(event, Progress):
            if self.doing is None or self.doing.doing != event.doing:
                self.doing_from = self.clock(), event.done
            self.doing = event
            return
        self._time_left.take(event)
        if isinstance(event, JobStarted):
            self.files = event.files
        elif isinstance(event, FileStarted):
            self.path, self.file_number = event.path, event.file_number
            self.file_fraction, self.file_frames = 0.0, 0
        elif isinstance(event, FrameStored):
            self.frames += 1
            self.file_frames += 1
            self.segments += event.segments
            self.file_fraction = event.fraction
        elif isinstance(event, FrameSkipped):
            self.file_fraction = event.fraction
        elif isinstance(event, FileDone):
            self.file_fraction = 1.0
            self.taken += 1
        elif isinstance(event, FileKnown):
            self.taken += 1
            self.known += 1
        elif isinstance(event, FileFailed):
            self.failed.append(event)
        elif isinstance(event, LabelsImported):
            self.imported = event
        elif isinstance(event, JobDone):
            self.done = event
        elif isinstance(event, Downloading):
            self.download = event
        self.doing = None

    @property
    def about(self) -> JobKind:
        return job_kind(self.kind)

    @property
    def fraction(self) -> float:
        """How much is done, 0 to 1."""
        if self.doing is not None and self.doing.total:
            return self.doing.done / self.doing.total
        if self.done is not None:
            return 1.0
        if self.download is not None:
            return self.download.done_bytes / self.download.total_bytes
        if not self.files or not self.file_number:
            return 0.0
        return min(1.0, (self.file_number - 1 + self.file_fraction) / self.files)

    @property
    def headline(self) -> str:
        if self.doing is not None:
            stage = STAGES.get(self.doing.doing)
            return self.doing.doing if stage is None else stage.headline
        if self.file_number:
            return f"File {self.file_number:,} of {self.files:,}"
        if self.download is not None:
            return f"Downloading {self.download.name}"
        return self.name or "Starting"

    @property
    def detail(self) -> list[str]:
        """The parts after the headline: name, frame, segments."""
        if self.doing is not None:
            if not self.doing.total:
                return [] if self.download is None else downloaded(self.download)[:1]
            if self.doing.doing == "check":  # counted in bytes
                return [f"{self.fraction:.0%}"]
            return [f"{self.doing.done:,} of {self.doing.total:,}"]
        if self.download is not None:
            return downloaded(self.download)
        parts = [] if self.path is None else [self.path.name]
        if self.file_frames > 1 or 0 < self.file_fraction < 1:
            parts.append(f"frame {self.file_frames}")
        if self.segments:
            parts.append(counted(self.segments, "segment"))
        if self.workers is not None and not self.workers.devices:
            parts.append("waiting for a worker")
        return parts

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the time so far; None while there is nothing to estimate from."""
        if self.started_at is None or self.done is not None:
            return None
        if self.doing is not None:
            since, before = self.doing_from
            spent = self.clock() - since
            share = (self.doing.done - before) / max(1, self.doing.total)
            if spent < _GUESS_AFTER_S or share < _GUESS_AFTER:
                return None
            return spent * (1 - self.fraction) / share
        if self.download is not None:
            is_early = self.clock() - self.started_at < _GUESS_AFTER_S
            return None if is_early else self.download.seconds_left
        return self._time_left.seconds()

    @property
    def is_estimating(self) -> bool:
        """Whether it works on files, and how long that takes is not known yet."""
        on_files = self.file_number > 0 and self.doing is None and self.done is None
        return on_files and self.seconds_left is None

    @property
    def removed(self) -> tuple[Path, ...]:
        """What a person has removed before and was found in a folder that was added."""
        return () if self.done is None else self.done.passed_over.removed

    @property
    def question(self) -> str:
        """The question whether to add again what was removed; "" where none of it was found."""
        if not self.removed:
            return ""
        are, them = ("is", "it") if len(self.removed) == 1 else ("are", "them")
        files = counted(len(self.removed), "file")
        return f"{files} that you removed {are} in this folder. Add {them} again?"

    @property
    def passed_over(self) -> str:
        """What else was not added from the folders; "" when everything was."""
        rest = "" if self.done is None else str(replace(self.done.passed_over, removed=()))
        return f"Passed over: {rest}." if rest else ""

    @property
    def outcome(self) -> str:
        """The result, once it is over."""
        if self.imported is not None:
            return _what_was_imported(self.imported)
        if self.known and self.known == self.taken and not self.failed:
            verb = "is" if self.known == 1 else "are"
            text = f"{counted(self.known, 'file')} {verb} already in the library"
        else:
            text = f"{counted(self.taken, 'file')} done, {counted(self.segments, 'segment')} added"
            text += f", {self.known:,} already in the library" if self.known else ""
        if self.read_here:
            text += f", {counted(len(self.read_here), 'video')} read on this machine"
        return text if self.done is not None else f"Stopped. {text}"


def _what_was_imported(event: LabelsImported) -> str:
    """Write what came of the import of a dataset."""
    parts = [
        counted(number, word)
        for number, word in ((event.files, "image"), (event.segments, "segment"))
        if number
    ]
    text = f"{', '.join([*parts, counted(event.added, 'label')])} added"
    text += f", {event.known:,} already there" if event.known else ""
    text += f", {event.overruled:,} that you took off before" if event.overruled else ""
    left_out = event.unmatched + event.skipped
    text += f", {left_out:,} left out" if left_out else ""
    if event.tracks or event.known_tracks or event.lost_tracks:
        text += f" · {counted(event.tracks, 'track')} added"
        text += f", {event.known_tracks:,} already there" if event.known_tracks else ""
        if event.lost_tracks:
            text += f", {event.lost_tracks:,} left out: add the video, then import again"
    return text


def question_at_close(kinds: Collection[str]) -> tuple[str, str]:
    """Return what to ask before the window closes on running jobs: a question, and the result.

    Args:
        kinds: keys of the jobs that run; at least one.
    """
    running = [kind for kind in job_kinds() if kind.key in kinds]
    if len(running) == 1:
        return f"Stop {running[0].name}?", running[0].when_stopped
    # each with its name, or it is not clear what "the rest" is of
    return "Stop all running jobs?", "\n".join(
        f"{kind.title}: {kind.when_stopped}" for kind in sorted(running, key=lambda kind: kind.key)
    )


def downloaded(event: Downloading) -> list[str]:
    """Return how much of a file is here, and how fast it comes: 158 of 375 MB, 12.4 MB/s."""
    speed = f"{megabytes(round(event.bytes_per_s))}/s"
    return [part_of(event.done_bytes, event.total_bytes), speed]


def part_of(done_bytes: int, total_bytes: int) -> str:
    """Write how much of a file has come: 158 of 375 MB."""
    done, total = megabytes(done_bytes), megabytes(total_bytes)
    return f"{done.split()[0] if done.split()[1] == total.split()[1] else done} of {total}"


def time_left(seconds: float) -> str:
    """Write about how long, no more exactly than is known."""
    if seconds < 10:
        return "a few seconds left"
    if seconds < 90:
        return f"about {round(seconds / 10) * 10} s left"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} min left"
    return f"about {round(seconds / 3600)} h left"


def length(seconds: float) -> str:
    """Return the length of a video, rounded as everywhere: 0:10 for 9.7 s, 1:02:03."""
    return clock(round(seconds))
