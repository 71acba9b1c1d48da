"""The command that adds frames of a video between those that are in the library."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from src.cli.video_range import add_time_arguments, media_of

if TYPE_CHECKING:
    from src.events import Event
    from src.library import MediaLibrary


def add_sample_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="VIDEO", help="a video of the library")
    add_time_arguments(parser)
    parser.add_argument(
        "--fps",
        type=float,
        required=True,
        metavar="N",
        help="frames of each second to take; those that are there stay as they are",
    )


def sample(
    library: MediaLibrary,
    arguments: argparse.Namespace,
    shown: Callable[[Iterable[Event]], Iterable[Event]],
) -> bool:
    """Add the frames that are asked for, and say how many there were.

    Returns:
        Whether the file failed on the way.

    Raises:
        QueryError, MediaReadError: the video is not in the library, or can't be sampled so.
    """
    from src.cli.report import event_as_json, note, print_json
    from src.counting import counted
    from src.events import JobDone

    media = media_of(library, arguments.path)
    end_s = arguments.end_s
    if end_s is None:  # a container says a little less than it has, or nothing
        end_s = media.duration_s + 1 if media.duration_s is not None else _LONGEST_S
    done = JobDone()
    job = library.tracks.sample_finely(media.id, arguments.begin_s or 0.0, end_s, arguments.fps)
    for event in shown(job):
        if arguments.json:
            print_json(event_as_json(event))
        if isinstance(event, JobDone):
            done = event
    note(
        f"{counted(done.frames, 'frame')} and {counted(done.segments, 'segment')} added to "
        f"{media.path.name}"
    )
    return bool(done.failed)


_LONGEST_S = 1e7  # more than any video has
