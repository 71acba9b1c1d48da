"""Frames that an earlier job took from a media file, read from it once more."""

from __future__ import annotations

import sys
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from src.processing.ffmpeg_log import VideoFacts
from src.processing.frames import read_frames
from src.processing.known_frames import KnownFrame, read_numbered, read_stored
from src.records import Frame, MediaFile
from src.settings import Settings

# More than any video has, so every frame is read.
EVERY_FRAME = 1000.0


def read_frames_again(
    media: MediaFile,
    wanted: Collection[int],
    settings: Settings,
    known: Sequence[KnownFrame] = (),
) -> Generator[Frame]:
    """Read a file until all wanted frames were read; close it to stop early.

    Of a video they are found by their places. What is missed so, as behind a change of the size
    of its pictures, is looked for as it is sampled today, and then among all of its frames. So one
    that was met may come once more.

    Args:
        wanted: frame indexes; frames between them may come, too.
        known: of a video, the frames that are stored, see stored_frame_times: what lies long
            before the first that is wanted is not read then.

    Raises:
        MediaReadError: nothing in the file can be read.
    """
    left = set(wanted)
    for frames in _ways(media, left, settings, known):
        with closing(frames):
            for frame in frames:
                left.discard(frame.frame_index)
                yield frame
                if not left:
                    return


def _ways(
    media: MediaFile, left: Collection[int], settings: Settings, known: Sequence[KnownFrame]
) -> Iterator[Generator[Frame]]:
    """List the ways to read a file, the cheapest first; the next is taken while some are left."""
    # what was left out as a duplicate, or beyond the most that is taken, may have been taken then
    today = replace(settings, duplicate_distance=-1, frames_per_video=sys.maxsize)
    if not left:
        return
    if media.kind == "image":
        today = replace(today, all_pages=max(left) > 0)
        yield read_frames(media.path, media.kind, today, VideoFacts())
        return
    if stored := [frame for frame in known if frame[0] in left]:
        yield read_stored(media.path, stored, known)
    if left:
        yield read_numbered(media.path, sorted(left), VideoFacts())
    every = replace(today, frames_per_second=EVERY_FRAME)
    for sampling in (today, every):
        if left:
            yield read_frames(media.path, media.kind, sampling, VideoFacts())
