"""What a job says that writes a dataset, or takes one in; see events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from src.events import Event


@dataclass(frozen=True)
class DatasetFileChecked(Event):
    """A file of a dataset is on the disk as it was written."""

    file: str


@dataclass(frozen=True)
class DatasetChanges:
    """What the update of a dataset has done, in images.

    Attributes:
        labels: images that were there, about which something else is said now.
        pictures: images that were there, and look otherwise now.
    """

    added: int
    removed: int
    labels: int
    pictures: int = 0


@dataclass(frozen=True)
class DatasetWritten(Event):
    """A dataset is at its place; it was read back, and says what it was to say.

    Attributes:
        format: as the window calls it.
        file: what one of its files is called: an image or a crop.
        images: files by split; the split None where there is none.
        labels: annotations by split and class.
        left_out: how much was left out, by the reason.
        unread: media files that could not be read, and why; their images are not in the dataset.
        changes: None where it is a new dataset.
        notes: what the person should know of it, in whole sentences.
    """

    folder: Path
    format: str
    file: str
    images: dict[str | None, int]
    labels: dict[str | None, dict[str, int]]
    left_out: dict[str, int]
    unread: dict[Path, str]
    changes: DatasetChanges | None = None
    notes: tuple[str, ...] = ()

    @property
    def annotations(self) -> int:
        """How many there are."""
        return sum(sum(counts.values()) for counts in self.labels.values())


@dataclass(frozen=True)
class LabelUnmatched(Event):
    """A label of a dataset that the library has no segment for, and why.

    Attributes:
        path: of the image or video, as the dataset has it.
    """

    path: Path
    frame_index: int
    label: str
    reason: str


@dataclass(frozen=True)
class AnnotationSkipped(Event):
    """What a dataset says of an image and can't be taken, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class LabelsImported(Event):
    """The labels of a dataset are on the segments of the library.

    Attributes:
        batch: of the act, for undo.
        added: labels put on segments.
        known: those that the segments have of people already.
        overruled: those that a person here has taken off: they stay off.
        unmatched: those without a segment.
        files: images that are new in the library.
        segments: that are new, the whole frames among them.
        skipped: annotations that could not be read.
        tracks: of videos that were made, or changed.
        known_tracks: those that are here like that.
        lost_tracks: those of which nothing is in a video of the library.
    """

    batch: str
    added: int
    known: int
    overruled: int
    unmatched: int
    files: int = 0
    segments: int = 0
    skipped: int = 0
    tracks: int = 0
    known_tracks: int = 0
    lost_tracks: int = 0
