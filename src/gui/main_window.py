"""The main window: sidebar, panels, the strip of the running job, and what ties them together."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import customtkinter as ctk
from PIL import ImageTk
from tkinterdnd2 import TkinterDnD

from src.config import Settings
from src.errors import LibraryLockedError
from src.events import Event, FileDone, FileFailed, FrameStored
from src.gui import desktop
from src.gui.clipboard import read_clipboard
from src.gui.detail_panel import DetailActions, DetailPanel, Origin
from src.gui.drop import DropTarget
from src.gui.export_dialog import ExportDialog
from src.gui.hand_over import take_requests
from src.gui.icons import logo
from src.gui.image_search_panel import ImageSearchPanel
from src.gui.job_state import JobState, counted
from src.gui.job_strip import JobStrip
from src.gui.library_panel import LibraryActions, LibraryPanel
from src.gui.main_thread import MainThread
from src.gui.messages import ask, show_error, show_failures
from src.gui.overlay import Overlay
from src.gui.pictures import Stamps
from src.gui.probe import VARIABLE, Probe
from src.gui.session import Session, explained
from src.gui.settings_dialog import SettingsDialog
from src.gui.sidebar import Sidebar, SidebarActions
from src.gui.text_search_panel import TextSearchPanel
from src.gui.theme import DARK, FIRST_WH, LEAST_WH, LIGHT, Theme, use_own_font_rules
from src.gui.thumbnails import Thumbnails
from src.gui.widgets.card_face import CardPainter
from src.gui.widgets.card_grid import CardGrid
from src.records import LibraryStats, MediaCard, SearchHit, SearchResult
from src.worker import JobEnded

if TYPE_CHECKING:
    from src.library import MediaLibrary

REQUESTS_MS = 300
STATS_MS = 2000

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
        self.TkdndVersion = TkinterDnD._require(self)
        self.options = options
        self.errors: list[str] = []
        light = ctk.get_appearance_mode() == "Light"
        self.look = Theme(LIGHT if light else DARK, scale * self._dpi_factor())
        self.look.find_fonts(self)
        self.here = "library"
        self._before_detail = "library"
        self._failed: dict[Path, str] = {}
        self._closing = False
        self._stats_wait = False
        self._prepare_window()
        self.main_thread = MainThread(self, self.show_error)
        self.session = Session(self.main_thread, options.open_library, self.show_error)
        self.thumbnails = Thumbnails(
            self.main_thread,
            lambda path: self.session.library.thumbnail(path),
            self._thumbnail_loaded,
        )
        self.overlay = Overlay(self, self.look)
        self._build()
        self._bind_keys()
        self.session.tell.opened.append(self._opened)
        self.session.tell.models_ready.append(self._models_ready)
        self.session.tell.content_changed.append(self.refresh_stats)
        self.session.tell.job_event.append(self._job_event)
        self.session.tell.job_ended.append(self._job_ended)
        self.session.open(self._not_opened)
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
        self.sidebar = Sidebar(
            self,
            look,
            SidebarActions(self.choose_files, self.open_settings, self.show_models, self.go),
        )
        self.sidebar.grid(row=0, column=0, rowspan=2, sticky="ns")
        font = str(Path(ctk.__file__).parent / "assets" / "fonts" / "Roboto" / "Roboto-Regular.ttf")
        painter = CardPainter(look, Stamps(c, look.scale, font), c.window)
        self.library_panel = LibraryPanel(
            self,
            look,
            self.session,
            self.thumbnails,
            painter,
            LibraryActions(
                self.choose_files,
                self.choose_folder,
                self.try_samples,
                self._open_media,
                self._ask_to_remove,
                self.add,
                self._show_failure,
                self._show_in_folder,
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
            self.show_models,
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
                self._open_file,
                self._show_in_folder,
                self._detail_failed,
            ),
        )
        self._panels: dict[str, ctk.CTkFrame] = {
            "library": self.library_panel,
            "text": self.text_panel,
            "image": self.image_panel,
            "detail": self.detail_panel,
        }
        self.strip = JobStrip(self, look, self.cancel_job, self.show_failed, self._dismiss_strip)
        self.drop = DropTarget(self, look, self._dropped, self._drop_sentence)
        self.go("library")

    def _bind_keys(self) -> None:
        for keys, command in (
            ("<Control-o>", self.choose_files),
            ("<Control-f>", lambda: self.go("text")),
            ("<Control-comma>", self.open_settings),
            ("<Control-v>", self._paste_key),
            ("<Escape>", self._escape),
            ("<F11>", self._full_screen),
            ("<Prior>", lambda: self._page(-1)),
            ("<Next>", lambda: self._page(1)),
        ):
            self.bind(keys, lambda _, command=command: self._key(command))  # type: ignore[misc]
        self.bind("<FocusIn>", lambda _: self.overlay.keep_focus_inside(), add="+")

    def _key(self, command: Callable[[], object]) -> None:
        if not self.overlay.is_open or command in (self._escape, self._full_screen):
            command()

    # -- going about

    def go(self, where: str) -> None:
        """Show a panel; the export dialog opens over the one that is there."""
        if where == "export":
            self.open_export()
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
        self.show_error(exc)

    def find_similar(self, segment_id: str, path: Path) -> None:
        library = self.session.library

        def found(result: SearchResult) -> None:
            self.go("text")
            self.text_panel.show_hits(result, f", similar to a segment of {path.name}")

        self.main_thread.run(lambda: library.similar(segment_id, 100), found)

    # -- adding

    def choose_files(self) -> None:
        if paths := desktop.ask_for_files(self, "media"):
            self.add(paths)

    def choose_folder(self) -> None:
        if paths := desktop.ask_for_files(self, "folder"):
            self.add(paths)

    def try_samples(self) -> None:
        self.main_thread.run(self.options.draw_samples, self.add)

    def add(self, paths: Sequence[Path]) -> None:
        """Take files and folders into the library."""
        if not self.session.is_open:
            self.main_thread.post(lambda: self.after(100, self.add, paths))
            return
        for path in paths:
            self._failed.pop(path, None)
        if not self.session.jobs:
            self._failed.clear()
        self.session.add(paths, f"Looking at {counted(len(paths), 'path')}")
        self._show_strip()

    def _dropped(self, paths: list[Path], cut: bool) -> None:
        if self.here == "image" and len(paths) == 1 and paths[0].is_file():
            self.image_panel.use_file(paths[0])
            return
        self.add(paths)
        if cut:
            show_error(
                self.overlay,
                "The list of files was cut short",
                f"So many files can't be dropped at once: {len(paths):,} came through and are being "
                "added. Add the folder they lie in instead; what is in the library already is skipped.",
            )

    def _drop_sentence(self) -> str:
        return "Drop to search for it" if self.here == "image" else "Drop to add to the library"

    # -- jobs

    def _show_strip(self) -> None:
        jobs = self.session.jobs
        if jobs:
            self.strip.show(jobs[0], len(jobs) - 1)
            self.strip.grid(row=1, column=1, sticky="ew")

    def _job_event(self, job: JobState, event: Event) -> None:
        if job in self.session.jobs:
            if isinstance(event, FileFailed):
                self._failed[event.path] = event.reason
            self._show_strip()
            if isinstance(event, FrameStored | FileDone | FileFailed):
                self._refresh_stats_soon()

    def _job_ended(self, job: JobState, ended: JobEnded) -> None:
        self.refresh_stats()
        if self.session.jobs:
            self._show_strip()
        elif self._failed:
            self.strip.show_outcome(job, len(self._failed))
        else:
            self._dismiss_strip()

    def cancel_job(self) -> None:
        if self.session.jobs:
            self.session.cancel(self.session.jobs[0])
            self._show_strip()

    def _dismiss_strip(self) -> None:
        self._failed.clear()
        self.strip.grid_remove()

    def show_failed(self) -> None:
        """List what could not be taken in, with reasons."""
        failures = [(str(path), reason) for path, reason in self._failed.items()]
        paths = list(self._failed)
        if failures:
            show_failures(self.overlay, failures, lambda: self.add(paths))

    def _show_failure(self, card: MediaCard) -> None:
        show_error(
            self.overlay,
            "This file could not be added",
            f"{card.media.path.name}: {card.media.error or 'it could not be read'}.\n"
            "Mend it or copy it again, then press Retry. The others are not affected.",
            str(card.media.path),
            lambda: self.add([card.media.path]),
        )

    def _ask_to_remove(self, media_file_ids: Sequence[int]) -> None:
        what = counted(len(media_file_ids), "media file")
        it = "it" if len(media_file_ids) == 1 else "them"
        ask(
            self.overlay,
            f"Remove {what} from the library?",
            f"The segments and tags made of {it} are forgotten. Your own "
            f"{'file stays' if it == 'it' else 'files stay'} where {it if it == 'it' else 'they'} "
            f"{'is' if it == 'it' else 'are'}, untouched.",
            "Remove",
            lambda: self._remove(media_file_ids),
        )

    def _remove(self, media_file_ids: Sequence[int]) -> None:
        library = self.session.library
        self.session.change(lambda: library.remove(media_file_ids))

    # -- searching by image

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

    # -- dialogs

    def open_export(self) -> None:
        if not self.session.is_open:
            return
        hits = {
            "text": self.text_panel.results.hits.hits,
            "image": self.image_panel.results.hits.hits,
        }.get(self._before_detail if self.here == "detail" else self.here, ())

        def choose() -> Path | None:
            found = desktop.ask_for_files(self, "folder", self.session.library.paths.datasets)
            return found[0] if found else None

        ExportDialog(self.overlay, self.session, hits, choose, self._open_file)

    def open_settings(self) -> None:
        if self.session.is_open:
            library = self.session.library
            SettingsDialog(
                self.overlay,
                library.settings,
                str(library.paths.root),
                self._save_settings,
                self._open_another,
            )

    def _save_settings(self, settings: Settings) -> None:
        library = self.session.library

        def saved(_: None) -> None:
            library.settings = settings

        self.main_thread.run(lambda: settings.save(library.paths.settings), saved)

    def _open_another(self) -> None:
        found = desktop.ask_for_files(self, "library")
        if found:
            self.overlay.close()
            self.close(then=lambda: self.options.restart(found[0]))

    def show_models(self) -> None:
        """Say which models are in use, and how others come in."""
        if not self.session.models_ready:
            return
        library = self.session.library
        sam = library.mask_generator
        problems = "".join(f"\n\nNot used: {problem}" for problem in library.models.problems)
        ask(
            self.overlay,
            f"{library.clip.label} and {sam.label if sam else 'no SAM'}",
            f"Models run on: {library.models.device}. Larger ones take over when their files lie in "
            f"{library.models.models_folder}: a SAM checkpoint under Meta's own name, and open_clip "
            f"weights of 512 dimensions. Start the program again afterwards.{problems}",
            "Open the folder",
            lambda: self._open_file(library.models.models_folder),
            "Close",
        )

    def show_error(self, exc: Exception) -> None:
        """The one door for errors."""
        sentence, details = explained(exc)
        self.errors.append(f"{sentence} {details}".strip())
        log.error("%s %s", sentence, details, exc_info=exc)
        show_error(self.overlay, "That did not work", sentence, details)

    def report_callback_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """What fails in an answer to an event comes to the same door."""
        log.error("unexpected", exc_info=(kind, error, trace))
        if isinstance(error, Exception):
            self.show_error(error)

    # -- the library opens, and closes

    def _opened(self) -> None:
        self.refresh_stats()
        if self.options.paths:
            self.add(self.options.paths)
        elif self.session.library.unfinished():
            self.add([])

    def _not_opened(self, exc: Exception) -> None:
        sentence, details = explained(exc)
        log.error("the library can't be opened", exc_info=exc)
        self.errors.append(sentence)
        title = (
            "This library is open already"
            if isinstance(exc, LibraryLockedError)
            else ("This library can't be opened")
        )
        show_error(
            self.overlay, title, sentence, details, lambda: self.session.open(self._not_opened)
        )

    def _models_ready(self) -> None:
        library = self.session.library
        clip, sam = library.clip.label, library.mask_generator
        if sam is None:
            self.sidebar.models.show("CLIP only", "No SAM is here: pictures are found\nas a whole.")
        elif clip.startswith("starter") and sam.label.startswith("starter"):
            self.sidebar.models.show(
                "Starter models", "Know colours, shapes and\ntextures. No download needed."
            )
        else:
            self.sidebar.models.show(
                f"{clip}", f"with {sam.label}. Knows ordinary\nwords and things."
            )

    def refresh_stats(self) -> None:
        if self.session.is_open:
            library = self.session.library
            self.main_thread.run(lambda: library.stats(name_models=False), self._show_stats)

    def _refresh_stats_soon(self) -> None:
        if not self._stats_wait:
            self._stats_wait = True
            self.after(STATS_MS, self._refresh_waiting_stats)

    def _refresh_waiting_stats(self) -> None:
        self._stats_wait = False
        self.refresh_stats()

    def _show_stats(self, stats: LibraryStats) -> None:
        self.sidebar.show_stats(stats)

    def _look_for_requests(self) -> None:
        """A later start on the same library asks this window to come forward."""
        paths = take_requests(self.options.library)
        if paths is not None:
            self.deiconify()
            self.lift()
            self.focus_force()
            if paths:
                self.add(paths)
        if not self._closing:
            self.after(REQUESTS_MS, self._look_for_requests)

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
        self.strip.grid_remove()
        self.title("Media Library – closing…")
        self.withdraw()

        def closed() -> None:
            self.main_thread.close()
            self.thumbnails.close()
            self.destroy()
            if then is not None:
                then()

        self.session.close(closed)

    # -- the desktop

    def _open_file(self, path: Path) -> None:
        self._ask_desktop(desktop.open_with_desktop, path)

    def _show_in_folder(self, path: Path) -> None:
        self._ask_desktop(desktop.show_in_folder, path)

    def _ask_desktop(self, verb: Callable[[Path], None], path: Path) -> None:
        if not path.exists():
            show_error(
                self.overlay,
                "The file is not where it was",
                "It was moved, renamed or deleted, or its disk is not connected. Its segments are "
                "kept; add it again from its new place, and they are linked to it.",
                str(path),
            )
            return
        try:
            verb(path)
        except OSError as exc:
            show_error(
                self.overlay, "The desktop can't open this", exc.strerror or str(exc), str(path)
            )
