"""A media file -> its frames, whichever kind it is."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from src.errors import MediaReadError
from src.processing.capture_dates import date_in_name
from src.processing.ffmpeg_log import VideoFacts
from src.processing.image_loader import load_image, other_pages
from src.processing.video_processor import VideoProcessor
from src.records import Frame, MediaKind
from src.settings import Settings


def read_frames(
    path: Path, kind: MediaKind, settings: Settings, facts: VideoFacts
) -> Generator[Frame]:
    """Read an image's frame, a TIFF's pages, or a video's sampled frames; close it to stop early.

    Args:
        facts: filled while frames come.

    Raises:
        MediaReadError: nothing in the file can be read.
    """
    with closing(read_sampled(path, kind, settings, facts)) as frames:
        yield from (frame for frame, differs in frames if differs)


def read_sampled(
    path: Path,
    kind: MediaKind,
    settings: Settings,
    facts: VideoFacts,
    draft_side: int | None = None,
) -> Generator[tuple[Frame, bool]]:
    """Read the same and, marked with False, the frames that look like the one before.

    So a caller that waits for frames can stop in a video that stands still.

    Args:
        draft_side: a JPEG may be decoded smaller, see load_image; what is found out about the
            file is the same.
    """
    if kind == "video":
        processor = VideoProcessor(
            settings.frames_per_second, settings.duplicate_distance, settings.frames_per_video
        )
        yield from processor.sampled(path, facts)
        return
    yield from ((frame, True) for frame in _read_image(path, settings, facts, draft_side))


def _read_image(
    path: Path, settings: Settings, facts: VideoFacts, draft_side: int | None
) -> Iterator[Frame]:
    """Read an image and, where all are wanted, the further pages of a TIFF."""
    loaded = load_image(path, settings.pixel_limit, draft_side, is_new=True)
    facts.captured_at = loaded.captured_at or date_in_name(path.name)
    facts.note, facts.camera = loaded.note, loaded.camera
    pages: list[int] = []
    unread = []
    if settings.all_pages:
        try:
            pages = other_pages(path)
        except MediaReadError as exc:
            unread.append(f"its other pages can't be read: {exc.reason}")
    facts.frames = 1 + len(pages)
    yield loaded.frame
    for number, page in enumerate(pages, start=1):
        try:
            frame = load_image(path, settings.pixel_limit, page=page).frame
        except MediaReadError as exc:  # the pages after it may be sound
            unread.append(f"page {page + 1:,} can't be read: {exc.reason}")
        else:
            yield replace(frame, frame_index=number)
    if pages:
        facts.note = None
    facts.damage = "; ".join(unread) or None


def fraction_read(frame: Frame, duration_s: float | None, frames: int = 1) -> float:
    """Return how much of a media file is read once a frame has come, 0 to 1.

    Args:
        duration_s: of a video; None where it is not known.
        frames: how many an image has.
    """
    if frame.timestamp_s is None:
        return min(1.0, (frame.frame_index + 1) / frames)
    return min(1.0, frame.timestamp_s / duration_s) if duration_s else 0.0
