"""The left side: where to go, what is in the library, which models are in use.

In a low window saved searches get the place of what only tells something.
"""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from functools import partial
from typing import Any

from src.counting import counted, megabytes
from src.gui.app.actions import ADD, SETTINGS, Action, sidebar_rows
from src.gui.app.reader_card import reader_card
from src.gui.core.session import READ_ONLY
from src.gui.theme.icons import icon, logo
from src.gui.theme.theme import NORMAL, SIDEBAR, SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, Focusable, IconButton, icon_label, label, rule
from src.gui.widgets.info_card import InfoCard
from src.gui.widgets.switchable import Switchable
from src.records import LibraryStats

# The heights of a row, and the height below which the lower one is used beside saved searches.
_ROW, _LOW_ROW, _ROOMY = 40, 32, 680
# What the models card says before there are any.
LOADING = ("Loading models", "Search will be ready\nin a moment.")
RECOVERING = ("Recovering", "Models are loaded when your\nlibrary has been recovered.")
NO_LIBRARY = ("No library open", "Models are loaded when\na library is open.")


class _Row(Switchable, Focusable):
    """A place to go to."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        icon_name: str,
        text: str,
        keys: str,
        go: Callable[[], None],
    ) -> None:
        super().__init__(master, theme, go)
        c = theme.colours
        self._icon_name, self._here = icon_name, False
        self._fill = ctk.CTkFrame(
            self, fg_color="transparent", corner_radius=8, border_color=c.accent
        )
        self._fill.pack(fill="both", expand=True, padx=3, pady=0)
        # rows touch each other, so the ring lies in the row
        self._fill.grid_columnconfigure(1, weight=1)
        self.set_height(_ROW)
        self._icon = icon_label(self._fill, icon_name, c.text_2)
        self._icon.grid(row=0, column=0, padx=(10, 12), pady=0)
        self._text = label(self._fill, theme, text, colour=c.text_2, anchor="w")
        self._text.grid(row=0, column=1, sticky="w")
        parts = [self._fill, self._icon, self._text]
        if keys:
            hint = label(self._fill, theme, keys, size=SMALL, colour=c.hint)
            hint.grid(row=0, column=2, padx=(0, 10))
            parts.append(hint)
        for part in parts:
            part.bind("<Button-1>", lambda _: go(), add="+")
            part.bind("<Enter>", lambda _: self._paint(True), add="+")
            part.bind("<Leave>", lambda _: self._paint(False), add="+")

    def _show_enabled(self) -> None:
        c = self.theme.colours
        ink = c.text_2 if self.enabled else c.hint
        self._icon.configure(image=icon(self._icon_name, ink))
        self._text.configure(text_color=ink)

    def set_height(self, height: int) -> None:
        self._fill.grid_rowconfigure(0, weight=1, minsize=self.theme.px(height))

    def show_ring(self, shown: bool) -> None:
        self._fill.configure(border_width=2 if shown else 0)

    def mark(self, here: bool) -> None:
        if not self.enabled:
            return
        c = self.theme.colours
        self._here = here
        self._icon.configure(image=icon(self._icon_name, c.accent if here else c.text_2))
        self._text.configure(
            text_color=c.text if here else c.text_2,
            font=self.theme.font(NORMAL, "medium" if here else "regular"),
        )
        self._paint(False)

    def _paint(self, hover: bool) -> None:
        c = self.theme.colours
        can_go = hover and self.enabled
        fill = c.raised if self._here else c.card if can_go else "transparent"
        self._fill.configure(fg_color=fill)


class Sidebar(ctk.CTkFrame):
    """As wide as the design says, as high as the window."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        do: Callable[[Action], None],
        on_models: Callable[[], None],
        on_reader: Callable[[], None] | None = None,
    ) -> None:
        """Make it.

        Args:
            do: does what is pressed.
            on_models: shows the models.
            on_reader: offers what else can be done where the library is only read; None where it
                is written.
        """
        c = theme.colours
        super().__init__(master, width=SIDEBAR, fg_color=c.sidebar, corner_radius=0)
        self.grid_propagate(False)
        self.pack_propagate(False)
        self.theme = theme
        rule(self, theme).place(relx=1.0, relheight=1.0, anchor="ne")
        head = ctk.CTkFrame(self, fg_color="transparent", height=60)
        head.pack(fill="x", padx=(20, 12))
        head.pack_propagate(False)
        self._logo = ctk.CTkImage(logo(96), size=(24, 24))
        ctk.CTkLabel(head, text="", image=self._logo, width=24).pack(side="left")
        label(head, theme, "Media Library", weight="medium").pack(side="left", padx=12)
        settings = IconButton(head, theme, "sliders", SETTINGS.hint, lambda: do(SETTINGS))
        settings.pack(side="right")
        self.reader: InfoCard | None = None
        if on_reader is None:
            self.add = Button(
                self, theme, ADD.name, lambda: do(ADD), kind="add", icon_name="plus", width=208
            )
            self.add.pack(fill="x", padx=12, pady=(0, 12))
        else:
            settings.forbid(READ_ONLY)
            self.reader = reader_card(self, theme, on_reader)
            self.reader.pack(fill="x", padx=12, pady=(0, 12))
        self.rows: dict[str, _Row] = {}
        for action in sidebar_rows():
            row = _Row(self, theme, action.icon, action.name, action.keys, partial(do, action))
            row.pack(fill="x", padx=13)
            self.rows[action.key] = row
            if action.writes and on_reader is not None:
                row.forbid(READ_ONLY)
        self.models = InfoCard(self, theme, on_models)
        self.models.show(*LOADING)
        self.models.pack(side="bottom", fill="x", padx=12, pady=(0, 12))
        self._table, self._numbers = self._statistics()
        self._in_short = label(self, theme, "–", size=SMALL, colour=c.text_2, anchor="w")
        self._table.pack(side="bottom", fill="x", padx=28, pady=(0, 12))
        self._has_list = False
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._fit(), "+")

    def make_room(self, needed: bool) -> None:
        """Leave space for a list under the rows, or take it back."""
        self._has_list = needed
        self._fit()

    def _fit(self) -> None:
        """Say what is in the library, and of the models, in a line each where the window is low.

        So it is beside a list alone, or where the higher card of a reader is.
        """
        needs_room = self._has_list or self.reader is not None
        is_low = needs_room and self.winfo_height() < self.theme.px(_ROOMY)
        if is_low == bool(self._in_short.winfo_manager()):
            return
        shown, hidden = (self._in_short, self._table) if is_low else (self._table, self._in_short)
        hidden.pack_forget()
        shown.pack(side="bottom", fill="x", padx=28, pady=(0, 12), after=self.models)
        self.models.show_title_alone(is_low)
        for row in self.rows.values():
            row.set_height(_LOW_ROW if is_low else _ROW)

    def mark(self, here: str) -> None:
        """Highlight the panel that is shown."""
        for name, row in self.rows.items():
            row.mark(name == here)
        self.models.mark(here == "models")

    def show_stats(self, stats: LibraryStats) -> None:
        values = (
            f"{stats.media_files:,}",
            f"{stats.segments:,}",
            f"{stats.tags:,}",
            megabytes(stats.bytes),
        )
        for number, value in zip(self._numbers, values, strict=True):
            number.configure(text=value)
        segments, files = counted(stats.segments, "segment"), counted(stats.media_files, "file")
        self._in_short.configure(text=f"{segments} in {files}")

    def _statistics(self) -> tuple[ctk.CTkFrame, list[ctk.CTkLabel]]:
        c = self.theme.colours
        table = ctk.CTkFrame(self, fg_color="transparent")
        table.grid_columnconfigure(0, weight=1)
        numbers = []
        for row, name in enumerate(("Media files", "Segments", "Tags", "On disk")):
            label(table, self.theme, name, size=SMALL, colour=c.text_2).grid(
                row=row, column=0, sticky="w", pady=4
            )
            number = label(table, self.theme, "–", size=SMALL)
            number.grid(row=row, column=1, sticky="e", pady=4)
            numbers.append(number)
        return table, numbers
