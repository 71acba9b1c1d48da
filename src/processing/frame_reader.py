"""Frames that an earlier job took from a media file, read from it once more."""

from __future__ import annotations

import sys
from collections.abc import Collection, Generator
from contextlib import closing
from dataclasses import replace

from src.processing.ffmpeg_log import VideoFacts
from src.processing.frames import read_frames
from src.records import Frame, MediaFile
from src.settings import Settings

# More than any video has, so every frame is read.
EVERY_FRAME = 1000.0


def read_frames_again(
    media: MediaFile, wanted: Collection[int], settings: Settings
) -> Generator[Frame]:
    """Read a file until all wanted frames were read; close it to stop early.

    A video is sampled as it is today, and when that misses some, because another setting took
    them, every one of its frames is looked at. So one that was met may come once more.

    Args:
        wanted: frame indexes; the frames between them come, too, as places to stop.

    Raises:
        MediaReadError: nothing in the file can be read.
    """
    left = set(wanted)
    # what was left out as a duplicate, or beyond the most that is taken, may have been taken then
    today = replace(settings, duplicate_distance=-1, frames_per_video=sys.maxsize)
    if media.kind == "image":
        today = replace(today, all_pages=max(left, default=0) > 0)
    every = replace(today, frames_per_second=EVERY_FRAME)
    for sampling in (today, every) if media.kind == "video" else (today,):
        if not left:
            return
        with closing(read_frames(media.path, media.kind, sampling, VideoFacts())) as frames:
            for frame in frames:
                left.discard(frame.frame_index)
                yield frame
                if not left:
                    return
