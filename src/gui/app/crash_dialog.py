"""What the application shows when it ends with an error and there is no console."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from src.config import LibraryPaths, default_library
from src.errors import MediaLibraryError
from src.library_files import SafeFolder

_TITLE = "Media Library"


def provide_streams() -> bool:
    """Set the output streams that pythonw lacks.

    Libraries write to them without looking whether they are there.

    Returns:
        Whether stderr was missing, so that what is written there is lost.
    """
    missing = sys.stderr is None
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (to the end)
    return missing


def report_crash(error: Exception, library: Path | None) -> None:
    """Keep an error in the log file and show it in a dialog. Never raises.

    Args:
        error: what ends the application.
        library: as it was named on the command line; its log file is the one that is used.
    """
    log = _write_down(error, library)
    if isinstance(error, MediaLibraryError):
        text = str(error)
    else:
        text = f"The application stopped because of an unexpected error ({type(error).__name__})."
        text += f" The details are in {log}." if log is not None else f" It says: {error}"
    show_crash_dialog(_TITLE, text)


def show_crash_dialog(title: str, text: str) -> None:
    """Show a sentence in a plain dialog and wait until it is read. Never raises.

    It uses nothing of our own window, since that may be what has failed.
    """
    # no tkinter, or no display: only the log file is left
    with contextlib.suppress(Exception):
        import tkinter
        from tkinter import messagebox

        _end_when_told()
        _close_other_windows()
        root = tkinter.Tk(className="Media-segment-library")
        root.withdraw()
        messagebox.showerror(title, text, parent=root)
        root.destroy()


def _end_when_told() -> None:
    """End at once on a signal: Tk's dialog hides it from Python, and nothing needs a cleanup."""
    with contextlib.suppress(ValueError):  # only the main thread may set a handler
        for request in (signal.SIGTERM, signal.SIGINT):
            signal.signal(request, signal.SIG_DFL)


def _close_other_windows() -> None:
    """Hide a window that failed while it was made: it would stay half drawn behind the dialog."""
    import tkinter

    broken = getattr(tkinter, "_default_root", None)
    if broken is not None:
        with contextlib.suppress(Exception):
            broken.destroy()


def _write_down(error: Exception, library: Path | None) -> Path | None:
    """Put an error with its traceback into the library's log, else into a file of its own."""
    text = time.strftime("%Y-%m-%d %H:%M:%S CRITICAL the application ended: ")
    text += "".join(traceback.format_exception(error))
    content = text.encode("utf-8", "backslashreplace")
    with contextlib.suppress(Exception):
        log = LibraryPaths(library or default_library()).log
        with SafeFolder(log.parent).open_to_append(log.name) as stream:
            stream.write(content.decode())
        return log
    with contextlib.suppress(Exception):
        # a new name each time: one that can be guessed might be someone else's in a shared folder
        number, name = tempfile.mkstemp(prefix="media-segment-library-", suffix=".log")
        with open(number, "wb") as stream:
            stream.write(content)
        return Path(name)
    return None
