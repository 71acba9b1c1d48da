"""Crops of what is selected on the map: as many rows as fit, and how many more there are."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from src.gui.core.thumbnails import Thumbnails
from src.gui.theme.pictures import rounded_mask
from src.gui.theme.theme import NORMAL, RADIUS, Theme
from src.gui.widgets.controls import ground_of
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.records import SearchHit

COLUMNS, MOST = 3, 18
_GAP = 8


class CropWall(DrawnCanvas):
    """A click on a crop opens its segment."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        thumbnails: Thumbnails,
        on_open: Callable[[SearchHit], None],
    ) -> None:
        # its height is what its manager leaves
        super().__init__(master, bg=ground_of(master), height=1, width=1)
        self.theme, self._thumbnails, self._on_open = theme, thumbnails, on_open
        self._hits: Sequence[SearchHit] = ()
        self._count = 0
        self.bind("<Configure>", lambda _: self.refresh())
        self.bind("<ButtonRelease-1>", self._clicked)
        self.bind("<Motion>", lambda e: self.configure(cursor=self._cursor(e.x, e.y)))

    def show(self, hits: Sequence[SearchHit], count: int) -> None:
        """Show the first of so many segments."""
        self._hits, self._count = hits, count
        self.refresh()

    @property
    def _side(self) -> int:
        gap = self.theme.px(_GAP)
        return max(1, (self.winfo_width() - (COLUMNS - 1) * gap) // COLUMNS)

    def _seen(self) -> Sequence[SearchHit]:
        """Return the crops that there is space for; the last cell may say how many more."""
        rows = max(1, (self.winfo_height() + self.theme.px(_GAP)) // self._step)
        cells = rows * COLUMNS
        return self._hits[: cells if self._count <= min(cells, MOST) else min(cells, MOST) - 1]

    @property
    def _step(self) -> int:
        return self._side + self.theme.px(_GAP)

    def _draw(self) -> None:
        self.erase()
        seen, side, c = self._seen(), self._side, self.theme.colours
        self._thumbnails.want(self, [(hit.segment.crop_path, (side, side)) for hit in seen])
        for place, hit in enumerate(seen):
            x, y = self._place(place)
            picture = self._thumbnails.get(hit.segment.crop_path, (side, side))
            self._put(picture or Image.new("RGB", (side, side), c.raised), x, y)
        if self._hits and self._count > len(seen):
            x, y = self._place(len(seen))
            self._put(Image.new("RGB", (side, side), c.card), x, y)
            self.create_text(
                x + side // 2,
                y + side // 2,
                text=f"+{self._count - len(seen):,}",
                fill=c.text_2,
                font=self.theme.canvas_font(self, NORMAL),
            )

    def _place(self, place: int) -> tuple[int, int]:
        row, column = divmod(place, COLUMNS)
        return column * self._step, row * self._step

    def _put(self, picture: Image.Image, x: int, y: int) -> None:
        image = picture.copy()
        image.putalpha(rounded_mask(image.size, self.theme.px(RADIUS)))
        self.put(x, y, image)

    def _at(self, x: int, y: int) -> SearchHit | None:
        column, row = x // self._step, y // self._step
        place = row * COLUMNS + column
        seen = self._seen()
        return seen[place] if 0 <= column < COLUMNS and 0 <= place < len(seen) else None

    def _cursor(self, x: int, y: int) -> str:
        return "" if self._at(x, y) is None else "hand2"

    def _clicked(self, event: tkinter.Event[tkinter.Misc]) -> None:
        hit = self._at(event.x, event.y)
        if hit is not None:
            self._on_open(hit)
