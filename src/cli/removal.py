"""The command that removes media from a library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from src.cli.report import note, one_line, print_json
from src.counting import counted
from src.errors import DatabaseError
from src.library import MediaLibrary


def remove_media(
    library: MediaLibrary, paths: Sequence[Path], missing: bool, as_json: bool
) -> None:
    """Remove media files and what lies in folders, and print what was removed.

    Args:
        missing: only those that are not there any more; without paths, of the whole library.

    Raises:
        DatabaseError: a path is not in the library; nothing is removed then.
    """
    under = {path: library.media_under(path) for path in paths}
    if unknown := [str(path) for path, media in under.items() if not media]:
        raise DatabaseError(f"{', '.join(unknown)}: not in the library; nothing was removed")
    named = {media.id: media for some in under.values() for media in some}
    wanted = list(named.values())
    if missing:
        gone, away = library.missing_media()
        wanted = [media for media in gone if not paths or media.id in named]
        if away:
            note(
                f"{counted(len(away), 'file')} can't be reached now and stay in the library; "
                "connect the drive, or name them to remove them"
            )
    library.remove([media.id for media in wanted])
    for media in wanted:
        if as_json:
            print_json({"removed": media.path})
        else:
            print(f"removed  {one_line(media.path)}")
    note(f"{counted(len(wanted), 'media file')} removed from the library")
