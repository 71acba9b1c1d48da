"""CustomTkinter, imported for all modules of the window.

Each time it is imported it copies three fonts to where the system looks for fonts, into the files
that are there. Another window has these mapped, and a page that is cut away under it ends its
process (SIGBUS). So here a font takes the place of a file whole, and only where it is another one.
"""

from __future__ import annotations

import filecmp
import shutil
from pathlib import Path

from src.library_files import write_atomically


def _put_in_place(font: str, folder: str) -> Path:
    """Do for CustomTkinter what shutil.copy does, without writing into a file that is in use."""
    source = Path(font)
    target = Path(folder) / source.name
    if not target.is_file() or not filecmp.cmp(source, target, shallow=False):
        write_atomically(target, source.read_bytes())
    return target


_copy = shutil.copy
shutil.copy = _put_in_place  # type: ignore[assignment]
try:
    import customtkinter as ctk
finally:
    shutil.copy = _copy

__all__ = ["ctk"]
