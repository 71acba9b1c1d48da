"""The main window: sidebar, panels, the strip of the running job, and what ties them together."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import customtkinter as ctk
from PIL import ImageTk
from tkinterdnd2 import TkinterDnD

from src.config import Settings
from src.gui import desktop
from src.gui.clipboard import read_clipboard
from src.gui.detail_panel import DetailActions, DetailPanel, Origin
from src.gui.drop import DropTarget
from src.gui.hand_over import take_requests
from src.gui.icons import logo
from src.gui.image_search_panel import ImageSearchPanel
from src.gui.intake import Intake
from src.gui.library_facts import LibraryFacts
from src.gui.library_panel import LibraryActions, LibraryPanel
from src.gui.main_thread import MainThread
from src.gui.messages import ask, show_error
from src.gui.overlay import Overlay
from src.gui.pictures import Stamps
from src.gui.probe import VARIABLE, Probe
from src.gui.session import Session
from src.gui.sidebar import Sidebar, SidebarActions
from src.gui.text_search_panel import TextSearchPanel
from src.gui.theme import DARK, FIRST_WH, LEAST_WH, LIGHT, Theme, use_own_font_rules
from src.gui.thumbnails import Thumbnails
from src.gui.widgets.card_face import CardPainter
from src.gui.widgets.card_grid import CardGrid
from src.gui.window_dialogs import WindowDialogs
from src.records import MediaCard, SearchHit, SearchResult

if TYPE_CHECKING:
    from src.library import MediaLibrary

REQUESTS_MS = 300

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WindowOptions:
    """What main.py hands to the window.

    Attributes:
        library: its folder.
        settings: as they are in it.
        open_library: makes the MediaLibrary, in another thread.
        paths: to be added as soon as it is open.
        draw_samples: makes sample media and returns them; may take seconds.
        restart: starts the program again, on another library when one is given.
    """

    library: Path
    settings: Settings
    open_library: Callable[[], MediaLibrary]
    paths: Sequence[Path]
    draw_samples: Callable[[], Sequence[Path]]
    restart: Callable[[Path | None], None]


class MainWindow(ctk.CTk, TkinterDnD.DnDWrapper):
    """The application's window. It knows the library, the worker, their events and records."""

    def __init__(self, options: WindowOptions) -> None:
        settings = options.settings
        use_own_font_rules()
        ctk.set_appearance_mode(settings.appearance)
        scale = settings.widget_scaling or desktop.desktop_scale()
        ctk.set_widget_scaling(scale)
        ctk.set_window_scaling(scale)
        super().__init__(className="Media-segment-library")
        # CustomTkinter gives the focus to whatever is clicked, canvases and labels too, after
        # the click has been answered: an entry that the answer chose would lose it again
        self.unbind_all("<Button-1>")
        self.TkdndVersion = TkinterDnD._require(self)
        self.options = options
        light = ctk.get_appearance_mode() == "Light"
        self.look = Theme(LIGHT if light else DARK, scale * self._dpi_factor())
        self.look.find_fonts(self)
        self.here = "library"
        self._before_detail = "library"
        self._closing = False
        self._prepare_window()
        self.overlay = Overlay(self, self.look)
        self.dialogs = WindowDialogs(
            self, self.overlay, lambda: self.session, self._open_other_library
        )
        self.main_thread = MainThread(self, self.dialogs.show_error)
        self.session = Session(self.main_thread, options.open_library, self.dialogs.show_error)
        self.thumbnails = Thumbnails(
            self.main_thread,
            lambda path: self.session.library.thumbnail(path),
            self._thumbnail_loaded,
        )
        self._build()
        self._bind_keys()
        self.session.tell.opened.append(self._opened)
        self.session.open(self.dialogs.show_not_opened)
        self._look_for_requests()
        if VARIABLE in os.environ:
            Probe(self, Path(os.environ[VARIABLE]))

    # -- building

    def _dpi_factor(self) -> float:
        """What CustomTkinter multiplies its own sizes by beyond our scale (Windows, macOS)."""
        factor = ctk.ScalingTracker.get_window_dpi_scaling(self)
        return float(factor)

    def _prepare_window(self) -> None:
        c = self.look.colours
        self.title("Media Library")
        self.configure(fg_color=c.window)
        width = min(FIRST_WH[0], round(self.winfo_screenwidth() / self.look.scale))
        height = min(FIRST_WH[1], round(self.winfo_screenheight() / self.look.scale))
        self.geometry(f"{width}x{height}")
        self.minsize(min(LEAST_WH[0], width), min(LEAST_WH[1], height))
        self._icon_photos = [ImageTk.PhotoImage(logo(side)) for side in (128, 48, 32)]
        self.iconphoto(True, *self._icon_photos)
        self.protocol("WM_DELETE_WINDOW", self.close)
        desktop.dress_tk_dialogs(self, self.look)

    def _build(self) -> None:
        look, c = self.look, self.look.colours
        self.grid_columnconfigure(1, weight=1)
        self.grid_rowconfigure(0, weight=1)
        self.facts = LibraryFacts(self, self.session)
        self.intake = Intake(
            self,
            look,
            self.session,
            self.overlay,
            self.options.draw_samples,
            self.facts.refresh_soon,
        )
        self.sidebar = Sidebar(
            self,
            look,
            SidebarActions(
                self.intake.choose_files, self.dialogs.settings, self.dialogs.models, self.go
            ),
        )
        self.sidebar.grid(row=0, column=0, rowspan=2, sticky="ns")
        self.facts.show_in(self.sidebar)
        font = str(Path(ctk.__file__).parent / "assets" / "fonts" / "Roboto" / "Roboto-Regular.ttf")
        painter = CardPainter(look, Stamps(c, look.scale, font), c.window)
        self.library_panel = LibraryPanel(
            self,
            look,
            self.session,
            self.thumbnails,
            painter,
            LibraryActions(
                self.intake.choose_files,
                self.intake.choose_folder,
                self.intake.add_samples,
                self._open_media,
                self.intake.ask_to_remove,
                self.intake.add,
                self.intake.show_failure,
                self.dialogs.show_in_folder,
            ),
        )
        self.text_panel = TextSearchPanel(
            self,
            look,
            self.session,
            self.thumbnails,
            painter,
            self._open_text_hit,
            lambda hit: self.find_similar(hit.segment.id, hit.segment.media_path),
            self.dialogs.models,
        )
        self.image_panel = ImageSearchPanel(
            self,
            look,
            self.session,
            self.thumbnails,
            painter,
            self._open_image_hit,
            lambda hit: self.find_similar(hit.segment.id, hit.segment.media_path),
            self._choose_image,
            self.paste,
        )
        self.detail_panel = DetailPanel(
            self,
            look,
            self.session,
            self.thumbnails,
            DetailActions(
                self.back,
                self.find_similar,
                self.dialogs.open_file,
                self.dialogs.show_in_folder,
                self._detail_failed,
            ),
        )
        self._panels: dict[str, ctk.CTkFrame] = {
            "library": self.library_panel,
            "text": self.text_panel,
            "image": self.image_panel,
            "detail": self.detail_panel,
        }
        self.drop = DropTarget(self, look, self._dropped, self._drop_sentence)
        self.go("library")

    def _bind_keys(self) -> None:
        for keys, command in (
            ("<Control-o>", self.intake.choose_files),
            ("<Control-f>", lambda: self.go("text")),
            ("<Control-comma>", self.dialogs.settings),
            ("<Control-v>", self._paste_key),
            ("<Escape>", self._escape),
            ("<F11>", self._full_screen),
            ("<Prior>", lambda: self._page(-1)),
            ("<Next>", lambda: self._page(1)),
        ):
            self.bind(keys, partial(self._key, command))
        self.bind("<FocusIn>", lambda _: self.overlay.keep_focus_inside(), add="+")

    def _key(self, command: Callable[[], object], _event: object) -> None:
        if not self.overlay.is_open or command in (self._escape, self._full_screen):
            command()

    # -- going about

    def go(self, where: str) -> None:
        """Show a panel; the export dialog opens over the one that is there."""
        if where == "export":
            self._export()
            return
        self.here = where
        for name, panel in self._panels.items():
            if name == where:
                panel.grid(row=0, column=1, sticky="nsew")
            else:
                panel.grid_remove()
        self.sidebar.mark(self._before_detail if where == "detail" else where)
        if where == "text":
            self.text_panel.shown()
        elif where == "library":
            self.library_panel.focus_content()

    def _export(self) -> None:
        hits = {
            "text": self.text_panel.results.hits.hits,
            "image": self.image_panel.results.hits.hits,
        }
        self.dialogs.export(
            hits.get(self._before_detail if self.here == "detail" else self.here, ())
        )

    def back(self) -> None:
        self.go(self._before_detail)

    def _escape(self) -> None:
        if self.overlay.is_open:
            self.overlay.close()
        elif self.here == "detail":
            self.back()
        elif self.library_panel.grid_view.selection:
            self.library_panel.grid_view.select(frozenset())
        elif self.attributes("-fullscreen"):
            self.attributes("-fullscreen", False)

    def _full_screen(self) -> None:
        self.attributes("-fullscreen", not self.attributes("-fullscreen"))

    def _page(self, step: int) -> None:
        if self.here == "detail":
            self.detail_panel.go(step)

    def visible_grid(self) -> CardGrid | None:
        """The grid of cards that is shown, for the probe."""
        return {
            "library": self.library_panel.grid_view,
            "text": self.text_panel.results.grid_view,
            "image": self.image_panel.results.grid_view,
        }.get(self.here)

    def _thumbnail_loaded(self, path: Path) -> None:
        if self.here == "detail":
            self.detail_panel.segments.refresh()
            self.detail_panel.frames.refresh()
        grid = self.visible_grid()
        if grid is not None:
            grid.picture_loaded()

    def _open_media(self, card: MediaCard) -> None:
        """Show a media file by its first frame."""
        catalog = self.session.library.catalog
        self.main_thread.run(
            lambda: catalog.sampled_frames(card.media.id),
            lambda frames: (
                self._open_detail(frames[0].segment_id, Origin("Library"), "library")
                if frames
                else None
            ),
        )

    def _open_text_hit(self, hits: Sequence[SearchHit], place: int) -> None:
        origin = Origin("Results", self.text_panel.query, hits, place)
        self._open_detail(hits[place].segment.id, origin, "text")

    def _open_image_hit(self, hits: Sequence[SearchHit], place: int) -> None:
        self._open_detail(hits[place].segment.id, Origin("Results", "", hits, place), "image")

    def _open_detail(self, segment_id: str, origin: Origin, before: str) -> None:
        self._before_detail = before
        self.go("detail")
        self.detail_panel.open(segment_id, origin)
        self.focus_set()

    def _detail_failed(self, exc: Exception) -> None:
        self.back()
        self.dialogs.show_error(exc)

    def find_similar(self, segment_id: str, path: Path) -> None:
        library = self.session.library

        def found(result: SearchResult) -> None:
            self.go("text")
            self.text_panel.show_hits(result, f", similar to a segment of {path.name}")

        self.main_thread.run(lambda: library.similar(segment_id, 100), found)

    # -- dropping and searching by image

    def _dropped(self, paths: list[Path], cut: bool) -> None:
        if self.here == "image" and len(paths) == 1 and paths[0].is_file():
            self.image_panel.use_file(paths[0])
        else:
            self.intake.add_dropped(paths, cut)

    def _drop_sentence(self) -> str:
        return "Drop to search for it" if self.here == "image" else "Drop to add to the library"

    def _choose_image(self) -> None:
        if paths := desktop.ask_for_files(self, "image"):
            self.image_panel.use_file(paths[0])

    def _paste_key(self) -> None:
        if not isinstance(self.focus_get(), ctk.tkinter.Entry):  # there it pastes words
            self.paste()

    def paste(self) -> None:
        """Search for the image on the clipboard."""
        pasted = read_clipboard(self)
        if pasted.image_rgb is None and not pasted.paths:
            show_error(
                self.overlay,
                "There is no image on the clipboard",
                "Copy an image, or an image file, and paste again.",
            )
            return
        self.go("image")
        if pasted.image_rgb is not None:
            self.image_panel.use_image(pasted.image_rgb, "pasted image")
        else:
            self.image_panel.use_file(pasted.paths[0])

    # -- the door for errors

    def report_callback_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """What fails in an answer to an event comes to the same door."""
        log.error("unexpected", exc_info=(kind, error, trace))
        if isinstance(error, Exception):
            try:
                self.dialogs.show_error(error)
            except Exception:  # a door that jams must not take the window down
                log.exception("the error could not be shown")

    # -- the library opens, and closes

    def _opened(self) -> None:
        if self.options.paths:
            self.intake.add(self.options.paths)
        elif self.session.library.unfinished():
            self.intake.add([])

    def _look_for_requests(self) -> None:
        """A later start on the same library asks this window to come forward."""
        paths = take_requests(self.options.library)
        if paths is not None:
            self.deiconify()
            self.lift()
            self.focus_force()
            if paths:
                self.intake.add(paths)
        if not self._closing:
            self.after(REQUESTS_MS, self._look_for_requests)

    def _open_other_library(self, folder: Path) -> None:
        self.close(then=lambda: self.options.restart(folder))

    def close(self, then: Callable[[], None] | None = None) -> None:
        """Close, after asking when a job runs; it goes on at the next start."""
        if self._closing:
            return
        if self.session.is_busy:
            ask(
                self.overlay,
                "Stop what is being added?",
                "What is done so far is kept. The rest goes on when you open the library again.",
                "Stop and close",
                lambda: self._close(then),
                "Keep it running",
            )
        else:
            self._close(then)

    def _close(self, then: Callable[[], None] | None) -> None:
        self._closing = True
        self.intake.dismiss()
        self.title("Media Library – closing…")
        self.withdraw()

        def closed() -> None:
            self.main_thread.close()
            self.thumbnails.close()
            self.destroy()
            if then is not None:
                then()

        self.session.close(closed)
