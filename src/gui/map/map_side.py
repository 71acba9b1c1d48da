"""Beside the map: what is selected, what can be done with it, and what the colours mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from src.gui.core.known_labels import KnownLabels
from src.gui.core.thumbnails import Thumbnails
from src.gui.map.crop_wall import CropWall
from src.gui.map.legend import Legend, Row
from src.gui.theme.theme import SIDE_PANEL, SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, label, rule
from src.gui.widgets.inputs import Check
from src.gui.widgets.label_entry import LabelEntry
from src.gui.widgets.tooltip import Tooltip
from src.records import SearchHit

NARROW = 272
_HINT = "Draw a line round points to select their segments, or press Ctrl A for all that are shown."

_UMAP_HINT = "Groups of what is alike stand out more clearly. It takes longer to compute."


@dataclass(frozen=True)
class SideActions:
    open: Callable[[SearchHit], None]
    clear: Callable[[], object]
    results: Callable[[], None]
    give: Callable[[str], object]
    leave: Callable[[], object]
    undo: Callable[[], None]
    export: Callable[[], None]
    alone: Callable[[int | None], None]
    umap: Callable[[bool], object]


class MapSide(ctk.CTkFrame):
    """As wide as side panels are, or narrower where the window is."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        thumbnails: Thumbnails,
        labels: KnownLabels,
        actions: SideActions,
    ) -> None:
        c = theme.colours
        super().__init__(master, fg_color=c.sidebar, corner_radius=0, width=SIDE_PANEL)
        self.pack_propagate(False)
        self.theme, self._width = theme, SIDE_PANEL
        self._rows: tuple[Sequence[Row], int | None] = (), None
        rule(self, theme).place(relheight=1.0)
        head = ctk.CTkFrame(self, fg_color="transparent", height=32)
        head.pack(fill="x", padx=(24, 24), pady=(16, 4))
        head.pack_propagate(False)
        self._count = label(head, theme, "", weight="medium")
        self._count.pack(side="left")
        self._clear = Button(head, theme, "Clear", actions.clear, kind="link", height=24)
        foot = ctk.CTkFrame(self, fg_color="transparent")
        foot.pack(side="bottom", fill="x", padx=24 - RING, pady=(0, 12))
        self.entry = LabelEntry(
            foot, theme, "Label them all", labels.suggest, actions.give, actions.leave
        )
        self.entry.pack(fill="x", padx=RING, pady=(0, RING))
        said = ctk.CTkFrame(foot, fg_color="transparent", height=24)
        said.pack(fill="x", padx=RING)
        said.pack_propagate(False)
        self._said = label(said, theme, "", size=SMALL, colour=c.text_2)
        self._said.pack(side="left")
        self._undo = Button(said, theme, "Undo", actions.undo, kind="link", height=20, size=SMALL)
        self._results = Button(
            foot, theme, "Show as results", actions.results, kind="main", icon_name="grid"
        )
        self._results.pack(fill="x")
        self._export = Button(foot, theme, "Export", actions.export, icon_name="export", height=32)
        self._export.pack(fill="x")
        legend = ctk.CTkFrame(self, fg_color="transparent")
        legend.pack(side="bottom", fill="x", padx=(20, 20), pady=(0, 12))
        rule(self, theme).pack(side="bottom", fill="x", padx=(1, 0), pady=(0, theme.px(12)))
        head = ctk.CTkFrame(legend, fg_color="transparent")
        head.pack(fill="x", padx=4, pady=(0, 4))
        self._legend_title = label(head, theme, "Tags", weight="medium")
        self._legend_title.pack(side="left")
        self._legend_hint = label(head, theme, "", size=SMALL, colour=c.text_2)
        self._legend_hint.pack(side="right")
        self.legend = Legend(legend, theme, actions.alone)
        self.legend.pack(fill="x")
        self.umap = Check(legend, theme, "Arrange by UMAP", False, actions.umap)
        Tooltip(self.umap, theme, _UMAP_HINT)
        self._hint = label(
            self, theme, _HINT, colour=c.text_2, justify="left", anchor="nw", wraplength=256
        )
        self.wall = CropWall(self, theme, thumbnails, actions.open)
        self.show_selected((), 0)
        labels.only_to_give(self.entry)

    def fit(self, width: int) -> None:
        """Become so wide, in pixels of the design."""
        if width != self._width:
            self._width = width
            self.configure(width=width)
            self._hint.configure(wraplength=width - 56)
            self.show_legend("", *self._rows)

    def offer_umap(self, offered: bool) -> None:
        """Offer the other layout, where it can be had."""
        if offered and not self.umap.winfo_manager():
            self.umap.pack(anchor="w", pady=(8, 0))

    def show_selected(self, hits: Sequence[SearchHit], count: int) -> None:
        """Show so many selected segments, by the crops of some."""
        self._count.configure(text=f"{count:,} selected" if count else "Nothing selected")
        for button in (self._results, self._export):
            button.set_enabled(bool(count))
        self.entry.set_enabled(bool(count))
        if bool(count) != bool(self._clear.winfo_manager()):
            self._clear.pack(side="right") if count else self._clear.pack_forget()
        shown, hidden = (self.wall, self._hint) if count else (self._hint, self.wall)
        hidden.pack_forget()
        if not shown.winfo_manager():
            margin = self.theme.px(24) if shown is self.wall else 24
            below = self.theme.px(12) if shown is self.wall else 12
            shown.pack(fill="both", expand=True, padx=margin, pady=(0, below))
        self.wall.show(hits, count)

    def say(self, text: str, can_undo: bool) -> None:
        """Say what was done, or why it can't be."""
        self._said.configure(text=text)
        if can_undo and not self._undo.winfo_manager():
            self._undo.pack(side="right")
        elif not can_undo:
            self._undo.pack_forget()

    def show_legend(self, title: str, rows: Sequence[Row], chosen: int | None) -> None:
        """Show what the colours mean, and which of them is shown alone."""
        self._rows = rows, chosen
        if title:
            self._legend_title.configure(text=title)
        self._legend_hint.configure(
            text="" if not rows else "click for all" if chosen is not None else "click to show one"
        )
        self.legend.show(rows, chosen, self._width - 40)
