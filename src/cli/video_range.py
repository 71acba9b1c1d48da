"""The flags that name a media file of the library, and a range of time in it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from src.errors import QueryError

if TYPE_CHECKING:
    from src.library import MediaLibrary
    from src.records import MediaFile
    from src.search.filters import Filter

_TIMES = "seconds, or minutes and seconds such as 0:06.5"


def add_range_arguments(command: argparse.ArgumentParser, about: str) -> None:
    """Add --file, --from and --to.

    Args:
        about: what --file means.
    """
    command.add_argument("--file", type=Path, metavar="PATH", help=about)
    add_time_arguments(command)


def add_time_arguments(command: argparse.ArgumentParser, is_required: bool = False) -> None:
    for flag, name, which in (("--from", "begin_s", "begins"), ("--to", "end_s", "ends")):
        command.add_argument(
            flag,
            dest=name,
            type=_time,
            metavar="TIME",
            required=is_required,
            help=f"where the range of the video {which}: {_TIMES}",
        )


def check_range(command: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """End with a usage error where a range is of no file, or no range."""
    if given.file is None and (given.begin_s, given.end_s) != (None, None):
        command.error("name the video of the range: --file PATH")
    if None not in (given.begin_s, given.end_s) and given.begin_s >= given.end_s:
        command.error("a range ends after it begins: give --from a time before --to")


def range_filter(library: MediaLibrary, given: argparse.Namespace) -> Filter:
    """Make the filter of a range; one that leaves everything where none is given.

    Raises:
        QueryError: the file is not in the library.
    """
    from src.search.filters import EVERYTHING
    from src.search.leaves import MediaFileIs
    from src.search.range_leaves import AtTime

    if given.file is None:
        return EVERYTHING
    where = EVERYTHING & MediaFileIs((media_of(library, given.file).id,))
    if (given.begin_s, given.end_s) != (None, None):
        where &= AtTime(given.begin_s, given.end_s)
    return where


def media_of(library: MediaLibrary, path: Path) -> MediaFile:
    """Find a media file of the library by its path.

    Raises:
        QueryError: it has none.
    """
    media = library.metadata.media_by_path(Path(os.path.abspath(path)))
    media = media or library.metadata.media_by_path(Path(os.path.realpath(path)))
    if media is None:
        raise QueryError(f"{path}: this file is not in the library; add it first: `ingest PATH`")
    return media


def _time(text: str) -> float:
    from src.search.range_leaves import AtTime

    try:
        return AtTime.read_end(text)
    except QueryError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc
