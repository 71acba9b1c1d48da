"""The application: the window, and the command line."""

from __future__ import annotations

import atexit
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from src.cli.arguments import UsageError, parse, program, refuse_missing
from src.cli.commands import Commands, Terminated
from src.errors import MediaLibraryError
from src.log_file import log_to_console, log_to_file
from src.stopping import interrupt, interrupts_noted

log = logging.getLogger(__name__)


class MediaLibraryApp(Commands):
    """Runs one command, or the window; those that need the window's modules are here."""

    def run(self) -> int:
        name = (self.arguments.command or "window").replace("-", "_")
        command: Callable[[], int] = getattr(self, f"_{name}")
        return command()

    def _window(self) -> int:
        """Show the window. It comes before torch, chromadb and the library itself are loaded."""
        from tkinter import TclError

        from src.config import remember_library
        from src.database.lock import is_locked
        from src.gui.app.single_instance import hand_over
        from src.gui.main_window import MainWindow, WindowOptions
        from src.settings import Settings

        refuse_missing(self.arguments.paths)
        paths, wishes_to_read = self._paths(), self.arguments.read_only
        # as the commands that look do, where nothing is to be added
        read_only = wishes_to_read or (
            paths.has_library() and not paths.is_writable() and not self.arguments.paths
        )
        if read_only:
            if self.arguments.paths:
                raise UsageError("--read-only adds nothing: leave out the files and folders")
            self._paths_of_library().check_ownership()
        else:
            paths.create()
            log_to_file(paths.log)
        media = [path.absolute() for path in self.arguments.paths]

        def is_open() -> bool:
            return is_locked(paths.lock)

        if not read_only and is_open() and hand_over(paths.root, media, is_open):
            return 0
        next_library: list[tuple[Path, bool]] = []

        def draw_samples() -> list[Path]:
            from src.cli.demo import draw_samples

            return draw_samples(paths, paths.datasets / "samples")

        options = WindowOptions(
            paths.root,
            Settings.load(paths.settings),
            lambda on_recovery: self._initialize(
                read_only=read_only, on_recovery=on_recovery, upkeep_later=True, to_browse=True
            ),
            media,
            draw_samples,
            lambda library, to_read: next_library.append((library, to_read)),
            read_only,
        )
        try:
            window = MainWindow(options)
        except TclError as exc:
            if "display" not in str(exc):
                raise
            raise MediaLibraryError(
                f"the window can't be shown ({exc}); start it on a desktop, or use the commands, "
                "which need no display: `ingest PATH…` adds files, `search TEXT` finds, --help "
                "lists all"
            ) from exc
        # an interrupt raised inside an answer to an event would be reported there and forgotten
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: window.main_thread.post(window.close_unasked))
        window.mainloop()
        if next_library:
            library, to_read = next_library[0]
            try:
                if library != paths.root:  # a restart opens no other one
                    remember_library(library)
            except MediaLibraryError as exc:
                log.warning("%s", exc)  # it is opened all the same
            words = ["--library", str(library), *(["--read-only"] if to_read else [])]
            os.execv(sys.executable, [sys.executable, __file__, *words])
        return 0

    def _install_desktop(self) -> int:
        from src.config import APPLICATION_FOLDER, IS_CHECKOUT
        from src.gui.app.launcher import install_desktop_entry

        if not IS_CHECKOUT:
            raise MediaLibraryError(
                "this copy was installed with pip, and the menu's entry starts run.sh, which it "
                f"lacks; start it with `{program()}`, or get the program's whole folder"
            )
        written = install_desktop_entry(APPLICATION_FOLDER, Path(sys.executable))
        _print_paths(written, "nothing to write here: run.bat is what is double-clicked")
        return 0

    def _uninstall_desktop(self) -> int:
        from src.gui.app.launcher import uninstall_desktop_entry

        _print_paths(uninstall_desktop_entry(), "nothing to remove")
        return 0


def _print_paths(paths: Sequence[Path], if_none: str) -> None:
    from src.cli.report import note, one_line

    for path in paths:
        print(one_line(path))
    if not paths:
        note(if_none)


def _terminate(*_: object) -> None:
    interrupt(Terminated())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the application; returns the exit code."""
    from src.errors import is_out_of_memory
    from src.gui.app.crash_dialog import provide_streams, report_crash, show_crash_dialog

    # at the end the system takes all memory back: to look for garbage first takes up to a second
    atexit.register(gc.freeze)
    no_console = provide_streams()
    log_to_console()
    arguments = parse(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):  # names of files are in any language
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # a window that was started from a menu has a stderr, but nobody looks at it
    unread = no_console or (arguments.command is None and not sys.stderr.isatty())
    try:
        # A request to end is a Ctrl-C: the job stops at its next event, with nothing half done.
        signal.signal(signal.SIGTERM, _terminate)
        with interrupts_noted():
            return MediaLibraryApp(arguments).run()
    except UsageError as exc:
        from src.cli.report import one_line

        print(f"error: {one_line(exc)}", file=sys.stderr)
        if no_console:
            show_crash_dialog("Media Library", str(exc))
        return 2
    except MediaLibraryError as exc:
        from src.cli.report import one_line

        print(f"error: {one_line(exc)}", file=sys.stderr)
        if unread:
            report_crash(exc, arguments.library)
        return 1
    except KeyboardInterrupt:
        goes_on = "The next ingest continues where this one was."
        is_adding = arguments.command in ("ingest", None)
        print(f"Stopped. {goes_on}" if is_adding else "Stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        return 0
    except Exception as exc:
        if unread:
            report_crash(exc, arguments.library)
        if is_out_of_memory(exc):
            print(
                "error: there is not enough memory; close other programs or raise the limit that "
                "is set for this one, then start again: nothing is lost",
                file=sys.stderr,
            )
            return 1
        raise


if __name__ == "__main__":
    sys.exit(main())
