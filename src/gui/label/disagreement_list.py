"""The list of disagreements: a crop, what a person says, and what is said otherwise."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from src.gui.core.thumbnails import Thumbnails
from src.gui.theme.icons import icon_image
from src.gui.theme.pictures import rounded_mask
from src.gui.theme.theme import NORMAL, RADIUS, SMALL, Theme, shorten
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.label_records import Disagreement

WIDTH = 240
_HEAD, _ROW, _SIDE, _INSIDE, _THUMB = 52, 56, 12, 12, 40


def words_of(each: Disagreement) -> tuple[str, str]:
    """Write what a person says, and what the model or the other segment says."""
    mine = f"not “{each.label}”" if each.is_removed else f"“{each.label}”"
    return mine, f"“{each.other_label}”"


class DisagreementList(DrawnCanvas):
    """Arrows and clicks choose; what was answered has a tick, and stays until it is read again."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        thumbnails: Thumbnails,
        on_choose: Callable[[int], object],
    ) -> None:
        super().__init__(master, bg=theme.colours.window, width=theme.px(WIDTH), takefocus=1)
        self.theme, self._thumbnails, self._on_choose = theme, thumbnails, on_choose
        self.rows: Sequence[Disagreement] = ()
        self.at = -1
        self.answered: frozenset[int] = frozenset()
        self._crops: Mapping[str, Path] = {}
        self._first, self._hover = 0, -1
        for event in ("<Configure>", "<FocusIn>", "<FocusOut>"):
            self.bind(event, lambda _: self.refresh(), "+")
        self.bind("<Motion>", lambda event: self._point(self._row_at(event.y)))
        self.bind("<Leave>", lambda _: self._point(-1))
        self.bind("<Button-1>", self._click)
        self.bind("<Button-4>", lambda _: self._scroll(-1))
        self.bind("<Button-5>", lambda _: self._scroll(1))
        self.bind("<MouseWheel>", lambda event: self._scroll(-1 if event.delta > 0 else 1))

    def show(self, rows: Sequence[Disagreement], crops: Mapping[str, Path]) -> None:
        """Show disagreements.

        Args:
            crops: the files of the segments' crops, by their ids.
        """
        self.rows, self._crops = tuple(rows), crops
        self._scroll(0)

    def choose(self, place: int) -> None:
        """Mark a row, and have it in sight; nothing is called."""
        self.at = place
        if place >= 0:
            self._first = min(max(self._first, place - self._fitting + 1), place)
        self._scroll(0)

    def mark(self, answered: frozenset[int]) -> None:
        """Show which rows were answered."""
        self.answered = answered
        self.refresh()

    def box(self, place: int) -> tuple[int, int, int, int]:
        """Return where a row lies on the Canvas: left, top, width, height."""
        px = self.theme.px
        top = px(_HEAD) + (place - self._first) * px(_ROW)
        return px(_SIDE), top, px(WIDTH - 2 * _SIDE), px(_ROW)

    @property
    def _fitting(self) -> int:
        return max(1, (self.winfo_height() - self.theme.px(_HEAD)) // self.theme.px(_ROW))

    def _row_at(self, y: int) -> int:
        row = (y - self.theme.px(_HEAD)) // self.theme.px(_ROW)
        place = row + self._first
        return place if row >= 0 and place < len(self.rows) else -1

    def _point(self, place: int) -> None:
        if place != self._hover:
            self._hover = place
            self.configure(cursor="hand2" if place >= 0 else "")
            self.refresh()

    def _click(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self.focus_set()
        if (place := self._row_at(event.y)) >= 0:
            self._on_choose(place)

    def _scroll(self, rows: int) -> str:
        last = max(0, len(self.rows) - self._fitting)
        self._first = min(max(0, self._first + rows), last)
        self.refresh()
        return "break"

    # -- drawing

    def _draw(self) -> None:
        self.erase()
        if self.winfo_width() <= 1:
            return
        px, c = self.theme.px, self.theme.colours
        small = self.theme.canvas_font(self, SMALL)
        left, right = px(_SIDE + _INSIDE), self.winfo_width() - px(_SIDE + _INSIDE)
        self.create_text(left, px(32), text="Disagreements", anchor="w", font=small, fill=c.text_2)
        left_open = len(self.rows) - len(self.answered)
        self.create_text(
            right, px(32), text=f"{left_open:,} open", anchor="e", font=small, fill=c.text_2
        )
        last = min(len(self.rows), self._first + self._fitting + 1)
        side = px(_THUMB)
        crops = [self._crops.get(row.segment_id) for row in self.rows[self._first : last]]
        self._thumbnails.want(self, [(crop, (side, side)) for crop in crops if crop is not None])
        for place in range(self._first, last):
            self._draw_row(place, self.rows[place])

    def _draw_row(self, place: int, row: Disagreement) -> None:
        px, c, theme = self.theme.px, self.theme.colours, self.theme
        left, top, width, height = self.box(place)
        if place in (self.at, self._hover):
            ground = Image.new("RGB", (width, height), c.window)
            fill = c.raised if place == self.at else c.card
            ground.paste(fill, (0, 0), rounded_mask(ground.size, px(RADIUS)))
            self.put(left, top, ground)
        x, middle, side = left + px(_INSIDE), top + height // 2, px(_THUMB)
        crop = self._crops.get(row.segment_id)
        picture = None if crop is None else self._thumbnails.get(crop, (side, side))
        image = Image.new("RGB", (side, side), c.card) if picture is None else picture.copy()
        image.putalpha(rounded_mask((side, side), px(RADIUS)))
        self.put(x, middle, image, anchor="w")
        x += side + px(12)
        right = left + width - px(_INSIDE)
        if place in self.answered:
            self.put(right - px(18), middle, icon_image("check", c.success, px(18)), anchor="w")
            right -= px(26)
        mine, other = words_of(row)
        who = "model" if row.kind == "model" else "other segment"
        ink = c.text_2 if place in self.answered else c.text
        normal, small = theme.canvas_font(self, NORMAL), theme.canvas_font(self, SMALL)
        self.create_text(
            x,
            middle - px(9),
            text=shorten(mine, normal, right - x, tail=4),
            anchor="w",
            font=normal,
            fill=ink,
        )
        self.create_text(
            x,
            middle + px(10),
            text=shorten(f"{who}: {other}", small, right - x, tail=4),
            anchor="w",
            font=small,
            fill=c.text_2,
        )
