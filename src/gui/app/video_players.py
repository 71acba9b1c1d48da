"""Which of the players on this machine opens a video at a moment, and how it is told to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# How a player is told where to begin, by the name of its program.
_START = {
    "vlc": ("--start-time={}",),
    "mpv": ("--start={}",),
    "celluloid": ("--mpv-start={}",),
    "smplayer": ("-start", "{}"),
    "mplayer": ("-ss", "{}"),
    "ffplay": ("-autoexit", "-ss", "{}"),
}
_MAC_FOLDERS = (Path("/Applications"), Path.home() / "Applications")
_IINA = "IINA.app/Contents/MacOS/iina-cli"  # its own program, which hands options on


def player_command(path: Path, time_s: float) -> list[str] | None:
    """Return the command that opens a video at a moment; None where no player takes one.

    The player that the desktop would use comes first, if it is one that does.
    """
    path = Path(os.path.abspath(path))
    if sys.platform == "darwin":
        command = _on_mac(path, time_s)
        if command is not None:
            return command
    names = list(_START)
    default = _default_player() if sys.platform == "linux" else None
    if default in names:
        names.remove(default)
        names.insert(0, default)
    for name in names:
        program = shutil.which(name) or _in_program_files(name)
        if program is not None:
            return [program, *_told(_START[name], time_s), str(path)]
    return None


def _told(options: tuple[str, ...], time_s: float) -> list[str]:
    # seconds as text; VLC's fraction has a point in every language
    return [option.format(f"{max(0.0, time_s):.3f}") for option in options]


def _on_mac(path: Path, time_s: float) -> list[str] | None:
    """Find players that are applications, and no programs on PATH."""
    for folder in _MAC_FOLDERS:
        if (folder / "VLC.app").is_dir():
            options = _told(_START["vlc"], time_s)
            return ["open", "-n", "-a", "VLC", "--args", *options, str(path)]
        if os.access(folder / _IINA, os.X_OK):
            return [str(folder / _IINA), *_told(("--mpv-start={}",), time_s), str(path)]
    return None


def _in_program_files(name: str) -> str | None:
    """Find VLC on Windows, which does not put itself on PATH."""
    if sys.platform != "win32" or name != "vlc":
        return None
    for variable in ("ProgramFiles", "ProgramFiles(x86)"):
        program = Path(os.environ.get(variable, "C:/")) / "VideoLAN" / "VLC" / "vlc.exe"
        if program.is_file():
            return str(program)
    return None


def _default_player() -> str | None:
    """Ask the desktop which program opens videos, such as vlc for vlc.desktop."""
    program = shutil.which("xdg-mime")
    if program is None:
        return None
    try:
        ran = subprocess.run(
            [program, "query", "default", "video/mp4"],
            capture_output=True, text=True, timeout=2, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    entry = ran.stdout.strip().removesuffix(".desktop").lower()
    return entry.rsplit(".", 1)[-1] or None  # as io.github.celluloid_player.Celluloid
