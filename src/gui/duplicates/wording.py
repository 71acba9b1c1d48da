"""What the panel of near-duplicates says."""

from __future__ import annotations

from src.counting import clock, counted, megabytes
from src.records import DuplicateFile, DuplicateGroup

_SAID = {
    "open": "",
    "hidden": "others hidden",
    "kept": "all kept",
    "apart": "not duplicates",
}


def title_of(group: DuplicateGroup) -> str:
    """Write how many files a group has, and what was decided: 3 files · others hidden."""
    said = _SAID[group.verdict]
    return counted(len(group.files), "file") + (f" · {said}" if said else "")


def word_of(group: DuplicateGroup, file: DuplicateFile) -> str:
    """Write what stands on a picture: which one is suggested, was kept or is hidden."""
    if file.is_hidden:
        return "Hidden"
    if file is not group.files[0] or group.verdict in ("kept", "apart"):
        return ""
    return "Best" if group.verdict == "open" else "Kept"


def facts_of(file: DuplicateFile) -> tuple[str, str]:
    """Write what tells copies apart, in two lines: the file's size, its sharpness and folder."""
    media = file.media
    kind = media.path.suffix.lstrip(".").upper()
    pixels = f"{media.width:,} × {media.height:,}" if media.width and media.height else ""
    length = clock(round(media.duration_s)) if media.kind == "video" and media.duration_s else ""
    first = (pixels, kind, length, megabytes(media.file_size))
    sharpness = "" if file.sharpness is None else f"sharpness {file.sharpness:,.0f}"
    second = (sharpness, media.path.parent.name)
    return " · ".join(filter(None, first)), " · ".join(filter(None, second))


def count_of(groups: int, undecided: int) -> str:
    """Count groups, and those that wait for a decision."""
    if groups == undecided or not groups:
        return counted(groups, "group") if groups else ""
    return f"{counted(groups, 'group')}, {undecided:,} to decide"


def question_of_trash(kept: DuplicateFile, others: list[DuplicateFile]) -> tuple[str, str]:
    """Return what to ask before files are moved to the trash: a title and sentences."""
    size = megabytes(sum(file.media.file_size for file in others))
    names = [str(file.media.path) for file in others[:_MOST_NAMES]]
    if len(others) > _MOST_NAMES:
        names.append(f"and {len(others) - _MOST_NAMES:,} more")
    its, them = ("Its", "it") if len(others) == 1 else ("Their", "them")
    sentences = (
        f"{size} in all. {its} segments and tags will be deleted from the library. You can "
        f"restore {them} from the system's trash."
    )
    return (
        f"Move {counted(len(others), 'file')} to the trash?",
        "\n".join(names) + f"\n\n{sentences}\n\nThis file stays:\n{kept.media.path}",
    )


_MOST_NAMES = 6
