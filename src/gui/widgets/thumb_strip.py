"""A row of small pictures, of which one is chosen; paged where they do not fit."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from src.gui.core.thumbnails import Thumbnails
from src.gui.theme.icons import icon_image
from src.gui.theme.pictures import ring_mask, rounded_mask
from src.gui.theme.theme import SMALL, Theme
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.gui.widgets.key_bindings import bind_key

_RING, _ARROW = 4, 24


@dataclass(frozen=True)
class Thumb:
    key: str
    picture: Path
    caption: str = ""


class ThumbStrip(DrawnCanvas):
    """As many pictures as fit, from the left margin on; arrows at the right turn the page.

    The ring of the chosen one needs 4 pixels beyond the margin.
    """

    def __init__(
        self,
        master: Any,
        theme: Theme,
        thumbnails: Thumbnails,
        size_wh: tuple[int, int],
        on_choose: Callable[[str], None],
        gap: int = 10,
        captions: bool = False,
    ) -> None:
        self.theme, self._thumbnails, self._on_choose = theme, thumbnails, on_choose
        self._size = theme.px(size_wh[0]), theme.px(size_wh[1])
        self._gap, self._captions = theme.px(gap), captions
        height = self._size[1] + 2 * theme.px(_RING) + (theme.px(22) if captions else 0)
        super().__init__(master, bg=theme.colours.window, height=height, takefocus=1)
        self._thumbs: list[Thumb] = []
        self._chosen: str | None = None
        self._first = 0
        self.bind("<Configure>", lambda _: self._centre())
        self.bind("<ButtonRelease-1>", self._clicked)
        bind_key(self.bind, "<Left>", lambda _: self._step(-1))
        bind_key(self.bind, "<Right>", lambda _: self._step(1))
        self.bind("<FocusIn>", lambda _: self.refresh())
        self.bind("<FocusOut>", lambda _: self.refresh())
        self.bind("<Button-4>", lambda _: self._turn(-1))
        self.bind("<Button-5>", lambda _: self._turn(1))
        self.bind("<MouseWheel>", lambda e: self._turn(-1 if e.delta > 0 else 1))

    def show(self, thumbs: Sequence[Thumb], chosen: str | None) -> None:
        same = list(thumbs) == self._thumbs
        self._thumbs, self._chosen = list(thumbs), chosen
        if not same or self._place_of(chosen) not in range(self._first, self._first + self._fit()):
            self._centre()
        self.refresh()

    @property
    def chosen(self) -> int:
        """The place of the chosen picture; -1 for none."""
        return self._place_of(self._chosen)

    def choose_next(self, step: int) -> None:
        place = self.chosen + step
        if 0 <= place < len(self._thumbs):
            self._on_choose(self._thumbs[place].key)

    def _step(self, step: int) -> str:
        self.choose_next(step)
        return "break"

    def _place_of(self, key: str | None) -> int:
        return next((i for i, thumb in enumerate(self._thumbs) if thumb.key == key), -1)

    def _inside(self) -> int:
        """Return the width for the pictures, less that of the arrows where they do not all fit."""
        inside = self.winfo_width() - 2 * self.theme.px(_RING)
        fits = len(self._thumbs) * (self._size[0] + self._gap) - self._gap <= inside
        return inside if fits else inside - 2 * self.theme.px(_ARROW)

    def _fit(self) -> int:
        return max(1, (self._inside() + self._gap) // (self._size[0] + self._gap))

    def _centre(self) -> None:
        fit = self._fit()
        self._first = min(max(0, self.chosen - fit // 2), max(0, len(self._thumbs) - fit))
        self.refresh()

    def _turn(self, pages: int) -> None:
        fit = self._fit()
        self._first = min(max(0, self._first + pages * fit), max(0, len(self._thumbs) - fit))
        self.refresh()

    def _draw(self) -> None:
        self.erase()
        px, c = self.theme.px, self.theme.colours
        left = px(_RING)
        seen = self._thumbs[self._first : self._first + self._fit()]
        self._thumbnails.want(self, [(thumb.picture, self._size) for thumb in seen])
        middle = px(_RING) + self._size[1] // 2
        if len(seen) < len(self._thumbs):
            before, after = self._first > 0, self._first + len(seen) < len(self._thumbs)
            x = self.winfo_width() - px(2 * _ARROW) + px(2)
            for name, turns in (("left", before), ("right", after)):
                colour = c.text_2 if turns else c.strong_border
                self.put(x, middle - px(10), icon_image(name, colour, px(20)))
                x += px(_ARROW)
        small = self.theme.canvas_font(self, SMALL)
        for place, thumb in enumerate(seen):
            x = left + place * (self._size[0] + self._gap)
            chosen = thumb.key == self._chosen
            self.put(x - px(_RING), 0, self._picture(thumb, chosen))
            if self._captions:
                self.create_text(
                    x + self._size[0] // 2,
                    self._size[1] + px(_RING + 14),
                    text=thumb.caption,
                    fill=c.text if chosen else c.text_2,
                    font=small,
                )

    def _picture(self, thumb: Thumb, chosen: bool) -> Image.Image:
        px, c = self.theme.px, self.theme.colours
        reach = px(_RING)
        width, height = self._size[0] + 2 * reach, self._size[1] + 2 * reach
        image = Image.new("RGB", (width, height), c.window)
        picture = self._thumbnails.get(thumb.picture, self._size)
        inner = picture or Image.new("RGB", self._size, c.card)
        image.paste(inner, (reach, reach), rounded_mask(self._size, px(6)))
        if chosen:
            colour = c.text if self.focus_get() is self else c.accent
            image.paste(colour, (0, 0), ring_mask((width, height), px(10), 2 * self.theme.scale))
        return image

    def _clicked(self, event: tkinter.Event[tkinter.Misc]) -> None:
        left = self.theme.px(_RING)
        if event.x > left + self._inside():
            right = event.x > self.winfo_width() - self.theme.px(_ARROW)
            self._turn(1 if right else -1)
        else:
            place = (event.x - left) // (self._size[0] + self._gap)
            seen = self._thumbs[self._first : self._first + self._fit()]
            if 0 <= place < len(seen):
                self._on_choose(seen[place].key)
