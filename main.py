"""The application: the window, and the command line."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from src.cli.arguments import UsageError, no_such, parse, program, refuse_missing
from src.counting import counted
from src.errors import MediaLibraryError

if TYPE_CHECKING:
    from src.config import LibraryPaths
    from src.events import Event
    from src.library import MediaLibrary


log = logging.getLogger(__name__)


class Terminated(KeyboardInterrupt):
    """The system or another program ends this one; what it did goes on by itself later."""


class MediaLibraryApp:
    """Builds the parts, hands them to each other, and runs one command."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments

    def _initialize(
        self,
        root: Path | None = None,
        read_only: bool = False,
        examine: bool = False,
        on_recovery: Callable[[int, int], None] | None = None,
    ) -> MediaLibrary:
        """Open the library, with the models and settings it is to use.

        Args:
            on_recovery: is told how far the recovery of a damaged library is; a line on stderr
                says it where this is None.
        """
        from src.cli.report import RecoveryLine, note
        from src.config import LibraryPaths
        from src.library import MediaLibrary

        paths = self._paths() if root is None else LibraryPaths(root)
        library = MediaLibrary(
            paths,
            read_only=read_only,
            examine=examine,
            on_recovery=on_recovery or RecoveryLine().show,
        )
        for problem in library.settings_problems:
            note(problem)
        if library.notice is not None:
            note(library.notice)
        return library

    def _paths(self) -> LibraryPaths:
        from src.config import LibraryPaths, default_library

        return LibraryPaths(self.arguments.library or default_library())

    def _paths_of_library(self) -> LibraryPaths:
        """Where the library lies; one that is made to be looked at would say nothing of theirs."""
        from src.errors import DatabaseError

        paths = self._paths()
        if not paths.has_library():
            raise DatabaseError(
                f"{paths.root}: there is no library in this folder; name its folder with "
                "--library, or add media to create one"
            )
        return paths

    def _open_to_read(self) -> MediaLibrary:
        """Open the library, for reading only when it is open elsewhere or can't be written to."""
        from src.cli.report import note
        from src.errors import LibraryLockedError

        if not self._paths_of_library().is_writable():
            note("the library can't be written to; it is opened for reading only")
            return self._initialize(read_only=True)
        try:
            return self._initialize()
        except LibraryLockedError:
            note("the library is open in another process; it is opened for reading only")
            return self._initialize(read_only=True)

    def run(self) -> int:
        name = (self.arguments.command or "window").replace("-", "_")
        command: Callable[[], int] = getattr(self, f"_{name}")
        return command()

    def _window(self) -> int:
        """Show the window. It comes before torch, chromadb and the library itself are loaded."""
        from tkinter import TclError

        from src.config import Settings, remember_library
        from src.database.lock import is_locked
        from src.gui.app.single_instance import hand_over
        from src.gui.main_window import MainWindow, WindowOptions

        refuse_missing(self.arguments.paths)
        paths = self._paths()
        paths.create()
        log_to_file(paths.log)
        media = [path.absolute() for path in self.arguments.paths]

        def is_open() -> bool:
            return is_locked(paths.lock)

        if is_open() and hand_over(paths.root, media, is_open):
            return 0
        next_library: list[Path] = []

        def draw_samples() -> list[Path]:
            from src.cli.demo import draw_samples

            return draw_samples(paths, paths.datasets / "samples")

        options = WindowOptions(
            paths.root,
            Settings.load(paths.settings),
            lambda on_recovery: self._initialize(on_recovery=on_recovery),
            media,
            draw_samples,
            next_library.append,
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
            try:
                if next_library[0] != paths.root:  # a restart opens no other one
                    remember_library(next_library[0])
            except MediaLibraryError as exc:
                log.warning("%s", exc)  # it is opened all the same
            os.execv(sys.executable, [sys.executable, __file__, "--library", str(next_library[0])])
        return 0

    def _ingest(self) -> int:
        from src.cli.report import event_as_json, note, print_json
        from src.errors import DatabaseError
        from src.events import FileDone, FileKnown, JobDone

        given, paths = self.arguments.paths, self._paths()
        absent = [path for path in given if not os.path.lexists(path)]
        nothing_to_do = "name the files and folders to add: `ingest PATH…`"
        if not paths.has_library() and len(absent) == len(given):  # so no library is made
            if not given:
                raise UsageError(nothing_to_do)
            paths.check_ownership()
            raise DatabaseError(f"{no_such(absent)}; nothing was added")
        done, taken = JobDone(), 0
        with self._initialize() as library:
            if not given and not library.unfinished() and not library.stopped():
                raise UsageError(f"{nothing_to_do}; there is no unfinished work to continue")
            again = self.arguments.again
            try:
                for event in self._shown(library.add(given, again) if given else library.go_on()):
                    taken += isinstance(event, FileDone | FileKnown)
                    if self.arguments.json:
                        print_json(event_as_json(event))
                    if isinstance(event, JobDone):
                        done = event
            except Terminated:
                raise
            except KeyboardInterrupt:
                library.stop_adding()
                raise
            self._note_problems(library)
            left = len(library.stopped())
        note(
            f"{counted(done.files, 'file')}: {counted(done.frames, 'frame')} and "
            f"{counted(done.segments, 'segment')} added, {counted(len(done.failed), 'file')} failed"
        )
        if left:
            note(f"{counted(left, 'file')} left of an add that was stopped; `ingest` adds them")
        if str(done.passed_over):
            note(f"passed over: {done.passed_over}")
        if done.passed_over.removed:
            note("`ingest --again PATH…` adds what you removed, too")
        return 1 if absent and not taken else 0

    def _remove(self) -> int:
        from src.cli.removal import remove_media

        paths, missing = self.arguments.paths, self.arguments.missing
        with self._initialize(self._paths_of_library().root) as library:
            remove_media(library, paths, missing, self.arguments.json)
            for _ in self._shown(library.tell_index()):
                pass
        return 0

    def _roots(self) -> int:
        from src.cli.roots import list_roots, move_root

        move, as_json = self.arguments.move, self.arguments.json
        if move is None:
            with self._open_to_read() as library:
                list_roots(library, as_json)
        else:
            with self._initialize(self._paths_of_library().root) as library:
                move_root(library, *move, as_json)
        return 0

    def _search(self) -> int:
        from src.cli.search import find, show

        with self._open_to_read() as library:
            if not library.read_only:
                for _ in self._shown(library.reembed()):
                    pass
            found = find(library, self.arguments)
            self._note_problems(library)
        show(found, self.arguments)
        return 0

    def _export(self) -> int:
        from src.events import JobDone
        from src.records import ExportSelection

        given = self.arguments
        selection = ExportSelection(min_predicted_iou=given.min_quality)
        with self._open_to_read() as library:
            written = library.export(given.folder, selection, given.format, given.options)
            for event in self._shown(written):
                if isinstance(event, JobDone):
                    print(f"{counted(event.segments, 'crop')} in {event.written}")
        return 0

    def _stats(self) -> int:
        import dataclasses

        from src.cli.report import print_json, print_stats

        with self._open_to_read() as library:
            stats, coverage = library.stats(), library.coverage()
            self._note_problems(library)
        if self.arguments.json:
            next_clip = None if coverage is None else dataclasses.asdict(coverage)
            print_json({**dataclasses.asdict(stats), "next_clip": next_clip})
        else:
            print_stats(stats, coverage, library.paths.root)
        return 0

    def _verify(self) -> int:
        from src.events import ProblemFound

        left = missing = 0
        with self._initialize(self._paths_of_library().root, examine=True) as library:
            for event in self._shown(library.verify(self.arguments.repair)):
                if isinstance(event, ProblemFound) and not event.mended:
                    left += 1
                    missing += event.is_missing_file
        print(f"{counted(left, 'problem')} left" if left else "the library is sound")
        if missing:
            print(f"{counted(missing, 'missing file')}; `remove --missing` removes what is gone")
        return 1 if left else 0

    def _models(self) -> int:
        from src.cli.models import download_model, list_models, use_models
        from src.config import Settings
        from src.models.model_manager import ModelManager

        paths = self._paths()
        if self.arguments.verb == "use":
            self._note_models_folder()
            use_models(paths, self.arguments.names)
            return 0
        if self.arguments.verb == "switch":
            return self._switch_clip()
        if self.arguments.verb == "segment-again":
            return self._segment_again()
        manager = ModelManager.of(Settings.load(paths.settings))
        if self.arguments.verb == "download":
            for name in self.arguments.names:
                download_model(manager, name)
        elif paths.has_library():
            with self._open_to_read() as library:
                list_models(manager, self.arguments.measure, self.arguments.json, library)
        else:
            self._note_models_folder()
            list_models(manager, self.arguments.measure, self.arguments.json)
        return 0

    def _switch_clip(self) -> int:
        with self._initialize(self._paths_of_library().root) as library:
            for _ in self._shown(library.switch_clip()):
                pass
            self._note_problems(library)
            print(f"{library.clip.label} answers searches now")
        return 0

    def _segment_again(self) -> int:
        from src.cli.report import note
        from src.events import AnnotationUnmatched, JobDone

        done, stay = JobDone(), 0
        with self._initialize(self._paths_of_library().root) as library:
            for event in self._shown(library.segment_again()):
                stay += isinstance(event, AnnotationUnmatched)
                if isinstance(event, JobDone):
                    done = event
            self._note_problems(library)
        note(
            f"{counted(done.frames, 'frame')} segmented again: "
            f"{counted(done.segments, 'new segment')}, {counted(stay, 'old one')} kept for their "
            f"tags, {counted(len(done.failed), 'file')} failed"
        )
        return 0

    def _demo(self) -> int:
        from src.cli.demo import run_demo

        run_demo(self._paths(), self._initialize)
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

    def _shown(self, events: Iterable[Event]) -> Iterable[Event]:
        """Pass a job's events on, with a progress line on stderr."""
        from src.cli.report import ProgressLine

        progress = ProgressLine()
        try:
            for event in events:
                progress.show(event)
                yield event
        finally:
            progress.close()

    def _note_models_folder(self) -> None:
        """Say what an opened library says itself."""
        from src.cli.report import note
        from src.config import models_folder_problem

        if (problem := models_folder_problem()) is not None:
            note(problem)

    def _note_problems(self, library: MediaLibrary) -> None:
        from src.cli.report import note

        for problem in library.models.problems:
            note(f"model file not used: {problem}")


def _print_paths(paths: Sequence[Path], if_none: str) -> None:
    from src.cli.report import note, one_line

    for path in paths:
        print(one_line(path))
    if not paths:
        note(if_none)


def _terminate(*_: object) -> None:
    raise Terminated


def log_to_console() -> None:
    """Say errors on stderr; a warning is for the file alone."""
    console = logging.StreamHandler()
    console.setLevel(logging.ERROR)
    logging.basicConfig(
        level=logging.WARNING, format="%(name)s: %(message)s", handlers=[console], force=True
    )


def log_to_file(path: Path) -> None:
    """Keep what goes wrong in a file, since a window has no console to say it on.

    A full disk costs what could not be written, and nothing else.
    """
    from src.log_file import LogFile

    try:
        handler = LogFile(path)
    except OSError:
        return  # the library will say itself that its folder can't be written to
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    # what it says under a warning was asked for in the settings
    logging.getLogger("src.library").setLevel(logging.INFO)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the application; returns the exit code."""
    from src.errors import is_out_of_memory
    from src.gui.app.crash_dialog import provide_streams, report_crash, show_crash_dialog

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
        print("Stopped. The next ingest continues where this one was.", file=sys.stderr)
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
