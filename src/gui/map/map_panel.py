"""The map of the library: all its segments on one plane, where near means alike."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src.counting import counted
from src.gui.map.colouring import Colouring, by_strength, by_tags
from src.gui.map.crop_wall import MOST
from src.gui.map.map_canvas import MapActions, MapCanvas
from src.gui.map.map_header import MapHeader, MapHeaderActions
from src.gui.map.map_side import NARROW, MapSide, SideActions
from src.gui.panel.bulk_labels import BulkLabels
from src.gui.panel.panel import Panel, PanelContext
from src.gui.theme.theme import SIDE_PANEL
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import label, rule
from src.gui.widgets.key_hints import KeyHints
from src.records import SearchHit, SearchResult
from src.search.query import Query
from src.stopping import stopped_by

if TYPE_CHECKING:
    from src.search.segment_map import Layout, SegmentMap

LEAST = 3  # segments that make a map
COMPUTING = "Computing the map…"
LOADING = "The models are still loading. The map will be here in a moment."
EMPTY = "Your library is empty. Add photos or videos to see their segments here."
FAILED = "The map couldn't be computed."
MODELS_FAILED = "The models couldn't be loaded, so there is no map. See Models for the reason."
KEYS = (
    (("Drag",), "select"),
    (("Shift",), "add"),
    (("Space",), "move"),
    (("Wheel",), "zoom"),
    (("1–9",), "label"),
    (("Enter",), "show as results"),
    (("Esc",), "clear"),
    (("Ctrl A",), "all"),
)
_WIDE = 960  # of the panel, in pixels of the design


@dataclass(frozen=True)
class MapPanelActions:
    """What the panel asks of the window.

    Attributes:
        searched: gives the last search of the Search panel, as people type it.
        open: shows a segment by its id.
        results: shows segments as results of a search, by their ids.
        export: asks what goes into a dataset of some segments.
    """

    searched: Callable[[], str]
    open: Callable[[str], None]
    results: Callable[[Sequence[str]], None]
    export: Callable[[Sequence[SearchHit]], None]


class MapPanel(Panel):
    """Computed behind the window when it is first gone to, and again when the library changes."""

    def __init__(self, context: PanelContext, actions: MapPanelActions) -> None:
        super().__init__(context)
        theme, session = context.theme, context.session
        self._actions = actions
        self._made: SegmentMap | None = None
        self._colouring: Colouring | None = None
        self._alone: int | None = None  # the row of the legend that is shown alone
        self._said_of: list[str] = []  # the segments that were selected last
        self._asked = 0
        self._layout: Layout = "pca"
        self._arranging = 0  # the number of the map that is being computed by UMAP; 0 for none
        self._header = MapHeader(
            self,
            theme,
            MapHeaderActions(
                actions.searched,
                self._compute,
                lambda factor: self.canvas.zoom(factor),
                lambda scale: self.canvas.zoom(scale / self.canvas.view.scale),
                lambda: self.canvas.fit(),
            ),
        )
        body = ctk.CTkFrame(self, fg_color="transparent", corner_radius=0)
        body.pack(fill="both", expand=True)
        rule(body, theme).pack(fill="x")
        self.side = MapSide(
            body,
            theme,
            context.thumbnails,
            context.labels,
            SideActions(
                lambda hit: actions.open(hit.segment.id),
                lambda: self.canvas.clear(),
                self._results,
                lambda name: self._labelling.give(name),
                lambda: self.canvas.focus_set(),
                self.undo,
                self._export,
                self._show_alone,
                self._change_layout,
            ),
        )
        self.side.pack(side="right", fill="y")
        middle = ctk.CTkFrame(body, fg_color="transparent", corner_radius=0)
        middle.pack(side="left", fill="both", expand=True)
        KeyHints(middle, theme, KEYS).pack(side="bottom", fill="x")
        self.canvas = MapCanvas(
            middle,
            theme,
            context.thumbnails,
            MapActions(
                self._open, self._selected, self._header.show_scale, self._look_up, self._results
            ),
        )
        self.canvas.pack(fill="both", expand=True)
        self._sentence = label(
            middle, theme, LOADING, colour=theme.colours.text_2, justify="center", wraplength=360
        )
        self._labelling = BulkLabels(
            session, context.labels, self._labelled_ids, self.side.say, self._labelled
        )
        self._labelling.bind_keys(self.canvas)
        self._say(LOADING)
        tkinter.Misc.bind(self, "<Configure>", lambda e: self._fit_side(e.width), "+")
        session.signals.models_ready.append(self._changed)
        session.signals.models_failed.append(lambda: self._say(MODELS_FAILED))
        session.signals.content_changed.append(self._changed)
        session.signals.job_ended.append(lambda *_: self._changed())

    def _fit_side(self, width_px: int) -> None:
        """Leave the map the space it needs, in a narrow window too."""
        is_wide = width_px >= self.theme.px(_WIDE)
        self._header.fit(is_wide)
        self._say_facts()
        self.side.fit(SIDE_PANEL if is_wide else NARROW)

    def _say_facts(self) -> None:
        self._header.show_facts(len(self.ids), bool(self._arranging))

    # -- the panel

    def shown(self) -> None:
        self._header.offer_colours()
        self._compute()
        self.canvas.focus_set()

    def step_back(self) -> bool:
        return self.canvas.clear()

    def refresh_thumbnails(self) -> None:
        self.canvas.refresh_thumbnails()
        self.side.wall.refresh()

    def _changed(self) -> None:
        """Compute the map again where it is seen; else it is when the panel is gone to."""
        if self.winfo_viewable():
            self._compute()

    def _say(self, sentence: str) -> None:
        """Show a sentence in place of the map; "" shows the map."""
        self._sentence.configure(text=sentence)
        if sentence:
            self._sentence.place(relx=0.5, rely=0.42, anchor="center")
        else:
            self._sentence.place_forget()

    # -- the points

    def _compute(self) -> None:
        """Compute the map and its colours; what has not changed is known already."""
        session = self._session
        if not session.is_open or not session.models_ready:
            return
        library, before, query = session.library, self._made, self._header.chosen_query
        layout = self._layout
        self.side.offer_umap("umap" in library.map_layouts())
        self._asked += 1
        asked = self._asked
        if before is None:
            self._say(COMPUTING)

        def compute() -> tuple[SegmentMap, Colouring]:
            # what takes long comes later, in the place of what is here at once
            known = layout if library.has_segment_map(layout) else "pca"
            made = library.segment_map(layout=known)
            return made, self._coloured(made, query)

        def computed(found: tuple[SegmentMap, Colouring]) -> None:
            if asked == self._asked:
                self._show(*found)
                if found[0].layout != layout:
                    self._arrange()

        def failed(exc: Exception) -> None:
            self._header.choose_tags()
            if before is None:
                self._say(FAILED)
            raise exc

        session.main_thread.run(compute, computed, failed, "Couldn't compute the map")

    def _change_layout(self, by_umap: bool) -> None:
        self._layout = "umap" if by_umap else "pca"
        self._arranging = 0
        self._compute()

    def _arrange(self) -> None:
        """Compute the layout that takes long; the map is shown as it is until then."""
        if self._arranging:
            return
        session, library, layout = self._session, self._session.library, self._layout
        self._arranging = number = self._asked
        self._say_facts()

        def is_wanted() -> bool:
            return number == self._arranging and not session.is_closing

        def arrange() -> None:
            with stopped_by(is_wanted):
                library.segment_map(layout=layout)

        def ended() -> None:
            self._arranging = 0
            self._say_facts()

        def arranged(_: None) -> None:
            if is_wanted():
                ended()
                self._compute()

        def failed(exc: Exception) -> None:
            ended()
            self._layout = "pca"
            self.side.umap.set(False)
            raise exc

        session.main_thread.run(arrange, arranged, failed, "Couldn't arrange the map")

    def _coloured(self, made: SegmentMap, query: Query | None) -> Colouring:
        """Colour a map, in another thread."""
        library = self._session.library
        if query is None:
            return by_tags(library.map_tags(made))
        return by_strength(library.map_strengths(made, query), self.theme.colours)

    def _show(self, made: SegmentMap, colouring: Colouring) -> None:
        before, self._made = self._made, made
        count = len(made)
        if count < LEAST:
            few = f"There {'is' if count == 1 else 'are'} {counted(count, 'segment')} here so far."
            self._say(EMPTY if not count else f"{few} A map takes at least {LEAST}.")
        else:
            self._say("")
        self._say_facts()
        if before is not made:
            chosen = () if before is None else self._ids_of(before, self.canvas.selection)
            points = made.points if count >= LEAST else made.points[:0]
            of = set(chosen)
            selection = [segment_id in of for segment_id in self.ids]
            same = before is not None and before.segment_ids == made.segment_ids
            same = same and before is not None and before.layout == made.layout
            self.canvas.show(points, np.array(selection, bool), same)
            if len(chosen) != self.canvas.selection.sum():
                self._selected()
        if count >= LEAST:
            self._paint(colouring)
        else:
            self._paint(by_nothing())

    def _paint(self, colouring: Colouring) -> None:
        if self._colouring is not None and colouring.title != self._colouring.title:
            self._alone = None
        self._colouring = colouring
        if self._alone is not None and self._alone >= len(colouring.rows):
            self._alone = None
        self.canvas.paint(colouring.with_row_alone(self._alone), colouring.shown(self._alone))
        self.side.show_legend(colouring.title, colouring.rows, self._alone)

    @staticmethod
    def _ids_of(made: SegmentMap, places: np.ndarray) -> list[str]:
        return [made.segment_ids[place] for place in np.flatnonzero(places)]

    # -- colours

    def _show_alone(self, row: int | None) -> None:
        self._alone = row
        if self._colouring is not None:
            self._paint(self._colouring)

    # -- segments

    def _look_up(self, places: Sequence[int], then: Callable[[], None]) -> None:
        """Find the segments of points, for their pictures and names."""
        made = self._made
        if made is None:
            return
        by_id = {made.segment_ids[place]: place for place in places}

        def found(result: SearchResult) -> None:
            if self._made is made:
                for hit in result:
                    self.canvas.hits[by_id[hit.segment.id]] = hit
                then()

        self._find(list(by_id), found)

    def _find(self, ids: Sequence[str], then: Callable[[SearchResult], None]) -> None:
        library = self._session.library
        self._session.main_thread.run(
            lambda: library.segments(ids), then, fails="Couldn't look up the segments"
        )

    def _open(self, place: int) -> None:
        if self._made is not None:
            self._actions.open(self._made.segment_ids[place])

    # -- what is selected

    @property
    def ids(self) -> Sequence[str]:
        """The segments of the points that are shown."""
        made = self._made
        return () if made is None or len(made) < LEAST else made.segment_ids

    @property
    def selected_ids(self) -> list[str]:
        return [] if self._made is None else self._ids_of(self._made, self.canvas.selection)

    def _selected(self) -> None:
        """Show what is selected now."""
        ids = self.selected_ids
        if ids != self._said_of:
            self.side.say("", False)
        self._said_of = ids
        self.side.show_selected((), len(ids))
        if not ids:
            return

        def found(result: SearchResult) -> None:
            if self.selected_ids == ids:
                self.side.show_selected(result.hits, len(ids))

        self._find(ids[:: max(1, len(ids) // MOST)][:MOST], found)

    def _results(self) -> None:
        if ids := self.selected_ids:
            self._actions.results(ids)

    def _labelled_ids(self) -> Callable[[], Sequence[str]] | None:
        ids = self.selected_ids
        return (lambda: ids) if ids else None

    def _labelled(self) -> None:
        self.side.entry.set("")
        self.canvas.focus_set()

    def ask_for_label(self) -> None:
        if self.selected_ids:
            self.side.entry.focus_field()

    def undo(self) -> None:
        self._labelling.undo()

    def redo(self) -> None:
        self._labelling.redo()

    def _export(self) -> None:
        if ids := self.selected_ids:
            self._find(ids, lambda result: self._actions.export(result.hits))


def by_nothing() -> Colouring:
    """Colour a map without points."""
    return Colouring("", np.empty((0, 3), np.uint8), (), ())
