"""What the desktop is asked for: its scale, its file dialogs, opening things."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import sys
import threading
import tkinter
import tkinter.font
from collections.abc import Sequence
from pathlib import Path
from tkinter import filedialog, ttk
from typing import Literal

from src.gui.app.video_players import player_command
from src.gui.theme.theme import Theme

_DESKTOP_DPI = 96.0
_GET_WORK_AREA = 0x30  # SPI_GETWORKAREA

log = logging.getLogger(__name__)


def desktop_scale() -> float:
    """Return the scale a person has set for the desktop.

    Windows and macOS are asked by CustomTkinter itself; on Linux it takes 1, so Xft.dpi (what
    GNOME and KDE set) and GDK_SCALE are read here.
    """
    if sys.platform != "linux":
        return 1.0
    scale = 1.0
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        program = shutil.which("xrdb")
        if program is not None:
            ran = subprocess.run([program, "-query"], capture_output=True, text=True, timeout=2)
            for line in ran.stdout.splitlines():
                name, _, value = line.partition(":")
                if name.strip() == "Xft.dpi":
                    scale = float(value) / _DESKTOP_DPI
    with contextlib.suppress(ValueError):
        scale = max(scale, float(os.environ.get("GDK_SCALE", "1")))
    return min(max(scale, 0.75), 3.0)


def work_area(root: tkinter.Misc) -> tuple[int, int, int, int]:
    """Return where windows may lie: left, top, width, height, without the desktop's own bars.

    The whole screen where the desktop does not say.
    """
    if sys.platform == "win32":
        import ctypes
        from ctypes import wintypes

        found = wintypes.RECT()
        if ctypes.windll.user32.SystemParametersInfoW(_GET_WORK_AREA, 0, ctypes.byref(found), 0):
            return found.left, found.top, found.right - found.left, found.bottom - found.top
    program = shutil.which("xprop") if sys.platform == "linux" else None
    if program is not None:
        with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
            command = [program, "-root", "-notype", "_NET_WORKAREA"]
            ran = subprocess.run(command, capture_output=True, text=True, timeout=2)
            numbers = [int(part) for part in ran.stdout.partition("=")[2].split(",")]
            if len(numbers) >= 4 and min(numbers[2:4]) > 0:
                return numbers[0], numbers[1], numbers[2], numbers[3]
    return 0, 0, root.winfo_screenwidth(), root.winfo_screenheight()


def open_with_desktop(path: Path) -> None:
    """Open a file or folder as a double click would.

    Raises:
        OSError: the desktop has no program for it.
    """
    if sys.platform == "win32":
        os.startfile(path)
    elif sys.platform == "darwin":
        _start(["open", str(path)])
    else:
        _start(["xdg-open", str(path)])


def open_at(path: Path, time_s: float) -> bool:
    """Open a video in the system's player, at a moment where a player that takes one is there.

    Returns:
        Whether it begins at the moment; else it was opened as a double click would.

    Raises:
        OSError: the desktop has no program for it.
    """
    command = player_command(path, time_s)
    if command is None:
        open_with_desktop(path)
        return False
    _start(command)
    return True


def show_in_folder(path: Path) -> None:
    """Open the folder a file lies in, with the file marked where the desktop can do that.

    Raises:
        OSError: the desktop has no program for it.
    """
    if sys.platform == "win32":
        _start(["explorer", f"/select,{path}"])
    elif sys.platform == "darwin":
        _start(["open", "-R", str(path)])
    else:
        _start(["xdg-open", str(path.parent)])


def _start(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        raise FileNotFoundError(
            2, f"The program {command[0]} is not installed. Install xdg-utils", command[-1]
        )
    subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


Wish = Literal["media", "image", "folder", "library", "names"]
_TITLES = {
    "media": "Add images and videos",
    "image": "Search by image",
    "folder": "Choose a folder",
    "library": "Open a library",
    "names": "Import labels",
}
# Tcl's variable that is set when the dialog that is open is answered, or no longer needed. One of
# tkinter's own would speak to Tcl when it is collected, in whichever thread that happens.
_ANSWERED = "file_dialog_is_answered"
_waiting: tkinter.Misc | None = None  # the window that waits for it
_ZENITY_ANSWERS = (0, 1)  # chosen, cancelled; with any other it has failed


def ask_for_files(
    root: tkinter.Misc,
    wish: Wish,
    start: Path | None = None,
    kinds: Sequence[tuple[str, Sequence[str]]] = (),
) -> list[Path]:
    """Ask a person for files or a folder, by the desktop's own dialog where there is one.

    Args:
        start: the folder it begins in; with none, that of a person's pictures.
        kinds: names of kinds of files with their endings; all files can be shown, too.

    Returns:
        What was chosen; empty when nothing was, and where another dialog is open already.
    """
    title, folder = _TITLES[wish], wish in ("folder", "library")
    start = start or _pictures_folder()
    program = shutil.which("zenity") if sys.platform == "linux" else None
    if program is not None:
        found = _by_zenity(root, program, title, folder, wish == "media", start, kinds)
        if found is not None:
            return found
    types = [(name, tuple(_both_cases(endings))) for name, endings in kinds]
    types.append(("All files", ("*",)))
    if folder:
        name = filedialog.askdirectory(parent=root, title=title, initialdir=start)
        return [Path(name)] if name else []
    if wish in ("image", "names"):
        one = filedialog.askopenfilename(
            parent=root, title=title, initialdir=start, filetypes=types
        )
        return [Path(one)] if one else []
    names = filedialog.askopenfilenames(parent=root, title=title, initialdir=start, filetypes=types)
    return [Path(name) for name in names or ()]


def _pictures_folder() -> Path:
    """Where people keep their pictures; their home where there is no such folder."""
    home = Path(os.path.expanduser("~"))
    return home / "Pictures" if (home / "Pictures").is_dir() else home


def _by_zenity(
    root: tkinter.Misc,
    program: str,
    title: str,
    folder: bool,
    many: bool,
    start: Path,
    kinds: Sequence[tuple[str, Sequence[str]]] = (),
) -> list[Path] | None:
    """GNOME's own dialog, with the window living on while it is open; None where it can't come."""
    global _waiting
    if _waiting is not None:
        return []
    command = [program, "--file-selection", "--modal", f"--title={title}", "--separator=\n"]
    command += ["--directory"] if folder else []
    command += ["--multiple"] if many else []
    command += [f"--filename={start}{os.sep}"]
    if kinds:
        command += [
            f"--file-filter={name} | {' '.join(f'*{ending}' for ending in _both_cases(endings))}"
            for name, endings in kinds
        ]
        command += ["--file-filter=All files | *"]
    try:
        asked = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError as exc:
        log.warning("%s does not start: %s", program, exc)
        return None
    said: list[bytes] = []
    # read while it runs: it does not end before a long list is taken off the pipe
    reading = threading.Thread(target=lambda: said.append(asked.communicate()[0]), daemon=True)
    reading.start()

    def poll() -> None:
        if reading.is_alive():
            root.after(50, poll)
        else:
            end_file_dialog()

    _waiting = root
    try:
        root.after(50, poll)
        root.wait_variable(_ANSWERED)
    finally:
        _waiting = None
        left = reading.is_alive()  # the window goes
        if left:
            asked.terminate()
    if left or not said:
        return []
    if asked.returncode not in _ZENITY_ANSWERS:
        log.warning("%s ended with %s", program, asked.returncode)
        return None
    names = said[0].decode("utf-8", "surrogateescape").rstrip("\n")
    return [Path(name) for name in names.split("\n") if name]


def _both_cases(endings: Sequence[str]) -> list[str]:
    """Write endings as cameras do, too: on Linux IMG_1.JPG is no .jpg."""
    return [each for ending in endings for each in (ending, ending.upper())]


def end_file_dialog() -> None:
    """Cancel the file dialog, as if nothing was chosen: it closes, and nobody waits for it.

    A window that is destroyed asks no more whether there is an answer, so it would wait for good.
    """
    if _waiting is not None:
        _waiting.setvar(_ANSWERED, "1")


def dress_tk_dialogs(root: tkinter.Misc, theme: Theme) -> None:
    """Colour Tk's own file dialog, used where the desktop has none, like the window."""
    c = theme.colours
    style = ttk.Style(root)
    style.theme_use("clam")
    font = theme.canvas_font(root)
    style.configure(
        ".",
        background=c.sidebar,
        foreground=c.text,
        fieldbackground=c.card,
        font=font,
        bordercolor=c.border,
        darkcolor=c.sidebar,
        lightcolor=c.sidebar,
        troughcolor=c.card,
        arrowcolor=c.text_2,
        selectbackground=c.selection,
        selectforeground=c.text,
        insertcolor=c.text,
    )
    style.map(".", background=[("active", c.hover)], foreground=[("disabled", c.hint)])
    style.configure("TButton", background=c.raised, padding=theme.px(6), relief="flat")
    style.map("TEntry", fieldbackground=[("readonly", c.card)])
    style.map("TCombobox", fieldbackground=[("readonly", c.card)])
    for pattern, value in (
        ("*TkFDialog*background", c.sidebar),
        ("*TkFDialog*foreground", c.text),
        ("*TkChooseDir*background", c.sidebar),
        ("*TkChooseDir*foreground", c.text),
        ("*Listbox.background", c.card),
        ("*Listbox.foreground", c.text),
        ("*Listbox.font", font),
    ):
        root.option_add(pattern, value)
    for name in ("TkDefaultFont", "TkTextFont", "TkIconFont", "TkMenuFont", "TkHeadingFont"):
        tkinter.font.nametofont(name, root).configure(
            family=font.cget("family"), size=font.cget("size")
        )
    # the list of files is white and its text black by Tk's own code, whatever the style says
    with contextlib.suppress(tkinter.TclError):
        root.tk.eval(_DARK_ICON_LIST.replace("GROUND", c.card))
    # hidden files are seldom photos, and the dialog can show them on demand
    with contextlib.suppress(tkinter.TclError):
        root.tk.call("tk_getOpenFile", "-notanoption")  # loads the dialog, which refuses this
    with contextlib.suppress(tkinter.TclError):
        root.tk.call("set", "::tk::dialog::file::showHiddenBtn", 1)
        root.tk.call("set", "::tk::dialog::file::showHiddenVar", 0)


_DARK_ICON_LIST = """
auto_load ::tk::IconList
oo::class create ::OnDarkGround {
    method Create {} {
        next
        my variable canvas
        $canvas configure -background GROUND
    }
    method DrawSelection {} {
        my variable canvas fill
        set before [$canvas find withtag selectionText]
        next
        set after [$canvas find withtag selectionText]
        foreach item $before {
            if {$item ni $after} {$canvas itemconfigure $item -fill $fill}
        }
    }
}
oo::define ::tk::IconList mixin ::OnDarkGround
"""
