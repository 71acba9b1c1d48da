"""Small images of a dataset, side by side; a click opens one."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any

from PIL import Image

from src.gui.dialogs.sample_reader import SampleReader
from src.gui.theme.pictures import cover, ring_mask, rounded_mask
from src.gui.theme.theme import SMALL, Theme
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.gui.widgets.key_bindings import bind_key

_CELL_WH, _GAP = (68, 52), 8


class ContactSheet(DrawnCanvas):
    """As many as there is room for, from the first; arrows move, Enter opens."""

    def __init__(
        self, master: Any, theme: Theme, reader: SampleReader, on_open: Callable[[int], object]
    ) -> None:
        super().__init__(master, bg=theme.colours.card, height=theme.px(120), takefocus=1)
        self.theme, self._reader, self._on_open = theme, reader, on_open
        self._at = 0
        self._small: list[Image.Image] = []
        reader.on_more = self.refresh
        for event in ("<Configure>", "<FocusIn>", "<FocusOut>"):
            self.bind(event, lambda _: self.refresh())
        self.bind("<ButtonRelease-1>", self._clicked)
        for key, step in (("Left", -1), ("Right", 1)):
            bind_key(self.bind, f"<{key}>", lambda _, step=step: self._step(step))  # type: ignore[misc]
        for key in ("Return", "KP_Enter", "space"):
            bind_key(self.bind, f"<{key}>", lambda _: self._open(self._at))

    def _grid(self) -> tuple[int, int]:
        """How many columns and rows there is room for."""
        (w, h), gap = (self.theme.px(side) for side in _CELL_WH), self.theme.px(_GAP)
        columns = max(1, (self.winfo_width() + gap) // (w + gap))
        return columns, max(1, (self.winfo_height() + gap) // (h + gap))

    def _draw(self) -> None:
        self.erase()
        columns, rows = self._grid()
        samples = self._reader.samples[: columns * rows]
        c, px = self.theme.colours, self.theme.px
        if not samples:
            text = "No image can be shown." if self._reader.is_done else "Reading…"
            font = self.theme.canvas_font(self, SMALL)
            self.create_text(0, px(12), text=text, anchor="w", fill=c.text_2, font=font)
            return
        size, gap = (px(_CELL_WH[0]), px(_CELL_WH[1])), px(_GAP)
        for sample in samples[len(self._small) :]:
            self._small.append(cover(sample.image_rgb, size))
        has_focus = self.focus_get() is self and self.theme.shows_focus
        for place, picture in enumerate(self._small[: columns * rows]):
            cell = Image.new("RGB", size, c.card)
            cell.paste(picture, (0, 0), rounded_mask(size, px(4)))
            if has_focus and place == self._at:
                cell.paste(c.accent, (0, 0), ring_mask(size, px(4), 2 * self.theme.scale))
            row, column = divmod(place, columns)
            self.put(column * (size[0] + gap), row * (size[1] + gap), cell)

    def _clicked(self, event: tkinter.Event[tkinter.Misc]) -> None:
        px = self.theme.px
        columns, rows = self._grid()
        column = event.x // (px(_CELL_WH[0]) + px(_GAP))
        row = event.y // (px(_CELL_WH[1]) + px(_GAP))
        if column < columns and row < rows:
            self._open(row * columns + column)

    def _step(self, step: int) -> str:
        columns, rows = self._grid()
        last = min(len(self._reader.samples), columns * rows) - 1
        self._at = min(max(0, self._at + step), max(0, last))
        self.refresh()
        return "break"

    def _open(self, place: int) -> str:
        if place < len(self._reader.samples):
            self._on_open(place)
        return "break"
