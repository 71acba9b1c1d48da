"""The command that lists the folders of media, and says where one of them is now."""

from __future__ import annotations

import os
from pathlib import Path

from src.cli.report import note, one_line, print_json
from src.counting import counted
from src.library import MediaLibrary


def list_roots(library: MediaLibrary, as_json: bool) -> None:
    """Print each folder with how many media files are in it, and whether it is there."""
    for root, files in library.roots().items():
        is_there = os.path.isdir(root)
        if as_json:
            print_json({"root": root, "files": files, "missing": not is_there})
        else:
            gone = "" if is_there else "  (not there now; `roots --move OLD NEW` follows it)"
            print(f"{one_line(root)}  {counted(files, 'file')}{gone}")


def move_root(library: MediaLibrary, old: Path, new: Path, as_json: bool) -> None:
    """Follow a folder to where it is now; see MediaLibrary.move_root."""
    moved = library.move_root(old, new)
    for path in moved.missing:
        if as_json:
            print_json({"missing": path})
        else:
            print(f"missing  {one_line(path)}")
    said = f"{counted(moved.files, 'media file')} of {old} now in {new}"
    if moved.missing:
        verb = "is" if len(moved.missing) == 1 else "are"
        said += f"; {len(moved.missing):,} of them {verb} not there, or changed"
    note(said)
