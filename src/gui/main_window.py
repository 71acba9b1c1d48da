"""The main window: sidebar, panels, the strip of the running job, and what ties them together."""

from __future__ import annotations

import gc
import logging
import os
import sys
import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PIL import ImageTk
from tkinterdnd2 import TkinterDnD

from src.gui.app import desktop
from src.gui.app.actions import (
    BACK,
    Action,
    is_for_window_first,
    key_sequence,
    menu_actions,
    shortcuts,
)
from src.gui.app.background_jobs import BackgroundJobs
from src.gui.app.drop import DropTarget
from src.gui.app.import_controller import ImportController
from src.gui.app.library_facts import LibraryFacts
from src.gui.app.panels import LIBRARY, Panels
from src.gui.app.probe import VARIABLE, Probe
from src.gui.app.reading_beside import ReadingBeside
from src.gui.app.saved_searches import SavedSearches
from src.gui.app.sidebar import LOADING, NO_LIBRARY, RECOVERING, Sidebar
from src.gui.app.single_instance import Requests
from src.gui.app.window_dialogs import WindowDialogs
from src.gui.core.job_state import question_at_close
from src.gui.core.main_thread import MainThread
from src.gui.core.session import OnProgress, Session
from src.gui.dialogs.messages import ask
from src.gui.models.models_controller import ModelsController
from src.gui.theme.icons import logo
from src.gui.theme.theme import DARK, FIRST_WH, LEAST_WH, LIGHT, Theme, use_own_font_rules
from src.gui.theme.toolkit import ctk
from src.gui.widgets.key_bindings import bind_key
from src.gui.widgets.overlay import Overlay
from src.gui.widgets.popup import Entry
from src.settings import Settings

if TYPE_CHECKING:
    from src.library import MediaLibrary


_SHORTCUTS = "shortcuts of the window"  # a bindtag
_DRAWN_MS = 30  # the desktop shows a window, and Tk draws it, within that or between two panels
FRAME_WH = 16, 64  # what a desktop may put round a window: a title bar, borders, a bar of its own
Area = tuple[int, int, int, int]  # left, top, width, height in device pixels

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WindowOptions:
    """What main.py hands to the window.

    Attributes:
        library: its folder.
        settings: as they are in it.
        open_library: makes the MediaLibrary, in another thread, and calls its argument with how
            far the recovery of a damaged one is.
        paths: to be added as soon as it is open.
        draw_samples: makes sample media and returns them; may take seconds.
        restart: starts the program again once the window is closed: on which library, and
            whether to read only.
        read_only: the library is opened for reading only.
    """

    library: Path
    settings: Settings
    open_library: Callable[[OnProgress], MediaLibrary]
    paths: Sequence[Path]
    draw_samples: Callable[[], Sequence[Path]]
    restart: Callable[[Path, bool], None]
    read_only: bool = False


def area_for_window(work_area: Area) -> Area:
    """Return where a window may lie, with its frame round it."""
    left, top, width, height = work_area
    return left, top, max(1, width - FRAME_WH[0]), max(1, height - FRAME_WH[1])


def fitting_size(area: Area, scale: float) -> tuple[int, int]:
    """Return the size a window opens with, in pixels of the design."""
    _, _, width, height = area
    return min(FIRST_WH[0], int(width / scale)), min(FIRST_WH[1], int(height / scale))


def first_geometry(area: Area, scale: float) -> str:
    """Return where it opens: a size in pixels of the design, a place in device pixels."""
    left, top, area_w, area_h = area
    width, height = fitting_size(area, scale)
    x = left + (area_w - round(width * scale)) // 2
    y = top + (area_h - round(height * scale)) // 2
    return f"{width}x{height}+{x}+{y}"


class MainWindow(ctk.CTk, TkinterDnD.DnDWrapper):
    """The application's window. It knows the library, the worker, their events and records."""

    # what actions use
    dialogs: WindowDialogs
    import_controller: ImportController
    panels: Panels
    saved_searches: SavedSearches

    def __init__(self, options: WindowOptions) -> None:
        settings = options.settings
        use_own_font_rules()
        ctk.set_appearance_mode(settings.appearance)
        super().__init__(className="Media-segment-library")
        self._area = area_for_window(desktop.work_area(self))
        scale = self._fitting_scale(settings.widget_scaling or desktop.desktop_scale())
        ctk.set_widget_scaling(scale)
        ctk.set_window_scaling(scale)
        # CustomTkinter gives the focus to whatever is clicked, canvases and labels too, after
        # the click was handled: an entry that the handler focused would lose it again
        self.unbind_all("<Button-1>")
        self.TkdndVersion = TkinterDnD._require(self)
        self.options = options
        light = ctk.get_appearance_mode() == "Light"
        self.theme = Theme(LIGHT if light else DARK, scale * self._dpi_factor())
        self.theme.find_fonts(self)
        self._closing = False
        self._prepare_window()
        self.overlay = Overlay(self, self.theme, BACK.hint_for("Close"))
        self.dialogs = WindowDialogs(
            self,
            self.overlay,
            lambda: self.session,
            self._open_other_library,
            lambda: self._open_other_library(self.options.library),
            lambda read_only: self._open_other_library(self.options.library, read_only),
        )
        self.main_thread = MainThread(self, self.dialogs.show_error)
        self.session = Session(
            self.main_thread, options.open_library, self.dialogs.show_error, options.read_only
        )
        self._build()
        self._bind_keys()
        self.session.signals.opened.append(self._opened)
        self._requests = Requests(
            self,
            options.library,
            self._come_forward,
            lambda: self.session.not_opened is None and not options.read_only,
        )
        # it is on the screen before what is not to be seen yet is made
        self.after(_DRAWN_MS, self.panels.build_all, self._all_built)

    # -- building

    def _fitting_scale(self, wish: float) -> float:
        """Return the scale wished for, or the largest at which the window fits on the screen."""
        _, _, width, height = self._area
        return float(max(0.75, min(wish, width / LEAST_WH[0], height / LEAST_WH[1])))

    def _dpi_factor(self) -> float:
        """Return what CustomTkinter multiplies its sizes by beyond our scale (Windows, macOS)."""
        factor = ctk.ScalingTracker.get_window_dpi_scaling(self)
        return float(factor)

    def _prepare_window(self) -> None:
        c = self.theme.colours
        self.title("Media Library – read only" if self.options.read_only else "Media Library")
        self.configure(fg_color=c.window)
        self.geometry(first_geometry(self._area, self.theme.scale))
        width, height = fitting_size(self._area, self.theme.scale)
        self.minsize(min(LEAST_WH[0], width), min(LEAST_WH[1], height))
        self._icon_photos = [ImageTk.PhotoImage(logo(side)) for side in (128, 48, 32)]
        self.iconphoto(True, *self._icon_photos)
        self.protocol("WM_DELETE_WINDOW", self.close)
        if sys.platform == "darwin":  # there "Open with" and drops on the dock are no arguments
            self.createcommand(
                "::tk::mac::OpenDocument",
                lambda *names: self.import_controller.add([Path(n) for n in names]),
            )
        desktop.dress_tk_dialogs(self, self.theme)

    def _build(self) -> None:
        theme = self.theme
        self.grid_columnconfigure(1, weight=1)
        self.grid_rowconfigure(0, weight=1)
        self.import_controller = ImportController(
            self,
            theme,
            self.session,
            self.overlay,
            self.options.draw_samples,
        )
        self.sidebar = Sidebar(
            self,
            theme,
            self._pressed,
            lambda: self.panels.go("models"),
            self._offer_more if self.session.read_only else None,
        )
        self.sidebar.grid(row=0, column=0, rowspan=2, sticky="ns")
        self.reading: ReadingBeside | None = None
        if self.sidebar.reader is not None:
            self.reading = ReadingBeside(self.session, self.sidebar.reader, self.dialogs.say_lost)
        LibraryFacts(self, self.session, self.sidebar)
        self.saved_searches = SavedSearches(
            self.sidebar,
            theme,
            self.session,
            lambda text: self.panels.run_search(text),
            self._menu_entries,
            self.sidebar.make_room,
        )
        BackgroundJobs(self.session)
        signals, card = self.session.signals, self.sidebar.models
        signals.not_opened.append(lambda: card.show(*NO_LIBRARY))
        signals.opened.append(lambda: card.show(*LOADING))
        signals.recovering.append(lambda *_: card.show(*RECOVERING))
        work = ModelsController(self.session, self.dialogs.show_error)
        work.changed.append(lambda: card.show(*work.card))
        self.panels = Panels(
            self,
            theme,
            self.session,
            self.overlay,
            self.dialogs,
            self.import_controller,
            work,
            self._menu_entries,
        )
        self.panels.went.append(self.sidebar.mark)
        self.drop = DropTarget(self, theme, self.panels.take_drop, self.panels.drop_sentence)
        self.panels.go(LIBRARY)

    def _bind_keys(self) -> None:
        # a ring shows what has the keyboard; with the pointer that is seen without one
        self.bind("<KeyPress>", lambda _: self._by_keys(True))
        self.bind("<ButtonPress>", lambda _: self._by_keys(False))
        for action in shortcuts():
            sequence, act = key_sequence(action.keys), partial(self._key, action)
            if is_for_window_first(action.keys):
                self.bind_class(_SHORTCUTS, sequence, act)
            else:
                bind_key(self.bind, sequence, act)
        self._hear_shortcuts(self)
        self.bind("<FocusIn>", self._focus_came, add="+")

    def _focus_came(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self._hear_shortcuts(event.widget)
        self.overlay.keep_focus_inside()

    def _hear_shortcuts(self, widget: tkinter.Misc) -> None:
        """Let the window have its shortcuts before what has the keyboard.

        To Tk, Ctrl and comma are a comma as well: a widget that answers the comma would take them.
        """
        tags = self.tk.splitlist(self.tk.call("bindtags", str(widget)))
        if _SHORTCUTS not in tags:
            self.tk.call("bindtags", str(widget), (_SHORTCUTS, *tags))

    def _by_keys(self, keys: bool) -> None:
        self.theme.shows_focus = keys

    def _key(self, action: Action, _event: object) -> str | None:
        done = (action.in_dialogs or not self.overlay.is_open) and self.do(action)
        return "break" if done else None

    def _pressed(self, action: Action) -> None:
        self.do(action)

    def _menu_entries(self, menu: str) -> list[Entry]:
        """List what a context menu says and does now."""
        return [(action.name, partial(self.do, action)) for action in menu_actions(menu, self)]

    def _offer_more(self) -> None:
        """Offer what can be done beside reading."""
        if self.sidebar.reader is not None and self.reading is not None:
            self.dialogs.show_reader_menu(self.sidebar.reader, bool(self.reading.lost))

    def do(self, action: Action) -> bool:
        """Do something if it can be done; where the library can't be opened, show that instead.

        Returns:
            Whether either was done.
        """
        if action.needs_library and self.session.not_opened is not None:
            self.panels.go(LIBRARY)
        elif action.can_run(self):
            action.run(self)
        else:
            return False
        return True

    def escape(self) -> None:
        """Close a dialog, else go back, else leave the full screen."""
        if self.overlay.is_open:
            self.overlay.close()
        elif not self.panels.step_back() and self.attributes("-fullscreen"):
            self.attributes("-fullscreen", False)

    def full_screen(self) -> None:
        """Fill the screen, with a picture alone where one is open, or leave it."""
        if self.overlay.is_open or not self.panels.show_alone():
            self.attributes("-fullscreen", not self.attributes("-fullscreen"))

    # -- errors

    def report_callback_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Show what fails in a callback like any other error."""
        log.error("unexpected", exc_info=(kind, error, trace))
        if isinstance(error, Exception):
            try:
                self.dialogs.show_error(error)
            except Exception:  # an error handler that fails must not take the window down
                log.exception("the error could not be shown")

    # -- the library opens, and closes

    def _all_built(self) -> None:
        """Open the library: all panels are there to hear of it."""
        self.session.open()
        if VARIABLE in os.environ:
            Probe(self, Path(os.environ[VARIABLE]))

    def _opened(self) -> None:
        library = self.session.library
        self.dialogs.show_notices(library.notice, library.settings_problems, library.share_notice)
        if self.session.read_only:
            return
        if self.options.paths:
            self.import_controller.add(self.options.paths)
        elif self.session.library.unfinished():
            self.import_controller.add([])

    def _come_forward(self, paths: list[Path]) -> None:
        """Come to the front, as a later start on the same library asks, and add its paths."""
        self.deiconify()
        self.lift()
        self.focus_force()
        if paths:
            self.import_controller.add(paths)

    def _open_other_library(self, folder: Path, read_only: bool = False) -> None:
        self.close(then=lambda: self.options.restart(folder, read_only))

    def close(self, then: Callable[[], None] | None = None) -> None:
        """Close, after asking when a job runs, which continues at the next start.

        What is changed and not kept yet is asked about first, where it is.
        """
        if self._closing or not self.panels.lets_go(lambda: self.close(then)):
            return
        asked = {job.kind for job in self.session.all_jobs if not job.about.in_background}
        if asked:
            question, sentence = question_at_close(asked)
            ask(
                self.overlay,
                question,
                sentence,
                "Stop and close",
                lambda: self._close(then),
                "Keep it running",
            )
        else:
            self._close(then)

    def close_unasked(self) -> None:
        """Close without asking: the system ends the session, or a signal the process."""
        if not self._closing:
            self._close(None)

    def _close(self, then: Callable[[], None] | None) -> None:
        self._closing = True
        self._requests.close()
        self.import_controller.dismiss()
        desktop.end_file_dialog()
        self.title("Media Library – closing…")
        self.withdraw()

        def stopped() -> None:
            # garbage of the window collected in another thread would wait for this one: a deadlock
            gc.disable()
            self.main_thread.close()
            self.panels.thumbnails.close()
            for waiting in self.tk.splitlist(self.tk.call("after", "info")):
                # or Tk complains of each one when it is due; after_cancel would also delete
                # commands that belong to children, which then could not be destroyed
                self.tk.call("after", "cancel", waiting)
            try:
                self.session.close_library()
            finally:
                self.destroy()
            if then is not None:
                then()

        self.session.stop(stopped)
