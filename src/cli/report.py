"""What the command line prints: results to stdout, progress and notes to stderr."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
import time
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

from src.counting import clock, counted, megabytes, place_in_file
from src.dataset_events import AnnotationSkipped, LabelUnmatched
from src.events import (
    AnnotationUnmatched,
    ClusterWorkers,
    Downloading,
    Event,
    FileDone,
    FileFailed,
    FileKnown,
    FileStarted,
    FrameSkipped,
    FrameStored,
    IndexAway,
    JobStarted,
    ProblemFound,
    Progress,
    ReadHere,
)
from src.job_kinds import STAGES
from src.model_records import Coverage
from src.records import LibraryStats, SearchHit
from src.time_left import TimeLeft


def one_line(text: object) -> str:
    """Make any text, a file name with a newline too, one line that any terminal can show."""
    escaped = str(text).encode("utf-8", "backslashreplace").decode()
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in escaped)


def note(text: str) -> None:
    """Print a note on stderr, as a sentence."""
    print(_sentence(one_line(text)), file=sys.stderr)


def _sentence(text: str) -> str:
    """Add a capital and a full stop, but leave names of files as they are."""
    words = text.split()
    if words and words[0].isalpha():
        text = text[0].upper() + text[1:]
    ends = not words or text[-1] in ".!?:" or os.sep in words[-1]
    return text if ends else text + "."


def print_json(value: Any) -> None:
    """Print one object a line; paths as text."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    print(text.encode("utf-8", "backslashreplace").decode(), flush=True)


def event_as_json(event: Event) -> dict[str, Any]:
    return {"event": type(event).__name__, **dataclasses.asdict(event)}


def hit_as_json(hit: SearchHit, is_missing: bool) -> dict[str, Any]:
    """Return what scripts read of a hit.

    Args:
        is_missing: its media file is not where it was.
    """
    segment = hit.segment
    return {
        "segment_id": segment.id,
        "parent_id": segment.parent_id,
        "kind": segment.kind,
        "score": None if hit.score is None else round(hit.score, 6),
        "strength": None if hit.strength is None else round(hit.strength, 4),
        "alike": [other.segment.id for other in hit.alike],
        "predicted_iou": segment.predicted_iou,
        "path": segment.media_path,
        "missing": is_missing,
        "frame_index": segment.frame_index,
        "timestamp_s": segment.timestamp_s,
        "bbox_xywh": segment.bbox_xywh,
        "crop_path": segment.crop_path,
        "tags": {tag.name: round(tag.confidence, 4) for tag in hit.tags},
    }


def print_hits(hits: Iterable[SearchHit], missing: Container[Path] = ()) -> None:
    """Print hits as a table, best first; those of a filter alone have no score.

    Where a hit is not strong, a line above it says so once.

    Args:
        missing: media files that are not where they were.
    """
    above = True
    for number, hit in enumerate(hits, start=1):
        if above and hit.strength is not None and not hit.is_strong:
            print("Below this line a match is likely chance")
            above = False
        segment = hit.segment
        x, y, w, h = segment.bbox_xywh
        moment = _place_in_file(segment.frame_index, segment.timestamp_s)
        what = "whole frame" if segment.kind == "frame" else f"{w}x{h} at {x},{y}"
        tags = ", ".join(tag.name for tag in hit.tags)
        name = one_line(segment.media_path.name)
        name += " (missing)" if segment.media_path in missing else ""
        score = "    –" if hit.score is None else f"{hit.score:.3f}"
        alike = f"  +{len(hit.alike)} alike" if hit.alike else ""
        print(f"{number:3}  {score}  {name}{moment}  [{what}]{alike}  {tags}")


def print_stats(stats: LibraryStats, coverage: Coverage | None, root: Path) -> None:
    print(f"library     {one_line(root)}")
    kinds = f"{counted(stats.images, 'image')}, {counted(stats.videos, 'video')}"
    print(f"media files {stats.media_files} ({kinds})")
    print(f"frames      {stats.frames}")
    print(f"segments    {stats.segments}")
    print(f"tags        {stats.tags}")
    print(f"on disk     {megabytes(stats.bytes)}")
    print(f"models      {stats.clip_model}, {stats.sam_model or 'no SAM: whole frames only'}")
    if coverage is not None:
        print(f"next CLIP   {coverage_in_words(coverage)}")


def coverage_in_words(coverage: Coverage) -> str:
    """Write which CLIP is to take over, and how far it is."""
    seen = f"{coverage.done:,} of {counted(coverage.total, 'segment')}"
    if coverage.label == coverage.label_in_use:
        return f"{coverage.label} has read {seen}; `models switch` reads the rest"
    return (
        f"{coverage.label} takes over from {coverage.label_in_use} once it has read all "
        f"segments: {seen} so far; `models switch` reads the rest"
    )


class ProgressLine:
    """One line on stderr that says what a job does, how far it is, and how long it takes.

    Without a terminal there is no line to redraw: each file then has a line of its own.
    """

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self._time_left = TimeLeft(time.monotonic)
        self.files = self.file_number = self.frames = self.segments = 0
        self.name = self.workers = ""

    def show(self, event: Event) -> None:
        """Show an event of the job."""
        self._time_left.take(event)
        if isinstance(event, JobStarted):
            self.files = event.files
        elif isinstance(event, FileStarted):
            self.file_number, self.name = event.file_number, event.path.name
            self._draw(0.0)
        elif isinstance(event, FrameStored):
            self.frames += 1
            self.segments += event.segments
            self._draw(event.fraction)
        elif isinstance(event, FrameSkipped):
            self._draw(event.fraction)
        elif isinstance(event, Downloading):
            self._redraw(
                f"{event.name}: {megabytes(event.done_bytes)} of {megabytes(event.total_bytes)}  "
                f"{megabytes(int(event.bytes_per_s))}/s  {clock(event.seconds_left)} left"
            )
        elif isinstance(event, Progress):
            far = f": {event.done:,} of {event.total:,}" if event.total else ""
            stage = STAGES.get(event.doing)
            self._redraw(f"{event.doing if stage is None else stage.line}{far}")
        elif isinstance(event, FileDone):
            found = f"{counted(event.frames, 'frame')}, {counted(event.segments, 'segment')}"
            self._line(f"{event.path}: {found}" + (f"; {event.note}" if event.note else ""))
        elif isinstance(event, FileKnown):
            self._line(f"{event.path}: {event.reason}")
        elif isinstance(event, FileFailed):
            self._line(f"failed  {event.path}: {event.reason}")
        elif isinstance(event, AnnotationUnmatched):
            moment = _place_in_file(event.frame_index, event.timestamp_s)
            tags = ", ".join(event.tags)
            self._line(f"kept  {event.path}{moment}: a segment tagged {tags} matches no new one")
        elif isinstance(event, LabelUnmatched):
            page = f", frame {event.frame_index:,}" if event.frame_index else ""
            self._line(f"left out  {event.path}{page}: {event.label}: {event.reason}")
        elif isinstance(event, AnnotationSkipped):
            self._line(f"left out  {event.path}: {event.reason}")
        elif isinstance(event, ClusterWorkers) and str(event) != self.workers:
            self.workers = str(event)
            self._line(self.workers)
        elif isinstance(event, ReadHere):
            self._line(f"{event.path}: read on this machine: {event.reason}")
        elif isinstance(event, IndexAway):
            self._redraw("")
            note(str(event))
        elif isinstance(event, ProblemFound):
            self._line(f"{'repaired' if event.mended else 'problem'}  {event.what}")

    def close(self) -> None:
        self._redraw("")

    def _draw(self, fraction: float) -> None:
        done = (self.file_number - 1 + fraction) / max(1, self.files)
        bar = "█" * round(20 * done) + "░" * (20 - round(20 * done))
        seconds = self._time_left.seconds()
        left = "" if seconds is None else f"  {clock(seconds)} left"
        found = f"{counted(self.frames, 'frame')}  {counted(self.segments, 'segment')}"
        self._redraw(
            f"{bar} {done:4.0%}  file {self.file_number} of {self.files}  "
            f"{found}{left}  {self.name}"
        )

    def _redraw(self, text: str) -> None:
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r\x1b[K" + one_line(text)[:width])
            sys.stderr.flush()

    def _line(self, text: str) -> None:
        self._redraw("")
        print(one_line(text), file=sys.stderr)


class RecoveryLine:
    """Says how far the recovery of a damaged library is, once it takes longer than a moment."""

    MOMENT_S = 2.0

    def __init__(self) -> None:
        self._begun: float | None = None
        self._line: ProgressLine | None = None

    def show(self, done: int, total: int) -> None:
        """Show how many pages have been read, and of how many."""
        if self._begun is None:
            self._begun = time.monotonic()
        if self._line is None and time.monotonic() - self._begun >= self.MOMENT_S:
            self._line = ProgressLine()
            if not self._line.live:
                note("the library's database is damaged and is being recovered; this takes a while")
        if self._line is not None:
            self._line.show(Progress("recover", done, total))
            if done >= total:
                self._line.close()


def _place_in_file(frame_index: int, timestamp_s: float | None) -> str:
    """Write which moment of a video, or which further page of an image; nothing for a photo."""
    place = place_in_file(frame_index, timestamp_s, frame_index > 0, decimals=2)
    if timestamp_s is not None:
        return f" at {place}"
    return f", {place.lower()}" if place else ""
