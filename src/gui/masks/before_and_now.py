"""Two small pictures: the segment as it was, and as it is now."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from src.gui.core.main_thread import MainThread
from src.gui.masks.editor import Look
from src.gui.masks.mask_drawing import Box, close_up, joined
from src.gui.theme.pictures import rounded_mask
from src.gui.theme.theme import RADIUS_SMALL, SMALL, Theme
from src.gui.widgets.controls import ground_of
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.records import BoxXywh

_WIDE, _HIGH, _GAP, _BELOW = 127, 95, 9, 24
_BEFORE_COLOUR = "#C4C4CA"


class BeforeAndNow(DrawnCanvas):
    """Drawn in another thread; of many changes only the last is drawn."""

    def __init__(self, master: Any, theme: Theme, main_thread: MainThread) -> None:
        px = theme.px
        super().__init__(
            master,
            bg=ground_of(master),
            width=px(2 * _WIDE + _GAP),
            height=px(_HIGH + _BELOW),
        )
        self.theme, self._main_thread = theme, main_thread
        self._captions = "", ""
        self._pictures: list[Image.Image | None] = [None, None]
        self._wish: tuple[Image.Image, Look, Look] | None = None
        self._draws = False

    def show(self, image: Image.Image, before: Look, now: Look, captions: tuple[str, str]) -> None:
        """Show two looks at one segment of a frame, and what is written below each."""
        self._captions, self._wish = captions, (image, before, now)
        self._next()

    def clear(self) -> None:
        self._wish, self._pictures = None, [None, None]
        self.erase()

    def _next(self) -> None:
        if self._draws or self._wish is None:
            return
        (image, before, now), self._wish = self._wish, None
        self._draws = True
        size, theme = (self.theme.px(_WIDE), self.theme.px(_HIGH)), self.theme
        about = joined(_corners(before.state.bbox_xywh), _corners(now.state.bbox_xywh))
        about = about or (0, 0, *image.size)

        def small(mask: np.ndarray, colour: str) -> Image.Image:
            return close_up(image, mask, about, size, theme, colour)

        def work() -> list[Image.Image | None]:
            return [small(before.mask, _BEFORE_COLOUR), small(now.mask, theme.colours.accent)]

        def drawn(pictures: list[Image.Image | None]) -> None:
            self._draws, self._pictures = False, pictures
            self.refresh()
            self._next()

        def failed(exc: Exception) -> None:
            self._draws = False
            raise exc

        self._main_thread.run(work, drawn, failed)

    def _draw(self) -> None:
        self.erase()
        px, c = self.theme.px, self.theme.colours
        size = px(_WIDE), px(_HIGH)
        corners = rounded_mask(size, px(RADIUS_SMALL + 2))
        font = self.theme.canvas_font(self, SMALL)
        for place, (picture, words) in enumerate(zip(self._pictures, self._captions, strict=True)):
            left = place * px(_WIDE + _GAP)
            ground = Image.new("RGB", size, self["bg"])
            ground.paste(picture or Image.new("RGB", size, c.card), (0, 0), corners)
            self.put(left, 0, ground)
            self.create_text(left, px(_HIGH + 8), text=words, anchor="nw", font=font, fill=c.text_2)


def _corners(box: BoxXywh | None) -> Box | None:
    return None if box is None else (box[0], box[1], box[0] + box[2], box[1] + box[3])
