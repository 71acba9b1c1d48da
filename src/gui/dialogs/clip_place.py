"""Where a clip goes: what was typed, and what is proposed."""

from __future__ import annotations

import os
from pathlib import Path

SUFFIX = ".mp4"
# Where people keep videos: that of macOS, and of the others.
_FOLDERS = ("Movies", "Videos")


def videos_folder() -> Path:
    """Return the folder of a person's videos; the home folder where there is none."""
    home = Path.home()
    found = (home / name for name in _FOLDERS)
    return next((folder for folder in found if folder.is_dir()), home)


def free_clip(folder: Path, video: str, begin_s: float, end_s: float) -> Path:
    """Return a name for a clip that is not taken yet.

    Args:
        video: the name of its file.
    """
    base = f"{Path(video).stem} {begin_s:.1f}-{end_s:.1f} s"
    name, number = base, 2
    while os.path.lexists(folder / f"{name}{SUFFIX}"):
        name, number = f"{base} {number}", number + 1
    return folder / f"{name}{SUFFIX}"


def clip_file(text: str) -> Path:
    """Return which file is meant; a relative name lies in the folder of videos.

    Raises:
        RuntimeError: it begins with ~name, and there is no such person.
    """
    return videos_folder() / Path(text.strip()).expanduser()


def clip_problem(text: str) -> str:
    """Return why a clip can't be saved at the place that was typed; "" where it can."""
    if not text.strip():
        return "Choose a name for the clip."
    try:
        file = clip_file(text)
    except RuntimeError:  # ~name
        return "There is no user with this home folder. Choose another folder."
    if "\0" in text:
        return "This can't be the name of a file."
    if file.suffix.lower() != SUFFIX:
        return f"Give it a name that ends in {SUFFIX}."
    try:
        if os.path.lexists(file):
            return "There is a file of this name already. Choose another name."
        if not file.parent.is_dir():
            return "There is no such folder. Choose another one."
    except OSError as exc:
        return f"This can't be the name of a file ({exc.strerror})."
    return ""
