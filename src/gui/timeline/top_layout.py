"""How the height of the panel is shared between the picture and the timeline; numbers only."""

from __future__ import annotations

from dataclasses import dataclass

from src.gui.theme.theme import LEFT, RIGHT

_SHARE = 0.52  # of the width, at most for the picture
_NARROWEST = 200  # the picture
_LEAST, _LEAST_LOW = 254, 214  # what stands beside the picture needs
_TIMELINE = 20 + 48 + 160 + 2 * 32 + 48  # margins and zoom, ruler to score, two lanes, hints
_LOW = 640  # below the header: no hints, and what stands beside the picture is closer


@dataclass(frozen=True)
class Heights:
    """In pixels of the design.

    Attributes:
        top: of the picture and what stands beside it.
        picture_w: the width of the picture.
        has_hints: whether there is space for the line with the keys.
    """

    top: int
    picture_w: int
    has_hints: bool


def heights(panel_w: float, height: float, ratio: float) -> Heights:
    """Share the height below the header.

    Args:
        panel_w: of the panel.
        ratio: of the picture's width to its height.
    """
    is_low = height < _LOW
    content = panel_w - LEFT - RIGHT
    widest = max(_NARROWEST, content * _SHARE)
    least = _LEAST_LOW if is_low else _LEAST
    most = height - _TIMELINE
    top = round(max(least, min(most, widest / ratio + 4)))
    picture_w = round(min(widest, max(_NARROWEST, (top - 4) * ratio)))
    return Heights(top, picture_w, not is_low)
