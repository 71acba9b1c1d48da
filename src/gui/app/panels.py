"""The panels in the middle of the window, and how to get from one to another."""

from __future__ import annotations

import os
import tkinter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from src.gui.app.actions import hint
from src.gui.app.clipboard import read_clipboard
from src.gui.app.file_chooser import ask_in_last_folder
from src.gui.app.import_controller import ImportController
from src.gui.app.panel_list import PANELS
from src.gui.app.timeline_way import TIMELINE, TimelineWay
from src.gui.app.window_dialogs import WindowDialogs
from src.gui.cards.card_grid import CardGrid
from src.gui.cards.card_view import CardPainter
from src.gui.core.known_labels import KnownLabels
from src.gui.core.session import READ_ONLY, Session
from src.gui.core.thumbnails import Thumbnails
from src.gui.detail.detail_panel import DetailPanel, Origin
from src.gui.dialogs.messages import show_error
from src.gui.label.label_panel import LabelPanel
from src.gui.library.library_panel import LibraryPanel
from src.gui.map.map_panel import MapPanel
from src.gui.models.models_controller import ModelsController
from src.gui.models.models_panel import ModelsPanel
from src.gui.panel.panel import Panel, PanelContext
from src.gui.search.results import ResultsView
from src.gui.search.search_panel import BY_IMAGE, BY_WORDS, SearchPanel
from src.gui.theme.pictures import CardSprites
from src.gui.theme.theme import Theme
from src.gui.theme.toolkit import ctk
from src.gui.timeline.timeline_panel import TimelinePanel
from src.gui.widgets.overlay import Overlay
from src.gui.widgets.popup import Entry
from src.records import MediaCard, SampledFrame, SearchHit
from src.search.leaves import SegmentIs

LIBRARY, DETAIL = "library", "detail"  # keys of panels
_FONT = Path(ctk.__file__).parent / "assets" / "fonts" / "Roboto" / "Roboto-Regular.ttf"

CANT_ADD = "Nothing can be added: open to read only"
# Between the making of two panels, for what else there is to do.
_BETWEEN_MS = 10


class Panels:
    """The panels of the window, one of which is seen, and how to get from one to another."""

    def __init__(
        self,
        root: Any,
        theme: Theme,
        session: Session,
        overlay: Overlay,
        dialogs: WindowDialogs,
        import_controller: ImportController,
        models_controller: ModelsController,
        menu: Callable[[str], Sequence[Entry]],
    ) -> None:
        """Prepare the panels; each is made when it is first gone to, or by `build_all`.

        Args:
            menu: lists what is in a context menu now, by its name.
        """
        self._root, self._session, self._overlay = root, session, overlay
        # what the panels are made with; see panel_list.py
        self.dialogs, self.import_controller = dialogs, import_controller
        self.models_controller = models_controller
        self.here = self.seen = LIBRARY  # the panel gone to, and the one on the screen
        self.before_detail = LIBRARY
        self.timeline_way = TimelineWay(self)
        self.open_timeline = self.timeline_way.open
        self.went: list[Callable[[str], None]] = []  # called with the key of the panel
        self.thumbnails = Thumbnails(
            session.main_thread,
            lambda path: session.library.browse.thumbnail(path),
            lambda: self._panel(self.here).refresh_thumbnails(),
        )
        sprites = CardSprites(theme.colours, theme.scale, str(_FONT))
        painter = CardPainter(theme, sprites, theme.colours.window)
        self.context = PanelContext(
            root, theme, session, self.thumbnails, painter, KnownLabels(session), hint, menu
        )
        self._panels: dict[str, Panel] = {}
        session.signals.not_opened.append(lambda: self.go(LIBRARY))

    def build_all(self, then: Callable[[], None]) -> None:
        """Make the panels that nobody has gone to yet, one at a time: the window is drawn between.

        Args:
            then: called once all are there.
        """
        for spec in PANELS:
            if spec.key not in self._panels:
                self._panel(spec.key)
                self._root.after(_BETWEEN_MS, self.build_all, then)
                return
        then()

    def _panel(self, key: str) -> Panel:
        """Return a panel, which is made where it is not there yet."""
        if key not in self._panels:
            spec = next(spec for spec in PANELS if spec.key == key)
            self._panels[key] = spec.build(self)
        return self._panels[key]

    @property
    def library(self) -> LibraryPanel:
        return cast(LibraryPanel, self._panel(LIBRARY))

    @property
    def search(self) -> SearchPanel:
        return cast(SearchPanel, self._panel(BY_WORDS))

    @property
    def detail(self) -> DetailPanel:
        return cast(DetailPanel, self._panel(DETAIL))

    @property
    def timeline(self) -> TimelinePanel:
        return cast(TimelinePanel, self._panel(TIMELINE))

    @property
    def map(self) -> MapPanel:
        return cast(MapPanel, self._panel("map"))

    @property
    def label(self) -> LabelPanel:
        return cast(LabelPanel, self._panel("label"))

    @property
    def models(self) -> ModelsPanel:
        return cast(ModelsPanel, self._panel("models"))

    # -- going about

    def go(self, where: str) -> None:
        """Show a panel; where the library can't be opened, the one that says so."""
        if self._session.not_opened is not None:
            where = LIBRARY
        panel, before = self._panel(where), self._panels.get(self.here)
        if before is not None and before is not panel:
            if not before.lets_go(lambda: self.go(where)):
                return
            before.left()
        self.here = where
        if not panel.winfo_manager():
            # it is drawn under the one that is there, which goes then
            panel.grid(row=0, column=1, sticky="nsew")
            panel.lower()
        panel.enter(where)
        for listener in self.went:
            listener(self._place())
        # Tk gives the focus to nothing that is not on the screen yet, and a quick hand types on
        self._root.update_idletasks()
        # events come before what is to be done when idle, so it has been drawn by then
        self._root.after_idle(self._uncover)
        focus = f"{self._root.focus_get()}."
        if any(focus.startswith(f"{p}.") for p in self._panels.values() if p is not panel):
            self._root.focus_set()  # or keys would go to an entry of the panel before
        panel.shown()

    def _uncover(self) -> None:
        """Remove the other panels, once the one that is shown has been drawn."""
        self.seen = self.here
        here = self._panel(self.here)
        for panel in self._panels.values():
            if panel is not here:
                panel.grid_remove()

    @property
    def undrawn(self) -> ctk.CTkFrame | None:
        """The panel gone to, as long as another lies over it."""
        return None if self.seen == self.here else self._panel(self.here)

    def lets_go(self, then: Callable[[], object]) -> bool:
        """Return whether the panel on the screen can be left; see Panel.lets_go."""
        return self._panel(self.here).lets_go(then)

    def back(self) -> None:
        if not self.lets_go(self.back):
            return
        place = self.detail.place
        self.go(self.before_detail)
        if (grid := self.grid_shown()) is not None:
            grid.return_to(place)

    def step_back(self) -> bool:
        """Do what Escape means here; returns whether there was anything to step back from."""
        return self._panel(self.here).step_back()

    def show_alone(self) -> bool:
        """Show the picture that is open alone, or leave that; returns whether one is open."""
        if self.here != DETAIL or self.detail.masks.is_open:
            return False
        self.detail.show_alone()
        return True

    def step(self, step: int) -> None:
        """Go to the next or previous hit, where one is shown."""
        self._panel(self.here).go(step)

    def undo(self) -> None:
        """Take back the last thing that was done in the panel on the screen."""
        self._panel(self.here).undo()

    def redo(self) -> None:
        """Do again what was taken back in the panel on the screen."""
        self._panel(self.here).redo()

    def ask_for_label(self) -> None:
        """Ask for a label for what is selected in the panel on the screen."""
        self._panel(self.here).ask_for_label()

    def grid_shown(self) -> CardGrid | None:
        """Return the grid of cards that is on the screen."""
        return self._panel(self.here).card_grid

    def _place(self) -> str:
        """Return the key of the panel, or of the one that a segment or a video was opened from."""
        place = self.before_detail if self.here == DETAIL else self.here
        return self.timeline_way.before if place == TIMELINE else place

    def export(self) -> None:
        """Ask what goes into a dataset; the results that are shown can be exported alone."""
        self.dialogs.export(self._panel(self._place()).found)

    # -- opening

    def open_media(self, card: MediaCard) -> None:
        """Show a photo, which can be left for the next one; a video over time."""
        if card.media.kind == "video":
            self.open_timeline(card.media.id)
            return
        browse, media = self._session.library.browse, card.media
        listed = self.library.media.ids

        def sample() -> tuple[list[SampledFrame], list[int]]:
            return browse.sampled_frames(media.id), browse.photos(listed)

        def opened(found: tuple[list[SampledFrame], list[int]]) -> None:
            frames, photos = found
            if frames:
                origin = Origin("Library")
                if media.id in photos:
                    origin = Origin("Library", photos=photos, place=photos.index(media.id))
                self.open_detail(frames[0].segment_id, origin, LIBRARY)

        self._session.main_thread.run(sample, opened, fails="Couldn't open the file")

    def open_copy(self, media_file_id: int) -> None:
        """Show a media file of a group of duplicates."""
        browse = self._session.library.browse

        def opened(frames: list[SampledFrame]) -> None:
            if frames:
                self.open_detail(frames[0].segment_id, Origin("Duplicates"), "duplicates")

        self._session.main_thread.run(
            lambda: browse.sampled_frames(media_file_id), opened, fails="Couldn't open the file"
        )

    def open_on_map(self, segment_id: str) -> None:
        self.open_detail(segment_id, Origin("Map"), "map")

    def open_candidate(self, hits: Sequence[SearchHit], place: int) -> None:
        """Show one of the segments that a label is given to."""
        origin = Origin("Label", hits=hits, place=place)
        self.open_detail(hits[place].segment.id, origin, "label")

    def open_labelled(self, segment_id: str) -> None:
        self.open_detail(segment_id, Origin("Label"), "label")

    def choose_names(self) -> Path | None:
        """Ask for a text file with names of labels."""
        return next(iter(ask_in_last_folder(self._root, self._session, "names")), None)

    def open_hit(self, hits: Sequence[SearchHit], place: int) -> None:
        origin = Origin("Results", self.search.readable_query, hits, place=place)
        self.open_detail(hits[place].segment.id, origin, self.search.way)

    def open_detail(self, segment_id: str, origin: Origin, before: str) -> None:
        self.before_detail = before
        self.go(DETAIL)
        self.detail.open(segment_id, origin)
        self._root.focus_set()

    def detail_failed(self, exc: Exception) -> None:
        self.back()
        self.dialogs.show_error(exc)

    # -- searching by example

    def find_similar(self, segment_id: str, path: Path) -> None:
        """Search for what is like a segment of a file."""
        self.search.search_similar(segment_id, path, lambda: self.go(BY_WORDS))

    def run_search(self, text: str) -> None:
        """Search for a text, such as a saved one."""
        self.go(BY_WORDS)
        self.search.run(text)

    def show_segments(self, segment_ids: Sequence[str]) -> None:
        """Show segments as results, by their ids."""
        self.go(BY_WORDS)
        self.search.show_only(SegmentIs(tuple(segment_ids)))

    def similar_to_hit(self, hit: SearchHit) -> None:
        self.find_similar(hit.segment.id, hit.segment.media_path)

    def add_to_search(self, hit: SearchHit, weight: float) -> None:
        """Search for more like a hit, or with a weight below 0 for less, beside what there is."""
        self.search.add_hit(hit, weight)

    @property
    def results(self) -> ResultsView | None:
        """The search results on the screen, if any."""
        panel = self._panel(self.here)
        return panel.results if isinstance(panel, SearchPanel) else None

    def take_drop(self, paths: list[Path], cut: bool) -> None:
        """Add what was dropped; one file dropped on the search is searched for."""
        if self._session.not_opened is not None:
            self.go(LIBRARY)
        elif self._session.read_only:  # what is searched for is not added
            if len(paths) != 1 or not self._panel(self.here).take_file(paths[0]):
                show_error(self._overlay, "Nothing was added", READ_ONLY)
        elif len(paths) == 1 and os.path.isfile(paths[0]):
            if not self._panel(self.here).take_file(paths[0]):
                self.import_controller.add_dropped(paths, cut)
        else:
            self.import_controller.add_dropped(paths, cut)

    def drop_sentence(self) -> str:
        sentence = self._panel(self.here).drop_sentence
        adds = sentence == Panel.drop_sentence
        return CANT_ADD if adds and self._session.read_only else sentence

    def choose_image(self) -> None:
        if paths := ask_in_last_folder(self._root, self._session, "image"):
            self.search.image.use_file(paths[0])

    @property
    def is_typing(self) -> bool:
        """Whether an entry has the keyboard: there the keys for pasting paste words."""
        return isinstance(self._root.focus_get(), tkinter.Entry)

    @property
    def has_typed(self) -> bool:
        """Whether there are words in the entry that has the keyboard: they are not undone here."""
        focus = self._root.focus_get()
        return isinstance(focus, tkinter.Entry) and bool(focus.get())

    def paste(self) -> None:
        """Search for the image on the clipboard."""
        pasted = read_clipboard(self._root)
        if pasted.image is not None:
            self.go(BY_IMAGE)
            self.search.image.use_pasted(pasted.image)
        elif pasted.paths:
            self.go(BY_IMAGE)
            self.search.image.use_file(pasted.paths[0])
        else:
            show_error(
                self._overlay,
                "No image on the clipboard",
                "Copy an image or an image file, then paste again.",
            )
