"""How good a mask has to be: what a slider over those of the library asks for."""

from __future__ import annotations

import math

from src.gui.widgets.slider import Slider

HINT = (
    "How confident SAM is in a segment's outline. Move right to see only the best ones.\n"
    "Whole images are always shown."
)
# Between the end of the slider's track and the edge of the widget.
EDGE = 10


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
