"""The panels in the middle of the window, and the ways from one to another."""

from __future__ import annotations

import os
import tkinter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import customtkinter as ctk

from src.gui.app.clipboard import read_clipboard
from src.gui.app.file_chooser import ask_in_last_folder
from src.gui.app.import_controller import ImportController
from src.gui.app.window_dialogs import WindowDialogs
from src.gui.cards.card_grid import CardGrid
from src.gui.cards.card_view import CardPainter
from src.gui.core.session import Session
from src.gui.core.thumbnails import Thumbnails
from src.gui.detail.detail_panel import DetailActions, DetailPanel, Origin
from src.gui.dialogs.messages import show_error
from src.gui.library.library_panel import LibraryActions, LibraryPanel
from src.gui.models.models_controller import ModelsController
from src.gui.models.models_panel import ModelsPanel
from src.gui.search.image_search_panel import ImageSearchPanel
from src.gui.search.text_search_panel import TextSearchPanel
from src.gui.theme.pictures import CardSprites
from src.gui.theme.theme import Theme
from src.gui.widgets.overlay import Overlay
from src.records import MediaCard, SampledFrame, SearchHit

_FONT = Path(ctk.__file__).parent / "assets" / "fonts" / "Roboto" / "Roboto-Regular.ttf"


class Panels:
    """Library, search by words, search by image, one segment in its frame, and the models."""

    def __init__(
        self,
        root: Any,
        theme: Theme,
        session: Session,
        overlay: Overlay,
        dialogs: WindowDialogs,
        import_controller: ImportController,
        work: ModelsController,
    ) -> None:
        self._root, self._theme, self._session = root, theme, session
        self._overlay, self._dialogs, self._intake = overlay, dialogs, import_controller
        self.here = self.seen = "library"  # where one is, and the panel on the screen
        self._before_detail = "library"
        self.went: list[Callable[[str], None]] = []  # told where one is in the sidebar's words
        self.thumbnails = Thumbnails(
            session.main_thread,
            lambda path: session.library.thumbnail(path),
            self._thumbnail_loaded,
        )
        painter = CardPainter(
            theme, CardSprites(theme.colours, theme.scale, str(_FONT)), theme.colours.window
        )
        common = (root, theme, session, self.thumbnails)
        self.library = LibraryPanel(
            *common,
            painter,
            LibraryActions(
                import_controller.choose_files,
                import_controller.choose_folder,
                import_controller.add_samples,
                self._open_media,
                import_controller.ask_to_remove,
                import_controller.ask_to_remove_missing,
                import_controller.add,
                import_controller.go_on,
                import_controller.show_failure,
                dialogs.show_in_folder,
                dialogs.open_another,
            ),
        )
        self.text = TextSearchPanel(
            *common,
            painter,
            self._open_text_hit,
            self._similar_to_hit,
            lambda: self.go("models"),
            work,
        )
        self.library.empty.offer(work, lambda: self.go("models"))
        self.image = ImageSearchPanel(
            *common,
            painter,
            self._open_image_hit,
            self._similar_to_hit,
            self._choose_image,
            self.paste,
        )
        self.detail = DetailPanel(
            *common,
            DetailActions(
                self.back,
                self.find_similar,
                dialogs.open_file,
                dialogs.show_in_folder,
                self._detail_failed,
            ),
        )
        self.models = ModelsPanel(root, theme, session, work, dialogs.open_file)
        session.signals.not_opened.append(lambda: self.go("library"))
        self._panels: dict[str, ctk.CTkFrame] = {
            "library": self.library,
            "text": self.text,
            "image": self.image,
            "detail": self.detail,
            "models": self.models,
        }

    # -- going about

    def go(self, where: str) -> None:
        """Show a panel; the export dialog opens over the one that is there.

        Where the library can't be opened all ways lead to the panel that says so.
        """
        if self._session.not_opened is not None:
            where = "library"
        if where == "export":
            self._dialogs.export(self._hits())
            return
        self.here = where
        panel = self._panels[where]
        if not panel.winfo_manager():
            # it is drawn under the one that is there, which goes then
            panel.grid(row=0, column=1, sticky="nsew")
            panel.lower()
        for listener in self.went:
            listener(self._place())
        # Tk gives the focus to nothing that is not on the screen yet, and a quick hand types on
        self._root.update_idletasks()
        # events come before what is to be done when idle, so it has been drawn by then
        self._root.after_idle(self._uncover)
        focus = f"{self._root.focus_get()}."
        if any(focus.startswith(f"{p}.") for name, p in self._panels.items() if name != where):
            self._root.focus_set()  # or keys would go to an entry of the panel before
        if where == "text":
            self.text.shown()
        elif where == "image":
            self.image.results.refresh()
        elif where == "library":
            self.library.focus_content()
        elif where == "models":
            self.models.shown()

    def _uncover(self) -> None:
        """Take the panels before away from the one that has been drawn."""
        self.seen = self.here
        for name, panel in self._panels.items():
            if name != self.here:
                panel.grid_remove()

    @property
    def undrawn(self) -> ctk.CTkFrame | None:
        """The panel that one goes to as long as another lies over it."""
        return None if self.seen == self.here else self._panels[self.here]

    def back(self) -> None:
        place = self.detail.place
        self.go(self._before_detail)
        if (grid := self.grid_shown()) is not None:
            grid.return_to(place)

    def step_back(self) -> bool:
        """Do what Escape means here; says whether there was anything to step back from."""
        if self.here == "detail":
            self.back()
            return True
        if self.here == "library" and self.library.grid_view.selection:
            self.library.grid_view.select(frozenset())
            return True
        return False

    def page(self, step: int) -> None:
        """Go to the next or previous hit, where one is looked at."""
        if self.here == "detail":
            self.detail.go(step)

    def grid_shown(self) -> CardGrid | None:
        """The grid of cards that is on the screen."""
        return {
            "library": self.library.grid_view,
            "text": self.text.results.grid_view,
            "image": self.image.results.grid_view,
        }.get(self.here)

    def _place(self) -> str:
        """Which panel one is in, or came to the detail view from."""
        return self._before_detail if self.here == "detail" else self.here

    def _hits(self) -> Sequence[SearchHit]:
        """The results that are shown, or that one came from."""
        return {
            "text": self.text.results.hits.hits,
            "image": self.image.results.hits.hits,
        }.get(self._place(), ())

    def _thumbnail_loaded(self) -> None:
        if self.here == "detail":
            self.detail.segments.refresh()
            self.detail.frames.refresh()
        elif (grid := self.grid_shown()) is not None:
            grid.refresh()

    # -- opening

    def _open_media(self, card: MediaCard) -> None:
        """Show a media file by its first frame; from a photo one goes on to the next photo."""
        catalog, media = self._session.library.catalog, card.media
        listed = self.library.media.ids

        def sample() -> tuple[list[SampledFrame], list[int]]:
            return catalog.sampled_frames(media.id), catalog.photos(listed)

        def opened(found: tuple[list[SampledFrame], list[int]]) -> None:
            frames, photos = found
            if frames:
                origin = Origin("Library")
                if media.id in photos:
                    origin = Origin("Library", photos=photos, place=photos.index(media.id))
                self._open_detail(frames[0].segment_id, origin, "library")

        self._session.main_thread.run(sample, opened, fails="Couldn't open the file")

    def _open_text_hit(self, hits: Sequence[SearchHit], place: int) -> None:
        origin = Origin("Results", self.text.query, hits, place=place)
        self._open_detail(hits[place].segment.id, origin, "text")

    def _open_image_hit(self, hits: Sequence[SearchHit], place: int) -> None:
        self._open_detail(
            hits[place].segment.id, Origin("Results", hits=hits, place=place), "image"
        )

    def _open_detail(self, segment_id: str, origin: Origin, before: str) -> None:
        self._before_detail = before
        self.go("detail")
        self.detail.open(segment_id, origin)
        self._root.focus_set()

    def _detail_failed(self, exc: Exception) -> None:
        self.back()
        self._dialogs.show_error(exc)

    # -- searching by example

    def find_similar(self, segment_id: str, path: Path) -> None:
        """Search for what is like a segment of a file."""
        self.text.search_similar(segment_id, path, lambda: self.go("text"))

    def _similar_to_hit(self, hit: SearchHit) -> None:
        self.find_similar(hit.segment.id, hit.segment.media_path)

    def take_drop(self, paths: list[Path], cut: bool) -> None:
        """Add what was dropped; one file dropped on the image search is searched for."""
        if self._session.not_opened is not None:
            self.go("library")
        elif self.here == "image" and len(paths) == 1 and os.path.isfile(paths[0]):
            self.image.use_file(paths[0])
        else:
            self._intake.add_dropped(paths, cut)

    def drop_sentence(self) -> str:
        if self.here == "image":
            return "Drop to search by this image"
        return "Drop to add to the library"

    def _choose_image(self) -> None:
        if paths := ask_in_last_folder(self._root, self._session, "image"):
            self.image.use_file(paths[0])

    def paste_unless_typing(self) -> None:
        """In an entry the keys for pasting paste words."""
        if not isinstance(self._root.focus_get(), tkinter.Entry):
            self.paste()

    def paste(self) -> None:
        """Search for the image on the clipboard."""
        pasted = read_clipboard(self._root)
        if pasted.image is not None:
            self.go("image")
            self.image.use_pasted(pasted.image)
        elif pasted.paths:
            self.go("image")
            self.image.use_file(pasted.paths[0])
        else:
            show_error(
                self._overlay,
                "No image on the clipboard",
                "Copy an image or an image file, then paste again.",
            )
