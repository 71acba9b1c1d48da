"""The command that lists near-duplicates, and does what a person decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from src.cli.arguments import UsageError
from src.cli.report import note, one_line, print_json
from src.counting import counted
from src.errors import DatabaseError
from src.events import Event, FileTrashed
from src.library import MediaLibrary
from src.records import DuplicateFile, DuplicateGroup

Shown = Callable[[Iterable[Event]], Iterable[Event]]


def list_duplicates(library: MediaLibrary, again: bool, as_json: bool, shown: Shown) -> None:
    """Print the groups, each with the file to keep first; they are looked for where that is due."""
    duplicates = library.duplicates
    if (again or not duplicates.is_current()) and not library.read_only:
        for _ in shown(duplicates.find()):
            pass
    ids = duplicates.group_ids()
    for group_id in ids:
        group = duplicates.group(group_id)
        if as_json:
            print_json(_as_json(group))
        else:
            print(f"group {group.id}{_SAID[group.verdict]}")
            for place, file in enumerate(group.files):
                print(f"  {'keep' if place == 0 else '    '}  {_line(file)}")
    note(f"{counted(len(ids), 'group')} of duplicates")


def decide(
    library: MediaLibrary, verb: str, ids: Sequence[int], keep: Path | None, yes: bool, shown: Shown
) -> int:
    """Do what a person decided about some groups; returns the exit code.

    Args:
        keep: the file to keep; None for the one that is suggested.
        yes: move files to the trash, and not only list them.
    """
    duplicates, failed = library.duplicates, 0
    for group_id in ids:
        if verb == "keep":
            duplicates.keep_all(group_id)
        elif verb == "apart":
            duplicates.keep_apart(group_id)
        elif verb == "undo":
            duplicates.undo(group_id)
        elif verb == "hide":
            duplicates.hide_others(group_id, _kept(duplicates.group(group_id), keep).media.id)
        else:
            group = duplicates.group(group_id)
            kept = _kept(group, keep)
            others = [file for file in group.files if file is not kept]
            print(f"keeps    {one_line(kept.media.path)}")
            if not yes:
                for file in others:
                    print(f"would move to the trash  {one_line(file.media.path)}")
                continue
            moved = 0
            for event in shown(duplicates.trash_others(group_id, kept.media.id)):
                if isinstance(event, FileTrashed):
                    moved += 1
                    print(f"in the trash  {one_line(event.path)}")
            failed += len(others) - moved
    if verb == "trash" and not yes:
        note("nothing was moved; add --yes to move these files to the trash")
    return 1 if failed else 0


def check_ids(verb: str | None, ids: Sequence[int], keep: Path | None) -> None:
    """Check that a verb names groups, and that one file can be kept in them.

    Raises:
        UsageError: it does not.
    """
    if verb is not None and not ids:
        raise UsageError(f"name the groups to {verb}; `duplicates` lists them")
    if keep is not None and (verb not in ("hide", "trash") or len(ids) != 1):
        raise UsageError("--best names the file to keep of one group, to hide or trash the others")


_SAID = {
    "open": "",
    "hidden": ", others hidden",
    "kept": ", all kept",
    "apart": ", not duplicates",
}


def _kept(group: DuplicateGroup, keep: Path | None) -> DuplicateFile:
    if keep is None:
        return group.files[0]
    for file in group.files:
        if file.media.path == keep.absolute():
            return file
    raise DatabaseError(f"{keep}: not in group {group.id}; nothing was changed")


def _line(file: DuplicateFile) -> str:
    media = file.media
    size = f"{media.width} x {media.height}" if media.width and media.height else "size unknown"
    sharpness = "" if file.sharpness is None else f"  sharpness {file.sharpness:.0f}"
    hidden = "  hidden" if file.is_hidden else ""
    return f"{size}  {media.file_size:,} bytes{sharpness}{hidden}  {one_line(media.path)}"


def _as_json(group: DuplicateGroup) -> dict[str, object]:
    return {
        "group": group.id,
        "verdict": group.verdict,
        "files": [
            {
                "path": file.media.path,
                "width": file.media.width,
                "height": file.media.height,
                "bytes": file.media.file_size,
                "sharpness": file.sharpness,
                "hidden": file.is_hidden,
                "best": place == 0,
                "same_content": list(file.same_content),
            }
            for place, file in enumerate(group.files)
        ],
    }
