"""Pairs of media files that look alike, with their pictures and the sides they are on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from src.errors import MediaLibraryError
from src.export_records import AlikePair
from src.gui.core.session import Session
from src.gui.theme.pictures import cover, rounded_mask
from src.gui.theme.theme import NORMAL, SMALL, Theme, shorten
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.gui.widgets.split_bar import SPLIT_NAMES

_ROW, _ROWS = 64, 3
_THUMB_WH = 72, 54
_SIMILARITY = 48


class PairList(DrawnCanvas):
    """A row for each pair; the wheel and the arrows scroll."""

    def __init__(
        self, master: Any, theme: Theme, session: Session, pairs: Sequence[AlikePair]
    ) -> None:
        high = theme.px(_ROW * min(_ROWS, len(pairs)))
        super().__init__(master, bg=theme.colours.sidebar, height=high, takefocus=1)
        self.theme, self._session, self._pairs = theme, session, pairs
        self._first = 0
        self._pictures: dict[Path, Image.Image | None] = {}
        self.bind("<Configure>", lambda _: self.refresh())
        for event, rows in (
            ("<Button-4>", -1),
            ("<Button-5>", 1),
            ("<Up>", -1),
            ("<Down>", 1),
            ("<Prior>", -_ROWS),
            ("<Next>", _ROWS),
        ):
            self.bind(event, partial(self._scroll, rows))
        self.bind("<MouseWheel>", lambda e: self._scroll(-1 if e.delta > 0 else 1, e))

    def _scroll(self, rows: int, _event: object) -> str:
        self._first = min(max(0, self._first + rows), max(0, len(self._pairs) - _ROWS))
        self.refresh()
        return "break"

    def _draw(self) -> None:
        self.erase()
        px, c = self.theme.px, self.theme.colours
        width, half = self.winfo_width(), (self.winfo_width() - px(_SIMILARITY + 12)) // 2
        for row, pair in enumerate(self._pairs[self._first : self._first + _ROWS]):
            top = px(_ROW) * row
            for place in (0, 1):
                self._draw_side(pair, place, place * half, top, half)
            self.create_text(
                width - px(12),
                top + px(_THUMB_WH[1]) // 2,
                text=f"{pair.similarity:.2f}",
                anchor="e",
                fill=c.text,
                font=self.theme.canvas_font(self, NORMAL),
            )
        if len(self._pairs) > _ROWS:
            high = self.winfo_height()
            top = high * self._first // len(self._pairs)
            end = high * (self._first + _ROWS) // len(self._pairs)
            self.create_rectangle(width - px(4), top, width, end, fill=c.strong_border, outline="")

    def _draw_side(self, pair: AlikePair, place: int, x: int, top: int, wide: int) -> None:
        px, c = self.theme.px, self.theme.colours
        size = px(_THUMB_WH[0]), px(_THUMB_WH[1])
        thumb = Image.new("RGB", size, c.sidebar)
        picture = self._picture(pair.crops[place], size) or Image.new("RGB", size, c.card)
        thumb.paste(picture, (0, 0), rounded_mask(size, px(4)))
        self.put(x, top, thumb)
        left = x + size[0] + px(10)
        font, small = self.theme.canvas_font(self, NORMAL), self.theme.canvas_font(self, SMALL)
        name = shorten(pair.files[place].name, font, x + wide - left - px(8))
        self.create_text(left, top + px(18), text=name, anchor="w", fill=c.text, font=font)
        side = SPLIT_NAMES[pair.splits[place]]
        self.create_text(left, top + px(38), text=side, anchor="w", fill=c.text_2, font=small)

    def _picture(self, crop: Path, size_wh: tuple[int, int]) -> Image.Image | None:
        """Return a picture; None while it is read, or where it can't be."""
        if crop not in self._pictures:
            self._pictures[crop] = None
            library = self._session.library

            def read() -> np.ndarray | None:
                try:
                    return library.browse.thumbnail(crop)
                except MediaLibraryError:
                    return None  # the row without its picture says enough; verify says the rest

            def come(image_rgb: np.ndarray | None) -> None:
                if image_rgb is not None and self.winfo_exists():
                    self._pictures[crop] = cover(image_rgb, size_wh)
                    self.refresh()

            self._session.main_thread.run(read, come)
        return self._pictures[crop]
