"""What is on the clipboard: an image, or the names of files."""

from __future__ import annotations

import io
import sys
import tkinter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

from PIL import ImageFile, ImageGrab

_IMAGE_TYPES = ("image/png", "image/jpeg", "image/bmp", "image/tiff")


@dataclass(frozen=True)
class Pasted:
    """An image file's bytes, not decoded yet, or files, or neither."""

    image: bytes | None = None
    paths: tuple[Path, ...] = ()


def read_clipboard(root: tkinter.Misc) -> Pasted:
    """Read what can be searched for from the clipboard."""
    if sys.platform == "linux":
        return _from_x11(root)
    return _from_pillow()


def _from_pillow() -> Pasted:
    """Read what Pillow gives on Windows and macOS: an image opened, but not decoded."""
    content = ImageGrab.grabclipboard()
    if isinstance(content, ImageFile.ImageFile) and isinstance(content.fp, io.BytesIO):
        return Pasted(content.fp.getvalue())
    return Pasted(paths=tuple(map(Path, content)) if isinstance(content, list) else ())


def _from_x11(root: tkinter.Misc) -> Pasted:
    """Ask the owner of the clipboard directly: needs no other program."""
    targets = _selection(root, "TARGETS").split()
    for kind in _IMAGE_TYPES:
        if kind in targets:
            return Pasted(_bytes(_selection(root, kind)))
    if "text/uri-list" in targets:
        text = _bytes(_selection(root, "text/uri-list")).decode("utf-8", "surrogateescape")
        return Pasted(paths=tuple(file_paths(text)))
    return Pasted()


def file_paths(uri_list: str) -> list[Path]:
    """Read a text/uri-list; what is no file of this machine is left out."""
    found = []
    for line in uri_list.splitlines():
        parts = urlparse(line.strip())
        if parts.scheme == "file" and parts.netloc in ("", "localhost"):
            found.append(Path(unquote(parts.path, errors="surrogateescape")))
    return found


def _selection(root: tkinter.Misc, kind: str) -> str:
    try:
        return str(root.selection_get(selection="CLIPBOARD", type=kind))
    except tkinter.TclError:  # it has no owner, or not in this form
        return ""


def _bytes(text: str) -> bytes:
    """Decode what is no text: Tk gives it as hexadecimal numbers, one per byte."""
    try:
        return bytes(int(number, 16) & 0xFF for number in text.split())
    except ValueError:
        return text.encode("utf-8", "surrogateescape")
