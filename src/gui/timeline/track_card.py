"""What is chosen on the timeline: its crop, its name, and when it is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from src.gui.core.thumbnails import Thumbnails
from src.gui.theme.pictures import ring_mask, rounded_mask
from src.gui.theme.theme import NORMAL, RADIUS, RADIUS_SMALL, SMALL, Theme, shorten
from src.gui.widgets.drawn_canvas import DrawnCanvas

_HEIGHT, _LOW_HEIGHT = 84, 60
_CROP_WH, _LOW_CROP_WH = (80, 60), (56, 42)
_INSIDE = 12
_HINT = "Click a bar or a segment to see when it is there."


class TrackCard(DrawnCanvas):
    """One drawing on a card."""

    def __init__(self, master: Any, theme: Theme, thumbnails: Thumbnails) -> None:
        super().__init__(master, bg=theme.colours.window, width=1, height=theme.px(_HEIGHT))
        self.theme, self._thumbnails = theme, thumbnails
        self.name = ""
        self.lines: tuple[str, ...] = ()
        self._crop: Path | None = None
        self._is_low = False
        self.bind("<Configure>", lambda _: self.refresh())

    def fit(self, is_low: bool) -> None:
        """Be less high, where the window is low."""
        if is_low != self._is_low:
            self._is_low = is_low
            self.configure(height=self.theme.px(_LOW_HEIGHT if is_low else _HEIGHT))
            self._want()
            self.refresh()

    @property
    def _crop_wh(self) -> tuple[int, int]:
        width, height = _LOW_CROP_WH if self._is_low else _CROP_WH
        return self.theme.px(width), self.theme.px(height)

    def _want(self) -> None:
        self._thumbnails.want(self, [] if self._crop is None else [(self._crop, self._crop_wh)])

    def show(self, name: str, lines: tuple[str, ...], crop: Path | None) -> None:
        """Show what is chosen.

        Args:
            lines: its facts, from above.
            crop: its picture; None where it has none.
        """
        if (name, lines, crop) != (self.name, self.lines, self._crop):
            self.name, self.lines, self._crop = name, lines, crop
            self._want()
            self.refresh()

    def show_nothing(self) -> None:
        self.show("", (_HINT,), None)

    def _draw(self) -> None:
        self.erase()
        px, c, theme = self.theme.px, self.theme.colours, self.theme
        width, height = self.winfo_width(), self.winfo_height()
        if width < px(40):
            return
        ground = Image.new("RGB", (width, height), c.window)
        ground.paste(c.card, (0, 0), rounded_mask(ground.size, px(RADIUS)))
        line = max(1, round(theme.scale))
        ground.paste(c.border, (0, 0), ring_mask(ground.size, px(RADIUS), line))
        self.put(0, 0, ground)
        x = px(_INSIDE)
        if self.name:
            self._draw_crop(x, height)
            x += self._crop_wh[0] + px(_INSIDE)
        bold, small = theme.canvas_font(self, NORMAL, "medium"), theme.canvas_font(self, SMALL)
        room = width - x - px(_INSIDE)
        lines = [(self.name, bold, c.text, 20)] if self.name else []
        lines += [(text, small, c.text_2, 18) for text in self.lines if text]
        y = (height - sum(px(high) for *_, high in lines)) // 2
        for text, font, colour, high in lines:
            self.create_text(
                x,
                y + px(high) // 2,
                text=shorten(text, font, room, tail=0),
                anchor="w",
                font=font,
                fill=colour,
            )
            y += px(high)

    def _draw_crop(self, x: int, height: int) -> None:
        px = self.theme.px
        size = self._crop_wh
        picture = None if self._crop is None else self._thumbnails.get(self._crop, size)
        image = Image.new("RGB", size, self.theme.colours.card)
        ground = self.theme.colours.raised if picture is None else picture
        image.paste(ground, (0, 0), rounded_mask(size, px(RADIUS_SMALL)))
        self.put(x, (height - size[1]) // 2, image)
