"""The command that saves a range of a video as a file of its own."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from src.cli.report import one_line
from src.cli.video_range import add_time_arguments, media_of
from src.counting import counted
from src.events import ClipWritten, Event
from src.track_records import ClipMasks

if TYPE_CHECKING:
    from src.library import MediaLibrary

Shown = Callable[[Iterable[Event]], Iterable[Event]]


def add_clip_arguments(clip: argparse.ArgumentParser) -> None:
    """Add the arguments of `clip`."""
    clip.add_argument("video", type=Path, metavar="VIDEO", help="a video of the library")
    clip.add_argument("file", type=Path, metavar="OUT.mp4", help="where the clip goes")
    add_time_arguments(clip, is_required=True)
    clip.add_argument("--masks", action="store_true", help="draw the masks of all tracks into it")
    which = clip.add_mutually_exclusive_group()
    which.add_argument(
        "--track",
        type=int,
        action="append",
        default=[],
        metavar="ID",
        help="draw this track; may be given several times",
    )
    which.add_argument("--label", metavar="NAME", help="draw what has this label")
    clip.add_argument(
        "--overwrite", action="store_true", help="replace the file that is there already"
    )


def masks_of(given: argparse.Namespace) -> ClipMasks | None:
    """Read what is drawn; None draws nothing."""
    if given.track or given.label is not None:
        return ClipMasks(tuple(given.track), given.label)
    return ClipMasks() if given.masks else None


def save_clip(library: MediaLibrary, given: argparse.Namespace, shown: Shown) -> None:
    """Save a clip, and print where it is."""
    media = media_of(library, given.video)
    events = library.save_clip(
        media.id, given.begin_s, given.end_s, given.file, masks_of(given), given.overwrite
    )
    for event in shown(events):
        if isinstance(event, ClipWritten):
            print(f"{counted(event.frames, 'frame')} in {one_line(event.file)}")
