"""A media file -> its frames, whichever kind it is."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from src.config import Settings
from src.processing.capture_dates import date_in_name
from src.processing.ffmpeg_log import VideoFacts
from src.processing.image_loader import load_image
from src.processing.video_processor import VideoProcessor
from src.records import Frame, MediaKind


def read_frames(
    path: Path, kind: MediaKind, settings: Settings, facts: VideoFacts
) -> Generator[Frame]:
    """Read an image's one frame, or a video's sampled ones; close it to stop early.

    Args:
        facts: filled while frames come.

    Raises:
        MediaReadError: nothing in the file can be read.
    """
    with closing(read_sampled(path, kind, settings, facts)) as frames:
        yield from (frame for frame, differs in frames if differs)


def read_sampled(
    path: Path, kind: MediaKind, settings: Settings, facts: VideoFacts
) -> Generator[tuple[Frame, bool]]:
    """Read the same and, marked by False, the frames that look like the one before.

    So whoever waits for frames can stop in a video that stands still.
    """
    if kind == "video":
        processor = VideoProcessor(
            settings.frames_per_second, settings.duplicate_distance, settings.frames_per_video
        )
        yield from processor.sampled(path, facts)
        return
    loaded = load_image(path, settings.pixel_limit)
    facts.captured_at = loaded.captured_at or date_in_name(path.name)
    facts.note, facts.camera = loaded.note, loaded.camera
    yield loaded.frame, True
