"""A button that shows the choice made and opens the others below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from src.gui.theme.theme import RADIUS, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Focusable, icon_label, label
from src.gui.widgets.popup import show_menu


class MenuButton(Focusable):
    """One of several, chosen from a menu."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        names: Sequence[str],
        on_change: Callable[[str], object],
        *,
        height: int = 32,
        width: int | None = None,
        value: str | None = None,
    ) -> None:
        super().__init__(master, theme, self._open)
        c = theme.colours
        self.value = value or names[0]
        self._names, self._on_change = list(names), on_change
        font = theme.font()
        wide = max(font.measure(name) for name in names) + 52 if width is None else width
        self._body = ctk.CTkFrame(
            self,
            fg_color=c.raised,
            corner_radius=RADIUS,
            border_width=1,
            border_color=c.control,
            width=wide,
            height=height,
        )
        self._body.pack(fill="both", expand=True, padx=RING, pady=RING)
        self._body.pack_propagate(False)
        self._room = wide - 52  # for the text
        self._text = label(self._body, theme, "")
        self.show(self.value)
        self._text.pack(side="left", padx=(12, 4))
        arrow = icon_label(self._body, "down", c.text_2, 16)
        arrow.pack(side="right", padx=(0, 10))
        for part in (self._body, self._text, arrow):
            part.bind("<Button-1>", lambda _: self._open(), add="+")
            part.bind("<Enter>", lambda _: self._body.configure(fg_color=c.hover), add="+")
            part.bind("<Leave>", lambda _: self._body.configure(fg_color=c.raised), add="+")

    def choose(self, name: str) -> None:
        if name != self.value:
            self.show(name)
            self._on_change(name)

    def show(self, name: str) -> None:
        """Show what was chosen elsewhere; it need not be one of the names."""
        self.value = name
        font = self.theme.canvas_font(self)
        self._text.configure(text=shorten(name, font, self.theme.px(self._room) + 1, tail=1))

    def offer(self, names: Sequence[str]) -> None:
        """Offer other choices from now on; what is chosen stays."""
        self._names = list(names)

    def _open(self) -> None:
        body, gap = self._body, self.theme.px(4)
        show_menu(
            self,
            self.theme,
            [(name, partial(self.choose, name)) for name in self._names],
            body.winfo_rootx(),
            body.winfo_rooty() + body.winfo_height() + gap,
            width=body.winfo_width(),
            above=body.winfo_rooty() - gap,
            chosen=self._names.index(self.value) if self.value in self._names else -1,
        )
