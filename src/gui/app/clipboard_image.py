"""An image for other programs to paste: the desktop's own tools put it on the clipboard.

Tk can't: what its selection handlers give for any type but text it sends as numbers of 32 bits, and
no program takes an image in that form.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from src.errors import MediaLibraryError

_DEADLINE_S = 20
_APPLE = (
    "on run argv",
    "set the clipboard to (read (POSIX file (item 1 of argv)) as «class PNGf»)",
    "end run",
)
_WINDOWS = (
    "Add-Type -AssemblyName System.Windows.Forms, System.Drawing; "
    "$image = [System.Drawing.Image]::FromFile($env:MEDIA_LIBRARY_COPIED); "
    "[System.Windows.Forms.Clipboard]::SetImage($image); $image.Dispose()"
)


def copy_image(path: Path) -> None:
    """Put an image file on the clipboard, as a PNG. It may take a second.

    Raises:
        MediaLibraryError: the image can't be read, or the desktop has no program that does it.
    """
    try:
        with Image.open(path) as image:
            stream = io.BytesIO()
            image.save(stream, "PNG")
    except (OSError, UnidentifiedImageError) as exc:
        raise MediaLibraryError(f"{path} can't be read") from exc
    content = stream.getvalue()
    if sys.platform == "darwin":
        script = [word for line in _APPLE for word in ("-e", line)]
        _with_file(content, lambda file: _run(["osascript", *script, file]))
    elif sys.platform == "win32":
        command = ["powershell", "-NoProfile", "-STA", "-Command", _WINDOWS]
        _with_file(content, lambda file: _run(command, copied=file))
    else:
        _run(_linux_command(), content)


def _linux_command() -> list[str]:
    """Choose the program of the desktop that runs.

    Raises:
        MediaLibraryError: it is not installed.
    """
    tools = {
        "wl-copy": ["wl-copy", "--type", "image/png"],
        "xclip": ["xclip", "-selection", "clipboard", "-t", "image/png"],
    }
    if not os.environ.get("WAYLAND_DISPLAY"):
        del tools["wl-copy"]
    for name, command in tools.items():
        if shutil.which(name) is not None:
            return command
    wanted = "wl-clipboard" if "wl-copy" in tools else "xclip"
    raise MediaLibraryError(f"copying an image needs the package {wanted}; install it first")


def _with_file(content: bytes, use: Callable[[str], None]) -> None:
    """Write a file for a program that takes none from its input, for as long as it runs."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "crop.png"
        file.write_bytes(content)
        use(str(file))


def _run(command: list[str], content: bytes = b"", copied: str = "") -> None:
    """Let a program put something on the clipboard.

    Args:
        copied: the file for a program that is told of it by its environment.
    """
    try:
        subprocess.run(
            command,
            input=content,
            stdout=subprocess.DEVNULL,  # a program that stays to serve the image keeps it open
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=_DEADLINE_S,
            env=os.environ | {"MEDIA_LIBRARY_COPIED": copied},
        )
    except (OSError, subprocess.SubprocessError) as exc:
        raise MediaLibraryError(f"the program {command[0]} could not copy the image") from exc
