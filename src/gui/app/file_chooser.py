"""Files and folders that a person is asked for, from the folder that was used last."""

from __future__ import annotations

import tkinter
from pathlib import Path

from src.gui.app import desktop
from src.gui.core.session import Session


def ask_in_last_folder(root: tkinter.Misc, session: Session, wish: desktop.Wish) -> list[Path]:
    """Ask for what is to be added or searched for; see `desktop.ask_for_files`."""
    start, kinds = None, []
    if session.is_open:
        last = session.library.settings.last_folder
        start = Path(last) if last is not None and Path(last).is_dir() else None
        kinds = filters(wish, *session.library.media_suffixes())
    found = desktop.ask_for_files(root, wish, start, kinds)
    if found and session.is_open:
        folder = found[0] if wish == "folder" else found[0].parent
        session.keep(last_folder=str(folder))
    return found


def filters(
    wish: desktop.Wish, images: list[str], videos: list[str]
) -> list[tuple[str, list[str]]]:
    """List the kinds of files to choose from, the one that is meant first.

    Args:
        images, videos: suffixes with their dot.
    """
    if wish == "names":
        return [("Text files", [".txt", ".csv"])]
    if wish == "image":
        return [("Images", images)]
    if wish == "media":
        return [("Photos and videos", images + videos), ("Photos", images), ("Videos", videos)]
    return []
