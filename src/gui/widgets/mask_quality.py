"""How good a mask has to be: a slider over what the library holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, label
from src.gui.widgets.slider import Slider
from src.gui.widgets.tooltip import Tooltip

HINT = (
    "How confident SAM is in a segment's outline. Move right to see only the best ones.\n"
    "Whole images are always shown."
)
# Between the end of the slider's track and the edge of the widget.
EDGE = 10
WIDTH = 96  # of the slider


def ends_of(lowest_highest: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return the ends of a slider over a range of predicted_iou; None where it has no range.

    Both are rounded down to hundredths: nothing is left out at the lower end, and at the upper
    one the best masks stay.
    """
    if lowest_highest is None:
        return None
    low, high = (math.floor(value * 100) / 100 for value in lowest_highest)
    return None if low == high else (low, high)


def least_of(slider: Slider) -> float:
    """Return the least predicted_iou that a slider asks for; 0 at its left end: any."""
    return 0.0 if slider.value <= slider.ends[0] else slider.value


class MaskQuality(ctk.CTkFrame):
    """The slider with its words, in one line; hidden while there is nothing to choose."""

    def __init__(self, master: Any, theme: Theme, on_change: Callable[[], None]) -> None:
        super().__init__(master, fg_color="transparent")
        self.theme = theme
        self._is_narrow = False
        self._words = label(self, theme, "", size=SMALL, colour=theme.colours.text_2, anchor="e")
        self._words.pack(side="left")
        self.slider = Slider(
            self, theme, (0.0, 1.0), 0.0, lambda _: self._say(), on_rest=on_change, width=WIDTH
        )
        self.slider.pack(side="left", padx=(4, 0))
        self._say()
        Tooltip(self, theme, HINT)

    @property
    def least(self) -> float:
        """The least predicted_iou of masks that are to be found; 0 for all."""
        return least_of(self.slider)

    def offer(self, lowest_highest: tuple[float, float] | None) -> bool:
        """Set its range to what the library holds; returns whether there is anything to choose."""
        ends, least = ends_of(lowest_highest), self.least
        if ends is None:
            self.slider.set(self.slider.ends[0])
            return False
        self.slider.set_ends(ends)
        self.slider.set(least)
        self._say()
        return True

    def fit(self, width_px: int) -> int:
        """Use shorter words where the longer ones do not fit.

        Returns:
            Its width in device pixels, wherever the slider stands.
        """
        font = self.theme.canvas_font(self, SMALL)
        slider = self.theme.px(WIDTH + 2 * RING + 4)
        wide, narrow = (int(font.measure(_sentence(0.88, short))) for short in (False, True))
        self._is_narrow = wide + slider > width_px
        self._say()
        return slider + (narrow if self._is_narrow else wide)

    def _say(self) -> None:
        self._words.configure(text=_sentence(self.least, self._is_narrow))


def _sentence(least: float, is_narrow: bool) -> str:
    if least == 0:
        return "All masks" if is_narrow else "Any mask quality"
    return f"{'Masks' if is_narrow else 'Mask quality'} ≥ {least:.2f}"
