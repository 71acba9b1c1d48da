"""The line above the cards of the library: a search by file name, and the filter row."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any

from src.gui.core.session import Session
from src.gui.filters.filter_row import FilterRow
from src.gui.filters.row_buttons import MEDIA_BUTTONS
from src.gui.theme.theme import LEFT, RIGHT, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, label
from src.gui.widgets.inputs import Entry
from src.search.filters import EVERYTHING, Filter

HEIGHT = 32 + 2 * RING
_BUILD_AFTER_MS = 50
_REST_MS = 150  # after the last key, until the library is listed again


class MediaFilter(ctk.CTkFrame):
    """Narrows which media files are listed; its place is there at once, what is in it soon after.

    Attributes:
        name: a part of the names of those wanted.
    """

    def __init__(
        self, master: Any, theme: Theme, session: Session, on_change: Callable[[], object]
    ) -> None:
        super().__init__(master, fg_color="transparent", corner_radius=0, height=HEIGHT)
        self.theme, self._session, self._on_change = theme, session, on_change
        self.name = ""
        self._typing: str | None = None
        self.row: FilterRow | None = None
        self._build_waits = self.after(_BUILD_AFTER_MS, self._build)  # the cards come first

    def _build(self) -> None:
        theme = self.theme
        self.entry = Entry(
            self,
            theme,
            "Find by name",
            icon_name="search",
            height=32,
            on_change=self._typed,
            on_enter=lambda _: self._rested(),
            clearable=True,
        )
        self.grid_columnconfigure(1, weight=1)
        self.entry.grid(row=0, column=0, padx=(LEFT, 4), pady=RING)
        self.row = FilterRow(
            self,
            theme,
            self._session,
            lambda _: self._on_change(),
            MEDIA_BUTTONS,
            self._place_strip,
        )
        self.row.grid(row=0, column=1, sticky="ew", padx=(0, theme.px(RIGHT - RING)))

    def _place_strip(self, strip: tkinter.Misc) -> None:
        px = self.theme.px
        margins = px(LEFT), px(RIGHT)
        strip.grid(  # type: ignore[attr-defined]
            row=1, column=0, columnspan=2, sticky="ew", padx=margins, pady=(px(4), 0)
        )

    @property
    def where(self) -> Filter:
        return EVERYTHING if self.row is None else self.row.filter

    @property
    def is_set(self) -> bool:
        """Whether it may leave any file out."""
        return bool(self.name) or bool(self.where)

    def clear(self) -> None:
        """Want all media files again."""
        if self.row is not None and self.is_set:
            self.row.show(EVERYTHING)
            self.entry.set("")
            self._rested(changed=True)

    def _typed(self, _text: str) -> None:
        self._wait_no_more()
        self._typing = self.after(_REST_MS, self._rested)

    def _rested(self, changed: bool = False) -> None:
        self._wait_no_more()
        name = self.entry.text.strip()
        if changed or name != self.name:
            self.name = name
            self._on_change()

    def _wait_no_more(self) -> None:
        if self._typing is not None:
            self.after_cancel(self._typing)
            self._typing = None

    def destroy(self) -> None:
        self.after_cancel(self._build_waits)
        self._wait_no_more()
        super().destroy()


class NothingFits(ctk.CTkFrame):
    """Shown in the place of the cards where the filter leaves none."""

    def __init__(self, master: Any, theme: Theme, clear: Callable[[], object]) -> None:
        super().__init__(master, fg_color="transparent", corner_radius=0)
        middle = ctk.CTkFrame(self, fg_color="transparent")
        middle.place(relx=0.5, rely=0.42, anchor="center")
        label(
            middle,
            theme,
            "No media file has this name and fits these conditions.",
            colour=theme.colours.text_2,
        ).pack(pady=(0, 8))
        Button(middle, theme, "Show all", clear, kind="link", height=32).pack()
