"""An end by an error where no console is: the log file has it, and nothing else goes wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tkinter
from pathlib import Path
from tkinter import messagebox

import pytest

import main
from src.config import APPLICATION_FOLDER
from src.errors import DatabaseError
from src.gui.app import crash_dialog

CLOSED = 'exec "$0" "$@" 2>&- >&-'  # as pythonw has it: sys.stdout and sys.stderr are None
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a display is always there")


def run_without_console(
    *words: object, tmp_path: Path, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "MEDIA_LIBRARY")
    shown = {name: value for name, value in os.environ.items() if name not in hidden}
    program = [sys.executable, APPLICATION_FOLDER / "main.py", *map(str, words)]
    return subprocess.run(
        ["sh", "-c", CLOSED, *program],
        env={**shown, "TMPDIR": str(tmp_path), "HOME": str(tmp_path), **environment},
        timeout=120,
    )


@LINUX
def test_without_console_and_display_the_log_has_the_error(tmp_path: Path) -> None:
    library = tmp_path / "library"
    ran = run_without_console("--library", library, __file__, tmp_path=tmp_path)
    assert ran.returncode == 1
    log = (library / "library.log").read_text(encoding="utf-8")
    assert "Traceback" in log and "TclError" in log and "display" in log


@LINUX
def test_an_error_before_the_library_is_there_has_a_log_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = run_without_console("--library", tmp_path / "file", __file__, tmp_path=tmp_path)
    assert ran.returncode == 1
    (log,) = tmp_path.glob("media-segment-library-*.log")
    assert "a library can't be kept here" in log.read_text(encoding="utf-8")


@LINUX
def test_a_command_without_console_does_its_work(tmp_path: Path) -> None:
    data_home = str(tmp_path / "data")
    ran = run_without_console("install-desktop", tmp_path=tmp_path, XDG_DATA_HOME=data_home)
    assert ran.returncode == 0
    assert (tmp_path / "data" / "applications" / "media-segment-library.desktop").is_file()
    wrong = run_without_console("ingest", "--no-such-option", tmp_path=tmp_path)
    assert wrong.returncode == 2


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would be shown in a dialog."""
    texts: list[str] = []
    monkeypatch.setattr(crash_dialog, "show_crash_dialog", lambda title, text: texts.append(text))
    return texts


def test_an_error_a_person_can_mend_is_its_own_sentence(tmp_path: Path, shown: list[str]) -> None:
    crash_dialog.report_crash(DatabaseError("the disk is full; make room"), tmp_path)
    assert shown == ["the disk is full; make room"]
    assert "the disk is full" in (tmp_path / "library.log").read_text(encoding="utf-8")


def test_any_other_error_is_a_sentence_with_the_log_file(tmp_path: Path, shown: list[str]) -> None:
    (tmp_path / "library.log").write_text("what was there before\n")
    try:
        raise KeyError("inner \udcff")
    except KeyError as error:
        crash_dialog.report_crash(error, tmp_path)
    (text,) = shown
    assert "KeyError" in text and str(tmp_path / "library.log") in text
    log = (tmp_path / "library.log").read_text(encoding="utf-8")
    assert log.startswith("what was there before\n") and "Traceback" in log and "inner" in log


def test_with_no_place_for_a_log_the_dialog_says_it_all(
    tmp_path: Path, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(crash_dialog.tempfile, "mkstemp", refuse)
    crash_dialog.report_crash(ValueError("odd"), tmp_path / "nowhere")
    assert len(shown) == 1 and shown[0].endswith("It says: odd")


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> dict[int, object]:
    """Which signals would be handled how; pytest keeps its own handlers."""
    handlers: dict[int, object] = {}
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    return handlers


@pytest.mark.usefixtures("signals")
def test_a_dialog_that_cant_be_shown_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_display(*_: object, **__: object) -> None:
        raise tkinter.TclError("no display name and no $DISPLAY environment variable")

    monkeypatch.setattr(tkinter, "Tk", no_display)
    crash_dialog.show_crash_dialog("title", "text")
    monkeypatch.setitem(sys.modules, "tkinter", None)  # a Python without it
    crash_dialog.show_crash_dialog("title", "text")


def test_a_half_made_window_is_gone_before_the_dialog(
    monkeypatch: pytest.MonkeyPatch, signals: dict[int, object]
) -> None:
    happened: list[str] = []

    class Window:
        def __init__(self, **_: object) -> None:
            happened.append("made")

        def withdraw(self) -> None:
            happened.append("hidden")

        def destroy(self) -> None:
            happened.append("destroyed")

    monkeypatch.setattr(tkinter, "Tk", Window)
    monkeypatch.setattr(tkinter, "_default_root", Window())
    monkeypatch.setattr(messagebox, "showerror", lambda *_, **__: happened.append("shown"))
    crash_dialog.show_crash_dialog("title", "text")
    assert happened == ["made", "destroyed", "made", "hidden", "shown", "destroyed"]
    # Python hears no signal while Tk shows the dialog
    assert signals == {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.SIG_DFL}


class NoTerminal:
    """A stderr that is a file, as a program has that a desktop has started."""

    def __init__(self, terminal: bool = False) -> None:
        self.terminal, self.text = terminal, ""

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


@pytest.mark.parametrize(
    ("words", "terminal", "dialogs"),
    [(["photo.jpg"], False, 1), (["photo.jpg"], True, 0), (["stats"], False, 0)],
)
def test_a_dialog_comes_for_the_window_when_nobody_reads_stderr(
    words: list[str],
    terminal: bool,
    dialogs: int,
    tmp_path: Path,
    shown: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: object) -> int:
        raise DatabaseError("the disk is full; make room")

    def break_down(_: object) -> int:
        raise RuntimeError("odd")

    stderr = NoTerminal(terminal)
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(main.MediaLibraryApp, "run", fail)
    assert main.main(["--library", str(tmp_path), *words]) == 1
    assert stderr.text == "error: the disk is full; make room\n" and len(shown) == dialogs
    monkeypatch.setattr(main.MediaLibraryApp, "run", break_down)
    with pytest.raises(RuntimeError):
        main.main(["--library", str(tmp_path), *words])
    assert len(shown) == 2 * dialogs
