"""The line below which a match is likely chance, and what is folded away under it."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from src.gui.core.thumbnails import Thumbnails
from src.gui.theme.icons import icon_image
from src.gui.theme.pictures import ring_mask, rounded_mask
from src.gui.theme.theme import NORMAL, RADIUS, RADIUS_SMALL, SMALL, Theme
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.gui.widgets.key_bindings import bind_key

SENTENCE = "Below this line a match is likely chance"
HEIGHT = 112
_LINE_AT, _BOX_TOP, _BOX = 20, 40, 48
_THUMB_WH, _BETWEEN, _MOST_THUMBS = (40, 30), 4, 6


class WeakerBand(DrawnCanvas):
    """A click, Enter or Space shows and hides the weaker hits."""

    def __init__(
        self,
        master: tkinter.Misc,
        theme: Theme,
        thumbnails: Thumbnails,
        on_toggle: Callable[[], None],
    ) -> None:
        super().__init__(
            master,
            bg=theme.colours.window,
            takefocus=1,
            cursor="hand2",
            height=theme.px(HEIGHT),
        )
        self.theme, self._thumbnails, self._on_toggle = theme, thumbnails, on_toggle
        self.words = self._lower = ""
        self._crops: tuple[Path, ...] = ()
        self.is_open = self._hover = False
        for event in ("<Configure>", "<FocusIn>", "<FocusOut>"):
            self.bind(event, lambda _: self.refresh())
        self.bind("<Enter>", lambda _: self._point(True))
        self.bind("<Leave>", lambda _: self._point(False))
        self.bind("<ButtonRelease-1>", self._clicked)
        for key in ("<Return>", "<KP_Enter>", "<space>"):
            bind_key(self.bind, key, lambda _: self._toggle())

    def show(self, words: str, lower: str, crops: Sequence[Path], is_open: bool) -> None:
        """Say how many there are.

        Args:
            words, lower: "340 weaker hits" and "49% and lower".
            crops: pictures of the first ones, shown while they are folded away.
        """
        self.words, self._lower, self.is_open = words, lower, is_open
        self._crops = tuple(crops[:_MOST_THUMBS])
        self.refresh()

    def fold_box(self) -> tuple[int, int, int, int]:
        """Return where a click folds and unfolds: left, top, width, height on the screen."""
        left, top, px = self.winfo_rootx(), self.winfo_rooty(), self.theme.px
        return left, top + px(_BOX_TOP), self.winfo_width(), px(_BOX)

    def _point(self, over: bool) -> None:
        self._hover = over
        self.refresh()

    def _clicked(self, event: tkinter.Event[tkinter.Misc]) -> None:
        top = self.theme.px(_BOX_TOP)
        if top <= event.y <= top + self.theme.px(_BOX):
            self._toggle()

    def _toggle(self) -> str:
        self._on_toggle()
        return "break"

    def _draw(self) -> None:
        width = self.winfo_width()
        if width <= 1:
            return
        theme, c, px = self.theme, self.theme.colours, self.theme.px
        self.erase()
        small, font = theme.canvas_font(self, SMALL), theme.canvas_font(self, NORMAL)
        medium = theme.canvas_font(self, NORMAL, "medium")
        middle, half = px(_LINE_AT), small.measure(SENTENCE) // 2 + px(16)
        for left, right in ((0, width // 2 - half), (width // 2 + half, width)):
            self.create_line(left, middle, right, middle, fill=c.strong_border)
        self.create_text(width // 2, middle, text=SENTENCE, font=small, fill=c.text_2)
        self._draw_box(width)
        y, left = px(_BOX_TOP) + px(_BOX) // 2, px(16)
        sign = icon_image("down" if self.is_open else "right", c.text_2, px(16))
        self.put(left, y - sign.height // 2, sign)
        left += px(28)
        self.create_text(left, y, text=self.words, anchor="w", font=medium, fill=c.text)
        left += medium.measure(self.words) + px(10)
        self.create_text(left, y, text=self._lower, anchor="w", font=font, fill=c.text_2)
        left += font.measure(self._lower) + px(16)
        if not self.is_open:
            self._draw_thumbs(left, width - px(16), y)

    def _draw_box(self, width: int) -> None:
        c, px = self.theme.colours, self.theme.px
        size = width, px(_BOX)
        box = Image.new("RGB", size, c.window)
        box.paste(c.raised if self._hover else c.card, (0, 0), rounded_mask(size, px(RADIUS)))
        focused = self.focus_get() is self and self.theme.shows_focus
        line = 2 * self.theme.scale if focused else self.theme.scale
        colour = c.accent if focused else c.border
        box.paste(colour, (0, 0), ring_mask(size, px(RADIUS), line))
        self.put(0, px(_BOX_TOP), box)

    def _draw_thumbs(self, left: int, right: int, middle: int) -> None:
        px, c = self.theme.px, self.theme.colours
        size = px(_THUMB_WH[0]), px(_THUMB_WH[1])
        fitting = max(0, (right - left + px(_BETWEEN)) // (size[0] + px(_BETWEEN)))
        crops = self._crops[:fitting]
        self._thumbnails.want(self, [(crop, size) for crop in crops])
        ground = Image.new("RGB", size, c.card)
        x = right - len(crops) * (size[0] + px(_BETWEEN)) + px(_BETWEEN)
        for crop in crops:
            thumb = self._thumbnails.get(crop, size)
            shown = ground.copy()
            if thumb is not None:
                dimmed = Image.blend(ground, thumb, 0.6)
                shown.paste(dimmed, (0, 0), rounded_mask(size, px(RADIUS_SMALL)))
            self.put(x, middle - size[1] // 2, shown)
            x += size[0] + px(_BETWEEN)
