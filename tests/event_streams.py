"""Events of real jobs with the times at which they came, kept in files and played again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from src.events import (
    Event,
    FileDone,
    FileFailed,
    FileKnown,
    FileStarted,
    FileWork,
    FrameSkipped,
    FrameStored,
    JobDone,
    JobStarted,
    Progress,
)

FOLDER = Path(__file__).with_name("recorded_events")
_PATH = Path("file")
_KINDS: dict[str, type[Event]] = {
    each.__name__: each
    for each in (FileDone, FileFailed, FileKnown, FrameSkipped, FrameStored, JobDone, Progress)
}


@dataclass(frozen=True)
class TimedEvent:
    """An event of a job, and the seconds from the job's start until it came."""

    at_s: float
    event: Event


def save(path: Path, stream: Iterable[TimedEvent]) -> None:
    """Write what an estimate can be made from, an event a line."""
    lines = []
    for timed in stream:
        event, known = timed.event, [round(timed.at_s, 3), type(timed.event).__name__]
        if isinstance(event, JobStarted):
            known += [event.files, {kind: round(sum_, 2) for kind, sum_ in event.work.items()}]
        elif isinstance(event, FileStarted):
            known += [event.file_number, event.work.kind, round(event.work.amount, 2)]
        elif isinstance(event, FrameStored | FrameSkipped):
            known += [round(event.fraction, 4)]
        elif isinstance(event, Progress):
            known += [event.doing, event.done, event.total]
        elif type(event).__name__ not in _KINDS:
            continue
        lines.append(json.dumps(known, separators=(",", ":")))
    path.write_text("\n".join(lines) + "\n")


def load(path: Path) -> Iterator[TimedEvent]:
    """Read what `save` wrote; what it left out of an event is made up."""
    for line in path.read_text().splitlines():
        at_s, name, *known = json.loads(line)
        yield TimedEvent(at_s, _event(name, known))


def _event(name: str, known: list[object]) -> Event:
    made: dict[str, Event] = {
        "JobDone": JobDone(),
        "FileDone": FileDone(_PATH, 1, 1),
        "FileKnown": FileKnown(_PATH, ""),
        "FileFailed": FileFailed(_PATH, ""),
    }
    if name in made:
        return made[name]
    if name == "JobStarted":
        return JobStarted(*known)  # type: ignore[arg-type]
    if name == "FileStarted":
        number, kind, amount = known
        return FileStarted(_PATH, number, FileWork(kind, amount))  # type: ignore[arg-type]
    if name == "FrameStored":
        return FrameStored(_PATH, 0, None, 1, known[0])  # type: ignore[arg-type]
    if name == "FrameSkipped":
        return FrameSkipped(_PATH, 0, known[0])  # type: ignore[arg-type]
    assert name == "Progress"
    return Progress(*known)  # type: ignore[arg-type]
